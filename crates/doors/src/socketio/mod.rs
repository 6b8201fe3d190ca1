//! Socket.IO at `/socket.io/`: the same commands and events as on the WebSocket, as named events
//! with acknowledgements, by long polling or by WebSocket.
//!
//! Owns Engine.IO's requests: which connection one belongs to, and how it is answered. What is said
//! in them is [`parlor_wire::packet`]'s; the life of a connection is [`talk`]'s.

mod line;
mod member;
mod talk;
mod web;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use parking_lot::Mutex;
use parlor_app::{Actor, Error};
use parlor_domain::Limits;
use parlor_hub::TooMany;
use parlor_wire::Code;
use parlor_wire::packet::Open;
use parlor_ws::{Offer, accept};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::serve::take_stream;
use crate::{Doors, Peer, Refusal, auth, body, cookie};

use line::Line;
use talk::{Seat, Talk};
use web::Web;

/// Where it is.
pub(crate) const PATH: &str = "/socket.io/";

/// Requests of one connection that wait to be looked at: a poll, a post, an upgrade.
const ASKS_MAX: usize = 4;

/// Its route.
pub(crate) fn routes() -> Router<Doors> {
    let requests = get(answer).post(answer).layer(Extension(Arc::<Polled>::default()));
    Router::new().route(PATH, requests)
}

/// What a request asks of its connection.
enum Ask {
    /// What is there, or else what comes next.
    Poll(oneshot::Sender<Bytes>),
    /// To take these packets.
    Post(Bytes, oneshot::Sender<()>),
    /// To go on over this.
    Upgrade(Box<Web>, Bytes),
}

/// The connections that are found by a request's `sid`, and how many have not said who they are.
#[derive(Default)]
struct Polled {
    talks: Mutex<HashMap<Uuid, mpsc::Sender<Ask>>>,
    guests: Mutex<Guests>,
}

#[derive(Default)]
struct Guests {
    all: u64,
    by_address: HashMap<IpAddr, u64>,
}

/// A connection's place among those that are found; given up when dropped.
struct Place {
    polled: Arc<Polled>,
    sid: Uuid,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.polled.talks.lock().remove(&self.sid);
    }
}

/// Counts a connection until it says who it is: the hub counts only those that have.
struct Guest {
    polled: Arc<Polled>,
    address: IpAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut guests = self.polled.guests.lock();
        guests.all -= 1;
        if let Some(count) = guests.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                guests.by_address.remove(&self.address);
            }
        }
    }
}

impl Polled {
    fn find(&self, sid: Uuid) -> Option<mpsc::Sender<Ask>> {
        self.talks.lock().get(&sid).cloned()
    }

    fn let_in(self: &Arc<Self>, address: IpAddr, limits: &Limits) -> Result<Guest, TooMany> {
        let mut guests = self.guests.lock();
        if guests.all >= limits.connections_max {
            return Err(TooMany::All);
        }
        let count = guests.by_address.entry(address).or_default();
        if *count >= limits.connections_per_address_max {
            return Err(TooMany::Address);
        }
        *count += 1;
        guests.all += 1;
        Ok(Guest { polled: Arc::clone(self), address })
    }

    fn take_place(self: &Arc<Self>, sid: Uuid) -> (Place, mpsc::Receiver<Ask>) {
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        self.talks.lock().insert(sid, asks);
        (Place { polled: Arc::clone(self), sid }, asked)
    }
}

/// What Engine.IO answers to a request that it does not take, by its own numbers.
#[derive(Clone, Copy)]
enum Fault {
    Transport = 0,
    Sid = 1,
    Method = 2,
    Request = 3,
    Protocol = 5,
}

impl Fault {
    fn response(self) -> Response {
        let message = match self {
            Self::Transport => "Transport unknown",
            Self::Sid => "Session ID unknown",
            Self::Method => "Bad handshake method",
            Self::Request => "Bad request",
            Self::Protocol => "Unsupported protocol version",
        };
        let body = serde_json::json!({"code": self as u8, "message": message}).to_string();
        let kind = [(header::CONTENT_TYPE, "application/json")];
        (StatusCode::BAD_REQUEST, kind, body).into_response()
    }
}

/// What a request is about.
struct Asked {
    web: bool,
    sid: Option<Uuid>,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Fault> {
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find_map(|(key, value)| (key == name).then_some(value))
        };
        let web = match value("transport") {
            Some("polling") => false,
            Some("websocket") => true,
            _ => return Err(Fault::Transport),
        };
        if value("EIO") != Some("4") {
            return Err(Fault::Protocol);
        }
        let sid = value("sid").map(|sid| sid.parse().map_err(|_| Fault::Sid));
        Ok(Self { web, sid: sid.transpose()? })
    }
}

/// Answers one request of Engine.IO.
async fn answer(
    State(doors): State<Doors>,
    Extension(polled): Extension<Arc<Polled>>,
    peer: Peer,
    request: Request,
) -> Result<Response, Refusal> {
    if !doors.allows_origin_of(request.headers()) {
        return Err(Refusal::new(Code::Forbidden, "a page of another origin asks"));
    }
    let asked = match Asked::read(request.uri().query().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(fault) => return Ok(fault.response()),
    };
    let posts = request.method() == Method::POST;
    match (asked.sid, asked.web, posts) {
        (None, _, true) => Ok(Fault::Method.response()),
        (_, true, true) => Ok(Fault::Request.response()),
        (None, false, false) => open(&doors, &polled, peer, request.headers()).await,
        (None, true, false) => open_web(&doors, &polled, peer, request).await,
        (Some(sid), web, posts) => {
            let Some(talk) = polled.find(sid) else {
                return Ok(Fault::Sid.response());
            };
            match (web, posts) {
                (true, _) => upgrade(&doors, talk, request),
                (false, true) => post(&doors, talk, request).await,
                (false, false) => Ok(poll(talk).await),
            }
        }
    }
}

/// Who the request of a handshake proves, if it tries to.
async fn shown(doors: &Doors, headers: &HeaderMap) -> Result<Option<Actor>, Refusal> {
    let tries =
        headers.contains_key(header::AUTHORIZATION) || cookie::read(doors, headers).is_some();
    if !tries {
        return Ok(None);
    }
    match auth::authenticate(doors, headers).await {
        Ok(actor) => Ok(Some(actor)),
        // They are told when they connect, where a client can see it.
        Err(Error::Unauthorized) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn seat(
    doors: &Doors,
    polled: &Arc<Polled>,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<Seat, Refusal> {
    let guest = polled.let_in(peer.address(), doors.app.limits()).map_err(Refusal::too_many)?;
    Ok(Seat {
        app: Arc::clone(&doors.app),
        stop: doors.stop.clone(),
        address: peer.address(),
        sid: Uuid::new_v4(),
        shown: shown(doors, headers).await?,
        guest: Some(guest),
    })
}

/// Opens a connection that is polled.
async fn open(
    doors: &Doors,
    polled: &Arc<Polled>,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let seat = seat(doors, polled, peer, headers).await?;
    let (packet, asks) =
        (open_packet(seat.sid, true, doors.app.limits()), polled.take_place(seat.sid));
    doors.tasks.spawn(Box::new(Talk::new(seat, Line::polled(), Some(asks))).run(Bytes::new()));
    Ok(payload(packet))
}

/// Opens a connection that is a WebSocket from the beginning.
async fn open_web(
    doors: &Doors,
    polled: &Arc<Polled>,
    peer: Peer,
    mut request: Request,
) -> Result<Response, Refusal> {
    let seat = seat(doors, polled, peer, request.headers()).await?;
    let (response, upgrade) = match shake_hands(&mut request)? {
        Ok(accepted) => accepted,
        Err(refused) => return Ok(refused),
    };
    let doors = doors.clone();
    doors.tasks.clone().spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let Ok((stream, early)) = take_stream(upgraded) else { return };
        let mut web = Web::new(stream, doors.app.limits());
        web.say(&open_packet(seat.sid, false, doors.app.limits()));
        // A fresh task: this one's state is large, and the connection lives long.
        doors.tasks.spawn(Box::new(Talk::new(seat, Line::Web(Box::new(web)), None)).run(early));
    });
    Ok(response)
}

/// Offers a polled connection a WebSocket to go on over.
fn upgrade(
    doors: &Doors,
    talk: mpsc::Sender<Ask>,
    mut request: Request,
) -> Result<Response, Refusal> {
    let (response, upgrade) = match shake_hands(&mut request)? {
        Ok(accepted) => accepted,
        Err(refused) => return Ok(refused),
    };
    let limits = *doors.app.limits();
    doors.tasks.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let Ok((stream, early)) = take_stream(upgraded) else { return };
        // A connection that is over meanwhile has no use for it.
        let _ = talk.send(Ask::Upgrade(Box::new(Web::new(stream, &limits)), early)).await;
    });
    Ok(response)
}

/// The answer to a proper handshake, and what becomes the stream; or the refusal of another.
fn shake_hands(request: &mut Request) -> Result<Result<(Response, OnUpgrade), Response>, Refusal> {
    let offer = Offer { protocols: &[], deflate: false };
    let accepted = accept(request.method(), request.version(), request.headers(), &offer);
    let accepted = match accepted {
        Ok(accepted) => accepted,
        Err(refused) => return Ok(Err(refused.response::<Body>())),
    };
    match request.extensions_mut().remove::<OnUpgrade>() {
        Some(upgrade) => Ok(Ok((accepted.response(), upgrade))),
        None => Err(Refusal::internal("the connection cannot be upgraded")),
    }
}

async fn poll(talk: mpsc::Sender<Ask>) -> Response {
    let (done, packets) = oneshot::channel();
    // Either end of these fails when the connection is over.
    let _ = talk.send(Ask::Poll(done)).await;
    match packets.await {
        Ok(packets) => payload(packets),
        Err(_) => Fault::Sid.response(),
    }
}

async fn post(
    doors: &Doors,
    talk: mpsc::Sender<Ask>,
    request: Request,
) -> Result<Response, Refusal> {
    let packets = body::read(request, doors.app.limits()).await?;
    let (done, taken) = oneshot::channel();
    let _ = talk.send(Ask::Post(packets, done)).await;
    Ok(match taken.await {
        Ok(()) => payload("ok"),
        Err(_) => Fault::Request.response(),
    })
}

fn payload(packets: impl Into<Body>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=UTF-8")];
    (kind, packets.into()).into_response()
}

fn open_packet(sid: Uuid, upgrade: bool, limits: &Limits) -> String {
    let open = Open {
        sid: &sid.simple().to_string(),
        upgrade,
        ping_interval_ms: limits.heartbeat_ms,
        ping_timeout_ms: limits.idle_ms_max.saturating_sub(limits.heartbeat_ms).max(1),
        payload_bytes_max: limits.json_bytes_max.min(limits.socket_message_bytes_max),
    };
    open.packet()
}
