//! What a socket's commands do: each is one use case, answered in the order in which they came.

use std::sync::Arc;

use parlor_app::{Actor, App, Error, Posted};
use parlor_domain::message::SendMessage;
use parlor_domain::{Denied, SessionId};
use parlor_hub::Key;
use parlor_wire::command::Command;
use parlor_wire::frame::Frame as Said;
use parlor_wire::v1;

use crate::manner::End;
use crate::socket::Socket;

/// Runs a command, or begins to.
pub(crate) async fn run(socket: &mut Socket, command: Command) -> Result<(), End> {
    match command {
        Command::Send(send) => begin_send(socket, send).await,
        Command::Subscribe(subscribe) => answer_subscribe(socket, subscribe).await?,
        Command::Unsubscribe(unsubscribe) => {
            if let Ok(session) = unsubscribe.session_id.parse() {
                socket.listening.unsubscribe(Key::Session(session));
            }
            push(socket, ok(unsubscribe.r#ref));
        }
        Command::Typing(typing) => {
            if let Ok(session) = typing.session_id.parse() {
                // Nobody waits for an answer: what may not be told is not told.
                let _ = socket.app.typing(&socket.actor, session).await;
            }
        }
        Command::Ping(ping) => push(socket, ok(ping.r#ref)),
        other => begin(socket, other),
    }
    Ok(())
}

/// Gives a message its place in the queue before the next command is looked at, so that messages
/// keep their order; the answer comes with the commit.
async fn begin_send(socket: &mut Socket, send: v1::Send) {
    let reference = send.r#ref;
    let sending = match read_send(send) {
        Ok(cmd) => socket.app.send(&socket.actor, cmd).await,
        Err(denied) => Err(denied.into()),
    };
    match sending {
        Ok(pending) => socket.answers.push_back(Box::pin(async move {
            match pending.done().await {
                Ok(posted) => posted_ok(reference, &posted),
                Err(error) => refusal(reference, &error),
            }
        })),
        Err(error) => push(socket, refusal(reference, &error)),
    }
}

fn read_send(send: v1::Send) -> Result<SendMessage, Denied> {
    let client_id = send.client_id.parse();
    Ok(SendMessage {
        client_id: client_id.map_err(|_| Denied::invalid("client_id", "not a UUID"))?,
        session: send.session_id.parse().map_err(|_| Denied::NotFound)?,
        content: send.content,
        reply_to: match send.reply_to {
            Some(id) => Some(id.parse().map_err(|_| Denied::NotFound)?),
            None => None,
        },
        file: None,
        blank: false,
    })
}

async fn answer_subscribe(socket: &mut Socket, subscribe: v1::Subscribe) -> Result<(), End> {
    let reference = subscribe.r#ref;
    let said = match try_subscribe(socket, subscribe).await {
        Ok(head) => Said::Ok(v1::Ok { r#ref: reference, seq: Some(head), ..v1::Ok::default() }),
        Err(error) => refusal(reference, &error),
    };
    let resync = matches!(&said, Said::Error(e) if e.code == "resync_required");
    if resync {
        socket.say(&said);
        return Err(End::with(4009, "resync_required"));
    }
    // Answered at once, not in its turn: the events that follow must come after the answer.
    socket.answer(&said)
}

async fn try_subscribe(socket: &mut Socket, subscribe: v1::Subscribe) -> Result<i64, Error> {
    if subscribe.epoch.is_some_and(|epoch| epoch != socket.app.epoch()) {
        return Err(Error::ResyncRequired);
    }
    let key = if subscribe.user_log {
        Key::User(socket.actor.user)
    } else {
        let session: Result<SessionId, _> = subscribe.session_id.parse();
        Key::Session(session.map_err(|_| Denied::NotFound)?)
    };
    socket.listening.subscribe(key, subscribe.after).await
}

/// Begins a command whose answer may come later.
fn begin(socket: &mut Socket, command: Command) {
    let (app, actor) = (Arc::clone(&socket.app), socket.actor);
    socket.answers.push_back(Box::pin(async move {
        let reference = parlor_wire::command::reference(&command).unwrap_or_default();
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
            app.edit(actor, message, edit.content.into()).await.map(|_| ())
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

/// Puts an answer that is known already behind those that are still to come.
fn push(socket: &mut Socket, said: Said) {
    socket.answers.push_back(Box::pin(std::future::ready(said)));
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
fn refusal(reference: i64, error: &Error) -> Said {
    let (message, _) = crate::error::explain(error);
    Said::Error(v1::Error {
        r#ref: Some(reference),
        code: error.code().as_str().to_owned(),
        message,
        retry_after_ms: error.retry_after_ms().map(u64::cast_signed),
    })
}
