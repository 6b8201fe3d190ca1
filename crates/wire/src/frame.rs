//! What the server says, as bytes: the printer of first-party frames.

pub use crate::command::Codec;
pub use crate::v1::server_frame::Frame;

/// Appends a frame in the form that the connection speaks.
pub fn encode(codec: Codec, frame: &Frame, to: &mut Vec<u8>) {
    match codec {
        // It does not fail: our types have text keys only, and a vector takes every byte.
        Codec::Json => serde_json::to_writer(to, frame).unwrap_or_default(),
        Codec::Proto => frame.encode(to),
    }
}

/// A frame's bytes.
pub fn to_vec(codec: Codec, frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    encode(codec, frame, &mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::v1::{Event, Hello, Message, Ok, ServerFrame, event::Kind};

    fn json(frame: Frame) -> String {
        String::from_utf8(to_vec(Codec::Json, &frame)).unwrap()
    }

    #[test]
    fn an_event_names_its_kind_by_one_key() {
        let posted = Message { number: 3, content: "hi".into(), ..Message::default() };
        let event = Event {
            session_id: Some("s".into()),
            seq: Some(132),
            kind: Some(Kind::Posted(posted)),
            ..Event::default()
        };
        let text = json(Frame::Event(event));
        let head = concat!(
            r#"{"type":"event","session_id":"s","seq":132,"at""#,
            r#":"1970-01-01T00:00:00.000000Z","posted":{"id":"","#
        );
        assert!(text.starts_with(head), "{text}");
        assert!(text.contains(r#""reply_to":null,"#), "{text}");
    }

    #[test]
    fn an_answer_has_only_what_was_asked_for() {
        let ok = Ok { r#ref: 1, seq: Some(131), ..Ok::default() };
        assert_eq!(json(Frame::Ok(ok)), r#"{"type":"ok","ref":1,"seq":131}"#);
    }

    #[test]
    fn both_forms_read_back_as_the_same_frame() {
        let hello = Frame::Hello(Hello { epoch: "e".into(), user_seq: 7, ..Hello::default() });
        let frame = ServerFrame { frame: Some(hello.clone()) };
        let proto = ServerFrame::decode(&*to_vec(Codec::Proto, &hello));
        assert_eq!(proto.as_ref(), Result::Ok(&frame));
        let json: Result<ServerFrame, _> = serde_json::from_slice(&to_vec(Codec::Json, &hello));
        assert_eq!(json.ok(), Some(frame));
    }
}
