//! WebSocket frames as the load needs them: written masked, read without looking at more than
//! the header. No fragments, no extensions: neither side of the benchmark uses them.

pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Appends a frame as a client writes it.
pub(super) fn write_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    write_header(out, opcode, payload.len(), 0x80);
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// Appends a frame as a server writes it.
pub(super) fn write_plain(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    write_header(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

fn write_header(out: &mut Vec<u8>, opcode: u8, length: usize, masked: u8) {
    out.push(0x80 | opcode);
    match u16::try_from(length) {
        Ok(short @ 0..126) => out.push(masked | short as u8),
        Ok(medium) => {
            out.push(masked | 126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        Err(_) => {
            out.push(masked | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// A frame's header: what it is, where its payload lies.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub(super) opcode: u8,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The first frame in `bytes`, if all of it is there.
pub(super) fn next(bytes: &[u8]) -> Option<Header> {
    let [first, second, ..] = *bytes else {
        return None;
    };
    let (length, mut start) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
        short => (u64::from(short), 2),
    };
    let mut mask = None;
    if second & 0x80 != 0 {
        mask = Some(*bytes.get(start..)?.first_chunk()?);
        start += 4;
    }
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    (end <= bytes.len()).then_some(Header { opcode: first & 0x0f, mask, start, end })
}

/// Takes a client's mask off a payload.
pub(super) fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut bytes = Vec::new();
            write_masked(&mut bytes, TEXT, &payload);
            let header = next(&bytes).unwrap();
            unmask(&mut bytes[header.start..header.end], header.mask.unwrap());
            assert_eq!((header.opcode, header.end), (TEXT, bytes.len()));
            assert_eq!(&bytes[header.start..], payload);
        }
    }

    #[test]
    fn a_frame_that_is_not_all_there_is_none() {
        let mut bytes = Vec::new();
        write_plain(&mut bytes, TEXT, &[b'x'; 300]);
        assert!((0..bytes.len()).all(|length| next(&bytes[..length]).is_none()));
        assert!(next(&bytes).is_some());
    }
}
