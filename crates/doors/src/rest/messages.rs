//! Messages.

use axum::extract::State;
use axum::http::StatusCode;
use parlor_app::{Actor, Page, Posted};
use parlor_domain::rewording::Rewording;
use parlor_domain::saying::SendMessage;
use parlor_domain::{ClientId, Denied, Message, MessageId, SessionId};
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Doors;
use crate::auth::Signed;
use crate::body::Body;
use crate::commands::{file_ids, words};
use crate::key::Key;
use crate::openapi::{Conflict, KeyParam};
use crate::path::Id;
use crate::query::{self, Numbers, Query};
use crate::reply::{Answer, Done, created, ok};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(messages, send))
        .routes(routes!(message, edit, delete))
        .routes(routes!(revisions))
}

/// Say something. Repeating a `client_id` answers with the first result.
#[utoipa::path(
    post, path = "/sessions/{id}/messages", tag = "messages",
    params(("id" = String, Path, description = "The session"), KeyParam),
    request_body = v1::SendRequest,
    responses(
        (status = 201, description = "The message, which is durable", body = v1::Message),
        (status = 200, description = "The message that this id sent before", body = v1::Message),
        Conflict
    )
)]
async fn send(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
    Key(key): Key,
    Body(asked): Body<v1::SendRequest>,
) -> Answer<v1::Message> {
    let (content, encrypted_for) =
        words(asked.content, asked.encrypted.as_deref(), asked.membership_version)?;
    let client_id = client_id(&asked.client_id, key)?;
    let command = SendMessage {
        encrypted_for,
        reply_to: maybe_id(asked.reply_to.as_deref())?,
        files: file_ids(&asked.files)?,
        thread: maybe_id(asked.thread_id.as_deref())?,
        forward: maybe_id(asked.forward.as_deref())?,
        ttl_s: asked.ttl_s,
        ..SendMessage::plain(client_id, session, content)
    };
    let pending = doors.app.send(&actor, command.clone()).await?;
    let posted = pending.done().await?;
    let plain =
        command.forward.is_none() && command.files.is_empty() && command.encrypted_for.is_none();
    let message = said(&actor, command, &posted);
    if posted.fresh && plain {
        return created(true, (&message).into());
    }
    // It may have been reworded since, carry what is only known there, or have somebody else's
    // words; who cannot see it any more still hears that it was sent.
    let now = doors.app.message(&actor, posted.id).await;
    created(posted.fresh, (&now.unwrap_or(message)).into())
}

fn client_id(text: &str, key: Option<ClientId>) -> Result<ClientId, Denied> {
    let read = match (text, key) {
        ("", Some(key)) => Some(key),
        (text, _) => text.parse().ok(),
    };
    read.ok_or(Denied::invalid("client_id", "not a UUID"))
}

/// A message's id that may be left out; what is no id names nothing.
pub(super) fn maybe_id(text: Option<&str>) -> Result<Option<MessageId>, Denied> {
    let read = text.map(|id| id.parse().map_err(|_| Denied::NotFound));
    read.transpose()
}

/// The message as it was sent.
fn said(actor: &Actor, command: SendMessage, posted: &Posted) -> Message {
    Message {
        id: posted.id,
        no: posted.no,
        number: posted.number,
        seq: posted.seq,
        session: command.session,
        sender: actor.user,
        client_id: command.client_id,
        content: command.content,
        reply_to: command.reply_to,
        thread: command.thread,
        file: command.file,
        sent_at: posted.sent_at,
        edited_at: None,
        deleted_at: None,
        expires_at: posted.expires_at,
        extras: None,
    }
}

/// A page of what was said in a session.
#[utoipa::path(
    get, path = "/sessions/{id}/messages", tag = "messages",
    params(("id" = String, Path, description = "The session"), Numbers),
    responses((status = 200, description = "Ascending by `number`", body = v1::MessagePage))
)]
async fn messages(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
    Query(asked): Query<Numbers>,
) -> Answer<v1::MessagePage> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let page = doors.app.page(&actor, session, which(&asked)?, limit).await?;
    ok(v1::MessagePage {
        messages: page.messages.iter().map(Into::into).collect(),
        has_more_before: page.more_before,
        has_more_after: page.more_after,
    })
}

pub(super) fn which(asked: &Numbers) -> Result<Page, Denied> {
    match (asked.before, asked.after, asked.around) {
        (None, None, None) => Ok(Page::Newest),
        (Some(n), None, None) => query::count("before", n).map(Page::Before),
        (None, Some(n), None) => query::count("after", n).map(Page::After),
        (None, None, Some(n)) => query::count("around", n).map(Page::Around),
        _ => Err(Denied::invalid("query", "one of before, after and around")),
    }
}

/// A message.
#[utoipa::path(
    get, path = "/messages/{id}", tag = "messages",
    params(("id" = String, Path, description = "The message")),
    responses((status = 200, description = "The message", body = v1::Message))
)]
async fn message(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(message): Id<MessageId>,
) -> Answer<v1::Message> {
    ok((&doors.app.message(&actor, message).await?).into())
}

/// Reword a message of one's own.
#[utoipa::path(
    patch, path = "/messages/{id}", tag = "messages",
    params(("id" = String, Path, description = "The message")),
    request_body = v1::EditRequest,
    responses(
        (status = 200, description = "The message as it reads now", body = v1::Message),
        Conflict
    )
)]
async fn edit(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(message): Id<MessageId>,
    Body(asked): Body<v1::EditRequest>,
) -> Answer<v1::Message> {
    let (content, encrypted_for) =
        words(asked.content, asked.encrypted.as_deref(), asked.membership_version)?;
    let asked = Rewording { encrypted_for, ..content.into() };
    ok((&doors.app.edit(&actor, message, asked).await?).into())
}

/// Delete a message for everybody.
#[utoipa::path(
    delete, path = "/messages/{id}", tag = "messages",
    params(("id" = String, Path, description = "The message")),
    responses((status = 204, description = "Its text is gone; its number stays"), Conflict)
)]
async fn delete(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(message): Id<MessageId>,
) -> Done {
    doors.app.delete(&actor, message).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The earlier wordings of a message.
#[utoipa::path(
    get, path = "/messages/{id}/revisions", tag = "messages",
    params(("id" = String, Path, description = "The message")),
    responses((status = 200, description = "Oldest first", body = v1::RevisionList))
)]
async fn revisions(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(message): Id<MessageId>,
) -> Answer<v1::RevisionList> {
    let revisions = doors.app.revisions(&actor, message).await?;
    ok(v1::RevisionList { revisions: revisions.iter().map(Into::into).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_in_one_way() {
        let none = Numbers::default();
        assert_eq!(which(&none), Ok(Page::Newest));
        let before = Numbers { before: Some(3), ..Numbers::default() };
        assert_eq!(which(&before), Ok(Page::Before(3)));
        let both = Numbers { after: Some(1), ..before };
        assert!(which(&both).is_err());
        let negative = Numbers { around: Some(-1), ..Numbers::default() };
        assert!(which(&negative).is_err());
    }

    #[test]
    fn the_header_stands_in_for_the_id_of_a_message() {
        let key = "0190f5c2-7a1e-7000-8000-000000000001".parse().unwrap();
        let other = "0190f5c2-7a1e-7000-8000-000000000002";
        assert_eq!(client_id("", Some(key)), Ok(key));
        assert_eq!(client_id(other, Some(key)), Ok(other.parse().unwrap()));
        assert!(client_id("", None).is_err());
        assert!(client_id("x", Some(key)).is_err());
    }
}
