//! The header of a client's frame. Owns everything that can be judged from the header alone, and
//! judges it as soon as the bytes are there; refuses what RFC 6455, 5.2 and 5.5 forbid.

use crate::violation::Violation;

/// The longest header: two bytes, eight of length, four of masking key.
pub(crate) const HEAD_BYTES_MAX: usize = 14;

/// The largest payload of a control frame.
pub(crate) const CONTROL_BYTES_MAX: usize = 125;

const RESERVED: Violation = Violation::protocol("reserved bit set");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn parse(bits: u8) -> Result<Self, Violation> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return Err(Violation::protocol("unknown opcode")),
        })
    }

    pub(crate) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A header as far as the payload's length; the masking key comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) fin: bool,
    /// RSV1: the message that begins here is compressed.
    pub(crate) compressed: bool,
    pub(crate) opcode: Opcode,
    /// As announced: up to 2^63 - 1, to be held against the limit before anything else.
    pub(crate) payload_len: u64,
    /// Where the masking key begins.
    pub(crate) mask_at: usize,
}

impl Head {
    /// Reads a header from the first bytes of a frame, or `None` while some are missing. `deflate`
    /// says whether permessage-deflate was negotiated.
    pub(crate) fn parse(bytes: &[u8], deflate: bool) -> Result<Option<Self>, Violation> {
        let Some(&first) = bytes.first() else {
            return Ok(None);
        };
        let opcode = parse_first(first, deflate)?;
        let Some(&second) = bytes.get(1) else {
            return Ok(None);
        };
        if second & 0x80 == 0 {
            return Err(Violation::protocol("frame is not masked"));
        }
        let short = second & 0x7f;
        if opcode.is_control() && usize::from(short) > CONTROL_BYTES_MAX {
            return Err(Violation::protocol("control frame over 125 bytes"));
        }
        let Some((payload_len, mask_at)) = parse_len(short, &bytes[2..])? else {
            return Ok(None);
        };
        let (fin, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
        Ok(Some(Self { fin, compressed, opcode, payload_len, mask_at }))
    }
}

fn parse_first(first: u8, deflate: bool) -> Result<Opcode, Violation> {
    if first & 0x30 != 0 {
        return Err(RESERVED);
    }
    let opcode = Opcode::parse(first & 0x0f)?;
    if first & 0x40 != 0 && !(deflate && matches!(opcode, Opcode::Text | Opcode::Binary)) {
        return Err(RESERVED);
    }
    if first & 0x80 == 0 && opcode.is_control() {
        return Err(Violation::protocol("control frame is fragmented"));
    }
    Ok(opcode)
}

/// The payload's length and where the masking key begins, from the seven short bits and what
/// follows them.
fn parse_len(short: u8, after: &[u8]) -> Result<Option<(u64, usize)>, Violation> {
    let (len, mask_at, least) = match short {
        126 => match after.first_chunk::<2>() {
            Some(bytes) => (u64::from(u16::from_be_bytes(*bytes)), 4, 126),
            None => return Ok(None),
        },
        127 => match after.first_chunk::<8>() {
            Some(bytes) => (u64::from_be_bytes(*bytes), 10, 1 << 16),
            None => return Ok(None),
        },
        short => (u64::from(short), 2, 0),
    };
    if len < least {
        return Err(Violation::protocol("length is not minimal"));
    }
    if len >> 63 != 0 {
        return Err(Violation::protocol("length has its top bit set"));
    }
    Ok(Some((len, mask_at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_at_the_first_byte_that_shows_it() {
        let table: &[(&[u8], &str)] = &[
            (&[0xb1], "reserved bit set"),
            (&[0x91], "reserved bit set"),
            (&[0xc1], "reserved bit set"),
            (&[0x83], "unknown opcode"),
            (&[0x8b], "unknown opcode"),
            (&[0x8f], "unknown opcode"),
            (&[0x08], "control frame is fragmented"),
            (&[0x09], "control frame is fragmented"),
            (&[0x0a], "control frame is fragmented"),
            (&[0x81, 0x05], "frame is not masked"),
            (&[0x89, 0xfe], "control frame over 125 bytes"),
            (&[0x88, 0xff], "control frame over 125 bytes"),
            (&[0x82, 0xfe, 0, 125], "length is not minimal"),
            (&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], "length is not minimal"),
            (&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], "length has its top bit set"),
        ];
        for (bytes, reason) in table {
            let refused = Err(Violation { code: 1002, reason });
            assert_eq!(Head::parse(bytes, false), refused, "{bytes:02x?}");
            let before = Head::parse(&bytes[..bytes.len() - 1], false);
            assert_eq!(before, Ok(None), "{bytes:02x?} less its last byte");
        }
    }

    #[test]
    fn the_compression_bit_is_for_the_first_frame_of_a_message_and_only_when_negotiated() {
        assert!(matches!(Head::parse(&[0xc1, 0x80], true), Ok(Some(head)) if head.compressed));
        assert!(matches!(Head::parse(&[0x42, 0x80], true), Ok(Some(head)) if head.compressed));
        for first in [0xc0, 0xc8, 0xc9, 0xca, 0xe1, 0xd1] {
            assert_eq!(Head::parse(&[first, 0x80], true), Err(RESERVED), "{first:02x}");
        }
    }

    #[test]
    fn lengths_are_read_in_all_three_forms() {
        let table: &[(&[u8], u64, usize)] = &[
            (&[0x82, 0x80], 0, 2),
            (&[0x82, 0xfd], 125, 2),
            (&[0x82, 0xfe, 0, 126], 126, 4),
            (&[0x82, 0xfe, 0xff, 0xff], 65_535, 4),
            (&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0], 65_536, 10),
            (&[0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255], i64::MAX as u64, 10),
        ];
        for &(bytes, payload_len, mask_at) in table {
            let opcode = Opcode::Binary;
            let head = Head { fin: true, compressed: false, opcode, payload_len, mask_at };
            assert_eq!(Head::parse(bytes, false), Ok(Some(head)), "{bytes:02x?}");
        }
    }
}
