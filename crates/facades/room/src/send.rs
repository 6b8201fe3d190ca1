//! Saying something by HTTP.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use parlor_app::Error;
use parlor_domain::saying::SendMessage;
use parlor_domain::{ClientId, Denied};
use parlor_doors::Doors;
use parlor_doors::facade::fastapi::{self, Fault, Pydantic};
use parlor_doors::facade::{body, fresh_id, query_value};
use serde_json::{Map, Value, json};

use crate::error::Failure;
use crate::who::who;

/// What somebody wants to say, and the numbers that they give for themselves and for the session.
struct Asked {
    session: i64,
    user: i64,
    sender: i64,
    named: i64,
    text: String,
}

/// Says something. It is durable when this answers.
pub(crate) async fn send(
    State(doors): State<Doors>,
    request: Request,
) -> Result<Response, Failure> {
    let actor = who(&doors, request.headers(), request.uri()).await?;
    let uri = request.uri().clone();
    let bytes = body(&doors, request).await?;
    let asked = read(&uri, &fastapi::object(Pydantic::Two, &bytes)?)?;
    if asked.user != actor.user_no || asked.sender != actor.user_no {
        let text = "user_id and sender_id are those of whoever is signed in";
        return Err(Failure::detail(StatusCode::FORBIDDEN, text));
    }
    if asked.named != asked.session {
        let text = "session is not the session_id of the query";
        return Err(Failure::detail(StatusCode::BAD_REQUEST, text));
    }
    let missing = |error| match error {
        Error::Denied(Denied::NotFound) => {
            let text = format!("Session with id: {} does not exists in DB or CACHE", asked.session);
            Failure::detail(StatusCode::NOT_FOUND, &text)
        }
        error => error.into(),
    };
    let session = doors.app.session_by_no(&actor, asked.session).await.map_err(missing)?;
    let message = SendMessage::plain(ClientId(fresh_id()), session, asked.text);
    let app = Arc::clone(&doors.app);
    app.send(&actor, message).await.map_err(missing)?.done().await.map_err(missing)?;
    Ok(Json(json!({"message": "Message sent for processing"})).into_response())
}

/// Reads the query and the body, and names all that is wrong.
fn read(uri: &Uri, object: &Map<String, Value>) -> Result<Asked, Failure> {
    let mut faults = Vec::new();
    let mut note = |read: Result<i64, Fault>| {
        read.unwrap_or_else(|fault| {
            faults.push(fault);
            0
        })
    };
    let (session, user) = (note(asked(uri, "session_id")), note(asked(uri, "user_id")));
    // The message's own number is the sender's affair: messages are counted by the server.
    note(given(object, "mid"));
    let (sender, named) = (note(given(object, "sender_id")), note(given(object, "session")));
    let text = match object.get("text") {
        Some(Value::String(text)) => text.clone(),
        other => {
            let at = vec![json!("body"), json!("text")];
            faults.push(match other {
                Some(other) => Fault::NotText(at, other.clone()),
                None => Fault::Missing(at, Value::Object(object.clone())),
            });
            String::new()
        }
    };
    if faults.is_empty() {
        return Ok(Asked { session, user, sender, named, text });
    }
    Err(Failure::faults(&faults))
}

fn asked(uri: &Uri, name: &str) -> Result<i64, Fault> {
    let at = vec![json!("query"), json!(name)];
    let Some(text) = query_value(uri, name) else {
        return Err(Fault::Missing(at, Value::Null));
    };
    fastapi::integer(&text).ok_or_else(|| Fault::NotInteger(at, json!(text)))
}

fn given(object: &Map<String, Value>, name: &str) -> Result<i64, Fault> {
    let at = vec![json!("body"), json!(name)];
    let read = match object.get(name) {
        None => return Err(Fault::Missing(at, Value::Object(object.clone()))),
        Some(Value::String(text)) => fastapi::integer(text),
        Some(other) => other.as_i64(),
    };
    read.ok_or_else(|| Fault::NotInteger(at, object[name].clone()))
}
