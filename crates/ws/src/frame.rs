//! Frames from the server to a client: unmasked, never fragmented, built once. Owns the layout of
//! header and payload in one shared buffer; refuses to know who receives it.

use bytes::Bytes;

use crate::close::{Close, may_travel};
use crate::deflate;
use crate::head::CONTROL_BYTES_MAX;

/// The longest unmasked header: two bytes and eight of length.
const HEAD_BYTES_MAX: usize = 10;

/// A message shorter than this is not worth compressing: it fits a packet as it is.
const DEFLATE_BYTES_MIN: usize = 1024;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// What a message's payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
}

impl Kind {
    fn opcode(self) -> u8 {
        match self {
            Self::Text => 0x1,
            Self::Binary => 0x2,
        }
    }
}

/// One whole frame, header and payload in one run of bytes, ready for the socket. A clone shares
/// the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    whole: Bytes,
    header_len: u8,
}

impl Shared {
    /// A text message. `payload` must be UTF-8, or browsers close the connection (1007).
    pub fn text(payload: &[u8]) -> Self {
        Self::build(Kind::Text, payload.len(), |frame| frame.extend_from_slice(payload))
    }

    /// A binary message.
    pub fn binary(payload: &[u8]) -> Self {
        Self::build(Kind::Binary, payload.len(), |frame| frame.extend_from_slice(payload))
    }

    /// A message whose payload `write` appends, so that an encoder writes it where it stays.
    /// `capacity` is a guess at the payload's length in bytes.
    ///
    /// # Panics
    /// If `write` takes away bytes that it did not append.
    pub fn build(kind: Kind, capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut frame = Vec::with_capacity(HEAD_BYTES_MAX + capacity);
        frame.resize(HEAD_BYTES_MAX, 0);
        write(&mut frame);
        debug_assert!(
            kind == Kind::Binary || str::from_utf8(&frame[HEAD_BYTES_MAX..]).is_ok(),
            "a text frame was given bytes that are not UTF-8",
        );
        Self::seal(FIN | kind.opcode(), frame)
    }

    /// The whole frame, as it goes onto the socket.
    pub fn bytes(&self) -> &Bytes {
        &self.whole
    }

    /// What the frame carries: the message, or its compressed form after [`Shared::deflated`].
    pub fn payload(&self) -> Bytes {
        self.whole.slice(usize::from(self.header_len)..)
    }

    /// The same message compressed on its own, for all receivers that negotiated
    /// permessage-deflate. `None` when the message is under 1 KiB, would not become smaller, or is
    /// compressed already: then send the frame as it is, which every receiver understands.
    pub fn deflated(&self) -> Option<Self> {
        let (first, payload) = (self.whole[0], &self.whole[usize::from(self.header_len)..]);
        if payload.len() < DEFLATE_BYTES_MIN || first & RSV1 != 0 {
            return None;
        }
        let packed = deflate::compress(payload, HEAD_BYTES_MAX)?;
        Some(Self::seal(first | RSV1, packed))
    }

    /// Puts a header in front of a payload that was written after `HEAD_BYTES_MAX` spare bytes.
    fn seal(first: u8, mut frame: Vec<u8>) -> Self {
        assert!(frame.len() >= HEAD_BYTES_MAX, "the payload's writer took bytes away");
        let (header, header_len) = header(first, frame.len() - HEAD_BYTES_MAX);
        let start = HEAD_BYTES_MAX - usize::from(header_len);
        frame[start..HEAD_BYTES_MAX].copy_from_slice(&header[..usize::from(header_len)]);
        Self { whole: Bytes::from(frame).slice(start..), header_len }
    }
}

/// An unmasked header, and how many of the bytes it takes.
fn header(first: u8, payload_len: usize) -> ([u8; HEAD_BYTES_MAX], u8) {
    let mut header = [first, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    if payload_len <= CONTROL_BYTES_MAX {
        header[1] = payload_len as u8;
        (header, 2)
    } else if let Ok(len) = u16::try_from(payload_len) {
        header[1] = 126;
        header[2..4].copy_from_slice(&len.to_be_bytes());
        (header, 4)
    } else {
        header[1] = 127;
        header[2..10].copy_from_slice(&(payload_len as u64).to_be_bytes());
        (header, 10)
    }
}

/// A ping. `payload` comes back in the pong; what is over 125 bytes is left out.
pub fn ping(payload: &[u8]) -> Bytes {
    control(PING, payload)
}

/// The answer to a ping, with the ping's own payload.
pub fn pong(payload: &[u8]) -> Bytes {
    control(PONG, payload)
}

/// A close frame. `code` must be one that may travel (1000–1003, 1007–1014, 3000–4999); `reason` is
/// cut to 123 bytes on a character boundary.
pub fn close(code: u16, reason: &str) -> Bytes {
    debug_assert!(may_travel(code), "close code {code} may not be sent");
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(&reason.as_bytes()[..reason.floor_char_boundary(123)]);
    control(CLOSE, &payload)
}

/// The close frame that answers a client's: its code, or nothing where it gave none.
pub fn close_answer(received: Option<Close<'_>>) -> Bytes {
    match received {
        Some(received) => close(received.code, ""),
        None => control(CLOSE, b""),
    }
}

fn control(opcode: u8, payload: &[u8]) -> Bytes {
    let payload = &payload[..payload.len().min(CONTROL_BYTES_MAX)];
    let mut frame = vec![FIN | opcode, payload.len() as u8];
    frame.extend_from_slice(payload);
    Bytes::from(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_as_short_as_the_length_allows() {
        for (len, header) in [
            (0, vec![0x82, 0]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (65_535, vec![0x82, 126, 0xff, 0xff]),
            (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let payload = vec![7; len];
            let frame = Shared::binary(&payload);
            assert_eq!(frame.bytes()[..header.len()], header, "{len}");
            assert_eq!(frame.payload(), payload);
            assert_eq!(frame.bytes().len(), header.len() + len);
        }
    }

    #[test]
    fn a_payload_longer_than_guessed_is_whole() {
        let frame = Shared::build(Kind::Text, 0, |out| out.extend_from_slice("hé".as_bytes()));
        assert_eq!(frame.bytes()[..], *b"\x81\x03h\xc3\xa9");
    }

    #[test]
    fn a_clone_shares_the_bytes() {
        let frame = Shared::text(b"hello");
        assert_eq!(frame.clone().bytes().as_ptr(), frame.bytes().as_ptr());
    }

    #[test]
    fn control_frames_stay_within_125_bytes() {
        assert_eq!(ping(b"")[..], *b"\x89\x00");
        assert_eq!(pong(b"hi")[..], *b"\x8a\x02hi");
        assert_eq!(ping(&[0; 200]).len(), 127);
        assert_eq!(close(1000, "")[..], *b"\x88\x02\x03\xe8");
        assert_eq!(close_answer(None)[..], *b"\x88\x00");
        let said = Close { code: 4001, reason: "bye" };
        assert_eq!(close_answer(Some(said))[..], *b"\x88\x02\x0f\xa1");
    }

    #[test]
    fn a_close_reason_is_cut_between_characters() {
        let frame = close(4008, &"é".repeat(100));
        assert_eq!(frame[1], 2 + 122);
        assert_eq!(str::from_utf8(&frame[4..]), Ok("é".repeat(61).as_str()));
    }

    #[test]
    fn what_is_compressed_is_not_compressed_again() {
        let packed = Shared::binary(&[0; 4 << 20]).deflated().expect("shrinks");
        assert!(packed.payload().len() > DEFLATE_BYTES_MIN);
        assert!(Shared::binary(&packed.payload()).deflated().is_some());
        assert!(packed.deflated().is_none());
    }

    #[test]
    fn only_a_message_that_shrinks_is_compressed() {
        assert!(Shared::text(&[b'a'; DEFLATE_BYTES_MIN - 1]).deflated().is_none());
        let packed = Shared::text(&[b'a'; DEFLATE_BYTES_MIN]).deflated().expect("shrinks");
        assert_eq!(packed.bytes()[0], 0xc1);
        assert!(packed.payload().len() < 100);
        let mut state = 1_u64;
        let noise = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        });
        assert!(Shared::binary(&noise.take(4096).collect::<Vec<_>>()).deflated().is_none());
    }
}
