//! Signing in: with what is kept, or what is given, or else by asking for it.
//!
//! Owns the secrets while they are typed. Refuses to go on with a folder that belongs to another
//! server or name.

use std::pin::pin;

use crossterm::event::Event;
use parlor_sdk::{Builder, Client, Error};

use crate::form::{Form, Pressed, Wanted};
use crate::home::Home;
use crate::keys::Key;
use crate::run::RunError;
use crate::terminal::{Events, Taken};
use crate::{keys, view};

/// What is given beside the terminal: on the command line or in the environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    /// The server's address.
    pub(crate) server: Option<String>,
    /// The name.
    pub(crate) name: Option<String>,
    /// The password.
    pub(crate) password: Option<String>,
    /// What closes that which is kept here.
    pub(crate) passphrase: Option<String>,
}

/// The address that is proposed.
const SERVER: &str = "http://127.0.0.1:8000";

/// What is said of the passphrase.
const ABOUT: [&str; 3] = [
    "The passphrase closes what is kept on this machine: messages and keys.",
    "Without one nothing of it is hidden, and encrypted sessions stay closed.",
    "",
];

/// Goes on with the login that is kept, or signs in; nothing when the user leaves.
///
/// # Errors
/// [`RunError`], when asking for something else would not help.
pub(crate) async fn client(
    home: &Home,
    given: &mut Given,
    terminal: &mut Taken,
    events: &mut Events,
) -> Result<Option<Client>, RunError> {
    let Some((server, name)) = home.signed_in() else {
        return sign_in(home, given, terminal, events).await;
    };
    let mut form: Option<Form> = None;
    loop {
        let resuming = device(home, &server, text(&given.passphrase)).resume();
        let Some(done) = unless_left(resuming, events).await else { return Ok(None) };
        match done {
            Ok(client) => return Ok(Some(client)),
            Err(Error::SignedOut) => return again(home, given, terminal, events).await,
            Err(Error::Passphrase) => {}
            Err(error) => return Err(error.into()),
        }
        let form = form.get_or_insert_with(|| {
            let about = format!("{name} at {server}");
            Form::new("what is kept here is closed", &[&about, ""], &[(Wanted::Passphrase, "")])
        });
        if given.passphrase.take().is_some() {
            form.refuse("that is not the passphrase");
        }
        if !ask(form, terminal, events).await? {
            return Ok(None);
        }
        given.passphrase = Some(form.value(Wanted::Passphrase));
    }
}

/// Signs in for the first time here.
async fn sign_in(
    home: &Home,
    given: &mut Given,
    terminal: &mut Taken,
    events: &mut Events,
) -> Result<Option<Client>, RunError> {
    let mut form = Form::new("sign in", &ABOUT, &fields(given));
    // Everything is given: nothing is to be asked.
    let mut ready = given.name.is_some() && given.password.is_some() && given.passphrase.is_some();
    loop {
        if !ready && !ask(&mut form, terminal, events).await? {
            return Ok(None);
        }
        ready = false;
        let server = address(&form.value(Wanted::Server));
        let name = form.value(Wanted::Name);
        home.make()?;
        let passphrase = form.value(Wanted::Passphrase);
        let password = form.value(Wanted::Password);
        let signing_in = device(home, &server, &passphrase).sign_in(&name, &password);
        let Some(done) = unless_left(signing_in, events).await else { return Ok(None) };
        match done {
            Ok(client) => {
                given.passphrase = Some(passphrase);
                home.note(&server, client.username().as_str())?;
                return Ok(Some(client));
            }
            Err(error) => form.refuse(error.to_string()),
        }
    }
}

fn text(given: &Option<String>) -> &str {
    given.as_deref().unwrap_or_default()
}

fn fields(given: &Given) -> [(Wanted, &str); 5] {
    [
        (Wanted::Server, given.server.as_deref().unwrap_or(SERVER)),
        (Wanted::Name, text(&given.name)),
        (Wanted::Password, text(&given.password)),
        (Wanted::Passphrase, text(&given.passphrase)),
        (Wanted::Again, text(&given.passphrase)),
    ]
}

/// Signs in again where the login is over: as the same person, since what is kept is theirs.
///
/// # Errors
/// [`RunError`].
pub(crate) async fn again(
    home: &Home,
    given: &mut Given,
    terminal: &mut Taken,
    events: &mut Events,
) -> Result<Option<Client>, RunError> {
    let Some((server, name)) = home.signed_in() else {
        return sign_in(home, given, terminal, events).await;
    };
    let about = format!("{name} at {server} was signed out.");
    let mut form = Form::new("sign in again", &[&about, ""], &[(Wanted::Password, "")]);
    loop {
        if !ask(&mut form, terminal, events).await? {
            return Ok(None);
        }
        let password = form.value(Wanted::Password);
        let signing_in = device(home, &server, text(&given.passphrase)).sign_in(&name, &password);
        let Some(done) = unless_left(signing_in, events).await else { return Ok(None) };
        match done {
            Ok(client) => return Ok(Some(client)),
            Err(error) => form.refuse(error.to_string()),
        }
    }
}

/// This device at a server, with what it keeps closed by the passphrase, if there is one.
fn device(home: &Home, server: &str, passphrase: &str) -> Builder {
    let device = Client::builder(server).folder(home.path()).device_name("terminal");
    if passphrase.is_empty() { device } else { device.passphrase(passphrase) }
}

/// What comes of this; nothing when the user leaves meanwhile. What else is typed is for nobody.
async fn unless_left<T>(work: impl Future<Output = T>, events: &mut Events) -> Option<T> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Some(done),
            event = events.next() => match event {
                None => return None,
                Some(Event::Key(key)) if keys::read(key) == Some(Key::Ctrl('c')) => return None,
                Some(_) => {}
            }
        }
    }
}

/// An address as it is used: with a scheme, and without a path.
fn address(typed: &str) -> String {
    let typed = typed.trim().trim_end_matches('/');
    if typed.contains("://") { typed.to_owned() } else { format!("https://{typed}") }
}

/// Has the form filled in; false when the user leaves.
async fn ask(form: &mut Form, terminal: &mut Taken, events: &mut Events) -> Result<bool, RunError> {
    loop {
        terminal.screen.draw(|frame| view::form(frame, form))?;
        let pressed = match events.next().await {
            Some(Event::Key(key)) => keys::read(key).map(|key| form.press(key)),
            Some(Event::Paste(text)) => {
                form.paste(&text);
                None
            }
            Some(_) => None,
            None => Some(Pressed::Quit),
        };
        match pressed {
            Some(Pressed::Done) => {
                terminal.screen.draw(|frame| view::form(frame, form))?;
                return Ok(true);
            }
            Some(Pressed::Quit) => return Ok(false),
            Some(Pressed::Nothing) | None => {}
        }
    }
}
