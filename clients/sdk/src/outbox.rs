//! Sending: what is handed over is written down first, and then sent until the server has it, in
//! the order in which it was handed over. The server knows it by its `client_id`, so that it is
//! there once, however often it was tried and whenever the program was killed.

use std::time::Duration;

use parlor_e2ee::{Error as CryptoError, Payload, Settings};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::cache::{Row, Thing};
use crate::message::FileInfo;
use crate::{Client, Error, Session, Update, load};

/// How often a membership may change under one's hands before it is somebody's fault.
const STALE_MAX: usize = 8;

/// The first wait after a failure, which doubles up to the last.
const WAIT_FIRST: Duration = Duration::from_millis(250);
const WAIT_LAST: Duration = Duration::from_secs(30);

/// Something to say.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Draft {
    pub(crate) session_id: String,
    pub(crate) body: String,
    reply_to: Option<String>,
    thread_id: Option<String>,
    files: Vec<FileInfo>,
    expires_in_ms: Option<u64>,
    /// A reaction, in an encrypted session: to what, by what, and whether it is on.
    react: Option<(String, String, bool)>,
    /// When it was handed over, in microseconds.
    at: i64,
}

impl Draft {
    /// A text, in Markdown.
    pub fn text(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// As an answer to a message.
    #[must_use]
    pub fn answering(mut self, message_id: impl Into<String>) -> Self {
        self.reply_to = Some(message_id.into());
        self
    }

    /// In the thread that a message began.
    #[must_use]
    pub fn in_thread(mut self, message_id: impl Into<String>) -> Self {
        self.thread_id = Some(message_id.into());
        self
    }

    /// With a file that was uploaded for this session.
    #[must_use]
    pub fn with_file(mut self, file: FileInfo) -> Self {
        self.files.push(file);
        self
    }

    /// To be gone this long after it was sent. The server erases it by whole seconds, and no later
    /// than the session says; clients do so to the millisecond where it is encrypted.
    #[must_use]
    pub fn expiring_in_ms(mut self, life_ms: u64) -> Self {
        self.expires_in_ms = Some(life_ms);
        self
    }

    pub(crate) fn in_session(mut self, session_id: &str) -> Self {
        session_id.clone_into(&mut self.session_id);
        self
    }

    pub(crate) fn reaction(message_id: &str, emoji: &str, on: bool) -> Self {
        let react = Some((message_id.to_owned(), emoji.to_owned(), on));
        Self { react, ..Self::default() }
    }

    /// The end that those who open it go by, counted from when it was handed over: its own, or the
    /// session's, which is counted from now.
    fn expires_in_ms(&self, session: &Session, now: jiff::Timestamp) -> Option<u64> {
        let waited_ms = u64::try_from((now.as_microsecond() - self.at) / 1_000).unwrap_or(0);
        let lives = session.message_ttl_s.map(|seconds| seconds.unsigned_abs() * 1_000 + waited_ms);
        [self.expires_in_ms, lives].into_iter().flatten().min()
    }

    /// For how many whole seconds the server is to keep it.
    fn ttl_s(&self) -> Option<u64> {
        self.expires_in_ms.map(|life_ms| life_ms.div_ceil(1_000).max(1))
    }

    fn payload(&self) -> Payload {
        let at = jiff::Timestamp::from_microsecond(self.at).unwrap_or_default();
        let mut payload = Payload::say(self.body.clone(), at);
        payload.reply_to.clone_from(&self.reply_to);
        payload.thread_id.clone_from(&self.thread_id);
        payload.expires_in_ms = self.expires_in_ms;
        payload.files = self.files.iter().filter_map(FileInfo::to_sealed).collect();
        if let Some((message_id, emoji, on)) = &self.react {
            payload = Payload::react(message_id, emoji, *on, at);
        }
        payload
    }
}

/// What became of what was handed over.
pub(crate) type Outcome = Result<String, String>;

/// Something that was handed over, and is sent whatever becomes of this.
pub struct Sending {
    /// The id that the server knows it by.
    pub client_id: String,
    outcome: oneshot::Receiver<Outcome>,
}

impl Sending {
    /// Waits until the server has it, and gives the message's id.
    ///
    /// # Errors
    /// [`Error::Refused`] when it was refused (it waits in the outbox then),
    /// [`Error::Stopped`] when the client was stopped before.
    pub async fn delivered(self) -> Result<String, Error> {
        let outcome = self.outcome.await.map_err(|_| Error::Stopped)?;
        outcome.map_err(|message| Error::Refused {
            status: 0,
            code: "unsent".to_owned(),
            message,
            retry_after_ms: None,
        })
    }
}

/// Hands something over.
pub(crate) fn hand_over(client: &Client, mut draft: Draft) -> Result<Sending, Error> {
    draft.at = (client.0.clock)().as_microsecond();
    let client_id = uuid::Uuid::now_v7().to_string();
    let (done, outcome) = oneshot::channel();
    client.0.waiting.lock().insert(client_id.clone(), done);
    if let Err(error) = client.0.cache.hand_over(&client_id, &draft) {
        client.0.waiting.lock().remove(&client_id);
        return Err(error);
    }
    client.0.bell.notify_one();
    Ok(Sending { client_id, outcome })
}

/// Sends what is to be sent, until the client stops.
pub(crate) async fn keep_sending(client: &Client) {
    tokio::select! {
        () = client.0.stopping.cancelled() => {}
        () = send_all(client) => {}
    }
    // Whoever waits is told that nobody will tell them.
    client.0.waiting.lock().clear();
}

async fn send_all(client: &Client) {
    let mut wait = WAIT_FIRST;
    loop {
        match send_next(client).await {
            Ok(true) => wait = WAIT_FIRST,
            Ok(false) => client.0.bell.notified().await,
            Err(error) => {
                tracing::debug!(%error, "not sent yet");
                let asked = match &error {
                    Error::Refused { retry_after_ms, .. } => *retry_after_ms,
                    _ => None,
                };
                let pause = asked.map_or(wait, Duration::from_millis);
                // Being connected again is a reason to try at once.
                let _ = tokio::time::timeout(pause, client.0.bell.notified()).await;
                wait = (wait * 2).min(WAIT_LAST);
            }
        }
    }
}

/// Sends the first of what is to be sent; false when there is nothing. An error is one that passes.
async fn send_next(client: &Client) -> Result<bool, Error> {
    let Some(mut row) = client.0.cache.next_to_send()? else { return Ok(false) };
    let client_id = row.client_id.clone();
    match send(client, &mut row).await {
        Ok(message_id) => {
            client.0.cache.cross_out(&client_id)?;
            settle(client, &client_id, Ok(message_id.clone()));
            client.tell(Update::Sent { client_id, message_id });
        }
        Err(error) if error.is_temporary() => return Err(error),
        Err(error) => {
            let reason = error.to_string();
            client.0.cache.note_failure(&client_id, &reason)?;
            settle(client, &client_id, Err(reason.clone()));
            client.tell(Update::SendFailed { client_id, reason });
        }
    }
    Ok(true)
}

/// One is not in a session any more, or it has ended: what was to be said there goes with it, and
/// whoever waits for it is told.
pub(crate) fn give_up(client: &Client, session_id: &str) -> Result<(), Error> {
    for (row, _) in client.0.cache.unsent()? {
        if row.draft.session_id == session_id {
            let reason = "nothing can be said in the session any more".to_owned();
            settle(client, &row.client_id, Err(reason.clone()));
            client.tell(Update::SendFailed { client_id: row.client_id, reason });
        }
    }
    Ok(())
}

fn settle(client: &Client, client_id: &str, outcome: Outcome) {
    if let Some(waiting) = client.0.waiting.lock().remove(client_id) {
        // Nobody has to wait.
        let _ = waiting.send(outcome);
    }
}

async fn send(client: &Client, row: &mut Row) -> Result<String, Error> {
    let session: Session =
        client.0.cache.thing(Thing::Session, &row.draft.session_id)?.ok_or(Error::NotFound)?;
    let path = format!("/sessions/{}/messages", session.id);
    let said: Value = match client.settings_of(&session).await? {
        None => client.call("POST", &path, Some(&plain(row))).await?,
        Some(settings) => send_sealed(client, row, &session, &settings).await?,
    };
    let id = said["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Error::malformed("the answer to a message"))
}

fn plain(row: &Row) -> Value {
    let draft = &row.draft;
    let files: Vec<&str> = draft.files.iter().map(|file| &*file.id).collect();
    json!({
        "client_id": row.client_id, "content": draft.body, "reply_to": draft.reply_to,
        "thread_id": draft.thread_id, "files": files, "ttl_s": draft.ttl_s(),
    })
}

async fn send_sealed(
    client: &Client,
    row: &mut Row,
    session: &Session,
    settings: &Settings,
) -> Result<Value, Error> {
    let path = format!("/sessions/{}/messages", session.id);
    for _ in 0..STALE_MAX {
        if row.attempt.is_none() {
            let mut payload = row.draft.payload();
            payload.expires_in_ms = row.draft.expires_in_ms(session, (client.0.clock)());
            row.attempt = Some(seal(client, &row.draft.session_id, settings, &payload).await?);
            client.0.cache.note_attempt(row)?;
        }
        let files: Vec<&str> = row.draft.files.iter().map(|file| &*file.id).collect();
        let body = row.attempt.as_ref().map(|attempt| {
            json!({
                "client_id": row.client_id, "encrypted": attempt.sealed,
                "membership_version": attempt.membership_version, "files": files,
                "ttl_s": row.draft.ttl_s(),
            })
        });
        match client.call("POST", &path, body.as_ref()).await {
            Err(error) if error.is_code("stale_membership") => {
                begin_anew(client, &row.draft.session_id).await?;
                row.attempt = None;
            }
            answer => return answer,
        }
    }
    Err(Error::Unreachable("the members of the session change all the time".to_owned()))
}

/// Somebody came or went since this was sealed. The key is thrown away: the server gives nothing to
/// who is not in the session, so whoever was away for a moment never got it, and is believed to
/// have it.
async fn begin_anew(client: &Client, session_id: &str) -> Result<(), Error> {
    if let Some(machine) = &client.0.machine {
        machine.discard_key(session_id).await?;
    }
    load::members(client, session_id, true).await.map(drop)
}

/// Seals a payload for who is in the session now and let in.
pub(crate) async fn seal(
    client: &Client,
    session_id: &str,
    settings: &Settings,
    payload: &Payload,
) -> Result<crate::cache::Attempt, Error> {
    let machine = client.0.machine.as_ref().ok_or(Error::NoEncryption)?;
    let membership = load::members(client, session_id, false).await?;
    let members = membership.to_members();
    let sealed = machine.seal(client, session_id, &members, settings, payload).await?;
    Ok(crate::cache::Attempt { sealed, membership_version: membership.version })
}

impl Client {
    /// How a session is encrypted. One that ever was is not spoken to in the clear, whatever the
    /// server says now.
    pub(crate) async fn settings_of(&self, session: &Session) -> Result<Option<Settings>, Error> {
        let known = match &self.0.machine {
            Some(machine) => machine.is_encrypted(&session.id).await?,
            None => false,
        };
        match &session.encryption {
            None if known => Err(Error::Downgrade),
            Some(_) if self.0.machine.is_none() => Err(Error::NoEncryption),
            settings => Ok(settings.clone()),
        }
    }
}

/// Edits a sealed message: the new wording is sealed like a message, and says what it rewords.
pub(crate) async fn reword_sealed(
    client: &Client,
    session_id: &str,
    settings: &Settings,
    message_id: &str,
    body: &str,
) -> Result<Value, Error> {
    let mut payload = Payload::reword(message_id, body, (client.0.clock)());
    // The new wording stands in the place of the whole message: what came with it goes on.
    let message = load::message(client, message_id).await?;
    payload.files = message.files.iter().filter_map(FileInfo::to_sealed).collect();
    (payload.reply_to, payload.thread_id) = (message.reply_to, message.thread_id);
    for _ in 0..STALE_MAX {
        let attempt = seal(client, session_id, settings, &payload).await?;
        let asked = json!({"encrypted": attempt.sealed,
            "membership_version": attempt.membership_version});
        let path = format!("/messages/{message_id}");
        match client.call("PATCH", &path, Some(&asked)).await {
            Err(error) if error.is_code("stale_membership") => {
                begin_anew(client, session_id).await?;
            }
            answer => return answer,
        }
    }
    Err(Error::Encryption(CryptoError::Library("the members change all the time".to_owned())))
}
