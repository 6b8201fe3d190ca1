//! A façade's event stream: unnamed events, none of them with an id.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use parlor_app::{Actor, App, Error};
use parlor_hub::{Frame, Key, Who};
use parlor_wire::Dialect;
use parlor_ws::Shared;

use crate::listening::Listening;
use crate::{Doors, Peer};

/// Bytes taken from the hub in one turn.
const TURN_BYTES: u64 = 64 * 1024;

/// Silence after which it is shown that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Makes events into a façade's words.
pub trait Reader: Send + Sync + 'static {
    /// Whose words.
    const DIALECT: Dialect;

    /// An event in the façade's words, as the payload of the frame, with `data: ` before it and a
    /// blank line behind it; once for all its streams. `None`: it has none.
    fn translate(
        &self,
        key: Key,
        frame: &Frame,
        app: &App,
    ) -> impl Future<Output = Result<Option<Shared>, Error>> + Send;

    /// What a stream that has a hole now is told before it ends: something failed, or too little
    /// of it was taken.
    fn failure(&self) -> Option<Bytes> {
        None
    }
}

/// One event with this text, which must have no line break.
pub fn one_event(text: &str) -> Bytes {
    format!("data: {text}\n\n").into()
}

/// Follows sessions: `first` comes at first, then what happens. The stream ends when the actor is
/// out of all of them. Like the systems that it speaks for, it is 200 whatever follows.
///
/// # Errors
/// [`Error`] when there are too many connections, or something cannot be followed.
pub async fn follow<R: Reader>(
    doors: &Doors,
    peer: Peer,
    actor: Actor,
    keys: Vec<Key>,
    first: Bytes,
    reader: R,
) -> Result<Response, Error> {
    let who =
        Who { user: actor.user, login: actor.login, device: actor.device, address: peer.address() };
    let ear = doors.app.hub().connect(who).map_err(|_| Error::Busy)?;
    doors.app.still_signed_in(&actor).await?;
    let app = Arc::clone(&doors.app);
    let mut listening = Listening::new(Arc::clone(&app), actor, ear);
    for key in keys {
        listening.subscribe(key, None).await?;
    }
    let following = Following { app, actor, listening, reader, first: Some(first), over: false };
    let body = Body::from_stream(stream::unfold(following, |mut following| async move {
        let bytes = following.next().await?;
        Some((Ok::<_, Infallible>(bytes), following))
    }));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
    say(header::CONTENT_TYPE, "text/event-stream");
    say(header::CACHE_CONTROL, "no-cache");
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

struct Following<R> {
    app: Arc<App>,
    actor: Actor,
    listening: Listening,
    reader: R,
    first: Option<Bytes>,
    over: bool,
}

impl<R: Reader> Following<R> {
    /// The next bytes: all events that are ready; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let ear = &self.listening.ear;
            if self.over || ear.verdict().is_some() || ear.is_empty() {
                return None;
            }
            let mut told = Vec::new();
            let tell = |key: Key, frame: Arc<Frame>| told.push((key, frame));
            if self.listening.gather(TURN_BYTES, tell).is_err() {
                return self.fail();
            }
            let mut ready = Vec::new();
            for (key, frame) in &told {
                match self.said(*key, frame).await {
                    Ok(said) => ready.extend(said),
                    Err(error) => {
                        crate::error::explain(&error);
                        return self.fail();
                    }
                }
                if frame.ends() {
                    self.listening.unsubscribe(*key);
                }
            }
            match &mut *ready {
                [] => {}
                [one] => return Some(std::mem::take(one)),
                several => return Some(several.concat().into()),
            }
            if !told.is_empty() {
                continue;
            }
            let rung = poll_fn(|cx| self.listening.poll_rung(cx));
            if tokio::time::timeout(HEARTBEAT, rung).await.is_err() {
                // A comment, which no client takes for an event: a peer that is gone is noticed.
                self.app.still_signed_in(&self.actor).await.ok()?;
                return Some(Bytes::from_static(b":\n\n"));
            }
        }
    }

    fn fail(&mut self) -> Option<Bytes> {
        self.over = true;
        self.reader.failure()
    }

    async fn said(&self, key: Key, frame: &Frame) -> Result<Option<Bytes>, Error> {
        let said = match frame.in_dialect(R::DIALECT) {
            Some(said) => said,
            None => {
                let said = Box::pin(self.reader.translate(key, frame, &self.app)).await?;
                frame.say_in(R::DIALECT, said)
            }
        };
        Ok(said.as_ref().map(Shared::payload))
    }
}
