//! What a well-behaved client sends, and what is kept of it.

use std::ops::ControlFlow;

use parlor_ws::{Decoder, Incoming, Limits};

use crate::client::{Got, Reader, frame, read};

#[test]
fn messages_come_in_order() {
    let bytes = [
        frame(0x81, "hé".as_bytes()),
        frame(0x82, &[0, 255]),
        frame(0x89, b"are you there"),
        frame(0x8a, b"yes"),
        frame(0x81, b""),
        frame(0x88, b"\x0f\xa1bye"),
    ];
    let expected = [
        Got::Text("hé".into()),
        Got::Binary(vec![0, 255]),
        Got::Ping(b"are you there".into()),
        Got::Pong,
        Got::Text(String::new()),
        Got::Close(Some((4001, "bye".into()))),
    ];
    assert_eq!(read(&bytes.concat()), (expected.into(), Ok(())));
}

#[test]
fn a_whole_frame_is_lent_where_it_lies() {
    let mut bytes = [frame(0x81, b"first"), frame(0x82, &[7; 3000])].concat();
    let range = bytes.as_ptr_range();
    let mut decoder = Decoder::new(Limits::default(), false);
    let mut count = 0;
    let verdict = decoder.feed(&mut bytes, |incoming| {
        let payload = match incoming {
            Incoming::Text(text) => text.as_bytes(),
            Incoming::Binary(bytes) => bytes,
            other => panic!("{other:?}"),
        };
        assert!(range.contains(&payload.as_ptr()));
        count += 1;
        ControlFlow::Continue(())
    });
    assert_eq!((verdict, count), (Ok(()), 2));
}

#[test]
fn nothing_is_kept_between_whole_messages() {
    let mut reader = Reader::new(Limits::default(), false);
    assert!(reader.decoder.is_idle());
    let bytes = [frame(0x01, b"ab"), frame(0x89, b"ping"), frame(0x80, b"cd")].concat();
    for byte in &bytes {
        assert_eq!(reader.feed(&[*byte]), Ok(()));
        let last = std::ptr::eq(byte, &bytes[bytes.len() - 1]);
        assert_eq!(reader.decoder.is_idle(), last);
    }
    assert_eq!(reader.got, [Got::Ping(b"ping".into()), Got::Text("abcd".into())]);
}

#[test]
fn a_message_of_exactly_the_limit_is_accepted_whole_and_in_fragments() {
    let payload = vec![b'x'; 65_536];
    let text = Got::Text("x".repeat(65_536));
    assert_eq!(read(&frame(0x81, &payload)), (vec![text.clone()], Ok(())));
    let (head, tail) = payload.split_at(40_000);
    let bytes = [frame(0x01, head), frame(0x00, b""), frame(0x80, tail)].concat();
    assert_eq!(read(&bytes), (vec![text], Ok(())));
}

#[test]
fn a_limit_on_messages_is_none_on_control_frames() {
    let limits = Limits { message_bytes_max: 3, fragments_max: 1 };
    let mut reader = Reader::new(limits, false);
    assert_eq!(reader.feed(&frame(0x89, b"longer than three")), Ok(()));
    assert_eq!(reader.got, [Got::Ping(b"longer than three".into())]);
}

#[test]
fn a_character_may_be_cut_by_a_fragment_and_a_ping() {
    let euro = "€".as_bytes();
    let bytes = [frame(0x01, &euro[..1]), frame(0x89, b"\xff"), frame(0x80, &euro[1..])];
    let expected = vec![Got::Ping(vec![0xff]), Got::Text("€".into())];
    assert_eq!(read(&bytes.concat()), (expected, Ok(())));
}

#[test]
fn a_break_ends_the_reading_for_good() {
    let mut bytes = [frame(0x81, b"one"), frame(0x81, b"two")].concat();
    let mut decoder = Decoder::new(Limits::default(), false);
    let mut got: Vec<Got> = Vec::new();
    for _ in 0..2 {
        let verdict = decoder.feed(&mut bytes, |incoming| {
            got.push(incoming.into());
            ControlFlow::Break(())
        });
        assert_eq!(verdict, Ok(()));
    }
    assert_eq!(got, [Got::Text("one".into())]);
}

#[test]
fn whoever_breaks_at_a_close_sees_nothing_of_what_follows() {
    let mut bytes = [frame(0x88, b""), frame(0x83, b"nonsense")].concat();
    let mut decoder = Decoder::new(Limits::default(), false);
    let verdict = decoder.feed(&mut bytes, |_| ControlFlow::Break(()));
    assert_eq!(verdict, Ok(()));
}
