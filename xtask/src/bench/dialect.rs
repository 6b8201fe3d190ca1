//! How to say and understand the three things that matter (join, send, event) in each protocol
//! that is measured: Parlor's JSON, which the bare broadcaster speaks too, and Socket.IO's.

use std::io::Write;

use memchr::memmem::Finder;

/// The reference of the command that joins; those of sends are greater.
pub(super) const JOIN: u64 = 1;

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Protocol {
    Parlor,
    SocketIo,
    /// Parlor's commands and events in Socket.IO's packets.
    ParlorSocketIo,
}

/// A protocol, with its searchers made once.
#[derive(Clone)]
pub(super) struct Dialect {
    protocol: Protocol,
    seq: Finder<'static>,
    number: Finder<'static>,
    reference: Finder<'static>,
    content: Finder<'static>,
}

/// What a message from a server means to us.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// The connection may send commands.
    Welcome,
    /// The command with this reference is done.
    Done(u64),
    /// Something was said in a room.
    Event(u64),
    /// The protocol wants this back.
    Answer(&'static [u8]),
    /// A command was refused.
    Refused,
    /// Nothing that we wait for.
    Other,
}

impl Dialect {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            seq: Finder::new(b"\"seq\":"),
            number: Finder::new(b"\"number\":"),
            reference: Finder::new(b"\"ref\":"),
            content: Finder::new(b"\"content\":\""),
        }
    }

    /// The request that upgrades a connection.
    pub(super) fn request(&self, host: &str, token: &str) -> Vec<u8> {
        let path = match self.protocol {
            Protocol::Parlor => "/api/v1/socket",
            _ => "/socket.io/?EIO=4&transport=websocket",
        };
        let authorization = match token {
            "" => String::new(),
            token => format!("Authorization: Bearer {token}\r\n"),
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cGFybG9yIGJlbmNobWFyaw==\r\n\
             {authorization}\r\n"
        )
        .into_bytes()
    }

    /// Asks to hear a room; with `after`, also what was missed since.
    pub(super) fn join(&self, session: &str, after: Option<u64>) -> Vec<u8> {
        let after = after.map(|seq| format!(",\"after\":{seq}")).unwrap_or_default();
        match self.protocol {
            Protocol::Parlor => {
                format!(r#"{{"type":"subscribe","ref":{JOIN},"session_id":"{session}"{after}}}"#)
            }
            Protocol::SocketIo => format!(r#"42{JOIN}["join","{session}"]"#),
            Protocol::ParlorSocketIo => {
                format!(r#"42{JOIN}["subscribe",{{"session_id":"{session}"{after}}}]"#)
            }
        }
        .into_bytes()
    }

    /// Writes a message for a room.
    pub(super) fn send(
        &self,
        out: &mut Vec<u8>,
        reference: u64,
        session: &str,
        client_id: u128,
        content: &str,
    ) {
        let id = uuid(client_id);
        // Writing to a vector cannot fail.
        let _ = match self.protocol {
            Protocol::Parlor => write!(
                out,
                "{{\"type\":\"send\",\"ref\":{reference},\"session_id\":\"{session}\",\
                 \"client_id\":\"{id}\",\"content\":\"{content}\"}}"
            ),
            _ => write!(
                out,
                "42{reference}[\"send\",{{\"session_id\":\"{session}\",\"client_id\":\"{id}\",\
                 \"content\":\"{content}\"}}]"
            ),
        };
    }

    /// What a message means.
    pub(super) fn understand(&self, message: &[u8]) -> Said {
        match self.protocol {
            Protocol::Parlor => self.understand_parlor(message),
            _ => self.understand_socket_io(message),
        }
    }

    fn understand_parlor(&self, message: &[u8]) -> Said {
        match message.strip_prefix(b"{\"type\":\"") {
            Some([b'e', b'v', ..]) => self.seq(message).map_or(Said::Other, Said::Event),
            Some([b'o', b'k', ..]) => {
                number_after(&self.reference, message).map_or(Said::Other, Said::Done)
            }
            Some([b'h', b'e', ..]) => Said::Welcome,
            Some([b'e', b'r', ..]) => Said::Refused,
            _ => Said::Other,
        }
    }

    fn understand_socket_io(&self, message: &[u8]) -> Said {
        match message {
            [b'0', ..] => Said::Answer(b"40"),
            [b'2'] => Said::Answer(b"3"),
            [b'4', b'0', ..] => Said::Welcome,
            [b'4', b'2', b'[', b'"', b'e', b'v', ..] => {
                self.seq(message).map_or(Said::Other, Said::Event)
            }
            [b'4', b'3', rest @ ..] if !refuses(rest) => Said::Done(number(rest)),
            [b'4', b'3' | b'4', ..] => Said::Refused,
            _ => Said::Other,
        }
    }

    /// The event's number in its room.
    pub(super) fn seq(&self, message: &[u8]) -> Option<u64> {
        number_after(&self.seq, message)
    }

    /// The message's number in its room.
    pub(super) fn number(&self, message: &[u8]) -> Option<u64> {
        number_after(&self.number, message)
    }

    /// The number that [`content`] carries.
    pub(super) fn stamp(&self, message: &[u8]) -> Option<u64> {
        number_after(&self.content, message)
    }
}

/// Whether what follows the number of an acknowledgement is Parlor's refusal.
fn refuses(acknowledged: &[u8]) -> bool {
    let digits = acknowledged.iter().take_while(|byte| byte.is_ascii_digit()).count();
    acknowledged[digits..].starts_with(br#"[{"type":"error""#)
}

fn number_after(finder: &Finder<'_>, message: &[u8]) -> Option<u64> {
    let at = finder.find(message)? + finder.needle().len();
    Some(number(&message[at..]))
}

/// The digits at the beginning of `text`.
pub(super) fn number(text: &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |so_far, digit| so_far * 10 + u64::from(digit - b'0'))
}

/// A hundred bytes of text that begin with a number.
pub(super) fn content(stamp: u64) -> String {
    format!("{stamp:020} {:x<79}", "said in a room, and heard by everybody who is in it ")
}

/// A UUID (version 4 in form) that is made of a number.
pub(super) fn uuid(number: u128) -> String {
    let hex = format!("{:032x}", versioned(number));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The number with the bits of version and variant set.
pub(super) fn versioned(number: u128) -> u128 {
    const FIXED: u128 = 0xf000_c000_0000_0000_0000;
    const VALUE: u128 = 0x4000_8000_0000_0000_0000;
    (number & !FIXED) | VALUE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parlor_is_understood() {
        let dialect = Dialect::new(Protocol::Parlor);
        let text = content(1_234);
        assert_eq!(text.len(), 100);
        let event = format!(
            r#"{{"type":"event","session_id":"s","seq":7,"posted":{{"seq":6,"content":"{text}"}}}}"#
        );
        assert_eq!(dialect.understand(event.as_bytes()), Said::Event(7));
        assert_eq!(dialect.stamp(event.as_bytes()), Some(1_234));
        let done = br#"{"type":"ok","ref":17,"message_id":"m","number":5,"seq":9}"#;
        assert_eq!(dialect.understand(done), Said::Done(17));
        assert_eq!((dialect.number(done), dialect.seq(done)), (Some(5), Some(9)));
        assert_eq!(dialect.understand(br#"{"type":"error","ref":1}"#), Said::Refused);
        assert_eq!(dialect.understand(br#"{"type":"hello"}"#), Said::Welcome);
        assert_eq!(dialect.understand(br#"{"type":"typing"}"#), Said::Other);
    }

    #[test]
    fn socket_io_is_understood() {
        let dialect = Dialect::new(Protocol::SocketIo);
        assert_eq!(dialect.understand(b"0{\"sid\":1}"), Said::Answer(b"40"));
        assert_eq!(dialect.understand(b"40{\"sid\":1}"), Said::Welcome);
        assert_eq!(dialect.understand(b"2"), Said::Answer(b"3"));
        assert_eq!(dialect.understand(b"4312[{\"seq\":3}]"), Said::Done(12));
        assert_eq!(dialect.understand(b"42[\"event\",{\"seq\":3}]"), Said::Event(3));
        let refused = br#"4312[{"type":"error","ref":12,"code":"not_found"}]"#;
        assert_eq!(dialect.understand(refused), Said::Refused);
        assert_eq!(dialect.understand(br#"42["hello",{"user_seq":3}]"#), Said::Other);
    }

    #[test]
    fn a_uuid_is_one() {
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
