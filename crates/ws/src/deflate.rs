//! The two halves of permessage-deflate (RFC 7692), each message on its own. Owns the (in)flaters,
//! one of each per thread from their first use; refuses a message that inflates beyond its limit.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::violation::Violation;

/// What a sync flush ends with; it is left out on the wire (RFC 7692, 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

const CORRUPT: Violation = Violation::invalid("compressed data is corrupt");

thread_local! {
    // A compressor takes about 256 KiB and an inflater 48 KiB: too much to make for every message,
    // and too much to keep for every connection.
    static COMPRESSOR: RefCell<Compress> =
        RefCell::new(Compress::new(Compression::default(), false));
    static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Compresses one message behind `spare` zero bytes, or `None` when it does not become smaller.
pub(crate) fn compress(payload: &[u8], spare: usize) -> Option<Vec<u8>> {
    let mut packed = Vec::with_capacity(spare + payload.len());
    packed.resize(spare, 0);
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        compressor.compress_vec(payload, &mut packed, FlushCompress::Sync).ok()
    })?;
    // The flush ends in the tail, unless the buffer was full first: then nothing was gained.
    if packed.len() == packed.capacity() || !packed.ends_with(&TAIL) {
        return None;
    }
    packed.truncate(packed.len() - TAIL.len());
    packed.shrink_to_fit();
    Some(packed)
}

/// How large the compressed form of a message of `bytes_max` bytes may be. Noise grows: by a few
/// bytes per stored block, or by nine bits for eight where a client knows only the fixed codes.
pub(crate) fn packed_bytes_max(bytes_max: usize) -> usize {
    bytes_max.saturating_add(bytes_max / 8).saturating_add(64)
}

/// Inflates one message. Never holds more than `bytes_max` + 1 bytes of it, whatever it claims to
/// become (the attack: 1 KiB that inflates to a gigabyte).
pub(crate) fn inflate(payload: &[u8], bytes_max: usize) -> Result<Vec<u8>, Violation> {
    INFLATER.with_borrow_mut(|inflater| {
        inflater.reset(false);
        let mut plain = Vec::new();
        for input in [payload, &TAIL] {
            if let Some(after) = pump(inflater, input, &mut plain, bytes_max)? {
                // A final block may be followed by its padding only (RFC 7692, 7.2.3.4).
                let padded = matches!(after, [] | [0]);
                return if padded { Ok(plain) } else { Err(CORRUPT) };
            }
        }
        Ok(plain)
    })
}

/// Inflates all of `input` into `plain`; or, where the stream ends before it, answers what is left.
fn pump<'a>(
    inflater: &mut Decompress,
    mut input: &'a [u8],
    plain: &mut Vec<u8>,
    bytes_max: usize,
) -> Result<Option<&'a [u8]>, Violation> {
    loop {
        make_room(plain, bytes_max);
        let before = inflater.total_in();
        let status = inflater.decompress_vec(input, plain, FlushDecompress::Sync);
        input = &input[(inflater.total_in() - before) as usize..];
        if plain.len() > bytes_max {
            return Err(Violation::TOO_BIG);
        }
        match status {
            Err(_) => return Err(CORRUPT),
            Ok(Status::StreamEnd) => return Ok(Some(input)),
            Ok(_) if plain.len() < plain.capacity() => return Ok(None),
            Ok(_) => {}
        }
    }
}

/// Doubles a full buffer, up to one byte more than the limit: that byte shows the excess.
fn make_room(plain: &mut Vec<u8>, bytes_max: usize) {
    if plain.len() == plain.capacity() {
        let left = bytes_max.saturating_add(1) - plain.len();
        plain.reserve_exact(left.min(plain.len().max(1024)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_7692_inflate_to_hello() {
        let table: &[&[u8]] = &[
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ];
        for packed in table {
            assert_eq!(inflate(packed, 5), Ok(b"Hello".to_vec()), "{packed:02x?}");
            assert_eq!(inflate(packed, 4), Err(Violation::TOO_BIG), "{packed:02x?}");
        }
    }

    #[test]
    fn an_empty_message_inflates_to_nothing() {
        assert_eq!(inflate(&[0x00], 0), Ok(vec![]));
    }

    #[test]
    fn data_behind_the_final_block_is_refused() {
        let packed = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00];
        assert_eq!(inflate(&packed, 100), Err(CORRUPT));
    }

    #[test]
    fn a_bad_message_leaves_nothing_behind_for_the_next() {
        assert_eq!(inflate(&[0xff; 40], 100), Err(CORRUPT));
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&hello, 100), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn what_compresses_comes_back_at_exactly_the_limit() {
        let payload: Vec<u8> = (0..5000_u32).flat_map(|i| (i % 61).to_le_bytes()).collect();
        let packed = compress(&payload, 3).expect("repetitive");
        assert_eq!(packed[..3], [0; 3]);
        assert_eq!(inflate(&packed[3..], payload.len()).as_ref(), Ok(&payload));
        assert_eq!(inflate(&packed[3..], payload.len() - 1), Err(Violation::TOO_BIG));
    }
}
