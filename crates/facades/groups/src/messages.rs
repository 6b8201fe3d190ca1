//! `/messages`: said, listed, searched, reworded, deleted.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse as _;
use parlor_app::{Actor, Error, Listing};
use parlor_domain::rewording::Rewording;
use parlor_domain::saying::SendMessage;
use parlor_domain::{ClientId, Denied, Placed};
use parlor_doors::Doors;
use parlor_doors::facade::query_value;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::error::{Answer, Refused};
use crate::groups::joined;
use crate::objects::{self, Said, less};
use crate::request::{Id, No, asked, needed, object, text};
use crate::visitor::Visitor;

/// Messages of a page that asks for no other number, or for one that is too large.
const PER_PAGE: u64 = 20;
const PER_PAGE_MAX: i64 = 100;

const NOT_FOUND: &str = "Message not found";

/// `POST /messages`.
pub(crate) async fn post(State(doors): State<Doors>, visitor: Visitor, request: Request) -> Answer {
    const DOING: &str = "Failed to send message";
    let actor = visitor.actor()?;
    let mut asked = object(&doors, request, DOING).await?;
    let ttl_s = read_ttl(&asked, DOING)?;
    let content = needed(&mut asked, "content", DOING)?;
    let group = needed(&mut asked, "group_uuid", DOING)?.parse();
    let group = group.map_err(|_| Refused::Unfit(DOING, "group_uuid is no UUID".into()))?;
    let file = text(&mut asked, "file", DOING)?;
    let room = joined(&doors, &actor, group, DOING).await?;
    let client_id = ClientId(Uuid::new_v4());
    let said = SendMessage {
        file: file.clone(),
        ttl_s,
        blank: true,
        ..SendMessage::plain(client_id, room.main_session, content.clone())
    };
    let outside = || Refused::forbidden("Not a member of this group");
    let pending = doors.app.send(&actor, said).await;
    let pending = pending.map_err(Refused::or_missing(DOING, outside()))?;
    let posted = pending.done().await.map_err(Refused::or_missing(DOING, outside()))?;
    let sender = doors.app.person(actor.user).await.map_err(Refused::failed(DOING))?;
    let said = Said {
        no: posted.no,
        content: &content,
        file: file.as_deref(),
        group: room.id,
        sender: actor.user.to_string(),
        name: &sender.user.name,
        sent_at: posted.sent_at,
        edited_at: None,
    };
    let said = json!({"message": "Message sent successfully", "data": said.object()});
    Ok((StatusCode::CREATED, Json(said)).into_response())
}

/// For how many seconds a message is to live. What is no whole number is refused: a message that is
/// to decay must not be kept for ever instead.
fn read_ttl(asked: &Map<String, Value>, doing: &'static str) -> Result<Option<i64>, Refused> {
    match asked.get("ttl_s") {
        None | Some(Value::Null) => Ok(None),
        Some(ttl) => match ttl.as_i64() {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Refused::Unfit(doing, "ttl_s: not a whole number of seconds".into())),
        },
    }
}

/// `GET /messages`, page by page.
pub(crate) async fn page(State(doors): State<Doors>, visitor: Visitor, uri: Uri) -> Answer {
    const DOING: &str = "Failed to get messages";
    let actor = visitor.actor()?;
    let page = asked::<i64>(&uri, "page", DOING)?.unwrap_or(1).max(1).unsigned_abs();
    let per_page = asked::<i64>(&uri, "per_page", DOING)?;
    let per_page = per_page.filter(|n| (1..=PER_PAGE_MAX).contains(n));
    let per_page = per_page.map_or(PER_PAGE, i64::unsigned_abs);
    let listing = Listing {
        room: asked(&uri, "group_uuid", DOING)?,
        sender: asked(&uri, "sender_uuid", DOING)?,
        containing: None,
        offset: (page - 1).saturating_mul(per_page),
        limit: per_page,
    };
    let found = doors.app.listing(&actor, listing).await;
    let (found, total) = found.map_err(Refused::failed(DOING))?;
    let messages = objects::messages(&doors.app, &found, &[]).await;
    let messages = messages.map_err(Refused::failed(DOING))?;
    let pagination = pagination(page, per_page, total);
    Ok(Json(json!({"messages": messages, "pagination": pagination})).into_response())
}

fn pagination(page: u64, per_page: u64, total: u64) -> Value {
    let pages = total.div_ceil(per_page);
    let (has_next, has_prev) = (page < pages, page > 1);
    json!({
        "page": page,
        "per_page": per_page,
        "total": total,
        "total_pages": pages,
        "has_next": has_next,
        "has_prev": has_prev,
        "next_page": has_next.then_some(page + 1),
        "prev_page": has_prev.then_some(page - 1),
    })
}

/// `GET /messages/search`.
pub(crate) async fn search(State(doors): State<Doors>, visitor: Visitor, uri: Uri) -> Answer {
    const DOING: &str = "Search failed";
    let actor = visitor.actor()?;
    let query = query_value(&uri, "q").filter(|query| !query.is_empty());
    let query = query.ok_or(Refused::bad("Search query is required"))?;
    let listing = Listing {
        containing: Some(query.clone()),
        offset: asked(&uri, "offset", DOING)?.unwrap_or(0),
        limit: asked(&uri, "limit", DOING)?.unwrap_or(PER_PAGE),
        ..Listing::default()
    };
    let found = doors.app.listing(&actor, listing).await;
    let (found, total) = found.map_err(Refused::failed(DOING))?;
    let results = objects::messages(&doors.app, &found, &[]).await;
    let results = results.map_err(Refused::failed(DOING))?;
    Ok(Json(json!({"query": query, "results": results, "total": total})).into_response())
}

/// `GET /messages/{id}`.
pub(crate) async fn one(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(No(no)): Id<No>,
) -> Answer {
    const DOING: &str = "Failed to get message";
    let found = find(&doors, &visitor.actor()?, no, DOING).await?;
    if found.message.deleted_at.is_some() {
        return Err(Refused::not_found("Message has been deleted"));
    }
    let objects = objects::messages(&doors.app, &[found], &[]).await;
    let object = objects.map_err(Refused::failed(DOING))?.pop();
    Ok(Json(object.unwrap_or_default()).into_response())
}

/// `PUT /messages/{id}`.
pub(crate) async fn edit(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(No(no)): Id<No>,
    request: Request,
) -> Answer {
    const DOING: &str = "Failed to update message";
    const DELETED: &str = "Cannot update deleted message";
    let actor = visitor.actor()?;
    let mut asked = object(&doors, request, DOING).await?;
    let (content, file) = (text(&mut asked, "content", DOING)?, text(&mut asked, "file", DOING)?);
    let found = find(&doors, &actor, no, DOING).await?;
    if found.message.deleted_at.is_some() {
        return Err(Refused::bad(DELETED));
    }
    let edited = doors
        .app
        .edit(&actor, found.message.id, Rewording { content, file, encrypted_for: None })
        .await;
    let edited = edited.map_err(|error| match error {
        Error::Denied(Denied::NotFound) => Refused::bad(DELETED),
        Error::Denied(Denied::Forbidden(_)) => {
            Refused::forbidden("Can only edit your own messages")
        }
        error => Refused::Failed(DOING, error),
    })?;
    let data = less(Said::of(&edited, found.room, "").object(), &["sender_name"]);
    Ok(Json(json!({"message": "Message updated successfully", "data": data})).into_response())
}

/// `DELETE /messages/{id}`: its number stays.
pub(crate) async fn delete(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(No(no)): Id<No>,
) -> Answer {
    const DOING: &str = "Failed to delete message";
    const DELETED: &str = "Message already deleted";
    let others = || Refused::forbidden("Can only delete your own messages");
    let actor = visitor.actor()?;
    let found = find(&doors, &actor, no, DOING).await?;
    if found.message.deleted_at.is_some() {
        return Err(Refused::bad(DELETED));
    }
    // COMPAT(groups): it knows nobody who keeps order.
    if found.message.sender != actor.user {
        return Err(others());
    }
    let deleted = doors.app.delete(&actor, found.message.id).await;
    deleted.map_err(|error| match error {
        Error::Denied(Denied::NotFound) => Refused::bad(DELETED),
        Error::Denied(Denied::Forbidden(_)) => others(),
        error => Refused::Failed(DOING, error),
    })?;
    Ok(Json(json!({"message": "Message deleted successfully"})).into_response())
}

async fn find(
    doors: &Doors,
    actor: &Actor,
    no: i64,
    doing: &'static str,
) -> Result<Placed, Refused> {
    let unknown = Refused::not_found(NOT_FOUND);
    doors.app.message_by_no(actor, no).await.map_err(Refused::or_missing(doing, unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_it_is() {
        let said = |page, per_page, total| pagination(page, per_page, total);
        assert_eq!(said(1, 20, 0)["total_pages"], 0);
        assert_eq!(said(1, 20, 0)["next_page"], Value::Null);
        assert_eq!(said(2, 2, 5)["total_pages"], 3);
        assert_eq!(said(2, 2, 5)["next_page"], 3);
        assert_eq!(said(2, 2, 5)["prev_page"], 1);
        assert_eq!(said(3, 2, 5)["has_next"], false);
        assert_eq!(said(9, 2, 5)["has_prev"], true);
    }
}
