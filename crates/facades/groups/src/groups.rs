//! `/groups`: rooms, which have no name here.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use parlor_app::rooms::CreateRoom;
use parlor_app::{Actor, Error, Listing, Which};
use parlor_domain::rules::AskedRules;
use parlor_domain::{Denied, Room, RoomId, RoomKind};
use parlor_doors::Doors;
use parlor_wire::time::rfc3339;
use serde_json::{Value, json};

use crate::error::{Answer, Refused};
use crate::objects::{self, moment};
use crate::request::{Id, object};
use crate::visitor::Visitor;

const NOT_A_MEMBER: &str = "Not a member of this group";

/// The group, for one of its members.
///
/// # Errors
/// 403 for everybody else, also when there is no such group.
pub(crate) async fn joined(
    doors: &Doors,
    actor: &Actor,
    room: RoomId,
    doing: &'static str,
) -> Result<Room, Refused> {
    let outside = || Refused::forbidden(NOT_A_MEMBER);
    let found = doors.app.room(actor, room).await;
    let room = found.map_err(Refused::or_missing(doing, outside()))?;
    if room.my_role.is_some() { Ok(room) } else { Err(outside()) }
}

/// `POST /groups`. Everybody can find a group there, so it is a public room; it gets a name for
/// those who come from elsewhere.
pub(crate) async fn create(
    State(doors): State<Doors>,
    visitor: Visitor,
    request: Request,
) -> Answer {
    const DOING: &str = "Failed to create group";
    let actor = visitor.actor()?;
    object(&doors, request, DOING).await?;
    let now = rfc3339(doors.app.now().0);
    let name = format!("Group {}", now.split('.').next().unwrap_or_default().replace('T', " "));
    let asked = CreateRoom {
        encryption: None,
        rules: AskedRules::default(),
        name,
        kind: RoomKind::Public,
        description: String::new(),
        password: None,
        members: vec![],
        key: None,
        slug: None,
        unique: false,
    };
    let made = doors.app.create_room(&actor, asked).await.map_err(Refused::failed(DOING))?;
    let card = doors.app.card(&actor, made.value.id).await.map_err(Refused::failed(DOING))?;
    let group = objects::group(&card);
    let said = json!({"message": "Group created successfully", "group": group});
    Ok((StatusCode::CREATED, Json(said)).into_response())
}

/// `GET /groups`: one's own, and those that everybody can find.
pub(crate) async fn list(State(doors): State<Doors>, visitor: Visitor) -> Answer {
    let actor = visitor.actor()?;
    let cards = doors.app.cards(&actor, Which::Visible).await;
    let cards = cards.map_err(Refused::failed("Failed to get groups"))?;
    let groups: Vec<Value> = cards.iter().map(objects::group).collect();
    Ok(Json(json!({"groups": groups})).into_response())
}

/// `GET /groups/{uuid}`.
pub(crate) async fn one(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(room): Id<RoomId>,
) -> Answer {
    let actor = visitor.actor()?;
    let unknown = Refused::not_found("Group not found");
    let found = doors.app.card(&actor, room).await;
    let card = found.map_err(Refused::or_missing("Failed to get group", unknown))?;
    Ok(Json(objects::group(&card)).into_response())
}

/// `DELETE /groups/{uuid}`.
pub(crate) async fn delete(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(room): Id<RoomId>,
) -> Answer {
    const DOING: &str = "Failed to delete group";
    let actor = visitor.actor()?;
    joined(&doors, &actor, room, DOING).await?;
    let outside = Refused::forbidden(NOT_A_MEMBER);
    let deleted = doors.app.delete_room(&actor, room).await;
    deleted.map_err(Refused::or_missing(DOING, outside))?;
    Ok(Json(json!({"message": "Group deleted successfully"})).into_response())
}

/// `POST /groups/{uuid}/join`.
pub(crate) async fn join(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(room): Id<RoomId>,
) -> Answer {
    const DOING: &str = "Failed to join group";
    let unknown = || Refused::not_found("Group not found");
    let actor = visitor.actor()?;
    let found = doors.app.room(&actor, room).await;
    if found.map_err(Refused::or_missing(DOING, unknown()))?.my_role.is_some() {
        return Err(Refused::bad("Already a member of this group"));
    }
    let joined = doors.app.join(&actor, room, None).await;
    joined.map_err(Refused::or_missing(DOING, unknown()))?;
    Ok(Json(json!({"message": "Successfully joined group"})).into_response())
}

/// `POST /groups/{uuid}/leave`.
pub(crate) async fn leave(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(room): Id<RoomId>,
) -> Answer {
    let actor = visitor.actor()?;
    doors.app.leave(&actor, room).await.map_err(|error| match error {
        Error::Denied(Denied::NotFound | Denied::Forbidden(_)) => Refused::bad(NOT_A_MEMBER),
        error => Refused::Failed("Failed to leave group", error),
    })?;
    Ok(Json(json!({"message": "Successfully left group"})).into_response())
}

/// `GET /groups/{uuid}/participants`, in the order in which they came.
pub(crate) async fn participants(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(room): Id<RoomId>,
) -> Answer {
    let actor = visitor.actor()?;
    let most = doors.app.limits().facade_rows_max;
    let mut members = match doors.app.room_members(&actor, room, None, most).await {
        // COMPAT(groups): a group that is not there has no participants.
        Err(Error::Denied(Denied::NotFound)) => vec![],
        Err(Error::Denied(Denied::Forbidden(_))) => return Err(Refused::forbidden(NOT_A_MEMBER)),
        found => found.map_err(Refused::failed("Failed to get participants"))?,
    };
    members.sort_by_key(|member| (member.joined_at, member.user.no));
    let participants = members.iter().map(|member| {
        json!({
            "user_uuid": member.user.id.to_string(),
            "user_name": member.user.name,
            "joined_at": moment(member.joined_at),
        })
    });
    Ok(Json(json!({"participants": participants.collect::<Vec<_>>()})).into_response())
}

/// `GET /groups/{uuid}/messages`.
pub(crate) async fn messages(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(room): Id<RoomId>,
) -> Answer {
    const DOING: &str = "Failed to get messages";
    let actor = visitor.actor()?;
    match doors.app.room(&actor, room).await {
        Ok(room) if room.my_role.is_none() => return Err(Refused::forbidden(NOT_A_MEMBER)),
        // COMPAT(groups): a group that is not there has no messages.
        Ok(_) | Err(Error::Denied(Denied::NotFound)) => {}
        Err(error) => return Err(Refused::Failed(DOING, error)),
    }
    let asked = Listing { room: Some(room), limit: u64::MAX, ..Listing::default() };
    let found = doors.app.listing(&actor, asked).await.map_err(Refused::failed(DOING))?.0;
    let messages = objects::messages(&doors.app, &found, &["group_uuid"]).await;
    let messages = messages.map_err(Refused::failed(DOING))?;
    Ok(Json(json!({"messages": messages})).into_response())
}
