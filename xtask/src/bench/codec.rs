//! The event that is sent most often, a message that was posted, in both of its forms: how long
//! it is, and what it costs to write and to read. Measured on the server's own codec.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Context;
use parlor_wire::command::Codec;
use parlor_wire::frame::{Frame, to_vec};
use parlor_wire::v1::event::Kind;
use parlor_wire::v1::{Event, Message, ServerFrame};
use prost::Message as _;

use super::dialect::{content, uuid};
use super::figures::Figures;

const ROUNDS: u32 = 200_000;

/// One run.
pub(super) fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let event = event();
    let json = to_vec(Codec::Json, &event);
    let proto = to_vec(Codec::Proto, &event);
    let read_json = || serde_json::from_slice::<ServerFrame>(black_box(&json)).ok();
    let read_proto = || ServerFrame::decode(black_box(&proto[..])).ok();
    let same = Some(ServerFrame { frame: Some(event.clone()) });
    anyhow::ensure!(read_json() == same, "the JSON form does not read back");
    anyhow::ensure!(read_proto() == same, "the protobuf form does not read back");

    let mut add = |form, what, unit, value| figures.add("codec", form, what, unit, value);
    add("JSON", "length of an event", "bytes", json.len() as f64);
    add("protobuf", "length of an event", "bytes", proto.len() as f64);
    let write = |codec| time(|| to_vec(codec, black_box(&event)));
    add("JSON", "writing an event", "ns", write(Codec::Json)?);
    add("protobuf", "writing an event", "ns", write(Codec::Proto)?);
    add("JSON", "reading an event", "ns", time(read_json)?);
    add("protobuf", "reading an event", "ns", time(read_proto)?);
    Ok(())
}

/// Nanoseconds that `verb` takes.
fn time<T>(verb: impl Fn() -> T) -> anyhow::Result<f64> {
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(verb());
    }
    let each = start.elapsed().checked_div(ROUNDS).context("no rounds")?;
    Ok(each.as_nanos() as f64)
}

fn event() -> Frame {
    const AT: i64 = 1_767_225_600_123_456;
    let posted = Message {
        id: uuid(1),
        no: 123_456,
        number: 1_234,
        seq: 1_300,
        session_id: uuid(2),
        sender_id: uuid(3),
        client_id: uuid(4),
        content: content(7),
        sent_at: AT,
        ..Message::default()
    };
    Frame::Event(Event {
        session_id: Some(uuid(2)),
        seq: Some(1_300),
        at: AT,
        kind: Some(Kind::Posted(posted)),
        ..Event::default()
    })
}
