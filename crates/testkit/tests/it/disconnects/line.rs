//! Lines that may break at any moment, and say so instead of failing the test: a WebSocket in both
//! forms, an event stream, a single request.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use parlor_testkit::Person;
use parlor_testkit::http::{Answer, Request, Wire};
use parlor_wire::command::{Codec, Command};
use parlor_wire::frame::Frame;
use parlor_wire::v1::{self, ClientFrame, Event, Hello, ServerFrame};
use prost::Message as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Silence after which a line counts as broken.
pub(crate) const SILENCE: Duration = Duration::from_secs(2);

/// Asks once, on a connection of its own; `None` when no whole answer came.
pub(crate) async fn ask(to: SocketAddr, request: &Request) -> Option<Answer> {
    let mut wire = Wire::connect(to).await.ok()?;
    timeout(3 * SILENCE, wire.exchange(&request.bytes())).await.ok()?.ok()
}

/// A WebSocket that may break.
pub(crate) struct Line {
    stream: WebSocketStream<TcpStream>,
    codec: Codec,
    reference: i64,
    pub(crate) hello: Hello,
}

impl Line {
    /// Connects and is greeted; `None` when the line broke before.
    pub(crate) async fn open(to: SocketAddr, token: &str, codec: Codec) -> Option<Self> {
        let mut request = format!("ws://{to}/api/v1/socket").into_client_request().ok()?;
        let protocol = match codec {
            Codec::Json => "parlor.v1.json",
            Codec::Proto => "parlor.v1.proto",
        };
        let bearer = format!("Bearer {token}");
        for (name, value) in [("authorization", &*bearer), ("sec-websocket-protocol", protocol)] {
            request.headers_mut().insert(name, value.parse().ok()?);
        }
        let stream = TcpStream::connect(to).await.ok()?;
        let opened = timeout(3 * SILENCE, client_async(request, stream)).await.ok()?;
        let (stream, _) = opened.ok()?;
        let mut line = Self { stream, codec, reference: 0, hello: Hello::default() };
        match line.next().await? {
            Frame::Hello(hello) => line.hello = hello,
            other => panic!("the server greets with {other:?}"),
        }
        Some(line)
    }

    /// Says something; returns the number that its answer will have.
    pub(crate) async fn say(&mut self, command: impl FnOnce(i64) -> Command) -> Option<i64> {
        self.reference += 1;
        let frame = ClientFrame { command: Some(command(self.reference)) };
        let message = match self.codec {
            Codec::Json => Message::text(serde_json::to_string(&frame).ok()?),
            Codec::Proto => Message::binary(frame.encode_to_vec()),
        };
        timeout(SILENCE, self.stream.send(message)).await.ok()?.ok()?;
        Some(self.reference)
    }

    /// Asks to hear a session, or with an empty id the user's own log, after this place; returns
    /// the number that the answer will have.
    pub(crate) async fn subscribe(&mut self, session: &str, after: Option<i64>) -> Option<i64> {
        let (session_id, user_log) = (session.to_owned(), session.is_empty());
        let epoch = Some(self.hello.epoch.clone());
        self.say(|r#ref| {
            Command::Subscribe(v1::Subscribe { r#ref, session_id, after, user_log, epoch })
        })
        .await
    }

    /// The next frame; `None` when the line has broken, or was silent for too long.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = match timeout(SILENCE, self.stream.next()).await.ok()?? {
                Ok(Message::Text(text)) => serde_json::from_str(&text).ok(),
                Ok(Message::Binary(bytes)) => ServerFrame::decode(bytes).ok(),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => continue,
            };
            let frame: ServerFrame = frame.expect("what comes whole is a frame of the schema");
            return frame.frame;
        }
    }
}

/// An event stream that may break.
pub(crate) struct Stream {
    wire: Wire,
    text: Vec<u8>,
    /// The cursor over everything that was heard.
    pub(crate) last_id: Option<String>,
}

impl Stream {
    /// Follows sessions and the user's own log from where `last_id` says, or from the numbers.
    pub(crate) async fn open(
        to: SocketAddr,
        person: &Person,
        query: &str,
        last_id: Option<&str>,
    ) -> Option<Self> {
        let mut request = person.request("GET", &format!("/events?{query}"));
        if let Some(id) = last_id {
            request = request.header("Last-Event-ID", id);
        }
        let mut wire = Wire::open(to).await;
        wire.write(&request.bytes()).await.ok()?;
        let head = timeout(3 * SILENCE, wire.head()).await.ok()?.ok()?;
        // A server that is going down says so.
        if head.status == 503 {
            return None;
        }
        assert_eq!(head.status, 200, "the stream is refused");
        Some(Self { wire, text: Vec::new(), last_id: last_id.map(str::to_owned) })
    }

    /// The next event, and the cursor that comes with it.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(block) = self.block() {
                if let Some(event) = self.read(&block) {
                    return Some(event);
                }
                continue;
            }
            let chunk = timeout(SILENCE, self.wire.chunk()).await.ok()?.ok()??;
            self.text.extend_from_slice(&chunk);
        }
    }

    fn block(&mut self) -> Option<String> {
        let end = self.text.windows(2).position(|pair| pair == b"\n\n")?;
        let block: Vec<u8> = self.text.drain(..end + 2).collect();
        Some(String::from_utf8(block).expect("a stream is UTF-8"))
    }

    fn read(&mut self, block: &str) -> Option<Event> {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        let frame: ServerFrame =
            serde_json::from_str(field("data: ")?).ok().filter(|_| field("event: ").is_none())?;
        if let Some(id) = field("id: ") {
            self.last_id = Some(id.to_owned());
        }
        match frame.frame? {
            Frame::Event(event) => Some(event),
            _ => None,
        }
    }
}
