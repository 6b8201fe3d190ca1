//! Rei's answers, and how people, rooms and messages look in them.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use parlor_app::App;
use parlor_domain::{Card, Person};
use parlor_wire::time::rfc3339;
use serde_json::{Value, json};

/// All is well, and there is nothing to say.
pub(crate) fn ok() -> Response {
    with(json!({}))
}

/// All is well, with what else there is to say.
pub(crate) fn with(mut said: Value) -> Response {
    said["message"] = json!("ok");
    Json(said).into_response()
}

/// Somebody. REI's `username` is what people are called, not their handle: several may have one.
pub(crate) fn person(person: &Person, email: &str) -> Value {
    json!({"email": email, "username": person.user.name})
}

/// A room, with its id only where it is not known already. Those who made their room elsewhere may
/// have left it without a name.
pub(crate) fn room(card: &Card, name: &str) -> Value {
    let users: Vec<String> = card.people.iter().map(ToString::to_string).collect();
    json!({
        "name": name,
        "description": card.room.description,
        "owner": card.owner.map(|owner| owner.to_string()),
        "private": card.room.has_password || !card.room.kind.is_open(),
        "users": users,
        "created_at": time(card.room.created_at.0),
        "session_id": card.session_no,
    })
}

/// What is known of a message wherever it comes from.
pub(crate) struct Said<'a> {
    /// Its number in the room.
    pub(crate) number: i64,
    /// Who said it.
    pub(crate) sender: &'a str,
    /// The text; empty once deleted.
    pub(crate) content: &'a str,
    /// When, in microseconds.
    pub(crate) sent_at: i64,
}

/// A message of a room; `known`: whether its people know each other's addresses there.
pub(crate) fn message(app: &App, said: &Said<'_>, by: Option<&Person>, known: bool) -> Value {
    json!({
        "message_id": said.number,
        "user_id": said.sender,
        "content": said.content,
        "timestamp": time(said.sent_at),
        "username": by.map_or("", |person| &person.user.name),
        "email": by.map_or(String::new(), |person| app.address_of(person, known)),
    })
}

/// A moment as Python writes it.
fn time(micros: i64) -> String {
    let text = rfc3339(micros);
    match text.strip_suffix('Z') {
        Some(bare) => format!("{bare}+00:00"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_its_zone_as_a_number() {
        assert_eq!(time(1_700_000_000_123_456), "2023-11-14T22:13:20.123456+00:00");
    }
}
