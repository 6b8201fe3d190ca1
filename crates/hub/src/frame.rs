//! One event, one encoding: a frame is encoded when somebody first needs that form of it, and
//! shared from then on.

use std::sync::{Arc, OnceLock};

use parlor_domain::{DeviceId, Event, EventKind, UserEvent, UserId};
use parlor_wire::Dialect;
use parlor_wire::frame::{self, Codec};
use parlor_wire::packet;
use parlor_wire::v1::{self, server_frame};
use parlor_ws::{Kind, Shared};

/// What a frame is in each façade: made when the first of its connections needs it.
type Dialects = [OnceLock<Option<Shared>>; Dialect::ALL.len()];

/// Something to be told, in every form that anybody listens in.
pub struct Frame {
    seq: i64,
    takes_out: Option<UserId>,
    typist: Option<UserId>,
    /// The device that said it, and need not hear it.
    device: Option<DeviceId>,
    bytes: u64,
    /// The number of the message that it tells something of.
    about: Option<i64>,
    /// Of which messages nothing is left with it: the first and the last number.
    erases: Option<(i64, i64)>,
    /// `None` for what only façades say.
    content: Option<server_frame::Frame>,
    ends: bool,
    dialects: OnceLock<Box<Dialects>>,
    json: OnceLock<Shared>,
    proto: OnceLock<Shared>,
    deflated: OnceLock<Option<Shared>>,
    packet: OnceLock<Shared>,
}

impl Frame {
    /// An event of a session.
    pub fn event(event: Event) -> Arc<Self> {
        let told = v1::Event::from(&event);
        let (about, erases) = (told.is_about(), told.erases());
        let content = server_frame::Frame::Event(told);
        let ends = matches!(event.kind, EventKind::Ended { .. });
        let bare = Self::bare(event.seq, event.takes_out(), ends, Some(content));
        Arc::new(Self { about, erases, ..bare })
    }

    /// The same without what it tells of a message, if that is one of these, of which nothing is
    /// left since then: the first and the last number.
    pub(crate) fn without(&self, (from, to): (i64, i64), at: i64) -> Option<Arc<Self>> {
        self.about.filter(|number| (from..=to).contains(number))?;
        let mut content = self.content.clone()?;
        if let server_frame::Frame::Event(event) = &mut content {
            event.erase(at);
        }
        let bare = Self::bare(self.seq, self.takes_out, self.ends, Some(content));
        Some(Arc::new(Self { about: self.about, ..bare }))
    }

    /// Of which messages nothing is left with it, the first and the last number, and since when.
    pub(crate) fn erases(&self) -> Option<((i64, i64), i64)> {
        match &self.content {
            Some(server_frame::Frame::Event(event)) => Some((self.erases?, event.at)),
            _ => None,
        }
    }

    /// An entry of a user's own log.
    pub fn user_event(event: UserEvent) -> Arc<Self> {
        let content = server_frame::Frame::Event((&event).into());
        Self::new(event.seq, None, false, Some(content))
    }

    /// Something without a place in a log.
    pub fn murmur(content: server_frame::Frame) -> Arc<Self> {
        Self::new(0, None, false, Some(content))
    }

    /// Something that a user's devices hear, but for the one that it comes from.
    pub fn murmur_from(device: DeviceId, content: server_frame::Frame) -> Arc<Self> {
        Arc::new(Self { device: Some(device), ..Self::bare(0, None, false, Some(content)) })
    }

    /// Something that only the connections of one façade hear.
    pub fn murmur_in(dialect: Dialect, said: Shared) -> Arc<Self> {
        let frame = Self::new(0, None, false, None);
        frame.say_in(dialect, Some(said));
        frame
    }

    /// Somebody says that they are writing.
    pub fn typing_of(user: UserId) -> Arc<Self> {
        Arc::new(Self { typist: Some(user), ..Self::bare(0, None, false, None) })
    }

    /// Something that says nothing: who hears it looks for themselves.
    pub fn knock() -> Arc<Self> {
        Self::new(0, None, false, None)
    }

    fn new(
        seq: i64,
        takes_out: Option<UserId>,
        ends: bool,
        content: Option<server_frame::Frame>,
    ) -> Arc<Self> {
        Arc::new(Self::bare(seq, takes_out, ends, content))
    }

    fn bare(
        seq: i64,
        takes_out: Option<UserId>,
        ends: bool,
        content: Option<server_frame::Frame>,
    ) -> Self {
        Self {
            seq,
            takes_out,
            typist: None,
            device: None,
            bytes: content.as_ref().map_or(0, |content| content.encoded_len() as u64),
            about: None,
            erases: None,
            ends,
            dialects: OnceLock::new(),
            content,
            json: OnceLock::new(),
            proto: OnceLock::new(),
            deflated: OnceLock::new(),
            packet: OnceLock::new(),
        }
    }

    /// Its place in its log; 0 for a murmur.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// Whom it takes out of the session.
    pub fn takes_out(&self) -> Option<UserId> {
        self.takes_out
    }

    /// Who says by it that they are writing.
    pub fn typist(&self) -> Option<UserId> {
        self.typist
    }

    /// Whether it comes from this device, which need not hear it.
    pub fn is_from(&self, device: DeviceId) -> bool {
        self.device == Some(device)
    }

    /// Whether the session is over with it.
    pub fn ends(&self) -> bool {
        self.ends
    }

    /// What it says, for façades to translate; `None` for what only façades say.
    pub fn content(&self) -> Option<&server_frame::Frame> {
        self.content.as_ref()
    }

    /// What it is in a façade, where it was translated already; within it `None` when the façade
    /// has no words for it.
    pub fn in_dialect(&self, dialect: Dialect) -> Option<&Option<Shared>> {
        self.dialects.get()?[dialect as usize].get()
    }

    /// Keeps a translation for all connections of the façade; the first one stands.
    pub fn say_in(&self, dialect: Dialect, said: Option<Shared>) -> &Option<Shared> {
        self.dialects.get_or_init(Box::default)[dialect as usize].get_or_init(|| said)
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
        let write = |to: &mut Vec<u8>| {
            if let Some(content) = &self.content {
                packet::event_of(content, to);
            }
        };
        self.packet.get_or_init(|| Shared::build(Kind::Text, 512, write))
    }

    /// How many bytes it takes, as protobuf counts them: known without encoding anything.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn encode(&self, codec: Codec, kind: Kind) -> Shared {
        Shared::build(kind, 512, |to| {
            if let Some(content) = &self.content {
                frame::encode(codec, content, to);
            }
        })
    }
}
