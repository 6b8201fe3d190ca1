//! A small client's half of Socket.IO, in text packets over a WebSocket: enough to say and hear
//! what every other door says. Written from the protocol, not with the server's own words for it.

use parlor_wire::frame::Frame;
use parlor_wire::v1::{self, ServerFrame};
use serde_json::{Value, json};

/// What a packet of the server means.
pub(crate) enum Packet {
    /// An event or an acknowledgement that is a frame.
    Frame(Box<Frame>),
    /// The server wants a pong.
    Ping,
    /// Nothing that a conversation speaks of.
    Other,
}

/// The packet that connects.
pub(crate) fn connect<'a>(
    token: &str,
    user_after: Option<i64>,
    resume: impl Iterator<Item = (&'a String, &'a i64)>,
) -> String {
    let resume: Vec<_> =
        resume.map(|(id, after)| json!({"session_id": id, "after": after})).collect();
    format!("40{}", json!({"token": token, "user_after": user_after, "resume": resume}))
}

/// The event that a command is; its `ref` numbers the acknowledgement.
pub(crate) fn event(command: &Value) -> String {
    let (mut body, name) = (command.clone(), command["type"].clone());
    let number = command["ref"].as_i64().map(|number| number.to_string()).unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        body.retain(|key, _| key != "type" && key != "ref");
    }
    format!("42{number}{}", json!([name, body]))
}

/// Reads a packet.
///
/// # Panics
/// When it is none that the protocol has.
pub(crate) fn read(text: &str) -> Packet {
    let (kind, rest) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let value =
        || -> Value { serde_json::from_str(rest).unwrap_or_else(|e| panic!("{e}: {text}")) };
    match kind {
        "2" => Packet::Ping,
        "42" => {
            let [name, body]: [Value; 2] = of(value());
            match name.as_str() {
                Some("revoked" | "lagged") => Packet::Other,
                _ => {
                    assert_eq!(name, body["type"], "an event is named by what it says");
                    Packet::Frame(Box::new(frame(body)))
                }
            }
        }
        "44" => {
            let refused = value();
            let error: v1::Error = of(refused["data"].clone());
            assert_eq!(refused["message"], error.code, "a refusal is named by its code");
            Packet::Frame(Box::new(Frame::Error(error)))
        }
        ack if ack.starts_with("43") => {
            let [body]: [Value; 1] = of(value());
            let number: i64 = ack[2..].parse().expect("an acknowledgement has its number");
            assert_eq!(body["ref"], number, "an answer to another command");
            Packet::Frame(Box::new(frame(body)))
        }
        "0" | "40" | "41" => Packet::Other,
        _ => panic!("this is no packet: {text}"),
    }
}

fn frame(body: Value) -> Frame {
    of::<ServerFrame>(body).frame.expect("a frame says something")
}

fn of<T: serde::de::DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).expect("it is of the schema")
}
