//! permessage-deflate, from the client's side and from the server's.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use parlor_ws::{Limits, Shared};

use crate::client::{Got, Reader, frame};

/// A message as a client with a fresh window compresses it.
pub(crate) fn pack(payload: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(payload.len() + 1024);
    Compress::new(Compression::best(), false)
        .compress_vec(payload, &mut packed, FlushCompress::Sync)
        .expect("compresses");
    packed.truncate(packed.len() - 4);
    packed
}

/// What a client with a fresh window makes of a compressed payload.
fn unpack(payload: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(1 << 20);
    let packed = [payload, &[0, 0, 0xff, 0xff]].concat();
    Decompress::new(false)
        .decompress_vec(&packed, &mut plain, FlushDecompress::Sync)
        .expect("inflates");
    plain
}

fn reader() -> Reader {
    Reader::new(Limits::default(), true)
}

fn code(bytes: &[u8]) -> Option<u16> {
    reader().feed(bytes).err().map(|violation| violation.code)
}

#[test]
fn a_compressed_message_is_read_whole_in_fragments_and_byte_by_byte() {
    let packed = pack("tiens, tiens, tiens, hé".as_bytes());
    let (head, tail) = packed.split_at(5);
    let whole = frame(0xc1, &packed);
    let cut = [frame(0x41, head), frame(0x89, b""), frame(0x80, tail)].concat();
    let text = Got::Text("tiens, tiens, tiens, hé".into());
    let mut reader = reader();
    assert_eq!(reader.feed(&whole), Ok(()));
    assert_eq!(reader.feed_cut(&cut, &[1]), Ok(()));
    assert_eq!(reader.feed(&frame(0x81, b"plain")), Ok(()));
    let plain = Got::Text("plain".into());
    assert_eq!(reader.got, [text.clone(), Got::Ping(vec![]), text, plain]);
    assert!(reader.decoder.is_idle());
}

#[test]
fn a_bomb_is_answered_with_1009() {
    let bomb = pack(&vec![0; 32 * 1024 * 1024]);
    assert!(bomb.len() < 64 * 1024, "{} bytes on the wire", bomb.len());
    assert_eq!(code(&frame(0xc2, &bomb)), Some(1009));
    assert_eq!(code(&frame(0xc2, &pack(&[0; 65_537]))), Some(1009));
    assert_eq!(code(&frame(0xc2, &pack(&[0; 65_536]))), None);
}

#[test]
fn a_message_that_does_not_compress_may_be_as_long_as_any_other() {
    let mut state = 7_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let noise: Vec<u8> = noise.take(65_536).collect();
    let packed = pack(&noise);
    assert!(packed.len() > noise.len());
    let (head, tail) = packed.split_at(60_000);
    for bytes in [frame(0xc2, &packed), [frame(0x42, head), frame(0x80, tail)].concat()] {
        let mut reader = reader();
        assert_eq!(reader.feed(&bytes), Ok(()));
        assert_eq!(reader.got, [Got::Binary(noise.clone())]);
    }
}

#[test]
fn what_a_compressed_frame_announces_is_limited_too() {
    assert_eq!(code(&crate::client::head(0xc2, 80_000)), Some(1009));
}

#[test]
fn corrupt_data_and_invalid_text_are_answered_with_1007() {
    assert_eq!(code(&frame(0xc2, &[0xff; 20])), Some(1007));
    assert_eq!(code(&frame(0xc1, &pack(b"a\xff"))), Some(1007));
}

#[test]
fn a_continuation_may_not_carry_the_compression_bit() {
    let bytes = [frame(0x41, b"x"), frame(0xc0, b"y")].concat();
    assert_eq!(code(&bytes), Some(1002));
}

#[test]
fn a_shared_frame_is_compressed_once_and_inflates_to_the_same_message() {
    for len in [1024, 5000, 70_000, 300_000] {
        let text = "the quick brown fox ".repeat(len / 20 + 1);
        let plain = Shared::text(text.as_bytes());
        let packed = plain.deflated().expect("shrinks");
        assert!(packed.bytes().len() < plain.bytes().len());
        assert_eq!(packed.bytes()[0], plain.bytes()[0] | 0x40);
        assert_eq!(unpack(&packed.payload()), text.as_bytes());
    }
}
