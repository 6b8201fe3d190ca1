//! Path 2/8: bytes → [`Command`]; the only parser of first-party frames. Next: the use case,
//! `app/src/messages/send.rs`.

use prost::Message as _;

pub use crate::v1::client_frame::Command;

use crate::json::{self, Body, Document, JsonError};
use crate::v1::ClientFrame;

/// Which of the two forms a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// JSON in text frames.
    Json,
    /// Protobuf in binary frames.
    Proto,
}

/// A frame that says nothing we understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It is not a frame of the schema.
    #[error("read the frame: {0}")]
    Malformed(String),
    /// It names a command that there is not.
    #[error("read the frame: unknown type")]
    UnknownType,
}

impl From<JsonError> for FrameError {
    fn from(error: JsonError) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// Reads a command. JSON is strict ([`json`]) and nested at most `depth_max` deep; fields that the
/// schema does not know are ignored, so that newer clients can talk to older servers.
///
/// # Errors
/// [`FrameError`], whose text may be shown to the client.
pub fn parse(codec: Codec, bytes: &[u8], depth_max: u64) -> Result<Command, FrameError> {
    match codec {
        Codec::Json => parse_json(bytes, depth_max),
        Codec::Proto => {
            let frame = ClientFrame::decode(bytes);
            let frame = frame.map_err(|e| FrameError::Malformed(e.to_string()))?;
            frame.command.ok_or(FrameError::UnknownType)
        }
    }
}

fn parse_json(bytes: &[u8], depth_max: u64) -> Result<Command, FrameError> {
    let kind = json::scan(bytes, depth_max)?.ok_or(FrameError::UnknownType)?;
    named(&kind, &Document(bytes))
}

/// Reads the command of this name out of a body that was scanned before.
pub(crate) fn named(kind: &str, body: &impl Body) -> Result<Command, FrameError> {
    Ok(match kind {
        "subscribe" => Command::Subscribe(body.shaped()?),
        "unsubscribe" => Command::Unsubscribe(body.shaped()?),
        "send" => Command::Send(body.shaped()?),
        "edit" => Command::Edit(body.shaped()?),
        "delete" => Command::Delete(body.shaped()?),
        "read" => Command::Read(body.shaped()?),
        "typing" => Command::Typing(body.shaped()?),
        "e2ee_ack" => Command::E2eeAck(body.shaped()?),
        "ping" => Command::Ping(body.shaped()?),
        _ => return Err(FrameError::UnknownType),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::Send;

    #[test]
    fn one_command_reads_the_same_from_both_forms() {
        let send = Command::Send(Send {
            r#ref: 2,
            session_id: "s".into(),
            client_id: "c".into(),
            content: "hi".into(),
            reply_to: None,
            files: Vec::new(),
            thread_id: None,
            forward: None,
            encrypted: None,
            membership_version: None,
            ttl_s: None,
        });
        let json = br#"{"type":"send","ref":2,"session_id":"s","client_id":"c","content":"hi"}"#;
        assert_eq!(parse(Codec::Json, json, 32).as_ref(), Ok(&send));
        let frame = ClientFrame { command: Some(send.clone()) };
        assert_eq!(parse(Codec::Proto, &frame.encode_to_vec(), 32).as_ref(), Ok(&send));
        assert_eq!(
            serde_json::to_vec(&frame).ok().map(|b| parse(Codec::Json, &b, 32)),
            Some(Ok(send))
        );
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for bad in ["[]", "null", "\"x\"", "{\"type\":1}", "{\"type\":\"fly\"}", "{", "7"] {
            assert!(parse(Codec::Json, bad.as_bytes(), 32).is_err(), "{bad}");
        }
        let twice = br#"{"type":"send","content":"a","content":"b"}"#;
        assert!(parse(Codec::Json, twice, 32).is_err());
        let varint = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert!(parse(Codec::Proto, &varint, 32).is_err());
        assert_eq!(parse(Codec::Proto, &[], 32), Err(FrameError::UnknownType));
    }
}
