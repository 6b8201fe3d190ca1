//! The client: signing in, starting and stopping, and the way to everything else.
//!
//! Owns the tasks that run behind it. Nothing of it outlives [`Client::stop`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use parlor_e2ee::{Machine, Settings};
use serde_json::{Value, json};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cache::{Cache, Thing};
use crate::clock::{self, Clock};
use crate::encryption::Encryption;
use crate::http::Http;
use crate::login::{Api, Login};
use crate::outbox::Outcome;
use crate::room::Known;
use crate::{Error, Message, Room, Session, SessionHandle, Update};

/// Updates that a slow listener may be behind.
const UPDATES_MAX: usize = 4096;

/// Commands that wait for the socket.
const COMMANDS_MAX: usize = 64;

/// A client of one login. Clones are the same client.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) api: Api,
    pub(crate) cache: Cache,
    pub(crate) clock: Clock,
    pub(crate) machine: Option<Machine>,
    pub(crate) updates: broadcast::Sender<Update>,
    pub(crate) commands: mpsc::Sender<Value>,
    pub(crate) heard: Mutex<Option<mpsc::Receiver<Value>>>,
    /// Rings when there is something to send.
    pub(crate) bell: Notify,
    /// Who waits for what was handed over.
    pub(crate) waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    pub(crate) members: Mutex<HashMap<String, Known>>,
    /// Doing what is due about keys.
    pub(crate) settling: Turns,
    /// Reading rooms and sessions anew.
    pub(crate) reloading: Turns,
    pub(crate) tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
}

/// How a client is made.
#[derive(Clone)]
pub struct Builder {
    url: String,
    folder: Option<PathBuf>,
    passphrase: Option<String>,
    device_name: Option<String>,
    clock: Clock,
}

impl Builder {
    /// Keeps everything in this folder; without one it is forgotten with the program.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Closes everything that is kept, by this passphrase. Without one, encryption is not
    /// available.
    #[must_use]
    pub fn passphrase(mut self, passphrase: impl Into<String>) -> Self {
        self.passphrase = Some(passphrase.into());
        self
    }

    /// What this device is called in the list of devices.
    #[must_use]
    pub fn device_name(mut self, name: impl Into<String>) -> Self {
        self.device_name = Some(name.into());
        self
    }

    /// Takes the time from here.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Signs in, as a new device.
    ///
    /// # Errors
    /// [`Error::Refused`] when name or password are wrong, [`Error::Unreachable`],
    /// [`Error::Cache`].
    pub async fn sign_in(self, login: &str, password: &str) -> Result<Client, Error> {
        let cache = self.cache()?;
        let http = Http::new(&self.url);
        let name = self.device_name.as_deref();
        let api = Api::sign_in(http, &cache, login, password, name).await?;
        self.finish(api, cache).await
    }

    /// Goes on with the login that is kept in the folder.
    ///
    /// # Errors
    /// [`Error::SignedOut`] when there is none, [`Error::Passphrase`] when it is another one.
    pub async fn resume(self) -> Result<Client, Error> {
        let cache = self.cache()?;
        let api = Api::resume(Http::new(&self.url), &cache)?.ok_or(Error::SignedOut)?;
        self.finish(api, cache).await
    }

    fn cache(&self) -> Result<Cache, Error> {
        match &self.folder {
            Some(folder) => Cache::open(folder, self.passphrase.as_deref()),
            None => Cache::in_memory(),
        }
    }

    async fn finish(self, api: Api, cache: Cache) -> Result<Client, Error> {
        let machine = crate::encryption::open(
            &api,
            &cache,
            self.folder.as_deref().map(Path::to_owned),
            self.passphrase.as_deref(),
        );
        let machine = machine.await?;
        Ok(Client::assemble(self.clock, api, cache, machine))
    }
}

/// Whose turn it is to do something.
#[derive(Default)]
pub(crate) struct Turns {
    /// Somebody waits for the turn, and will see whatever came before it.
    waits: AtomicBool,
    turn: tokio::sync::Mutex<()>,
}

impl Client {
    /// A client of these parts, which does nothing yet.
    pub(crate) fn assemble(clock: Clock, api: Api, cache: Cache, machine: Option<Machine>) -> Self {
        let (commands, heard) = mpsc::channel(COMMANDS_MAX);
        Self(Arc::new(Inner {
            api,
            cache,
            clock,
            machine,
            updates: broadcast::Sender::new(UPDATES_MAX),
            commands,
            heard: Mutex::new(Some(heard)),
            bell: Notify::new(),
            waiting: Mutex::default(),
            members: Mutex::default(),
            settling: Turns::default(),
            reloading: Turns::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }))
    }

    /// A client of the server at this address, such as `https://chat.example.org`.
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder {
            url: url.into(),
            folder: None,
            passphrase: None,
            device_name: None,
            clock: clock::machine(),
        }
    }

    /// Registers an account. Signing in is another step.
    ///
    /// # Errors
    /// [`Error::Refused`] when the name is taken or the password too short.
    pub async fn register(url: &str, username: &str, password: &str) -> Result<(), Error> {
        let body = json!({"username": username, "password": password});
        let body = crate::http::Body::Json(&body);
        Http::new(url).json("POST", "/api/v1/auth/register", None, body).await.map(drop)
    }

    /// Connects, and stays connected: hears what happens and sends what is handed over, until
    /// [`Self::stop`]. Starting twice is starting once.
    pub fn start(&self) {
        let Some(heard) = self.0.heard.lock().take() else { return };
        let (socket, outbox, decay) = (self.clone(), self.clone(), self.clone());
        self.0.tasks.spawn(async move { crate::socket::keep_open(&socket, heard).await });
        self.0.tasks.spawn(async move { crate::outbox::keep_sending(&outbox).await });
        self.0.tasks.spawn(async move { crate::decay::keep_forgetting(&decay).await });
        let index = self.clone();
        self.behind(async move { index.index().await });
    }

    /// Puts what is kept into the index of words, in steps between which others have their turn.
    async fn index(&self) {
        loop {
            match self.0.cache.index_more() {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => return,
                // A search tries again, and says what is wrong.
                Err(error) => return tracing::warn!(%error, "the words are not all in the index"),
            }
        }
    }

    /// Does something beside everything else, until it is done or the client stops.
    pub(crate) fn behind(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.0.stopping.clone();
        self.0.tasks.spawn(async move { stopping.run_until_cancelled(work).await });
    }

    /// The same for work that is about whatever came before it: however often it is asked for, one
    /// does it and one waits for its turn.
    pub(crate) fn in_turn<F: Future<Output = ()> + Send>(
        &self,
        turns: fn(&Self) -> &Turns,
        work: impl FnOnce(Self) -> F + Send + 'static,
    ) {
        if turns(self).waits.swap(true, Ordering::AcqRel) {
            return;
        }
        let client = self.clone();
        self.behind(async move {
            let _turn = turns(&client).turn.lock().await;
            turns(&client).waits.store(false, Ordering::Release);
            work(client.clone()).await;
        });
    }

    /// Ends everything that runs, and waits until it has ended.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// What happens from now on.
    pub fn updates(&self) -> broadcast::Receiver<Update> {
        self.0.updates.subscribe()
    }

    /// Signs this device out. The keys that still wait for it go into the backup before, if there
    /// is one: what was said to this device alone is read by the next one.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the server was not told: it is to be tried again.
    pub async fn sign_out(&self) -> Result<(), Error> {
        match crate::encryption::take_the_last(self).await {
            Ok(()) | Err(Error::SignedOut) => {}
            Err(error) if error.is_temporary() => return Err(error),
            // Whoever wants to leave is not kept by a key that will never be taken.
            Err(error) => tracing::warn!(%error, "some keys were not put into the backup"),
        }
        match self.done("POST", "/auth/logout", None).await {
            // It was told before, and its answer was lost.
            Err(Error::SignedOut) => Ok(()),
            told => told,
        }
    }

    /// One's own id.
    pub fn user_id(&self) -> String {
        self.login().user_id
    }

    /// One's own handle.
    pub fn username(&self) -> String {
        self.login().username
    }

    /// This device.
    pub fn device_id(&self) -> String {
        self.login().device_id
    }

    fn login(&self) -> Login {
        self.0.api.login()
    }

    /// The rooms that one is in, by name.
    ///
    /// # Errors
    /// [`Error::Cache`].
    pub fn rooms(&self) -> Result<Vec<Room>, Error> {
        let mut rooms: Vec<Room> = self.0.cache.things(Thing::Room)?;
        rooms.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(rooms)
    }

    /// The sessions that one is in, those of a room together, its main session first.
    ///
    /// # Errors
    /// [`Error::Cache`].
    pub fn sessions(&self) -> Result<Vec<Session>, Error> {
        let mut sessions: Vec<Session> = self.0.cache.things(Thing::Session)?;
        sessions.sort_by(|one, other| {
            (&one.room_id, !one.main, &one.name).cmp(&(&other.room_id, !other.main, &other.name))
        });
        Ok(sessions)
    }

    /// One session.
    pub fn session(&self, session_id: impl Into<String>) -> SessionHandle {
        SessionHandle::new(self.clone(), session_id.into())
    }

    /// A message that was heard or loaded.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not kept.
    pub fn message(&self, message_id: &str) -> Result<Message, Error> {
        self.0.cache.message(message_id)?.ok_or(Error::NotFound)
    }

    /// Messages that are kept with all of these words, the newest first: sealed ones that were
    /// opened as well as plain ones. The server is not asked.
    ///
    /// # Errors
    /// [`Error::Cache`].
    pub fn search(&self, words: &str, limit: usize) -> Result<Vec<Message>, Error> {
        self.0.cache.find(words, limit)
    }

    /// Makes a room, with its main session encrypted so; only a private or direct room's can be.
    /// Then those who are named are let in, and nobody else whom the server may put there.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Encryption`].
    pub async fn create_room(
        &self,
        name: &str,
        kind: &str,
        members: &[String],
        encryption: Option<Settings>,
    ) -> Result<Room, Error> {
        let mut body = json!({"name": name, "kind": kind, "members": members});
        if let Some(settings) = &encryption {
            body["encryption"] = serde_json::to_value(settings)?;
        }
        let said: Value = self.call("POST", "/rooms", Some(&body)).await?;
        let room = Room::read(&said)?;
        if encryption.is_some() {
            self.begin_roll(&room.main_session_id, members).await?;
        }
        crate::load::reload(self).await?;
        Ok(room)
    }

    /// Makes a session in a room, with these members and oneself, and encrypted so. Then those are
    /// let in, and nobody else whom the server may put there.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Encryption`].
    pub async fn create_session(
        &self,
        room_id: &str,
        name: &str,
        members: &[String],
        encryption: Option<Settings>,
    ) -> Result<Session, Error> {
        let mut body = json!({"name": name, "members": members});
        if let Some(settings) = &encryption {
            body["encryption"] = serde_json::to_value(settings)?;
        }
        let path = format!("/rooms/{room_id}/sessions");
        let said: Value = self.call("POST", &path, Some(&body)).await?;
        let session = Session::read(&said)?;
        if encryption.is_some() {
            self.begin_roll(&session.id, members).await?;
        }
        crate::load::reload(self).await?;
        Ok(session)
    }

    async fn begin_roll(&self, session_id: &str, named: &[String]) -> Result<(), Error> {
        match &self.0.machine {
            Some(machine) => Ok(machine.begin_roll(session_id, named).await?),
            // It is made for other devices of one's own: nothing is said from here.
            None => Ok(()),
        }
    }

    /// Goes into a public room.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn join_room(&self, room_id: &str, password: Option<&str>) -> Result<(), Error> {
        let body = json!({ "password": password });
        self.done("POST", &format!("/rooms/{room_id}/join"), Some(&body)).await?;
        crate::load::reload(self).await
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn leave_room(&self, room_id: &str) -> Result<(), Error> {
        self.done("POST", &format!("/rooms/{room_id}/leave"), None).await?;
        crate::load::reload(self).await
    }

    /// Keeps something of the program's own, closed like everything else that is kept.
    ///
    /// # Errors
    /// [`Error::Cache`].
    pub fn keep<T: serde::Serialize>(&self, name: &str, value: &T) -> Result<(), Error> {
        self.0.cache.keep(&own(name), value)
    }

    /// What was kept under a name by [`Self::keep`].
    ///
    /// # Errors
    /// [`Error::Cache`], and [`Error::Passphrase`] when it was damaged.
    pub fn kept<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        self.0.cache.note(&own(name))
    }

    /// Asks the server for anything that has no method here; the path is below `/api/v1`.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let body = || body.map_or(crate::http::Body::Nothing, crate::http::Body::Json);
        self.0.api.ask(&self.0.cache, method, path, body).await
    }

    /// The encryption of this device.
    ///
    /// # Errors
    /// [`Error::NoEncryption`] when the server or this client has none.
    pub fn encryption(&self) -> Result<Encryption<'_>, Error> {
        let machine = self.0.machine.as_ref().ok_or(Error::NoEncryption)?;
        Ok(Encryption::new(self, machine))
    }

    /// What waits to be sent: by which id it was handed over, what it says, and why it was refused,
    /// if it was.
    ///
    /// # Errors
    /// [`Error::Cache`].
    pub fn unsent(&self) -> Result<Vec<(String, String, Option<String>)>, Error> {
        let unsent = self.0.cache.unsent()?.into_iter();
        Ok(unsent.map(|(row, why)| (row.client_id, row.draft.body, why)).collect())
    }

    /// Tries again to send what was refused.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such thing.
    pub fn retry(&self, client_id: &str) -> Result<(), Error> {
        let found = self.0.cache.try_again(client_id)?;
        self.0.bell.notify_one();
        if found { Ok(()) } else { Err(Error::NotFound) }
    }

    /// Does not send it after all. What is on its way already may arrive.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such thing.
    pub fn withdraw(&self, client_id: &str) -> Result<(), Error> {
        if self.0.cache.cross_out(client_id)? { Ok(()) } else { Err(Error::NotFound) }
    }

    pub(crate) async fn call<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Error> {
        self.0.api.call(&self.0.cache, method, path, body).await
    }

    pub(crate) async fn done(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), Error> {
        self.0.api.done(&self.0.cache, method, path, body).await
    }

    /// Tells whoever listens.
    pub(crate) fn tell(&self, update: Update) {
        // Nobody has to listen.
        let _ = self.0.updates.send(update);
    }
}

/// The name of a program's note: never one of the SDK's own.
fn own(name: &str) -> String {
    format!("program/{name}")
}
