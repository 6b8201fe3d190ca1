//! One event, one encoding: a frame is encoded when somebody first needs that form of it, and
//! shared from then on.

use std::sync::{Arc, OnceLock};

use parlor_domain::{Event, UserEvent, UserId};
use parlor_wire::frame::{self, Codec};
use parlor_wire::packet;
use parlor_wire::v1::server_frame;
use parlor_ws::{Kind, Shared};

/// Something to be told, in every form that anybody listens in.
pub struct Frame {
    seq: i64,
    takes_out: Option<UserId>,
    bytes: u64,
    content: server_frame::Frame,
    json: OnceLock<Shared>,
    proto: OnceLock<Shared>,
    deflated: OnceLock<Option<Shared>>,
    packet: OnceLock<Shared>,
}

impl Frame {
    /// An event of a session.
    pub fn event(event: Event) -> Arc<Self> {
        let content = server_frame::Frame::Event((&event).into());
        Self::new(event.seq, event.takes_out(), content)
    }

    /// An entry of a user's own log.
    pub fn user_event(event: UserEvent) -> Arc<Self> {
        let content = server_frame::Frame::Event((&event).into());
        Self::new(event.seq, None, content)
    }

    /// Something without a place in a log.
    pub fn murmur(content: server_frame::Frame) -> Arc<Self> {
        Self::new(0, None, content)
    }

    fn new(seq: i64, takes_out: Option<UserId>, content: server_frame::Frame) -> Arc<Self> {
        Arc::new(Self {
            seq,
            takes_out,
            bytes: content.encoded_len() as u64,
            content,
            json: OnceLock::new(),
            proto: OnceLock::new(),
            deflated: OnceLock::new(),
            packet: OnceLock::new(),
        })
    }

    /// Its place in its log; 0 for a murmur.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// Whom it takes out of the session.
    pub fn takes_out(&self) -> Option<UserId> {
        self.takes_out
    }

    /// The frame as a WebSocket carries it.
    pub fn encoded(&self, codec: Codec) -> &Shared {
        match codec {
            Codec::Json => self.json.get_or_init(|| self.encode(codec, Kind::Text)),
            Codec::Proto => self.proto.get_or_init(|| self.encode(codec, Kind::Binary)),
        }
    }

    /// The JSON frame compressed, for connections that negotiated it; plain where that is smaller.
    pub fn deflated(&self) -> &Shared {
        let plain = self.encoded(Codec::Json);
        self.deflated.get_or_init(|| plain.deflated()).as_ref().unwrap_or(plain)
    }

    /// The frame as an event of Socket.IO, on a WebSocket; its payload is the packet itself.
    pub fn packet(&self) -> &Shared {
        let write = |to: &mut Vec<u8>| packet::event_of(&self.content, to);
        self.packet.get_or_init(|| Shared::build(Kind::Text, 512, write))
    }

    /// How many bytes it takes, as protobuf counts them: known without encoding anything.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn encode(&self, codec: Codec, kind: Kind) -> Shared {
        Shared::build(kind, 512, |to| frame::encode(codec, &self.content, to))
    }
}
