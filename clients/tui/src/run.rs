//! The loop: keys and updates come in, effects go out, and the screen is drawn when something
//! changed.

use std::time::Duration;

use crossterm::event::Event;
use jiff::tz::TimeZone;
use parlor_sdk::clock::Clock;
use parlor_sdk::{Client, Error, Update, Verification};
use ratatui::DefaultTerminal;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

use crate::app::{App, Link};
use crate::carry::{self, Carried};
use crate::effect::{Effect, News};
use crate::terminal::Events;
use crate::verifier::{self, Verifier};
use crate::{keys, view};

/// The time between two drawings: thirty a second at most.
const DRAWING: Duration = Duration::from_millis(33);

/// The time between two countings down.
const SECOND: Duration = Duration::from_secs(1);

const NOBODY: &str = "there is no other device with keys to compare with";

/// Why the terminal client failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The client failed.
    #[error(transparent)]
    Client(#[from] Error),
    /// The terminal, or a file, failed.
    #[error("use the terminal: {0}")]
    Terminal(#[from] std::io::Error),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The user leaves.
    Quit,
    /// The login is over: sign in again.
    SignedOut,
    /// The user signs out, and everything here is to be forgotten.
    Forget,
}

/// What came of asking the server.
enum Came {
    News(Vec<News>),
    Verification(Verification),
}

/// Everything that runs.
struct Run<'a> {
    client: &'a Client,
    clock: Clock,
    app: App,
    verifier: Verifier,
    /// What the server is being asked; what is asked when this goes is not waited for.
    asked: JoinSet<Result<Came, Error>>,
    ended: Option<Ended>,
}

/// Runs until the user leaves.
///
/// # Errors
/// [`RunError`].
pub async fn run(
    client: &Client,
    clock: Clock,
    terminal: &mut DefaultTerminal,
    events: &mut Events,
) -> Result<Ended, RunError> {
    let mut run = Run::new(client, clock)?;
    let ended = run.until_the_end(terminal, events).await;
    // Half a sentence is kept, however this ends.
    let kept = run.keep_draft();
    let ended = ended?;
    kept?;
    Ok(ended)
}

impl<'a> Run<'a> {
    fn new(client: &'a Client, clock: Clock) -> Result<Self, Error> {
        let (names, drafts) = carry::kept(client)?;
        let mut app = App {
            me: client.user_id(),
            looked_at: true,
            now: clock(),
            zone: Some(TimeZone::system()),
            drafts,
            ..App::default()
        };
        app.learn(News::Names(names));
        app.learn(News::Places(carry::places(client)?));
        if let Some(session_id) = app.session_id() {
            app.learn(carry::newest(client, session_id)?);
        }
        app.learn(carry::waiting(client)?);
        let (verifier, asked) = (Verifier::default(), JoinSet::new());
        Ok(Self { client, clock, app, verifier, asked, ended: None })
    }

    async fn until_the_end(
        &mut self,
        terminal: &mut DefaultTerminal,
        events: &mut Events,
    ) -> Result<Ended, RunError> {
        // What is kept is on the screen before the server is asked for anything.
        terminal.draw(|frame| view::draw(frame, &self.app))?;
        let mut updates = self.client.updates();
        self.client.start();
        self.begin();
        let mut drawing = tokio::time::interval(DRAWING);
        let mut second = tokio::time::interval(SECOND);
        let mut stale = false;
        loop {
            tokio::select! {
                event = events.next() => {
                    self.event(event).await;
                    stale = true;
                }
                update = updates.recv() => {
                    match update {
                        Ok(update) => self.hear(update).await,
                        Err(RecvError::Lagged(_)) => self.show_kept(),
                        Err(RecvError::Closed) => self.ended = Some(Ended::Quit),
                    }
                    stale = true;
                }
                Some(done) = self.asked.join_next() => {
                    self.came(done.unwrap_or_else(|_| Ok(Came::News(Vec::new())))).await;
                    stale = true;
                }
                _ = second.tick() => {
                    self.app.now = (self.clock)();
                    stale |= self.app.counts_down();
                }
                _ = drawing.tick(), if stale => {
                    terminal.draw(|frame| view::draw(frame, &self.app))?;
                    stale = false;
                }
            }
            if let Some(ended) = self.ended {
                return Ok(ended);
            }
        }
    }

    /// Gives the account its identity where it has none yet.
    fn begin(&mut self) {
        let client = self.client.clone();
        self.asked.spawn(async move {
            let Ok(encryption) = client.encryption() else { return Ok(Came::News(Vec::new())) };
            // Another device may have done so: then this one is to be verified or recovered, and
            // the standing says so.
            let _ = encryption.set_up().await;
            Ok(Came::News(vec![News::Standing(encryption.standing().await?)]))
        });
    }

    async fn event(&mut self, event: Option<Event>) {
        let effects = match event {
            Some(Event::Key(key)) => keys::read(key).map(|key| self.app.press(key)),
            Some(Event::Paste(text)) => {
                self.app.paste(&text);
                None
            }
            Some(Event::FocusGained) => {
                self.app.looked_at = true;
                None
            }
            Some(Event::FocusLost) => {
                self.app.looked_at = false;
                None
            }
            Some(_) => None,
            None => Some(vec![Effect::Quit]),
        };
        self.carry_out(effects.unwrap_or_default()).await;
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let done = match effect {
                Effect::Quit => {
                    self.ended = Some(Ended::Quit);
                    Ok(Vec::new())
                }
                Effect::SignOut => self.sign_out().await,
                Effect::Verify(whom) => {
                    self.verify(whom);
                    Ok(Vec::new())
                }
                Effect::VerifyByCode => self.verify_by_code(),
                Effect::Answer(answer) => {
                    let done = self.verifier.answer(answer).await;
                    self.flush_keys();
                    done
                }
                effect => self.carry(effect),
            };
            Box::pin(self.learn(done)).await;
        }
    }

    /// What the cache says at once; the rest is asked for beside everything else.
    fn carry(&mut self, effect: Effect) -> Result<Vec<News>, Error> {
        let shown = match &effect {
            Effect::Open(session_id) => vec![carry::newest(self.client, session_id.clone())?],
            _ => Vec::new(),
        };
        match carry::at_once(self.client, effect)? {
            Carried::Done(news) => Ok(news),
            Carried::Later(effect) => {
                let client = self.client.clone();
                self.asked
                    .spawn(async move { carry::carry(&client, effect).await.map(Came::News) });
                Ok(shown)
            }
        }
    }

    fn keep_draft(&mut self) -> Result<(), Error> {
        for draft in self.app.put_draft_away() {
            carry::at_once(self.client, draft)?;
        }
        Ok(())
    }

    async fn sign_out(&mut self) -> Result<Vec<News>, Error> {
        self.client.sign_out().await?;
        self.ended = Some(Ended::Forget);
        Ok(Vec::new())
    }

    fn verify(&mut self, whom: Option<String>) {
        let client = self.client.clone();
        self.asked.spawn(async move {
            let nobody = || Came::News(vec![News::Notice(NOBODY.to_owned())]);
            let asked = verifier::ask(&client, whom).await?;
            Ok(asked.map_or_else(nobody, Came::Verification))
        });
    }

    /// Asks the device anew that emoji are compared with, for a code.
    fn verify_by_code(&mut self) -> Result<Vec<News>, Error> {
        if let Some((user_id, device_id)) = self.verifier.leave()? {
            let client = self.client.clone();
            self.asked.spawn(async move {
                let encryption = client.encryption()?;
                let asked = encryption.ask_to_verify_by_code(&user_id, &device_id).await?;
                Ok(Came::Verification(asked))
            });
        }
        Ok(Vec::new())
    }

    async fn came(&mut self, done: Result<Came, Error>) {
        match done {
            Ok(Came::News(news)) => self.learn(Ok(news)).await,
            Ok(Came::Verification(flow)) => {
                self.verifier.asks(flow);
                // The other side may have answered before this was known here.
                self.go_on_verifying().await;
            }
            Err(error) => self.learn(Err(error)).await,
        }
    }

    async fn learn(&mut self, done: Result<Vec<News>, Error>) {
        let news = match done {
            Ok(news) => news,
            // Being offline is said by the link; a notice for each thing that waits says no more.
            Err(Error::Unreachable(_)) if self.app.link != Link::Online => Vec::new(),
            Err(error) => vec![News::Notice(error.to_string())],
        };
        for news in news {
            let named = matches!(&news, News::Names(_));
            let effects = self.app.learn(news);
            if named && let Err(error) = carry::keep_names(self.client, &self.app.names) {
                self.app.notice = Some(error.to_string());
            }
            Box::pin(self.carry_out(effects)).await;
        }
    }

    async fn hear(&mut self, update: Update) {
        let effects = match update {
            Update::Connected => {
                self.app.linked(Link::Online);
                self.show_kept();
                self.app.session_id().map(Effect::Open).into_iter().collect()
            }
            Update::Disconnected => {
                self.app.linked(Link::Reconnecting);
                // Who comes and goes is not heard of: nothing is claimed of it.
                self.app.shields.clear();
                Vec::new()
            }
            Update::SignedOut => {
                self.ended = Some(Ended::SignedOut);
                Vec::new()
            }
            Update::Rooms => {
                self.show_kept();
                Vec::new()
            }
            Update::Posted(message) => self.app.posted(*message),
            Update::Changed(message) => {
                self.app.take(*message);
                Vec::new()
            }
            Update::Decayed { message_id, .. } => {
                self.app.decayed(&message_id);
                Vec::new()
            }
            Update::Sent { .. } => {
                self.count_waiting();
                Vec::new()
            }
            Update::SendFailed { reason, .. } => {
                self.count_waiting();
                self.app.notice = Some(format!("not sent, go shows it: {reason}"));
                Vec::new()
            }
            other => self.hear_of_people(other).await,
        };
        self.carry_out(effects).await;
    }

    async fn hear_of_people(&mut self, update: Update) -> Vec<Effect> {
        let shown = self.app.session_id();
        match update {
            Update::Typing { session_id, user_ids } if Some(&session_id) == shown.as_ref() => {
                self.app.typing = user_ids.into_iter().filter(|id| *id != self.app.me).collect();
            }
            Update::Read { session_id, user_id, number } if user_id == self.app.me => {
                self.app.read_elsewhere(&session_id, number);
            }
            Update::Joined { session_id, .. } | Update::Left { session_id, .. } => {
                // What was true of the others is not until they were looked at again.
                self.app.shields.remove(&session_id);
                let shown = shown.filter(|shown| *shown == session_id);
                return shown.map(Effect::Look).into_iter().collect();
            }
            Update::Verification { user_id, name } => {
                let news = self.verifier.asked(self.client, &user_id, &name);
                Box::pin(self.learn(news)).await;
            }
            Update::Keys => {
                self.go_on_verifying().await;
                let encrypted = self.app.place().is_some_and(|place| place.encrypted);
                return shown.filter(|_| encrypted).map(Effect::Look).into_iter().collect();
            }
            _ => {}
        }
        Vec::new()
    }

    async fn go_on_verifying(&mut self) {
        let done = self.verifier.go_on().await;
        let due = done.as_ref().is_ok_and(|(_, due)| *due);
        Box::pin(self.learn(done.map(|(news, _)| news))).await;
        if due {
            self.flush_keys();
        }
    }

    /// Sends what a verification has to say.
    fn flush_keys(&mut self) {
        let client = self.client.clone();
        self.asked.spawn(async move {
            let encryption = client.encryption()?;
            encryption.flush().await?;
            Ok(Came::News(vec![News::Standing(encryption.standing().await?)]))
        });
    }

    fn count_waiting(&mut self) {
        if let Ok(waiting) = carry::waiting(self.client) {
            self.app.learn(waiting);
        }
    }

    /// Shows what is kept now.
    fn show_kept(&mut self) {
        let kept = carry::places(self.client).map(News::Places).and_then(|places| {
            let effects = self.app.learn(places);
            let session_id = self.app.session_id().filter(|_| !self.app.behind);
            let newest = session_id.map(|id| carry::newest(self.client, id)).transpose()?;
            Ok((effects, newest))
        });
        match kept {
            Ok((effects, newest)) => {
                newest.into_iter().for_each(|newest| drop(self.app.learn(newest)));
                for effect in effects {
                    if let Err(error) = self.carry(effect) {
                        self.app.notice = Some(error.to_string());
                    }
                }
            }
            Err(error) => self.app.notice = Some(error.to_string()),
        }
    }
}
