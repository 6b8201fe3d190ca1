//! A room's socket: its history, and then what is said in it.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use parlor_app::{Actor, App, Error};
use parlor_domain::{Denied, Room, SessionId, Time, UserId};
use parlor_doors::facade::{
    End, Farewell, Heard, Interpreter, Talk, explain, is_upgrade, turn_away, upgrade,
};
use parlor_doors::{Doors, Peer, facade};
use parlor_hub::{Frame, Key};
use parlor_wire::json::{self, JsonError};
use parlor_wire::v1::event::Kind;
use parlor_wire::v1::server_frame;
use parlor_wire::{Dialect, v1};
use parlor_ws::Shared;
use serde_json::{Map, Value, json};

use crate::error::Refused;
use crate::people::{Shown, iso};
use crate::proof::{Stranger, Visit};

/// The text that is no message but says that one is being written.
const TYPING: &str = "typing";

/// Opens a room's socket. Who may not have it is let in first and then told why: a browser cannot
/// see why a handshake was refused, and the system's own client acts on the code.
pub(crate) async fn chat(
    State(doors): State<Doors>,
    visit: Visit,
    peer: Peer,
    Path(room): Path<String>,
    request: Request,
) -> Response {
    if !is_upgrade(&request) {
        return Refused::detail(StatusCode::NOT_FOUND, "Not found.").into_response();
    }
    let actor = match visit.actor(&doors).await {
        Ok(actor) => actor,
        Err(stranger) => return turn_away(&doors, request, end_of(stranger)),
    };
    match entered(&doors.app, &actor, &room).await {
        Ok(room) => {
            let session = room.main_session;
            let keys = vec![Key::Session(session), Key::Typing(session)];
            let chat = Chat { session, known: !room.lobby, told: 0 };
            upgrade(&doors, peer, request, actor, keys, chat)
        }
        Err(Error::Denied(_)) => turn_away(&doors, request, out()),
        Err(error) => {
            explain(&error);
            turn_away(&doors, request, End::Gone)
        }
    }
}

/// The room, whose members alone hear it.
async fn entered(app: &App, actor: &Actor, room: &str) -> Result<Room, Error> {
    let room = room.parse().map_err(|_| Denied::NotFound)?;
    let room = app.room(actor, room).await?;
    if room.my_role.is_some() { Ok(room) } else { Err(Denied::NotFound.into()) }
}

fn end_of(stranger: Stranger) -> End {
    match stranger {
        Stranger::NoToken => End::with(4000, "No access token"),
        Stranger::Over => End::with(4001, "Access token expired"),
        Stranger::OtherKind | Stranger::Unknown => End::with(4002, "Invalid token"),
        Stranger::Failed(error) => {
            explain(&error);
            End::Gone
        }
    }
}

/// For who is not in the room, and for rooms that are not there: the two look alike. The system's
/// client stays where it is.
fn out() -> End {
    End::with(4003, "Not a member of this room")
}

/// One connection.
struct Chat {
    session: SessionId,
    /// Whether the people of the room see each other's addresses.
    known: bool,
    /// The place in the log of the last message of the history.
    told: i64,
}

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Say(String),
    Typing,
    Nothing,
}

impl Interpreter for Chat {
    const DIALECT: Dialect = Dialect::Shh;

    async fn greet(&mut self, talk: &mut Talk) -> Result<(), End> {
        match self.history(talk).await {
            Ok(said) => {
                talk.say(&said);
                Ok(())
            }
            Err(Error::Denied(_)) => Err(self.farewell(Farewell::Out)),
            Err(error) => {
                explain(&error);
                Err(self.farewell(Farewell::Failed))
            }
        }
    }

    async fn hear(&mut self, heard: Heard, talk: &mut Talk) -> Result<(), End> {
        let done = match heard {
            Heard::Text(text) if !text.is_empty() => self.obey(&text, talk).await,
            _ => Err("Received empty message."),
        };
        if let Err(text) = done {
            talk.say(&json!({"type": "error", "message": text}).to_string());
        }
        Ok(())
    }

    /// What came while the history was read is in it already.
    fn wants(&self, frame: &Frame) -> bool {
        frame.typist().is_some() || frame.seq() > self.told
    }

    async fn translate(&self, frame: &Frame, app: &App) -> Result<Option<Shared>, Error> {
        if let Some(user) = frame.typist() {
            let by = self.shown(app, user).await?;
            let said = json!({"type": "typing", "user": by.email, "username": by.username});
            return Ok(Some(text(&said)));
        }
        let Some(message) = posted(frame) else { return Ok(None) };
        let sender = message.sender_id.parse().map_err(|_| Denied::NotFound)?;
        let by = self.shown(app, sender).await?;
        let said = json!({
            "type": "message",
            "message": facade::told(message),
            "user": by.email,
            "username": by.username,
            "timestamp": iso(Time(message.sent_at)),
        });
        Ok(Some(text(&said)))
    }

    fn farewell(&self, why: Farewell) -> End {
        match why {
            Farewell::Out => out(),
            Farewell::SignedOut => End::with(4010, "Signed out"),
            // COMPAT(shh): its client comes back only after a close that it did not agree to.
            Farewell::Draining | Farewell::TooSlow | Farewell::Failed => End::Gone,
        }
    }
}

impl Chat {
    /// All that was said and not deleted, the oldest first.
    async fn history(&mut self, talk: &Talk) -> Result<String, Error> {
        let app = &talk.app;
        let messages = app.history(&talk.actor, self.session).await?;
        self.told = messages.last().map_or(0, |message| message.seq);
        let senders = app.several_people(messages.iter().map(|message| message.sender)).await?;
        let there = messages.iter().filter(|message| message.deleted_at.is_none());
        let said = there.filter_map(|message| {
            let by = Shown::of(app, senders.get(&message.sender)?, self.known);
            Some(json!({
                "user": by.email,
                "username": by.username,
                "message": facade::read(message),
                "timestamp": iso(message.sent_at),
            }))
        });
        let said: Vec<Value> = said.collect();
        Ok(json!({"type": "message_history", "messages": said}).to_string())
    }

    /// Does what a text asks for; what to say when it cannot be done.
    async fn obey(&self, text: &str, talk: &mut Talk) -> Result<(), &'static str> {
        let depth_max = talk.app.limits().json_depth_max;
        let object = json::read(text.as_bytes(), depth_max).map_err(|error| match error {
            JsonError::Shape(_) => "An error occurred.",
            _ => "Invalid JSON format.",
        })?;
        let done = match asked(&object) {
            Asked::Nothing => return Err("Message is empty."),
            Asked::Typing => talk.app.typing(&talk.actor, self.session).await,
            Asked::Say(content) => talk.post(self.session, content).await.map(drop),
        };
        done.map_err(|error| match error {
            Error::Denied(Denied::Empty(_)) => "Message is empty.",
            Error::Denied(Denied::TooLong { .. }) => "Message is too long.",
            Error::Denied(Denied::SlowDown { .. }) => "Too many messages at once.",
            other => {
                explain(&other);
                "An error occurred."
            }
        })
    }

    async fn shown(&self, app: &App, user: UserId) -> Result<Shown, Error> {
        Ok(Shown::of(app, &*app.person(user).await?, self.known))
    }
}

/// Reads what a client asks for. Its `type` is of no account, but for the README's names.
fn asked(object: &Map<String, Value>) -> Asked {
    if object.get("type").is_some_and(|kind| kind == "user_typing") {
        return Asked::Typing;
    }
    let content = match object.get("message") {
        None | Some(Value::Null | Value::Bool(false)) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.as_f64() == Some(0.0) => String::new(),
        Some(Value::Array(list)) if list.is_empty() => String::new(),
        Some(Value::Object(object)) if object.is_empty() => String::new(),
        Some(other) => other.to_string(),
    };
    match content.as_str() {
        "" => Asked::Nothing,
        TYPING => Asked::Typing,
        _ => Asked::Say(content),
    }
}

fn posted(frame: &Frame) -> Option<&v1::Message> {
    match frame.content()? {
        server_frame::Frame::Event(v1::Event { kind: Some(Kind::Posted(message)), .. }) => {
            Some(message)
        }
        _ => None,
    }
}

fn text(said: &Value) -> Shared {
    Shared::text(said.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_asks_for_is_in_its_message() {
        let of = |value: Value| asked(value.as_object().unwrap());
        let say = |text: &str| Asked::Say(text.to_owned());
        assert_eq!(of(json!({"message": "hi"})), say("hi"));
        assert_eq!(of(json!({"type": "chat_message", "message": "hi"})), say("hi"));
        assert_eq!(of(json!({"message": 5})), say("5"));
        assert_eq!(of(json!({"message": " typing"})), say(" typing"));
        assert_eq!(of(json!({"message": "typing"})), Asked::Typing);
        assert_eq!(of(json!({"type": "user_typing"})), Asked::Typing);
        for nothing in [json!({}), json!({"message": ""}), json!({"message": 0})] {
            assert_eq!(of(nothing), Asked::Nothing);
        }
    }
}
