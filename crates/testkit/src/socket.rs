//! A WebSocket, spoken by another implementation than ours, in JSON, protobuf, or Socket.IO's
//! packets.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use parlor_wire::command::{Codec, Command};
use parlor_wire::frame::Frame;
use parlor_wire::v1::{self, ClientFrame, ServerFrame};
use prost::Message as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::socketio::{self, Packet};
use crate::{Person, Refused, soon};

/// What comes from a socket.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a test holds few of them")]
pub enum Heard {
    /// A frame.
    Frame(Frame),
    /// The server's goodbye: the close code, 1006 for none at all.
    Closed(u16),
}

/// What frames look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain(Codec),
    SocketIo,
}

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    form: Form,
    reference: i64,
    /// What the server said first.
    pub hello: v1::Hello,
}

impl Socket {
    /// Opens a socket for somebody.
    ///
    /// # Panics
    /// When the server does not greet.
    pub async fn open(person: &Person, codec: Codec) -> Self {
        let mut socket = Self::connect(person.server(), &person.token, codec).await;
        match socket.next().await {
            Heard::Frame(Frame::Hello(hello)) => socket.hello = hello,
            other => panic!("{} is not greeted: {other:?}", person.username),
        }
        socket
    }

    /// Opens a socket with this token, and does not wait for a greeting.
    ///
    /// # Panics
    /// When there is no handshake.
    pub async fn connect(server: SocketAddr, token: &str, codec: Codec) -> Self {
        let request = format!("ws://{server}/api/v1/socket").into_client_request();
        let mut request = request.expect("the address is a URL");
        let protocol = match codec {
            Codec::Json => "parlor.v1.json",
            Codec::Proto => "parlor.v1.proto",
        };
        let bearer = format!("Bearer {token}");
        let headers = request.headers_mut();
        for (name, value) in [("authorization", &*bearer), ("sec-websocket-protocol", protocol)] {
            headers.insert(name, value.parse().expect("a header's value"));
        }
        Self::shake_hands(request, Form::Plain(codec)).await
    }

    /// Opens a socket of Socket.IO for somebody, which resumes their own log and these sessions.
    ///
    /// # Errors
    /// [`Refused`], with the status 0 and what the server says.
    pub async fn open_io<'a>(
        person: &Person,
        user_after: Option<i64>,
        resume: impl Iterator<Item = (&'a String, &'a i64)>,
    ) -> Result<Self, Refused> {
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", person.server());
        let request = url.into_client_request().expect("the address is a URL");
        let mut socket = Self::shake_hands(request, Form::SocketIo).await;
        let connect = socketio::connect(&person.token, user_after, resume);
        let _ = socket.stream.send(Message::text(connect)).await;
        match socket.next().await {
            Heard::Frame(Frame::Hello(hello)) => socket.hello = hello,
            Heard::Frame(Frame::Error(error)) => {
                return Err(Refused { status: 0, code: error.code });
            }
            other => panic!("{} is not greeted: {other:?}", person.username),
        }
        Ok(socket)
    }

    async fn shake_hands(request: Request<()>, form: Form) -> Self {
        let opened = soon("a handshake", connect_async(request)).await;
        let (stream, _) = opened.expect("the handshake succeeds");
        Self { stream, form, reference: 0, hello: v1::Hello::default() }
    }

    /// The next thing that comes.
    pub async fn next(&mut self) -> Heard {
        soon("a frame", self.read()).await
    }

    /// The next thing that comes within this time.
    pub async fn next_within(&mut self, time: Duration) -> Option<Heard> {
        tokio::time::timeout(time, self.read()).await.ok()
    }

    async fn read(&mut self) -> Heard {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) if self.form == Form::SocketIo => {
                    match socketio::read(&text) {
                        Packet::Frame(frame) => return Heard::Frame(*frame),
                        Packet::Ping => _ = self.stream.send(Message::text("3")).await,
                        Packet::Other => {}
                    }
                }
                Some(Ok(Message::Text(text))) => return Heard::Frame(self.json(text.as_bytes())),
                Some(Ok(Message::Binary(bytes))) => return Heard::Frame(self.proto(&bytes)),
                Some(Ok(Message::Close(close))) => {
                    return Heard::Closed(close.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(1006),
            }
        }
    }

    fn json(&self, bytes: &[u8]) -> Frame {
        assert_eq!(self.form, Form::Plain(Codec::Json), "JSON on a protobuf socket");
        let frame: ServerFrame = serde_json::from_slice(bytes).expect("a frame of the schema");
        frame.frame.expect("a frame says something")
    }

    fn proto(&self, bytes: &[u8]) -> Frame {
        assert_eq!(self.form, Form::Plain(Codec::Proto), "protobuf on a JSON socket");
        let frame = ServerFrame::decode(bytes).expect("a frame of the schema");
        frame.frame.expect("a frame says something")
    }

    /// Sends a command as it is.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn tell(&mut self, command: Command) -> anyhow::Result<()> {
        self.tell_at_once([command]).await
    }

    /// Sends commands by one write.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn tell_at_once(
        &mut self,
        commands: impl IntoIterator<Item = Command>,
    ) -> anyhow::Result<()> {
        for command in commands {
            let frame = ClientFrame { command: Some(command) };
            let message = match self.form {
                Form::Plain(Codec::Json) => Message::text(serde_json::to_string(&frame)?),
                Form::Plain(Codec::Proto) => Message::binary(frame.encode_to_vec()),
                Form::SocketIo => Message::text(socketio::event(&serde_json::to_value(&frame)?)),
            };
            self.stream.feed(message).await?;
        }
        Ok(self.stream.flush().await?)
    }

    /// The number for the next command.
    pub fn reference(&mut self) -> i64 {
        self.reference += 1;
        self.reference
    }

    /// Sends a command and waits for its answer; what comes in between goes to `meanwhile`.
    ///
    /// # Errors
    /// [`Refused`], with the status 0; its code is `closed 4009` when the socket closes instead.
    pub async fn ask(
        &mut self,
        command: impl FnOnce(i64) -> Command,
        meanwhile: &mut Vec<Heard>,
    ) -> Result<v1::Ok, Refused> {
        let reference = self.reference();
        let refused = |code: String| Refused { status: 0, code };
        if self.tell(command(reference)).await.is_err() {
            return Err(refused("closed 1006".to_owned()));
        }
        loop {
            match self.next().await {
                Heard::Frame(Frame::Ok(ok)) if ok.r#ref == reference => return Ok(ok),
                Heard::Frame(Frame::Error(error)) if error.r#ref == Some(reference) => {
                    return Err(refused(error.code));
                }
                Heard::Closed(code) => return Err(refused(format!("closed {code}"))),
                other => meanwhile.push(other),
            }
        }
    }

    /// Hears a session, or with an empty id the user's own log, from `after` on.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn subscribe(
        &mut self,
        session: &str,
        after: Option<i64>,
        meanwhile: &mut Vec<Heard>,
    ) -> Result<i64, Refused> {
        let (session_id, user_log) = (session.to_owned(), session.is_empty());
        let epoch = Some(self.hello.epoch.clone());
        let command =
            |r#ref| Command::Subscribe(v1::Subscribe { r#ref, session_id, after, user_log, epoch });
        let ok = self.ask(command, meanwhile).await?;
        Ok(ok.seq.unwrap_or_default())
    }

    /// Waits for the server's goodbye and returns its code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Heard::Closed(code) = self.next().await {
                return code;
            }
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // A peer that is gone already needs none.
        let _ = self.stream.close(None).await;
    }
}
