//! The socket: open as long as the client is, resumed from the cursors after every cut.
//!
//! Owns the order in which things are taken in: keys before the messages that need them, events one
//! after the other. Refuses silence: a connection that says nothing for two and a half heartbeats
//! is dead.

use std::ops::ControlFlow;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error as WsError, Message as Said};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::apply::{self, Applied};
use crate::load::Loaded;
use crate::{Client, Error, Session, Update, load};

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The first wait after a cut, which doubles up to the last.
const WAIT_FIRST: Duration = Duration::from_millis(250);
const WAIT_LAST: Duration = Duration::from_secs(30);

/// The heartbeat until the server has said its own.
const HEARTBEAT_MS: u64 = 30_000;

/// What comes of a frame.
pub(crate) enum Taken {
    /// Nothing is to be done.
    In,
    /// This is to be said.
    Answer(Value),
    /// The connection is over.
    End(End),
}

/// How a connection ended.
pub(crate) enum End {
    /// Come back after this long, or after the usual wait.
    Again(Option<Duration>),
    /// The cursor is void: load afresh.
    Afresh,
    /// The login may be over.
    Login,
    /// The client stops.
    Stop,
}

/// Keeps the connection open until the client stops or the login is over.
pub(crate) async fn keep_open(client: &Client, mut heard: mpsc::Receiver<Value>) {
    let mut wait = WAIT_FIRST;
    loop {
        let end = tokio::select! {
            () = client.0.stopping.cancelled() => return,
            end = connection(client, &mut heard, &mut wait) => end,
        };
        client.tell(Update::Disconnected);
        let pause = match end {
            Ok(End::Stop) => return,
            Ok(End::Again(after)) => after.unwrap_or(wait),
            Ok(End::Afresh) => match client.0.cache.forget_history() {
                Ok(()) => Duration::ZERO,
                Err(_) => wait,
            },
            Ok(End::Login) => {
                match client.0.api.refresh(&client.0.cache, &client.0.api.token()).await {
                    Ok(()) => wait,
                    Err(Error::SignedOut) => return client.tell(Update::SignedOut),
                    Err(_) => wait,
                }
            }
            Err(Error::SignedOut) => return client.tell(Update::SignedOut),
            Err(error) => {
                tracing::debug!(%error, "the connection ended");
                wait
            }
        };
        wait = (wait * 2).min(WAIT_LAST);
        tokio::select! {
            () = client.0.stopping.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One connection, from its beginning to its end.
async fn connection(
    client: &Client,
    heard: &mut mpsc::Receiver<Value>,
    wait: &mut Duration,
) -> Result<End, Error> {
    let loaded = load::everything(client).await?;
    let mut stream = open(client).await?;
    let hello = match next(&mut stream, HEARTBEAT_MS).await? {
        ControlFlow::Continue(hello) if hello["type"] == "hello" => hello,
        ControlFlow::Continue(_) => return Err(Error::malformed("the first frame")),
        ControlFlow::Break(end) => return Ok(end),
    };
    greet(client, &mut stream, &loaded, &hello).await?;
    *wait = WAIT_FIRST;
    client.tell(Update::Connected);
    client.0.bell.notify_one();
    let heartbeat_ms = hello["heartbeat_ms"].as_u64().unwrap_or(HEARTBEAT_MS);
    loop {
        tokio::select! {
            said = next(&mut stream, heartbeat_ms) => match said? {
                ControlFlow::Break(end) => return Ok(end),
                ControlFlow::Continue(frame) => match take(client, &frame).await? {
                    Taken::In => {}
                    Taken::Answer(command) => say(&mut stream, &command).await?,
                    Taken::End(end) => return Ok(end),
                },
            },
            command = heard.recv() => match command {
                Some(command) => say(&mut stream, &command).await?,
                None => return Ok(End::Stop),
            },
        }
    }
}

async fn open(client: &Client) -> Result<Stream, Error> {
    let base = client.0.api.http().base();
    // `http` becomes `ws`, and `https` `wss`.
    let url = format!("ws{}/api/v1/socket", base.strip_prefix("http").unwrap_or(base));
    let mut request = url.into_client_request().map_err(Error::malformed)?;
    let bearer = format!("Bearer {}", client.0.api.token());
    for (name, value) in [("authorization", &*bearer), ("sec-websocket-protocol", "parlor.v1.json")]
    {
        request.headers_mut().insert(name, value.parse().map_err(Error::malformed)?);
    }
    Ok(connect_async(request).await.map_err(cut)?.0)
}

/// Says from where on everything is to be heard. Keys come first, so that what follows opens.
async fn greet(
    client: &Client,
    stream: &mut Stream,
    loaded: &Loaded,
    hello: &Value,
) -> Result<(), Error> {
    if let Some(machine) = &client.0.machine {
        let pos = machine.position().await?;
        say(stream, &json!({"type": "e2ee_ack", "pos": pos})).await?;
    }
    if hello["user_seq"].as_i64() > Some(loaded.user_seq) {
        let own = json!({"type": "subscribe", "ref": 0, "user_log": true,
            "after": loaded.user_seq, "epoch": loaded.epoch});
        say(stream, &own).await?;
    }
    for session in client.sessions()? {
        say(stream, &subscription(client, &session, Some(&loaded.epoch))?).await?;
    }
    Ok(())
}

fn subscription(client: &Client, session: &Session, epoch: Option<&str>) -> Result<Value, Error> {
    let after = client.0.cache.cursor(&session.id)?;
    let mut command =
        json!({"type": "subscribe", "ref": 0, "session_id": session.id, "after": after});
    if let Some(epoch) = epoch {
        command["epoch"] = epoch.into();
    }
    Ok(command)
}

/// Has an open connection listen to every session; subscribing twice is subscribing once.
pub(crate) async fn listen_to_all(client: &Client) -> Result<(), Error> {
    for session in client.sessions()? {
        // Without a connection nobody takes commands; the next one listens to all by itself.
        let _ = client.0.commands.try_send(subscription(client, &session, None)?);
    }
    Ok(())
}

async fn say(stream: &mut Stream, command: &Value) -> Result<(), Error> {
    stream.send(Said::text(command.to_string())).await.map_err(cut)
}

/// The next frame, or how the connection ended.
async fn next(stream: &mut Stream, heartbeat_ms: u64) -> Result<ControlFlow<End, Value>, Error> {
    let patience = Duration::from_millis(heartbeat_ms.saturating_mul(5) / 2);
    loop {
        let said = tokio::time::timeout(patience, stream.next()).await;
        let Ok(said) = said else { return Ok(ControlFlow::Break(End::Again(None))) };
        match said {
            Some(Ok(Said::Text(text))) => {
                return Ok(ControlFlow::Continue(serde_json::from_str(&text)?));
            }
            Some(Ok(Said::Close(frame))) => {
                let code = frame.map_or(1006, |frame| frame.code.into());
                return Ok(ControlFlow::Break(ended(code)));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(cut(error)),
            None => return Ok(ControlFlow::Break(End::Again(None))),
        }
    }
}

fn ended(code: u16) -> End {
    match code {
        4001 | 4010 => End::Login,
        4009 => End::Afresh,
        _ => End::Again(None),
    }
}

fn cut(error: WsError) -> Error {
    Error::Unreachable(error.to_string())
}

/// Takes in one frame.
pub(crate) async fn take(client: &Client, frame: &Value) -> Result<Taken, Error> {
    match frame["type"].as_str().unwrap_or_default() {
        "event" if frame["user_seq"].is_i64() => own_log(client, frame),
        "event" => {
            if matches!(apply::event(client, frame).await?, Applied::Hole) {
                return Ok(Taken::End(End::Again(Some(Duration::ZERO))));
            }
        }
        "e2ee" => {
            let pos = crate::encryption::take(client, frame).await?;
            return Ok(Taken::Answer(json!({"type": "e2ee_ack", "pos": pos})));
        }
        "reconnect" => {
            let after = frame["after_ms"].as_u64().unwrap_or_default();
            return Ok(Taken::End(End::Again(Some(Duration::from_millis(after)))));
        }
        "error" => tracing::debug!(%frame, "a command was refused"),
        "typing" => client.tell(Update::Typing {
            session_id: text(frame, "session_id"),
            user_ids: texts(frame, "user_ids"),
        }),
        "presence" => client.tell(Update::Presence {
            session_id: text(frame, "session_id"),
            online: texts(frame, "online"),
            offline: texts(frame, "offline"),
        }),
        "read" => read_marks(client, frame),
        _ => {}
    }
    Ok(Taken::In)
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    let all = value[name].as_array().into_iter().flatten();
    all.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn read_marks(client: &Client, frame: &Value) {
    for mark in frame["marks"].as_array().into_iter().flatten() {
        client.tell(Update::Read {
            session_id: text(frame, "session_id"),
            user_id: text(mark, "user_id"),
            number: mark["number"].as_i64().unwrap_or_default(),
        });
    }
}

/// One's own log tells of rooms and sessions that come and go: what there is now is read anew,
/// beside what goes on here.
fn own_log(client: &Client, event: &Value) {
    let concerns = ["added", "removed", "room_created"];
    if concerns.iter().any(|kind| event.get(kind).is_some()) {
        load::reload_behind(client);
    }
}
