//! The socket of a room: what was said on request, and from a word of the client on what is said.

use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::Response;
use parlor_app::{Actor, App, Error};
use parlor_domain::{Card, Denied, SessionId};
use parlor_doors::facade::{
    End, Farewell, Heard, Interpreter, Talk, bearer, explain, query_value, turn_away, upgrade,
};
use parlor_doors::{Doors, Peer, facade};
use parlor_hub::{Frame, Key};
use parlor_wire::Dialect;
use parlor_wire::v1::{self, event::Kind, server_frame};
use parlor_ws::Shared;
use serde_json::{Map, Value, json};

use crate::words::{self, Said};

/// Messages around the marker that a client gets at first.
const BEFORE: i64 = 30;
const AFTER: i64 = 50;

/// Characters of a message; a longer one is passed over.
const CHARS_MAX: usize = 5_000;

/// `/ws/chat/{room_id}` and `/room/{room_id}`.
pub(crate) async fn open(
    State(doors): State<Doors>,
    Path(slug): Path<String>,
    peer: Peer,
    request: Request,
) -> Response {
    let admitted = match token(&request) {
        Some(token) => admitted(&doors, &slug, &token).await,
        None => Err(End::with(4001, "Unauthorized")),
    };
    match admitted {
        Err(end) => turn_away(&doors, request, end),
        Ok((actor, card)) => {
            let session = card.room.main_session;
            let chat = Chat { session, known: !card.room.lobby, listens_after: None };
            upgrade(&doors, peer, request, actor, vec![Key::Session(session)], chat)
        }
    }
}

/// The token, from the query or the header. What is no bearer's is no good token; nothing at all is
/// another matter.
fn token(request: &Request) -> Option<String> {
    let shown = || bearer(request.headers()).unwrap_or_default().to_owned();
    let header = request.headers().contains_key(header::AUTHORIZATION).then(shown);
    query_value(request.uri(), "token").or(header)
}

/// Whom the token proves, and the room that they are in.
async fn admitted(doors: &Doors, slug: &str, token: &str) -> Result<(Actor, Card), End> {
    let actor = match doors.app.authenticate_bearer(token).await {
        Err(Error::Unauthorized) => return Err(invalid_token()),
        known => known.map_err(|error| ended(&error))?,
    };
    match doors.app.card_by_slug(&actor, slug).await {
        Ok(card) if card.room.my_role.is_some() => Ok((actor, card)),
        Ok(_) => Err(forbidden()),
        Err(Error::Denied(Denied::NotFound)) => {
            let out = doors.app.is_kept_out(&actor, slug).await.map_err(|error| ended(&error))?;
            Err(if out { forbidden() } else { End::with(1008, crate::rooms::NO_SUCH_ROOM) })
        }
        Err(error) => Err(ended(&error)),
    }
}

/// One connection.
struct Chat {
    session: SessionId,
    /// Whether the people of the room know each other's addresses.
    known: bool,
    /// What is said after the message of this number is told as it happens.
    listens_after: Option<i64>,
}

impl Interpreter for Chat {
    const DIALECT: Dialect = Dialect::Rei;

    async fn greet(&mut self, talk: &mut Talk) -> Result<(), End> {
        let session = talk.app.session(&talk.actor, self.session).await;
        let read = session.map_err(|error| ended(&error))?.read_number;
        let messages = self.messages(talk, read - BEFORE, read.saturating_add(AFTER)).await?;
        say(talk, json!({"type": "initial_state", "last_read_id": read, "messages": messages}));
        Ok(())
    }

    async fn hear(&mut self, heard: Heard, talk: &mut Talk) -> Result<(), End> {
        let Heard::Text(text) = heard else {
            return Err(crash("'text'"));
        };
        let said: Value =
            serde_json::from_str(&text).map_err(|error| End::with(1008, &error.to_string()))?;
        let Value::Object(said) = said else {
            return Err(crash("the frame is not an object"));
        };
        match field(&said, "type")?.as_str() {
            Some("fetch") => self.fetch(&said, talk).await,
            Some("set_last_read") => self.read(integer(&said, "message_id")?, talk).await,
            Some("listen_latest") => self.listen(talk).await,
            Some("message") => self.post(&said, talk).await,
            _ => Ok(()),
        }
    }

    fn wants(&self, frame: &Frame) -> bool {
        let Some(after) = self.listens_after else { return false };
        posted(frame).is_some_and(|message| message.number > after)
    }

    async fn translate(&self, frame: &Frame, app: &App) -> Result<Option<Shared>, Error> {
        let Some(message) = posted(frame) else { return Ok(None) };
        let sender = message.sender_id.parse();
        let sender = sender.map_err(|_| Error::Internal("a sender is no id".to_owned()))?;
        let by = app.person(sender).await?;
        let said = Said {
            number: message.number,
            sender: &message.sender_id,
            content: facade::told(message),
            sent_at: message.sent_at,
        };
        let message = words::message(app, &said, Some(&by), self.known);
        let text = json!({"type": "latest_message", "message": message}).to_string();
        Ok(Some(Shared::text(text.as_bytes())))
    }

    fn farewell(&self, why: Farewell) -> End {
        match why {
            Farewell::Out => forbidden(),
            Farewell::SignedOut => invalid_token(),
            Farewell::Draining => End::with(1012, "Service restart"),
            Farewell::TooSlow => End::with(4008, "Too slow"),
            Farewell::Failed => crash("see the log"),
        }
    }
}

impl Chat {
    async fn fetch(&self, said: &Map<String, Value>, talk: &mut Talk) -> Result<(), End> {
        let (from, to) = (integer(said, "from_id")?, integer(said, "to_id")?);
        let messages = self.messages(talk, from, to).await?;
        say(talk, json!({"type": "fetch_response", "messages": messages}));
        Ok(())
    }

    /// Moves the marker; it goes forward only, and no further than the newest message. When there
    /// are too many at once, one is passed over: the next says more.
    async fn read(&self, number: i64, talk: &Talk) -> Result<(), End> {
        let read = talk.app.read(&talk.actor, self.session, number.max(0)).await;
        match read {
            Ok(_) | Err(Error::Denied(Denied::SlowDown { .. })) => Ok(()),
            Err(error) => Err(ended(&error)),
        }
    }

    /// Tells what is said from now on; what was said before is fetched.
    async fn listen(&mut self, talk: &Talk) -> Result<(), End> {
        if self.listens_after.is_none() {
            let session = talk.app.session(&talk.actor, self.session).await;
            self.listens_after = Some(session.map_err(|error| ended(&error))?.head_number);
        }
        Ok(())
    }

    async fn post(&self, said: &Map<String, Value>, talk: &mut Talk) -> Result<(), End> {
        let content = field(said, "content")?.as_str();
        let content = content.ok_or_else(|| crash("the content is not a text"))?.trim();
        // Whoever asks for a message that goes must not get one that stays.
        let ttl_s = match said.get("ttl_s") {
            None | Some(Value::Null) => None,
            Some(ttl) => Some(ttl.as_i64().ok_or_else(|| crash("ttl_s is not a whole number"))?),
        };
        if content.is_empty() || content.chars().count() > CHARS_MAX {
            return Ok(());
        }
        match talk.post_for(self.session, content.to_owned(), ttl_s).await {
            // (One's own messages count as read.)
            Ok(_) => Ok(()),
            // What cannot be a message is passed over, as one that is too long.
            Err(Error::Denied(
                Denied::Empty(_) | Denied::TooLong { .. } | Denied::Invalid { .. },
            )) => Ok(()),
            Err(error) => Err(ended(&error)),
        }
    }

    async fn messages(&self, talk: &Talk, from: i64, to: i64) -> Result<Vec<Value>, End> {
        let app = &talk.app;
        let found = app.range(&talk.actor, self.session, from, to).await;
        let found = found.map_err(|error| ended(&error))?;
        let people = app.several_people(found.iter().map(|message| message.sender)).await;
        let people = people.map_err(|error| ended(&error))?;
        let told = found.iter().map(|message| {
            let said = Said {
                number: message.number,
                sender: &message.sender.to_string(),
                content: facade::read(message),
                sent_at: message.sent_at.0,
            };
            let by = people.get(&message.sender).map(|person| &**person);
            words::message(app, &said, by, self.known)
        });
        Ok(told.collect())
    }
}

fn say(talk: &mut Talk, said: Value) {
    talk.say(&said.to_string());
}

/// The message that a frame tells of.
fn posted(frame: &Frame) -> Option<&v1::Message> {
    match frame.content()? {
        server_frame::Frame::Event(v1::Event { kind: Some(Kind::Posted(message)), .. }) => {
            Some(message)
        }
        _ => None,
    }
}

/// A value that must be there; the original falls over where it is not.
fn field<'a>(said: &'a Map<String, Value>, name: &str) -> Result<&'a Value, End> {
    said.get(name).ok_or_else(|| crash(&format!("'{name}'")))
}

/// A whole number, which may be written as a text, or with a fraction that counts for nothing.
fn integer(said: &Map<String, Value>, name: &str) -> Result<i64, End> {
    let read = match field(said, name)? {
        Value::Number(number) => {
            number.as_i64().or_else(|| number.as_f64().map(|float| float as i64))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    read.ok_or_else(|| End::with(1008, &format!("{name} is not an integer")))
}

fn invalid_token() -> End {
    End::with(4001, "Invalid token")
}

fn forbidden() -> End {
    End::with(1008, "Forbidden")
}

fn crash(text: &str) -> End {
    End::with(1011, &format!("Internal server error: {text}"))
}

/// How a connection ends because of this.
fn ended(error: &Error) -> End {
    match error {
        Error::Unauthorized => invalid_token(),
        Error::Denied(Denied::NotFound | Denied::Forbidden(_) | Denied::SessionEncrypted) => {
            forbidden()
        }
        Error::Denied(Denied::SlowDown { .. }) | Error::Busy | Error::Unavailable => {
            End::with(1013, "Too much at once")
        }
        Error::Denied(denied) => End::with(1008, &denied.to_string()),
        other => crash(&explain(other).1),
    }
}
