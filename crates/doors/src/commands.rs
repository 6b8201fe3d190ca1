//! What a connection's commands do, on every door that takes commands: each is one use case,
//! answered in the order in which they came.

use std::sync::Arc;

use futures_util::stream::FuturesOrdered;
use parlor_app::{Actor, App, Error, Posted};
use parlor_domain::rewording::Rewording;
use parlor_domain::saying::SendMessage;
use parlor_domain::{Denied, FileId, MessageId, SessionId};
use parlor_hub::Key;
use parlor_wire::command::Command;
use parlor_wire::frame::Frame as Said;
use parlor_wire::v1;

use crate::listening::Listening;
use crate::manner::End;
use crate::socket::{Answer, Socket};

/// A connection that commands come from.
pub(crate) trait Caller {
    /// How such a connection ends.
    type End;

    /// What commands work with.
    fn parts(&mut self) -> Parts<'_>;

    /// Says an answer now, before what comes from the hub.
    fn answer(&mut self, said: &Said) -> Result<(), Self::End>;

    /// Says that a cursor is void.
    fn resync(&mut self, said: &Said) -> Result<(), Self::End>;
}

/// What commands work with.
pub(crate) struct Parts<'a> {
    pub(crate) app: &'a Arc<App>,
    pub(crate) actor: Actor,
    pub(crate) listening: &'a mut Listening,
    /// Answers that are said in this order, each when it is there.
    pub(crate) answers: &'a mut FuturesOrdered<Answer>,
}

impl Caller for Socket {
    type End = End;

    fn parts(&mut self) -> Parts<'_> {
        let Self { app, actor, listening, answers, .. } = self;
        Parts { app, actor: *actor, listening, answers }
    }

    fn answer(&mut self, said: &Said) -> Result<(), End> {
        self.answer(said)
    }

    fn resync(&mut self, said: &Said) -> Result<(), End> {
        self.say(said);
        Err(End::with(4009, "resync_required"))
    }
}

/// Runs a command, or begins to.
pub(crate) async fn run<C: Caller>(caller: &mut C, command: Command) -> Result<(), C::End> {
    let mut parts = caller.parts();
    match command {
        Command::Send(send) => begin_send(&mut parts, send).await,
        Command::Subscribe(subscribe) => answer_subscribe(caller, subscribe).await?,
        Command::Unsubscribe(unsubscribe) => {
            if let Ok(session) = unsubscribe.session_id.parse() {
                parts.listening.unsubscribe(Key::Session(session));
            }
            parts.push(ok(unsubscribe.r#ref));
        }
        Command::Typing(typing) => {
            if let Ok(session) = typing.session_id.parse() {
                // Nobody waits for an answer: what may not be told is not told.
                let _ = parts.app.typing(&parts.actor, session).await;
            }
        }
        Command::E2eeAck(ack) => parts.listening.take_keys(ack.pos),
        Command::Ping(ping) => parts.push(ok(ping.r#ref)),
        other => begin(&mut parts, other),
    }
    Ok(())
}

impl Parts<'_> {
    /// Puts an answer that is known already behind those that are still to come.
    fn push(&mut self, said: Said) {
        self.answers.push_back(Box::pin(std::future::ready(said)));
    }
}

/// Gives a message its place in the queue before the next command is looked at, so that messages
/// keep their order; the answer comes with the commit.
async fn begin_send(parts: &mut Parts<'_>, send: v1::Send) {
    let reference = send.r#ref;
    let sending = match read_send(send) {
        Ok(cmd) => parts.app.send(&parts.actor, cmd).await,
        Err(denied) => Err(denied.into()),
    };
    match sending {
        Ok(pending) => parts.answers.push_back(Box::pin(async move {
            match pending.done().await {
                Ok(posted) => posted_ok(reference, &posted),
                Err(error) => refusal(reference, &error),
            }
        })),
        Err(error) => parts.push(refusal(reference, &error)),
    }
}

/// What is said: plain, or encrypted for a membership.
pub(crate) fn words(
    content: String,
    encrypted: Option<&v1::Encrypted>,
    membership_version: Option<i64>,
) -> Result<(String, Option<i64>), Denied> {
    match (encrypted, membership_version) {
        (None, None) => Ok((content, None)),
        (Some(_), _) if !content.is_empty() => {
            Err(Denied::invalid("content", "must be empty where something is encrypted"))
        }
        (Some(encrypted), Some(version)) => Ok((encrypted.to_stored(), Some(version))),
        _ => Err(Denied::invalid("membership_version", "goes with what is encrypted")),
    }
}

/// The files that a message is to carry; what is no id names none.
pub(crate) fn file_ids(texts: &[String]) -> Result<Vec<FileId>, Denied> {
    let ids = texts.iter().map(|text| text.parse());
    ids.collect::<Result<_, _>>().map_err(|_| Denied::NotFound)
}

/// A message's id that may be left out; what is no id names nothing.
fn id(text: Option<String>) -> Result<Option<MessageId>, Denied> {
    let read = text.map(|id| id.parse().map_err(|_| Denied::NotFound));
    read.transpose()
}

fn read_send(send: v1::Send) -> Result<SendMessage, Denied> {
    let client_id = send.client_id.parse();
    let (content, encrypted_for) =
        words(send.content, send.encrypted.as_deref(), send.membership_version)?;
    let client_id = client_id.map_err(|_| Denied::invalid("client_id", "not a UUID"))?;
    let session = send.session_id.parse().map_err(|_| Denied::NotFound)?;
    Ok(SendMessage {
        encrypted_for,
        reply_to: id(send.reply_to)?,
        files: file_ids(&send.files)?,
        thread: id(send.thread_id)?,
        forward: id(send.forward)?,
        ttl_s: send.ttl_s,
        ..SendMessage::plain(client_id, session, content)
    })
}

async fn answer_subscribe<C: Caller>(
    caller: &mut C,
    subscribe: v1::Subscribe,
) -> Result<(), C::End> {
    let reference = subscribe.r#ref;
    let said = match try_subscribe(&mut caller.parts(), subscribe).await {
        Ok(head) => Said::Ok(v1::Ok { r#ref: reference, seq: Some(head), ..v1::Ok::default() }),
        Err(error) => refusal(reference, &error),
    };
    if matches!(&said, Said::Error(e) if e.code == "resync_required") {
        return caller.resync(&said);
    }
    // Answered at once, not in its turn: the events that follow must come after the answer.
    caller.answer(&said)
}

async fn try_subscribe(parts: &mut Parts<'_>, subscribe: v1::Subscribe) -> Result<i64, Error> {
    if subscribe.epoch.is_some_and(|epoch| epoch != parts.app.epoch()) {
        return Err(Error::ResyncRequired);
    }
    let key = if subscribe.user_log {
        Key::User(parts.actor.user)
    } else {
        let session: Result<SessionId, _> = subscribe.session_id.parse();
        Key::Session(session.map_err(|_| Denied::NotFound)?)
    };
    parts.listening.subscribe(key, subscribe.after).await
}

/// Begins a command whose answer may come later.
fn begin(parts: &mut Parts<'_>, command: Command) {
    let (app, actor) = (Arc::clone(parts.app), parts.actor);
    parts.answers.push_back(Box::pin(async move {
        let reference = parlor_wire::reference::of(&command).unwrap_or_default();
        match change(&app, &actor, command).await {
            Ok(()) => ok(reference),
            Err(error) => refusal(reference, &error),
        }
    }));
}

async fn change(app: &App, actor: &Actor, command: Command) -> Result<(), Error> {
    let not_found = |_| Denied::NotFound;
    match command {
        Command::Edit(edit) => {
            let message = edit.message_id.parse().map_err(not_found)?;
            let (content, encrypted_for) =
                words(edit.content, edit.encrypted.as_deref(), edit.membership_version)?;
            let asked = Rewording { encrypted_for, ..content.into() };
            app.edit(actor, message, asked).await.map(|_| ())
        }
        Command::Delete(delete) => {
            app.delete(actor, delete.message_id.parse().map_err(not_found)?).await
        }
        Command::Read(read) => {
            let session = read.session_id.parse().map_err(not_found)?;
            app.read(actor, session, read.number).await.map(|_| ())
        }
        // The others are answered where they are run.
        _ => Ok(()),
    }
}

fn ok(reference: i64) -> Said {
    Said::Ok(v1::Ok { r#ref: reference, ..v1::Ok::default() })
}

fn posted_ok(reference: i64, posted: &Posted) -> Said {
    Said::Ok(v1::Ok {
        r#ref: reference,
        message_id: Some(posted.id.to_string()),
        number: Some(posted.number),
        seq: Some(posted.seq),
    })
}

/// Ends a connection whose store failed it: it comes back and resumes.
pub(crate) fn failed(error: &Error) -> End {
    crate::error::explain(error);
    End::with(1011, "failed inside: resume")
}

/// The answer to a command that was refused or failed; failures are logged once, with an id.
pub(crate) fn refusal(reference: i64, error: &Error) -> Said {
    let (message, _) = crate::error::explain(error);
    Said::Error(v1::Error {
        r#ref: Some(reference),
        code: error.code().as_str().to_owned(),
        message,
        retry_after_ms: error.retry_after_ms().map(u64::cast_signed),
    })
}
