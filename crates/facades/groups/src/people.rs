//! `/users`: who there is, and what one may know of them.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use parlor_app::Listing;
use parlor_domain::UserId;
use parlor_doors::Doors;
use serde_json::{Value, json};

use crate::error::{Answer, Refused};
use crate::objects::{self, moment};
use crate::request::Id;
use crate::visitor::Visitor;

/// `GET /users`.
pub(crate) async fn everybody(State(doors): State<Doors>, visitor: Visitor) -> Answer {
    let actor = visitor.actor()?;
    let people = doors.app.everybody(&actor).await;
    let people = people.map_err(Refused::failed("Failed to get users"))?;
    let users: Vec<Value> = people.iter().map(objects::user).collect();
    Ok(Json(json!({"users": users})).into_response())
}

/// `GET /users/{uuid}`.
pub(crate) async fn one(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(user): Id<UserId>,
) -> Answer {
    visitor.actor()?;
    let unknown = Refused::not_found("User not found");
    let found = doors.app.living(user).await;
    let person = found.map_err(Refused::or_missing("Failed to get user", unknown))?;
    Ok(Json(objects::user(&person)).into_response())
}

/// `GET /users/{uuid}/messages`: those in groups that one is in, too.
pub(crate) async fn messages(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(user): Id<UserId>,
) -> Answer {
    const DOING: &str = "Failed to get messages";
    let actor = visitor.actor()?;
    let asked = Listing { sender: Some(user), limit: u64::MAX, ..Listing::default() };
    let found = doors.app.listing(&actor, asked).await.map_err(Refused::failed(DOING))?.0;
    let messages = objects::messages(&doors.app, &found, &["sender_uuid", "sender_name"]).await;
    let messages = messages.map_err(Refused::failed(DOING))?;
    Ok(Json(json!({"messages": messages})).into_response())
}

/// `GET /users/{uuid}/groups`: those that one is in, too.
pub(crate) async fn groups(
    State(doors): State<Doors>,
    visitor: Visitor,
    Id(user): Id<UserId>,
) -> Answer {
    let actor = visitor.actor()?;
    let shared = doors.app.rooms_shared_with(&actor, user).await;
    let shared = shared.map_err(Refused::failed("Failed to get groups"))?;
    let groups = shared
        .iter()
        .map(|(room, since)| json!({"group_uuid": room.to_string(), "joined_at": moment(*since)}));
    Ok(Json(json!({"groups": groups.collect::<Vec<_>>()})).into_response())
}
