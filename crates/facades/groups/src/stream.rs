//! `/stream/…`: what happens, as server-sent events. Whatever is wrong is told as an event, too:
//! the status is always 200.

use std::collections::HashMap;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use parlor_app::{Actor, App, Error};
use parlor_domain::{RoomId, SessionId};
use parlor_doors::facade::{Reader, follow, one_event, query_value};
use parlor_doors::{Doors, Peer};
use parlor_hub::{Frame, Key};
use parlor_wire::Dialect;
use parlor_wire::v1::event::Kind;
use parlor_wire::v1::server_frame;
use parlor_ws::Shared;
use serde_json::{Value, json};

use crate::error::Refused;
use crate::groups::joined;
use crate::objects::Said;
use crate::visitor::{Listener, Visitor};

const DOING: &str = "Failed to establish stream";

/// The groups of a stream, by their main sessions. Which they are is fixed when it begins.
struct Groups(HashMap<SessionId, RoomId>);

impl Reader for Groups {
    const DIALECT: Dialect = Dialect::Groups;

    /// COMPAT(groups): only new messages are told of.
    async fn translate(&self, key: Key, frame: &Frame, app: &App) -> Result<Option<Shared>, Error> {
        let Key::Session(session) = key else { return Ok(None) };
        let Some(server_frame::Frame::Event(event)) = frame.content() else { return Ok(None) };
        let (Some(Kind::Posted(message)), Some(group)) = (&event.kind, self.0.get(&session)) else {
            return Ok(None);
        };
        let sender = message.sender_id.parse();
        let sender = sender.map_err(|_| Error::Internal("an event's sender is no id".into()))?;
        let person = app.person(sender).await?;
        let data = Said::told(message, *group, &person.user.name).object();
        let said = json!({"type": "new_message", "data": data});
        Ok(Some(Shared::text(&one_event(&said.to_string()))))
    }

    fn failure(&self) -> Option<Bytes> {
        Some(one_event(&json!({"error": "Stream error occurred"}).to_string()))
    }
}

/// `GET /stream/group`.
pub(crate) async fn group(
    State(doors): State<Doors>,
    listener: Listener,
    peer: Peer,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    told(&headers, open_group(&doors, listener, peer, &uri).await)
}

async fn open_group(
    doors: &Doors,
    listener: Listener,
    peer: Peer,
    uri: &Uri,
) -> Result<Response, Refused> {
    let actor = heard(listener)?;
    let named = query_value(uri, "group_uuid").filter(|text| !text.is_empty());
    let named = named.ok_or(Refused::bad("group_uuid parameter required"))?;
    let group: Result<RoomId, _> = named.parse();
    let group = group.map_err(|_| Refused::Unfit(DOING, "group_uuid is no UUID".into()))?;
    let room = joined(doors, &actor, group, DOING).await?;
    let first = json!({"type": "connected", "group_uuid": group.to_string()});
    let groups = HashMap::from([(room.main_session, room.id)]);
    let keys = vec![Key::Session(room.main_session)];
    open(doors, peer, actor, keys, &first, groups).await
}

/// `GET /stream/all`.
pub(crate) async fn all(
    State(doors): State<Doors>,
    listener: Listener,
    peer: Peer,
    headers: HeaderMap,
) -> Response {
    told(&headers, open_all(&doors, listener, peer).await)
}

async fn open_all(doors: &Doors, listener: Listener, peer: Peer) -> Result<Response, Refused> {
    let actor = heard(listener)?;
    let rooms = doors.app.rooms(&actor).await.map_err(Refused::failed(DOING))?;
    if rooms.is_empty() {
        return Err(Refused::bad("User is not a member of any groups"));
    }
    let ids: Vec<String> = rooms.iter().map(|room| room.id.to_string()).collect();
    let first = json!({"type": "connected", "groups": ids});
    // What nobody ever says anything in keeps the stream open when the last group is gone.
    let silence = std::iter::once(Key::Dialect(Dialect::Groups));
    let keys = rooms.iter().map(|room| Key::Session(room.main_session)).chain(silence).collect();
    let groups = rooms.iter().map(|room| (room.main_session, room.id)).collect();
    open(doors, peer, actor, keys, &first, groups).await
}

/// Who listens. A stream says of an account that is gone no more than of nobody's.
fn heard(Listener(visitor): Listener) -> Result<Actor, Refused> {
    visitor.actor().map_err(|_| Refused::nobody())
}

async fn open(
    doors: &Doors,
    peer: Peer,
    actor: Actor,
    keys: Vec<Key>,
    first: &Value,
    groups: HashMap<SessionId, RoomId>,
) -> Result<Response, Refused> {
    let first = one_event(&first.to_string());
    let opened = follow(doors, peer, actor, keys, first, Groups(groups)).await;
    let outside = Refused::forbidden("Not a member of this group");
    opened.map_err(Refused::or_missing(DOING, outside))
}

/// The stream, or the one event that says why there is none.
fn told(asked: &HeaderMap, opened: Result<Response, Refused>) -> Response {
    let mut response = opened.unwrap_or_else(|refused| {
        let said: Bytes = one_event(&json!({"error": refused.text()}).to_string());
        let headers =
            [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
        (headers, Body::from(said)).into_response()
    });
    // COMPAT(groups): it says so, which goes without saying.
    if asked.get(header::CONNECTION).is_none_or(|asked| asked != "close") {
        let kept = HeaderValue::from_static("keep-alive");
        response.headers_mut().insert(header::CONNECTION, kept);
    }
    response
}

/// `GET /stream/health`.
pub(crate) async fn health(State(doors): State<Doors>, _: Visitor) -> Response {
    // COMPAT(groups): its streams stand on Redis, ours on the store.
    let said = match doors.app.check_store().await {
        Ok(()) => json!({"status": "healthy", "redis": "connected"}),
        Err(error) => json!({"status": "unhealthy", "redis": error.message()}),
    };
    Json(said).into_response()
}
