//! What was said in the lobby.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use parlor_domain::Denied;
use parlor_doors::Doors;
use parlor_doors::facade::by_login_cookie;
use serde_json::json;

use crate::error::{Failure, missing, number};
use crate::people::is_online;

/// All messages, the oldest first.
pub(crate) async fn all(
    State(doors): State<Doors>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let actor = by_login_cookie(&doors, &headers).await?;
    let lobby = doors.app.lobby(&actor).await?;
    let mut said = doors.app.history(&actor, lobby.main_session).await?;
    said.retain(|message| message.deleted_at.is_none());
    let people = doors.app.several_people(said.iter().map(|message| message.sender)).await?;
    let data = said.iter().filter_map(|message| {
        let sender = people.get(&message.sender)?;
        Some(json!({
            "id": message.no,
            "sender_id": sender.user.no,
            "sender": sender.user.name,
            "online": is_online(&doors, sender),
            "content": message.content,
        }))
    });
    Ok(Json(json!({"data": data.collect::<Vec<_>>()})).into_response())
}

/// Deletes a message: the use case says whose.
pub(crate) async fn remove(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let unknown = |error| missing(error, "Message not found");
    let actor = by_login_cookie(&doors, &headers).await?;
    let no = number(&id, "message_id")?;
    let placed = doors.app.message_by_no(&actor, no).await.map_err(unknown)?;
    let lobby = doors.app.lobby(&actor).await?;
    if placed.room != lobby.id {
        return Err(unknown(Denied::NotFound.into()));
    }
    doors.app.delete(&actor, placed.message.id).await.map_err(unknown)?;
    Ok(Json(json!({"message": "Message Deleted Successfully"})).into_response())
}
