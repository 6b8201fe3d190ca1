//! What holds for every stream, however it is cut.

use parlor_ws::{Decoder, Limits, Shared};
use proptest::collection::vec;
use proptest::prelude::*;
use std::ops::ControlFlow;

use crate::client::{Got, Reader, frame};
use crate::compression::pack;

/// One thing that a well-behaved client says.
#[derive(Debug, Clone)]
enum Said {
    /// A message, whether it is compressed, and the lengths of its fragments but for the last.
    Message { got: Got, packed: bool, cuts: Vec<usize> },
    /// A control frame, which comes between the fragments of the message before it.
    Control(Got),
}

fn said() -> impl Strategy<Value = Said> {
    let text = "\\PC{0,200}".prop_map(Got::Text);
    let binary = vec(any::<u8>(), 0..400).prop_map(Got::Binary);
    let message = (prop_oneof![text, binary], any::<bool>(), vec(0..60_usize, 0..8))
        .prop_map(|(got, packed, cuts)| Said::Message { got, packed, cuts });
    let ping = vec(any::<u8>(), 0..=125).prop_map(|payload| Said::Control(Got::Ping(payload)));
    prop_oneof![3 => message, 1 => ping, 1 => Just(Said::Control(Got::Pong))]
}

/// The frames of a message, with pings between its fragments; and what should come of it.
fn say(said: &Said) -> (Vec<u8>, Vec<Got>) {
    let (got, packed, cuts) = match said {
        Said::Message { got, packed, cuts } => (got, *packed, cuts),
        Said::Control(Got::Ping(payload)) => {
            return (frame(0x89, payload), vec![Got::Ping(payload.clone())]);
        }
        Said::Control(_) => return (frame(0x8a, b"whatever"), vec![Got::Pong]),
    };
    let (opcode, payload) = match got {
        Got::Text(text) => (0x01, text.as_bytes()),
        Got::Binary(bytes) => (0x02, bytes.as_slice()),
        other => unreachable!("{other:?} is no message"),
    };
    let payload = if packed { pack(payload) } else { payload.to_vec() };
    let (mut rest, mut wire, mut expected) = (payload.as_slice(), Vec::new(), Vec::new());
    let mut first = opcode | if packed { 0x40 } else { 0 };
    for cut in cuts {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        wire.extend(frame(first, piece));
        wire.extend(frame(0x89, piece));
        expected.push(Got::Ping(piece.to_vec()));
        (rest, first) = (after, 0x00);
    }
    wire.extend(frame(0x80 | first, rest));
    expected.push(got.clone());
    (wire, expected)
}

/// A frame that is often nearly right: the first byte, the mask bit and the payload may be wrong.
fn dubious() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => prop::sample::select(vec![0x01_u8, 0x02, 0x00, 0x80, 0x81, 0x82, 0x89, 0x8a]),
        2 => prop::sample::select(vec![0x41_u8, 0xc1, 0xc2, 0x88]),
        1 => any::<u8>(),
    ];
    let piece = prop_oneof![
        3 => "[a-z€😀]{0,6}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..4),
        1 => Just("€".as_bytes()[..2].to_vec()),
        1 => Just(pack(b"hello")),
        1 => Just(vec![0; 126]),
    ];
    (first, piece, prop::bool::weighted(0.03)).prop_map(|(first, piece, unmasked)| {
        let mut bytes = frame(first, &piece);
        if unmasked {
            bytes[1] &= 0x7f;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn any_cut_of_a_stream_gives_the_messages_that_were_sent(
        said in vec(said(), 0..8),
        cuts in vec(1..50_usize, 1..6),
    ) {
        let (wire, expected): (Vec<_>, Vec<_>) = said.iter().map(say).unzip();
        let (wire, expected) = (wire.concat(), expected.concat());
        for lens in [&[usize::MAX], &[1], cuts.as_slice()] {
            let mut reader = Reader::new(Limits::default(), true);
            prop_assert_eq!(reader.feed_cut(&wire, lens), Ok(()));
            prop_assert_eq!(&reader.got, &expected);
            prop_assert!(reader.decoder.is_idle());
        }
    }

    #[test]
    fn any_cut_of_a_dubious_stream_gives_the_same_messages_and_the_same_verdict(
        frames in vec(dubious(), 0..12),
        lost in 0..6_usize,
        cuts in vec(1..20_usize, 1..6),
        deflate in any::<bool>(),
    ) {
        let wire = frames.concat();
        let wire = &wire[..wire.len().saturating_sub(lost)];
        let limits = Limits { message_bytes_max: 200, fragments_max: 3 };
        let mut whole = Reader::new(limits, deflate);
        let verdict = whole.feed(wire);
        for lens in [&[1], cuts.as_slice()] {
            let mut reader = Reader::new(limits, deflate);
            prop_assert_eq!(reader.feed_cut(wire, lens), verdict);
            prop_assert_eq!(&reader.got, &whole.got);
        }
    }

    #[test]
    fn random_bytes_never_panic(
        mut chunks in vec(vec(any::<u8>(), 0..300), 0..6),
        deflate in any::<bool>(),
    ) {
        let mut decoder = Decoder::new(Limits::default(), deflate);
        for chunk in &mut chunks {
            let verdict = decoder.feed(chunk, |_| ControlFlow::Continue(()));
            prop_assert!(verdict.is_ok() || decoder.is_idle());
        }
    }

    #[test]
    fn random_compressed_messages_never_panic_nor_outgrow_the_limit(
        payload in vec(any::<u8>(), 0..300),
    ) {
        let limits = Limits { message_bytes_max: 1000, fragments_max: 1 };
        let mut reader = Reader::new(limits, true);
        let verdict = reader.feed(&frame(0xc2, &payload)).map_err(|violation| violation.code);
        prop_assert!(matches!(verdict, Ok(()) | Err(1007 | 1009)));
        let fits = |got: &Got| matches!(got, Got::Binary(bytes) if bytes.len() <= 1000);
        prop_assert!(reader.got.iter().all(fits));
    }

    #[test]
    fn what_is_compressed_once_is_read_back_by_everybody(
        text in "[a-d ]{1024,3000}",
    ) {
        let packed = Shared::text(text.as_bytes()).deflated().expect("shrinks");
        let mut reader = Reader::new(Limits::default(), true);
        prop_assert_eq!(reader.feed(&frame(0xc1, &packed.payload())), Ok(()));
        prop_assert_eq!(reader.got, [Got::Text(text)]);
    }
}
