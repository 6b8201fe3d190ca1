//! The event stream: the same events as on the socket, for browsers' `EventSource` and for
//! `curl`. Each carries a cursor over everything that the stream names, so that
//! `Last-Event-ID` resumes all of it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use futures_util::stream;
use parlor_app::{Actor, Error};
use parlor_domain::{Denied, SessionId};
use parlor_hub::{Cut, Frame, Key, Who};
use parlor_wire::command::Codec;
use parlor_wire::frame::{self, Frame as Said};
use parlor_wire::v1;

use crate::auth::Signed;
use crate::error::Refusal;
use crate::listening::Listening;
use crate::openapi::{Gone, NotFound, TooMany};
use crate::{Doors, Peer};

/// Bytes taken from the hub in one turn.
const TURN_BYTES: u64 = 64 * 1024;

/// Silence after which a comment shows that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A cursor that is longer than this is none of ours.
const CURSOR_BYTES_MAX: usize = 2048;

/// Follow up to 64 sessions and one's own log.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events",
    params(
        ("session" = Option<Vec<String>>, Query, description = "`ID` or `ID:SEQ`, once for each"),
        ("user_after" = Option<i64>, Query, description = "The last `user_seq` seen"),
        (
            "keys" = Option<bool>, Query,
            description = "Whether to be told `e2ee`, too; `GET /e2ee/sync` says what one has"
        ),
        ("Last-Event-ID" = Option<String>, Header, description = "The last `id:` seen"),
    ),
    responses(
        (
            status = 200, description = "A stream of ServerFrame, as in /asyncapi.json",
            body = String, content_type = "text/event-stream"
        ),
        NotFound, Gone, TooMany
    )
)]
pub(crate) async fn follow(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    peer: Peer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let asked = Asked::read(query.as_deref().unwrap_or_default(), &doors)?;
    let seen = match headers.get("last-event-id") {
        Some(cursor) => Some(asked.resume(cursor, &doors, &actor)?),
        None => None,
    };
    let who =
        Who { user: actor.user, login: actor.login, device: actor.device, address: peer.address() };
    let ear = doors.app.hub().connect(who).map_err(Refusal::too_many)?;
    // A revocation between the proof and the hub would have cut nobody.
    doors.app.still_signed_in(&actor).await?;
    let mut listening = Listening::new(Arc::clone(&doors.app), actor, ear);
    if asked.of_keys {
        listening.follow_keys();
    }
    let mut stream = Stream {
        listening,
        fingerprint: asked.fingerprint(&doors, &actor),
        keys: asked.keys(&actor),
        seen: Vec::new(),
        told_of_keys: None,
        out: VecDeque::new(),
        over: false,
    };
    stream.begin(seen.unwrap_or(asked.after)).await?;
    let body = Body::from_stream(stream::unfold(stream, |mut stream| async move {
        let bytes = stream.next().await?;
        Some((Ok::<_, Infallible>(bytes), stream))
    }));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// What a stream is asked to follow.
struct Asked {
    sessions: Vec<SessionId>,
    /// The last seen of the user's log, then of each session; `None`: from now.
    after: Vec<Option<i64>>,
    /// Whether to be told about keys.
    of_keys: bool,
}

impl Asked {
    fn read(query: &str, doors: &Doors) -> Result<Self, Error> {
        let (mut sessions, mut after, mut user_after) = (Vec::new(), vec![], None);
        let mut of_keys = false;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace("%3A", ":").replace("%3a", ":");
            match name {
                "session" => {
                    let (id, seq) =
                        value.split_once(':').map_or((&*value, None), |(id, seq)| (id, Some(seq)));
                    sessions.push(id.parse().map_err(|_| Denied::NotFound)?);
                    after.push(seq.map(|seq| seq_of("session", seq)).transpose()?);
                }
                "user_after" => user_after = Some(seq_of("user_after", &value)?),
                "keys" => {
                    let told = Denied::invalid("keys", "true or false");
                    of_keys = value.parse().map_err(|_| told)?;
                }
                _ => return Err(Denied::invalid("query", "unknown parameter").into()),
            }
        }
        if sessions.len() as u64 > doors.app.limits().stream_sessions_max {
            return Err(Denied::invalid("session", "too many sessions").into());
        }
        after.insert(0, user_after);
        Ok(Self { sessions, after, of_keys })
    }

    fn keys(&self, actor: &Actor) -> Vec<Key> {
        let sessions = self.sessions.iter().map(|session| Key::Session(*session));
        std::iter::once(Key::User(actor.user)).chain(sessions).collect()
    }

    /// Ties a cursor to its history, its user and its list of sessions.
    fn fingerprint(&self, doors: &Doors, actor: &Actor) -> [u8; 8] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(doors.app.epoch().as_bytes());
        hasher.update(actor.user.0.as_bytes());
        for session in &self.sessions {
            hasher.update(session.0.as_bytes());
        }
        let mut fingerprint = [0; 8];
        fingerprint.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        fingerprint
    }

    /// Reads a cursor that an earlier stream like this one gave.
    fn resume(
        &self,
        cursor: &HeaderValue,
        doors: &Doors,
        actor: &Actor,
    ) -> Result<Vec<Option<i64>>, Error> {
        let bytes = cursor.as_bytes();
        let bytes = (bytes.len() <= CURSOR_BYTES_MAX).then(|| BASE64.decode(bytes).ok()).flatten();
        let bytes = bytes.ok_or(Error::ResyncRequired)?;
        let (fingerprint, mut rest) = bytes.split_at_checked(8).ok_or(Error::ResyncRequired)?;
        if fingerprint != self.fingerprint(doors, actor) {
            return Err(Error::ResyncRequired);
        }
        let mut seen = Vec::with_capacity(self.after.len());
        for _ in &self.after {
            let seq = take_varint(&mut rest).ok_or(Error::ResyncRequired)?;
            seen.push(seq.checked_sub(1).and_then(|seq| i64::try_from(seq).ok()));
        }
        rest.is_empty().then_some(seen).ok_or(Error::ResyncRequired)
    }
}

fn seq_of(field: &'static str, text: &str) -> Result<i64, Error> {
    let seq = text.parse().ok().filter(|seq: &i64| *seq >= 0);
    Ok(seq.ok_or(Denied::invalid(field, "not a seq"))?)
}

/// An open stream.
struct Stream {
    listening: Listening,
    fingerprint: [u8; 8],
    keys: Vec<Key>,
    /// The last told of each key; `None`: not followed any more.
    seen: Vec<Option<i64>>,
    /// The last news about keys: they come again until the device has them.
    told_of_keys: Option<v1::E2ee>,
    out: VecDeque<Bytes>,
    over: bool,
}

impl Stream {
    /// Subscribes to everything; one session that cannot be followed refuses the whole stream.
    async fn begin(&mut self, after: Vec<Option<i64>>) -> Result<(), Error> {
        for (key, after) in self.keys.clone().into_iter().zip(after) {
            let head = self.listening.subscribe(key, after).await?;
            self.seen.push(Some(after.unwrap_or(head)));
        }
        let mut first = b"retry: 2000\n: ".to_vec();
        first.extend_from_slice(self.cursor().as_bytes());
        first.extend_from_slice(b"\n\n");
        self.out.push_back(first.into());
        Ok(())
    }

    /// The next bytes; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.out.pop_front() {
                return Some(bytes);
            }
            if self.over || self.fill().await.is_err() {
                return None;
            }
            if self.out.is_empty() && !self.over {
                let rung = poll_fn(|cx| self.listening.poll_rung(cx));
                if tokio::time::timeout(HEARTBEAT, rung).await.is_err() {
                    return Some(Bytes::from_static(b":\n\n"));
                }
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Error> {
        match self.listening.ear.verdict() {
            Some(Cut::Revoked) => return self.end("revoked", "{}"),
            Some(Cut::Draining) => return self.end("reconnect", "{}"),
            None => {}
        }
        let mut told = Vec::new();
        let mut gone = Vec::new();
        while told.is_empty() && self.listening.is_behind() && !self.listening.is_rung() {
            let caught = self.listening.catch_up(|key, frame| told.push((key, frame))).await;
            gone.extend(caught.inspect_err(|e| drop(crate::error::explain(e)))?);
        }
        match self.listening.gather(TURN_BYTES, |key, frame| told.push((key, frame))) {
            Ok(over) => gone.extend(over),
            Err(_) => return self.end("lagged", "{}"),
        }
        if self.listening.is_rung() {
            self.tell_of_keys().await?;
        }
        for (key, frame) in told {
            self.tell(key, &frame);
        }
        for key in gone {
            self.lose(key);
        }
        Ok(())
    }

    /// One event: its frame, which everybody shares, between its cursor and a blank line. JSON
    /// has no line breaks in it, so nothing that somebody writes can look like a field of ours.
    fn tell(&mut self, key: Key, frame: &Frame) {
        let slot = self.keys.iter().position(|k| *k == key);
        if let Some(seen) = slot.and_then(|slot| self.seen[slot].as_mut())
            && frame.seq() > 0
        {
            *seen = frame.seq();
        }
        let head = match frame.seq() {
            0 => "data: ".to_owned(),
            _ => format!("id: {}\ndata: ", self.cursor()),
        };
        self.out.push_back(head.into());
        self.out.push_back(frame.encoded(Codec::Json).payload());
        self.out.push_back(Bytes::from_static(b"\n\n"));
    }

    /// News about keys, if they are any: they come before what they open.
    async fn tell_of_keys(&mut self) -> Result<(), Error> {
        let news = self.listening.key_news().await;
        let Some(news) = news.inspect_err(|e| drop(crate::error::explain(e)))? else {
            return Ok(());
        };
        if self.told_of_keys.as_ref() != Some(&news) {
            self.told_of_keys = Some(news.clone());
            let mut event = b"data: ".to_vec();
            frame::encode(Codec::Json, &Said::E2ee(news), &mut event);
            event.extend_from_slice(b"\n\n");
            self.out.push_back(event.into());
        }
        Ok(())
    }

    /// A session that the user is not in any more.
    fn lose(&mut self, key: Key) {
        let Some(slot) = self.keys.iter().position(|k| *k == key) else { return };
        self.seen[slot] = None;
        if let Key::Session(session) = key {
            let event = format!("event: revoked\ndata: {{\"session_id\":\"{session}\"}}\n\n");
            self.out.push_back(event.into());
        }
        self.over = self.seen.iter().skip(1).all(Option::is_none);
    }

    fn end(&mut self, event: &str, data: &str) -> Result<(), Error> {
        self.out.push_back(format!("event: {event}\ndata: {data}\n\n").into());
        self.over = true;
        Ok(())
    }

    /// How far the stream has told everything.
    fn cursor(&self) -> String {
        let mut bytes = self.fingerprint.to_vec();
        for seen in &self.seen {
            put_varint(&mut bytes, seen.map_or(0, |seq| seq.unsigned_abs() + 1));
        }
        BASE64.encode(bytes)
    }
}

/// LEB128.
fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_reads_back_and_nothing_else_is_one() {
        for value in [0, 1, 127, 128, 300, 1 << 40, (1 << 62) - 1] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            assert_eq!(take_varint(&mut &bytes[..]), Some(value));
        }
        assert_eq!(take_varint(&mut &[0xff; 11][..]), None);
        assert_eq!(take_varint(&mut &[0x80][..]), None);
    }
}
