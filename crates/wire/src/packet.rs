//! Socket.IO's packets (its protocol 5, inside Engine.IO 4): their parsing and printing. What an
//! event says is a command or a frame like any other.
//!
//! Refuses binary packets, attachments and every namespace but the main one: nothing of ours needs
//! them, and they are where other servers had their holes.

use std::fmt;
use std::io::Write as _;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::json;

use crate::command::{Command, FrameError, named};
use crate::frame::{self, Codec, Frame};
use crate::json::{self, Body, JsonError};
use crate::reference;

/// What stands between two packets of one HTTP body.
pub const SEPARATOR: u8 = 0x1e;

/// The `ref` of a command that wants no acknowledgement.
pub const UNACKNOWLEDGED: i64 = -1;

/// The greatest acknowledgement id: what JavaScript can count.
const ACK_MAX: i64 = (1 << 53) - 1;

/// Bytes of the name of a namespace that is answered.
const NAMESPACE_BYTES_MAX: usize = 64;

/// What a client says in one packet.
pub enum Packet {
    /// The connection is over.
    Close,
    /// Wants a pong; with `probe`, on a new transport that is being tried.
    Ping {
        /// Whether a transport is tried.
        probe: bool,
    },
    /// The client lives.
    Pong,
    /// The transport that was tried is the one from now on.
    Upgrade,
    /// Wants to talk, and shows who it is.
    Connect(Result<Auth, FrameError>),
    /// Wants to talk in a namespace that there is not.
    ConnectElsewhere(String),
    /// Wants to talk no more.
    Disconnect,
    /// A command, or why it is none; `ack` numbers the answer that is wanted.
    Event {
        /// The number of the acknowledgement.
        ack: Option<i64>,
        /// The command; its `ref` is that number, or [`UNACKNOWLEDGED`].
        command: Result<Command, FrameError>,
    },
    /// Nothing that concerns us.
    Nothing,
}

/// The bytes are no packet that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("read the packet: not one of Socket.IO's text packets")]
pub struct NoPacket;

/// What a client shows when it connects. (Without `Debug`: the token is a secret.)
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Auth {
    /// The access token.
    pub token: Option<String>,
    /// The last `user_seq` seen; absent: from now.
    pub user_after: Option<i64>,
    /// The epoch that the cursors belong to.
    pub epoch: Option<String>,
    /// Sessions to hear from the beginning.
    pub resume: Vec<Resume>,
}

/// A session that is heard again.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Resume {
    /// Which.
    pub session_id: String,
    /// The last `seq` seen; absent: from now.
    pub after: Option<i64>,
}

/// Reads a packet. Its JSON is strict ([`mod@json`]) and nested at most `depth_max` deep.
///
/// # Errors
/// [`NoPacket`]: the client speaks something else.
pub fn parse(bytes: &[u8], depth_max: u64) -> Result<Packet, NoPacket> {
    Ok(match bytes {
        b"1" => Packet::Close,
        b"2" => Packet::Ping { probe: false },
        b"2probe" => Packet::Ping { probe: true },
        [b'3', ..] => Packet::Pong,
        [b'4', kind, rest @ ..] => message(*kind, rest, depth_max)?,
        b"5" => Packet::Upgrade,
        b"6" => Packet::Nothing,
        _ => return Err(NoPacket),
    })
}

fn message(kind: u8, rest: &[u8], depth_max: u64) -> Result<Packet, NoPacket> {
    let (namespace, rest) = split_namespace(rest)?;
    Ok(match (kind, namespace) {
        (b'0', "/") => Packet::Connect(auth(rest, depth_max)),
        (b'0', other) if other.len() <= NAMESPACE_BYTES_MAX => {
            Packet::ConnectElsewhere(other.to_owned())
        }
        (b'1', "/") => Packet::Disconnect,
        (b'2', "/") => event(rest, depth_max)?,
        // Nothing of ours asks for an acknowledgement.
        (b'3', "/") => Packet::Nothing,
        _ => return Err(NoPacket),
    })
}

/// The namespace, without its query, and what follows it.
fn split_namespace(bytes: &[u8]) -> Result<(&str, &[u8]), NoPacket> {
    if bytes.first() != Some(&b'/') {
        return Ok(("/", bytes));
    }
    let end = bytes.iter().position(|byte| *byte == b',').unwrap_or(bytes.len());
    let name = str::from_utf8(&bytes[..end]).map_err(|_| NoPacket)?;
    let name = name.split('?').next().unwrap_or_default();
    Ok((name, bytes.get(end + 1..).unwrap_or_default()))
}

fn auth(bytes: &[u8], depth_max: u64) -> Result<Auth, FrameError> {
    if bytes.is_empty() {
        return Ok(Auth::default());
    }
    Ok(json::read(bytes, depth_max)?)
}

fn event(bytes: &[u8], depth_max: u64) -> Result<Packet, NoPacket> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, arguments) = bytes.split_at(digits);
    let ack = match number {
        b"" => None,
        number => {
            let number = str::from_utf8(number).ok().and_then(|text| text.parse().ok());
            Some(number.filter(|ack| *ack <= ACK_MAX).ok_or(NoPacket)?)
        }
    };
    let mut command = call(arguments, depth_max);
    if let Ok(command) = &mut command {
        reference::set(command, ack.unwrap_or(UNACKNOWLEDGED));
    }
    Ok(Packet::Event { ack, command })
}

/// Reads `["send",{…}]`.
fn call(bytes: &[u8], depth_max: u64) -> Result<Command, FrameError> {
    json::scan(bytes, depth_max)?;
    let Call { name, bodies } = json::shaped(bytes)?;
    match bodies {
        0 => named(&name, &NoBody),
        1 => named(&name, &Argument(bytes)),
        _ => Err(FrameError::Malformed("more than one argument".to_owned())),
    }
}

/// The name of an event, and how many arguments it has.
struct Call {
    name: String,
    bodies: usize,
}

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Array;
        impl<'de> Visitor<'de> for Array {
            type Value = Call;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array that begins with the name of an event")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Call, A::Error> {
                let name = seq.next_element()?.unwrap_or_default();
                let mut bodies = 0;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    bodies += 1;
                }
                Ok(Call { name, bodies })
            }
        }
        from.deserialize_seq(Array)
    }
}

/// The one argument of an event.
struct Argument<'a>(&'a [u8]);

impl Body for Argument<'_> {
    fn shaped<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        json::shaped::<(IgnoredAny, T)>(self.0).map(|(_, body)| body)
    }
}

/// The argument of an event that has none.
struct NoBody;

impl Body for NoBody {
    fn shaped<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        json::shaped(b"{}")
    }
}

/// What a connection begins with.
pub struct Open<'a> {
    /// Names the connection.
    pub sid: &'a str,
    /// Whether a WebSocket may be tried next.
    pub upgrade: bool,
    /// Milliseconds between pings.
    pub ping_interval_ms: u64,
    /// Milliseconds until a ping must be answered.
    pub ping_timeout_ms: u64,
    /// Bytes of one HTTP body, or of one message on a WebSocket.
    pub payload_bytes_max: u64,
}

impl Open<'_> {
    /// The packet.
    pub fn packet(&self) -> String {
        let upgrades: &[&str] = if self.upgrade { &["websocket"] } else { &[] };
        let open = json!({
            "sid": self.sid,
            "upgrades": upgrades,
            "pingInterval": self.ping_interval_ms,
            "pingTimeout": self.ping_timeout_ms,
            "maxPayload": self.payload_bytes_max,
        });
        format!("0{open}")
    }
}

/// The client may talk.
pub fn connected(sid: &str) -> String {
    format!("40{}", json!({"sid": sid}))
}

/// The client may not talk: `connect_error`, whose message is the code and whose data is the error.
pub fn refused(error: &crate::v1::Error) -> String {
    format!("44{}", json!({"message": error.code, "data": error}))
}

/// There is no such namespace.
pub fn no_namespace(name: &str) -> String {
    format!("44{name},{}", json!({"message": "Invalid namespace"}))
}

/// An event of the connection itself, which is no frame: what ended, and why.
pub fn notice(name: &str, body: &serde_json::Value) -> String {
    format!("42{}", json!([name, body]))
}

/// Appends the event that carries a frame: `42["event",{…}]`.
pub fn event_of(said: &Frame, to: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(to, "42[\"{}\",", name(said));
    frame::encode(Codec::Json, said, to);
    to.push(b']');
}

/// Appends the acknowledgement that carries a frame: `437[{…}]`.
pub fn ack_of(ack: i64, said: &Frame, to: &mut Vec<u8>) {
    let _ = write!(to, "43{ack}[");
    frame::encode(Codec::Json, said, to);
    to.push(b']');
}

/// The event that carries frames of this kind.
fn name(said: &Frame) -> &'static str {
    match said {
        Frame::Hello(_) => "hello",
        Frame::Ok(_) => "ok",
        Frame::Event(_) => "event",
        Frame::Typing(_) => "typing",
        Frame::Presence(_) => "presence",
        Frame::Read(_) => "read",
        Frame::Error(_) => "error",
        Frame::Reconnect(_) => "reconnect",
        Frame::Draft(_) => "draft",
        Frame::ThreadRead(_) => "thread_read",
        Frame::E2ee(_) => "e2ee",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    fn command(text: &str) -> (Option<i64>, Result<Command, FrameError>) {
        match parse(text.as_bytes(), 32) {
            Ok(Packet::Event { ack, command }) => (ack, command),
            _ => panic!("{text} is no event"),
        }
    }

    #[test]
    fn an_event_is_a_command_numbered_by_its_acknowledgement() {
        let typing = v1::Typing { session_id: "s".into() };
        let (ack, read) = command(r#"427["typing",{"session_id":"s"}]"#);
        assert_eq!((ack, read), (Some(7), Ok(Command::Typing(typing))));
        let ping = |n| Ok(Command::Ping(v1::Ping { r#ref: n }));
        assert_eq!(command(r#"420["ping"]"#), (Some(0), ping(0)));
        assert_eq!(command(r#"42/,5["ping",{"ref":9}]"#), (Some(5), ping(5)));
        assert_eq!(command(r#"42["ping",{}]"#), (None, ping(UNACKNOWLEDGED)));
    }

    #[test]
    fn an_event_that_is_no_command_says_why() {
        for bad in [
            "42",
            "42[",
            "42[]",
            "42{}",
            r#"42["fly",{}]"#,
            r#"42["__proto__",{}]"#,
            r#"42[{"toString":"x"}]"#,
            r#"42["ping",{},{}]"#,
            r#"42["ping",7]"#,
            r#"42["send",{"content":"a","content":"b"}]"#,
            r#"42-1["ping",{}]"#,
        ] {
            assert!(command(bad).1.is_err(), "{bad}");
        }
        let deep = format!("42[\"ping\",{}1{}]", "[".repeat(40), "]".repeat(40));
        assert!(command(&deep).1.is_err());
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for bad in [
            "",
            "0{}",
            "7",
            "bAAAA",
            "4",
            "49",
            r#"451-["x",{"_placeholder":true,"num":1000000000}]"#,
            r#"461-[{"_placeholder":true,"num":0}]"#,
            r#"4218446744073709551616["ping"]"#,
            r#"4299007199254740993["ping"]"#,
            r#"42/admin,["ping"]"#,
            "44{}",
        ] {
            assert!(parse(bad.as_bytes(), 32).is_err(), "{bad}");
        }
    }

    #[test]
    fn who_connects_shows_a_token_and_cursors() {
        let text = r#"40{"token":"t","resume":[{"session_id":"s","after":3}],"user_after":2}"#;
        let Ok(Packet::Connect(Ok(auth))) = parse(text.as_bytes(), 32) else {
            panic!("it connects")
        };
        assert_eq!((auth.token.as_deref(), auth.user_after), (Some("t"), Some(2)));
        assert_eq!((&*auth.resume[0].session_id, auth.resume[0].after), ("s", Some(3)));
        assert!(matches!(parse(b"40", 32), Ok(Packet::Connect(Ok(_)))));
        assert!(matches!(parse(b"40[]x", 32), Ok(Packet::Connect(Err(_)))));
        let elsewhere = parse(b"40/admin?x=1,{}", 32);
        assert!(matches!(elsewhere, Ok(Packet::ConnectElsewhere(name)) if name == "/admin"));
    }

    #[test]
    fn frames_travel_as_events_and_acknowledgements() {
        let ok = Frame::Ok(v1::Ok { r#ref: 7, seq: Some(3), ..v1::Ok::default() });
        let mut bytes = Vec::new();
        ack_of(7, &ok, &mut bytes);
        assert_eq!(bytes, br#"437[{"type":"ok","ref":7,"seq":3}]"#);
        let mut bytes = Vec::new();
        event_of(&Frame::Reconnect(v1::Reconnect { after_ms: 5 }), &mut bytes);
        assert_eq!(bytes, br#"42["reconnect",{"type":"reconnect","after_ms":5}]"#);
    }
}
