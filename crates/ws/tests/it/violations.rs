//! Every way a client can break the rules, and the close code that answers it.

use parlor_ws::{Limits, Violation};

use crate::client::{Got, Reader, frame, head, read};

/// The close code that answers a stream, however it is cut.
fn code(bytes: &[u8]) -> Option<u16> {
    let verdict = read(bytes).1.err();
    let mut slow = Reader::new(Limits::default(), false);
    assert_eq!(slow.feed_cut(bytes, &[1]).err(), verdict, "byte by byte: {bytes:02x?}");
    verdict.map(|violation| violation.code)
}

#[test]
fn frames_that_break_the_protocol_are_answered_with_1002() {
    let unmasked = b"\x81\x05hello".to_vec();
    let table = [
        ("unmasked", unmasked),
        ("rsv1", frame(0xc1, b"x")),
        ("rsv2", frame(0xa1, b"x")),
        ("rsv3", frame(0x91, b"x")),
        ("rsv1 on a ping", frame(0xc9, b"x")),
        ("opcode 3", frame(0x83, b"x")),
        ("opcode 7", frame(0x87, b"x")),
        ("opcode 11", frame(0x8b, b"x")),
        ("opcode 15", frame(0x8f, b"x")),
        ("fragmented ping", frame(0x09, b"x")),
        ("fragmented pong", frame(0x0a, b"x")),
        ("fragmented close", frame(0x08, b"")),
        ("ping of 126 bytes", frame(0x89, &[0; 126])),
        ("pong of 65,536 bytes", head(0x8a, 65_536)),
        ("close of 126 bytes", frame(0x88, &[0x03; 126])),
        ("125 in two bytes", vec![0x82, 0xfe, 0, 125]),
        ("65,535 in eight bytes", vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        ("length with the top bit set", head(0x82, 1 << 63)),
        ("continuation of nothing", frame(0x80, b"x")),
        ("open continuation of nothing", frame(0x00, b"x")),
        ("text inside a text", [frame(0x01, b"x"), frame(0x81, b"y")].concat()),
        ("binary inside a text", [frame(0x01, b"x"), frame(0x02, b"y")].concat()),
        ("continuation after the end", [frame(0x81, b"x"), frame(0x80, b"y")].concat()),
        ("close of one byte", frame(0x88, b"\x03")),
        ("close code 999", frame(0x88, &999_u16.to_be_bytes())),
        ("close code 1004", frame(0x88, &1004_u16.to_be_bytes())),
        ("close code 1005", frame(0x88, &1005_u16.to_be_bytes())),
        ("close code 1006", frame(0x88, &1006_u16.to_be_bytes())),
        ("close code 1015", frame(0x88, &1015_u16.to_be_bytes())),
        ("close code 5000", frame(0x88, &5000_u16.to_be_bytes())),
        ("data after close", [frame(0x88, b""), frame(0x81, b"x")].concat()),
    ];
    for (what, bytes) in table {
        assert_eq!(code(&bytes), Some(1002), "{what}");
    }
}

#[test]
fn text_that_is_not_utf_8_is_answered_with_1007() {
    let euro = "€".as_bytes();
    let table = [
        ("in one frame", frame(0x81, b"a\xff")),
        ("cut at the end", frame(0x81, &euro[..2])),
        (
            "cut at the end of the last fragment",
            [frame(0x01, b"a"), frame(0x80, &euro[..1])].concat(),
        ),
        ("empty last fragment after a cut", [frame(0x01, &euro[..2]), frame(0x80, b"")].concat()),
        ("split and invalid later", [frame(0x01, &euro[..1]), frame(0x00, b"z")].concat()),
        ("surrogate", frame(0x81, b"\xed\xa0\x80")),
        ("overlong", frame(0x81, b"\xc0\xaf")),
        ("close reason", frame(0x88, b"\x03\xe8\xff")),
        ("close reason cut", frame(0x88, b"\x03\xe8\xe2\x82")),
    ];
    for (what, bytes) in table {
        assert_eq!(code(&bytes), Some(1007), "{what}");
    }
}

#[test]
fn invalid_text_is_refused_before_its_frame_is_complete() {
    let bytes = frame(0x81, b"fine \xed\xa0\x80 and a long tail that need not arrive");
    let mut reader = Reader::new(Limits::default(), false);
    assert_eq!(reader.feed(&bytes[..6 + 6]), Ok(()));
    assert_eq!(reader.feed(&bytes[12..13]).map_err(|v| v.code), Err(1007));
}

#[test]
fn an_announced_length_over_the_limit_is_answered_with_1009_at_its_last_byte() {
    for len in [65_537, u64::from(u32::MAX) + 1, i64::MAX as u64] {
        let bytes = head(0x82, len);
        let mut reader = Reader::new(Limits::default(), false);
        assert_eq!(reader.feed(&bytes[..bytes.len() - 1]), Ok(()));
        assert_eq!(reader.feed(&bytes[9..]).map_err(|v| v.code), Err(1009), "{len}");
        assert!(reader.decoder.is_idle());
    }
}

#[test]
fn fragments_are_counted_together() {
    let half = frame(0x02, &[0; 40_000]);
    let bytes = [half, head(0x80, 25_536)].concat();
    assert_eq!(code(&bytes), None);
    let bytes = [frame(0x02, &[0; 40_000]), head(0x80, 25_537)].concat();
    assert_eq!(code(&bytes), Some(1009));
}

#[test]
fn a_flood_of_empty_continuations_is_answered_with_1008_at_the_seventeenth_frame() {
    let mut reader = Reader::new(Limits::default(), false);
    assert_eq!(reader.feed(&frame(0x01, b"")), Ok(()));
    for _ in 1..16 {
        assert_eq!(reader.feed(&frame(0x00, b"")), Ok(()));
    }
    assert_eq!(reader.feed(&frame(0x00, b"")).map_err(|v| v.code), Err(1008));
}

#[test]
fn pings_between_fragments_are_not_counted() {
    let ping = frame(0x89, b"x");
    let middle: Vec<u8> =
        (0..14).flat_map(|_| [ping.clone(), frame(0x00, b"y")].concat()).collect();
    let bytes = [frame(0x01, b"y"), middle, ping, frame(0x80, b"y")].concat();
    let (got, verdict) = read(&bytes);
    assert_eq!((got.len(), verdict), (16, Ok(())));
    assert_eq!(got.last(), Some(&Got::Text("y".repeat(16))));
}

#[test]
fn what_came_before_a_violation_is_handed_over_and_nothing_after_it() {
    let bytes = [frame(0x81, b"one"), frame(0x83, b""), frame(0x81, b"two")].concat();
    let mut reader = Reader::new(Limits::default(), false);
    let violation = Violation { code: 1002, reason: "unknown opcode" };
    assert_eq!(reader.feed(&bytes), Err(violation));
    assert_eq!(reader.feed(&frame(0x81, b"three")), Err(violation));
    assert_eq!(reader.got, [Got::Text("one".into())]);
    assert_eq!(violation.close_frame()[..4], *b"\x88\x10\x03\xea");
    assert_eq!(violation.close_frame()[4..], *b"unknown opcode");
}
