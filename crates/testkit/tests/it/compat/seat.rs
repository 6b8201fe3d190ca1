//! A place in the lobby at one of the doors: a mouth to say things with and an ear that hears
//! messages' texts, each in the door's own words.

use std::net::SocketAddr;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use parlor_testkit::http::{Request, Wire};
use parlor_testkit::person::fresh_id;
use parlor_testkit::{Person, soon};
use parlor_wire::frame::Frame;
use parlor_wire::v1::event::Kind;
use parlor_wire::v1::{self, ClientFrame, ServerFrame, client_frame::Command};
use prost::Message as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The ways in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Json,
    Proto,
    Stream,
    SocketIo,
    Rei,
    Shh,
    Mrsambosk,
    Groups,
    Room,
}

impl Door {
    pub(super) const ALL: [Self; 9] = [
        Self::Json,
        Self::Proto,
        Self::Stream,
        Self::SocketIo,
        Self::Rei,
        Self::Shh,
        Self::Mrsambosk,
        Self::Groups,
        Self::Room,
    ];
}

/// The lobby, by all its names.
#[derive(Clone)]
pub(super) struct Lobby {
    pub(super) room: String,
    pub(super) session: String,
    pub(super) session_no: i64,
}

impl Lobby {
    pub(super) async fn find(person: &Person) -> Self {
        let init: v1::Init = person.get("/me/init").await.expect("a first screen");
        let room = init.rooms.into_iter().find(|room| room.lobby).expect("there is a lobby");
        let mut sessions = init.sessions.into_iter();
        let main = sessions.find(|session| session.id == room.main_session_id);
        let session_no = main.expect("it has a main session").no;
        Self { room: room.id, session: room.main_session_id, session_no }
    }
}

type Opened = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Says things at a door.
pub(super) struct Mouth {
    door: Door,
    person: Person,
    lobby: Lobby,
    socket: Option<SplitSink<Opened, Message>>,
    said: u64,
}

/// Hears things at a door.
pub(super) struct Ear {
    door: Door,
    from: From,
    /// What was heard before it was asked for.
    early: Vec<String>,
}

enum From {
    Socket(SplitStream<Opened>),
    Stream(Box<Wire>, String),
}

/// Opens the door, and returns when everything that is said from now on is heard.
pub(super) async fn sit(person: Person, door: Door, lobby: Lobby) -> (Mouth, Ear) {
    let (socket, from) = match door {
        Door::Stream | Door::Groups => (None, stream(&person, door, &lobby).await),
        _ => {
            let (sink, stream) = socket(&person, door, &lobby).await.split();
            (Some(sink), From::Socket(stream))
        }
    };
    let mut mouth = Mouth { door, person, lobby, socket, said: 0 };
    let mut ear = Ear { door, from, early: Vec::new() };
    soon("a seat", settle(&mut mouth, &mut ear)).await;
    (mouth, ear)
}

async fn socket(person: &Person, door: Door, lobby: &Lobby) -> Opened {
    let (token, room) = (&person.token, &lobby.room);
    let path = match door {
        Door::Json | Door::Proto => "/api/v1/socket".to_owned(),
        Door::SocketIo => "/socket.io/?EIO=4&transport=websocket".to_owned(),
        Door::Rei => format!("/ws/chat/lobby?token={token}"),
        Door::Shh => format!("/ws/chat/{room}/"),
        Door::Mrsambosk => {
            let me: v1::Me = person.get("/me").await.expect("oneself");
            format!("/ws/{}", me.user.expect("somebody").no)
        }
        Door::Room => format!("/message/{}?token={token}", lobby.session_no),
        Door::Stream | Door::Groups => unreachable!("they are no sockets"),
    };
    let header = match door {
        Door::Json => ("sec-websocket-protocol", "parlor.v1.json".to_owned()),
        Door::Proto => ("sec-websocket-protocol", "parlor.v1.proto".to_owned()),
        Door::Shh => ("cookie", format!("access_token={token}")),
        Door::Mrsambosk => ("cookie", person.cookie.clone()),
        _ => ("x-nothing", "x".to_owned()),
    };
    let request = format!("ws://{}{path}", person.server()).into_client_request();
    let mut request = request.expect("the address is a URL");
    let headers = request.headers_mut();
    headers.insert(header.0, header.1.parse().expect("a header's value"));
    if matches!(door, Door::Json | Door::Proto) {
        let bearer = format!("Bearer {token}").parse();
        headers.insert("authorization", bearer.expect("a header's value"));
    }
    let (stream, _) = soon("a handshake", connect_async(request)).await.expect("it is accepted");
    stream
}

async fn stream(person: &Person, door: Door, lobby: &Lobby) -> From {
    let path = match door {
        Door::Groups => format!("/stream/group?group_uuid={}", lobby.room),
        _ => format!("/api/v1/events?session={}", lobby.session),
    };
    let request = Request::new("GET", &path).bearer(&person.token);
    let mut wire = Wire::open(person.server()).await;
    wire.write(&request.bytes()).await.expect("the server takes a request");
    let head = wire.head().await.expect("the server answers");
    assert_eq!(head.status, 200, "{door:?}");
    From::Stream(Box::new(wire), String::new())
}

/// Says hello as the door wants it, and waits until the door is surely listening.
async fn settle(mouth: &mut Mouth, ear: &mut Ear) {
    let session_id = mouth.lobby.session.clone();
    match mouth.door {
        Door::Json | Door::Proto => {
            let subscribe = v1::Subscribe { r#ref: 1, session_id, ..v1::Subscribe::default() };
            mouth.command(Command::Subscribe(subscribe)).await;
            ear.until(|said| matches!(said, Said::Done)).await;
        }
        Door::SocketIo => {
            ear.until(|said| matches!(said, Said::Packet(p) if p.starts_with('0'))).await;
            let auth = json!({"token": mouth.person.token});
            mouth.send(Message::text(format!("40{auth}"))).await;
            ear.until(|said| matches!(said, Said::Packet(p) if p.starts_with("40"))).await;
            let subscribe = json!(["subscribe", {"ref": 1, "session_id": session_id}]);
            mouth.send(Message::text(format!("421{subscribe}"))).await;
            ear.until(|said| matches!(said, Said::Packet(p) if p.starts_with("431"))).await;
        }
        Door::Rei => {
            ear.until(|said| matches!(said, Said::Done)).await;
            let asked = [
                json!({"type": "listen_latest"}),
                json!({"type": "fetch", "from_id": 1, "to_id": 1}),
            ];
            for asked in asked {
                mouth.send(Message::text(asked.to_string())).await;
            }
            ear.until(|said| matches!(said, Said::Done)).await;
        }
        Door::Mrsambosk => {
            mouth.send(Message::text("")).await;
            ear.until(|said| matches!(said, Said::Done)).await;
        }
        Door::Room => {
            mouth.send(Message::Ping(vec![].into())).await;
            ear.until(|said| matches!(said, Said::Pong)).await;
        }
        Door::Shh | Door::Stream | Door::Groups => {
            ear.until(|said| matches!(said, Said::Done)).await;
        }
    }
}

impl Mouth {
    /// Says something in the lobby.
    pub(super) async fn say(&mut self, text: &str) {
        self.said += 1;
        let (session_id, content) = (self.lobby.session.clone(), text.to_owned());
        let client_id = fresh_id();
        let r#ref = 10 + self.said.cast_signed();
        match self.door {
            Door::Json | Door::Proto => {
                let send =
                    v1::Send { r#ref, session_id, client_id, content, ..v1::Send::default() };
                self.command(Command::Send(send)).await;
            }
            Door::SocketIo => {
                let send = json!(["send", {
                    "ref": r#ref, "session_id": session_id, "client_id": client_id,
                    "content": content,
                }]);
                self.send(Message::text(format!("42{ref}{send}"))).await;
            }
            Door::Rei => {
                let said = json!({"type": "message", "content": content});
                self.send(Message::text(said.to_string())).await;
            }
            Door::Shh => {
                self.send(Message::text(json!({"message": content}).to_string())).await;
            }
            Door::Mrsambosk | Door::Room => self.send(Message::text(content)).await,
            Door::Stream => _ = self.person.say(&session_id, text).await.expect("it is taken"),
            Door::Groups => {
                let body = json!({"content": content, "group_uuid": self.lobby.room});
                let request = Request::new("POST", "/messages").bearer(&self.person.token);
                let answer = request.json(&body.to_string()).send(self.server()).await;
                assert_eq!(answer.status, 201, "{}", answer.text());
            }
        }
    }

    fn server(&self) -> SocketAddr {
        self.person.server()
    }

    async fn command(&mut self, command: Command) {
        let frame = ClientFrame { command: Some(command) };
        let message = match self.door {
            Door::Proto => Message::binary(frame.encode_to_vec()),
            _ => Message::text(serde_json::to_string(&frame).expect("a frame is JSON")),
        };
        self.send(message).await;
    }

    async fn send(&mut self, message: Message) {
        let socket = self.socket.as_mut().expect("the door is a socket");
        socket.send(message).await.expect("the socket is open");
    }
}

/// What came.
enum Said {
    /// A new message's text.
    Text(String),
    /// An answer to what was asked, or the first greeting.
    Done,
    /// A packet of Socket.IO that is none of these.
    Packet(String),
    Pong,
    Other,
}

impl Ear {
    pub(super) fn door(&self) -> Door {
        self.door
    }

    /// The text of the next message.
    pub(super) async fn text(&mut self) -> String {
        loop {
            if !self.early.is_empty() {
                return self.early.remove(0);
            }
            if let Said::Text(text) = self.next().await {
                return text;
            }
        }
    }

    async fn until(&mut self, wanted: impl Fn(&Said) -> bool) {
        loop {
            match self.next().await {
                said if wanted(&said) => return,
                Said::Text(text) => self.early.push(text),
                _ => {}
            }
        }
    }

    async fn next(&mut self) -> Said {
        match &mut self.from {
            From::Socket(stream) => match stream.next().await {
                Some(Ok(Message::Text(text))) => understood(self.door, &text),
                Some(Ok(Message::Binary(bytes))) => {
                    ours(ServerFrame::decode(&*bytes).expect("a frame of the schema"))
                }
                Some(Ok(Message::Pong(_))) => Said::Pong,
                Some(Ok(Message::Ping(_))) => Said::Other,
                other => panic!("the {:?} ended: {other:?}", self.door),
            },
            From::Stream(wire, text) => loop {
                if let Some((block, rest)) = text.split_once("\n\n") {
                    let (block, rest) = (block.to_owned(), rest.to_owned());
                    *text = rest;
                    return of_block(self.door, &block);
                }
                let chunk = wire.chunk().await.expect("the stream is whole");
                let chunk = chunk.expect("the stream goes on");
                text.push_str(&String::from_utf8_lossy(&chunk));
            },
        }
    }
}

fn of_block(door: Door, block: &str) -> Said {
    let data = block.lines().find_map(|line| line.strip_prefix("data: "));
    match data {
        Some(data) => understood(door, data),
        // Our own stream begins with a comment.
        None if block.contains("retry:") => Said::Done,
        None => Said::Other,
    }
}

fn understood(door: Door, text: &str) -> Said {
    if door == Door::Room {
        return Said::Text(text.to_owned());
    }
    if door == Door::SocketIo {
        return match text.strip_prefix("42") {
            Some(event) => of_event(event),
            None => Said::Packet(text.to_owned()),
        };
    }
    if matches!(door, Door::Json | Door::Stream) {
        return ours(serde_json::from_str(text).expect("a frame of the schema"));
    }
    let said: Value = serde_json::from_str(text).expect("it is JSON");
    let text = |value: &Value| value.as_str().map(|text| Said::Text(text.to_owned()));
    let heard = match (door, said["type"].as_str()) {
        (Door::Rei, Some("latest_message")) => text(&said["message"]["content"]),
        (Door::Rei, Some("initial_state" | "fetch_response")) => Some(Said::Done),
        (Door::Shh, Some("message")) => text(&said["message"]),
        (Door::Shh, Some("message_history")) => Some(Said::Done),
        (Door::Groups, Some("new_message")) => text(&said["data"]["content"]),
        (Door::Groups, Some("connected")) => Some(Said::Done),
        (Door::Mrsambosk, None) if said["message"] == "" => Some(Said::Done),
        (Door::Mrsambosk, None) if said.get("type_offline").is_none() => text(&said["message"]),
        _ => None,
    };
    heard.unwrap_or(Said::Other)
}

fn of_event(event: &str) -> Said {
    let Ok(Value::Array(parts)) = serde_json::from_str(event) else { return Said::Other };
    let posted = parts.get(1).map(|event| &event["posted"]["content"]);
    match posted.and_then(Value::as_str) {
        Some(text) if parts[0] == "event" => Said::Text(text.to_owned()),
        _ => Said::Other,
    }
}

fn ours(frame: ServerFrame) -> Said {
    match frame.frame {
        Some(Frame::Event(v1::Event { kind: Some(Kind::Posted(message)), .. })) => {
            Said::Text(message.content)
        }
        Some(Frame::Ok(ok)) if ok.r#ref == 1 => Said::Done,
        _ => Said::Other,
    }
}
