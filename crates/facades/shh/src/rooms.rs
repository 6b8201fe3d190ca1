//! Rooms: which one is in, made, joined, deleted.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use parlor_app::rooms::CreateRoom;
use parlor_app::{Actor, App, Error, Which};
use parlor_domain::rules::AskedRules;
use parlor_domain::{Card, Denied, Room, RoomId, RoomKind};
use parlor_doors::Doors;
use serde_json::{Value, json};

use crate::error::Refused;
use crate::fields::Fields;
use crate::people::{Shown, iso};
use crate::proof::Known;

/// The rooms that one is in, in the order in which one came in.
pub(crate) async fn rooms(
    State(doors): State<Doors>,
    Known(actor): Known,
) -> Result<Json<Value>, Refused> {
    let app = &doors.app;
    let cards = app.cards(&actor, Which::Joined).await?;
    let owners = app.several_people(cards.iter().filter_map(|card| card.owner)).await?;
    let me = Shown::myself(app, &actor).await?;
    let listed = cards.iter().map(|card| {
        let owner = card.owner.filter(|owner| *owner != actor.user);
        let owner = owner.and_then(|owner| owners.get(&owner)).map(|person| {
            let known = !card.room.lobby && card.people.contains(&person.user.id);
            Shown::of(app, person, known)
        });
        // COMPAT(shh): a room without an owner is said to be the caller's, as all are there.
        json!({
            "room_name": name_of(card, &actor),
            "room_id": card.room.id.to_string(),
            "created_at": iso(card.room.created_at),
            "created_by": owner.as_ref().unwrap_or(&me).by_text(),
            "session_id": card.session_no,
        })
    });
    let message = if cards.is_empty() { "No rooms found" } else { "Rooms fetched successfully" };
    let listed: Vec<Value> = listed.collect();
    Ok(Json(json!({"count": listed.len(), "rooms": listed, "message": message})))
}

/// A direct room has no name: it is called by the others in it.
fn name_of(card: &Card, actor: &Actor) -> String {
    if card.room.kind != RoomKind::Direct {
        return card.room.name.clone();
    }
    let others = card.room.people.iter().filter(|user| user.id != actor.user);
    others.map(|user| user.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Makes a room, which is not listed: who has the link may join.
pub(crate) async fn create(
    State(doors): State<Doors>,
    Known(actor): Known,
    fields: Fields,
) -> Result<Response, Refused> {
    let name = fields.text("chat_room_name").unwrap_or_default();
    let asked = CreateRoom {
        encryption: None,
        rules: AskedRules::default(),
        name,
        kind: RoomKind::Unlisted,
        description: String::new(),
        password: None,
        members: vec![],
        key: None,
        slug: None,
        unique: true,
    };
    let room = doors.app.create_room(&actor, asked).await?.value;
    let me = Shown::myself(&doors.app, &actor).await?;
    let said = json!({
        "room_id": room.id.to_string(),
        "chat_room_name": room.name,
        "created_by": me.by_text(),
        "created_at": iso(room.created_at),
    });
    Ok((StatusCode::CREATED, Json(said)).into_response())
}

/// Comes into a room; who is in it stays.
pub(crate) async fn join(
    State(doors): State<Doors>,
    Known(actor): Known,
    fields: Fields,
) -> Result<Json<Value>, Refused> {
    let missing = || Refused::error(StatusCode::BAD_REQUEST, "Room ID is required");
    let room = fields.text("room_id").ok_or_else(missing)?;
    let room = room_id(&room, "Error joining room")?;
    let (room, fresh) = joined(&doors.app, &actor, room).await?;
    let how = if fresh { "Joined" } else { "Already in" };
    let me = Shown::myself(&doors.app, &actor).await?;
    Ok(Json(json!({
        "message": format!("{how} room {}", room.name),
        "room": {
            "room_id": room.id.to_string(),
            "room_name": room.name,
            "created_at": iso(room.created_at),
        },
        "user": me.by_text(),
    })))
}

/// Joins, and says whether that was new. A room that cannot be joined here, for its password or
/// because it is archived, is as good as none.
async fn joined(app: &App, actor: &Actor, room: RoomId) -> Result<(Room, bool), Refused> {
    let before = app.room(actor, room).await?;
    match app.join(actor, room, None).await {
        Ok(room) => Ok((room, before.my_role.is_none())),
        Err(Error::Denied(Denied::Forbidden(_) | Denied::Conflict(_))) => Err(Refused::no_room()),
        Err(error) => Err(error.into()),
    }
}

/// Deletes a room.
pub(crate) async fn remove(
    State(doors): State<Doors>,
    Known(actor): Known,
    Path(room): Path<String>,
) -> Result<Json<Value>, Refused> {
    let room = room_id(&room, "Error deleting room")?;
    doors.app.delete_room(&actor, room).await?;
    Ok(Json(json!({
        "message": "Room deleted successfully",
        "deleted_room": {"room_id": room.to_string()},
    })))
}

/// Reads a room's id.
///
/// COMPAT(shh): what is no id at all makes the original fail, and so it says.
fn room_id(text: &str, failure: &'static str) -> Result<RoomId, Refused> {
    let failed = |_| Refused::error(StatusCode::INTERNAL_SERVER_ERROR, failure);
    text.trim().parse().map_err(failed)
}
