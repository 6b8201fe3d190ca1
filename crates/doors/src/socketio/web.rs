//! A WebSocket that carries packets.

use std::io;
use std::ops::ControlFlow;
use std::task::{Context, Poll};

use bytes::Bytes;
use parlor_domain::Limits;
use parlor_wire::packet::{self, Packet};
use parlor_ws::{Decoder, Incoming, PingBudget, Shared, close_answer};

use crate::line::READ_BYTES;
use crate::outgoing::Outgoing;
use crate::serve::Stream;

use super::line::End;

/// One WebSocket.
pub(super) struct Web {
    pub(super) stream: Stream,
    pub(super) out: Outgoing,
    decoder: Decoder,
    pings: PingBudget,
}

/// Packets, and then perhaps the end.
pub(super) type Heard = (Vec<Packet>, Option<End>);

impl Web {
    pub(super) fn new(stream: Stream, limits: &Limits) -> Self {
        let sizes = parlor_ws::Limits {
            message_bytes_max: usize::try_from(limits.socket_message_bytes_max)
                .unwrap_or(usize::MAX),
            fragments_max: u32::try_from(limits.socket_fragments_max).unwrap_or(u32::MAX),
        };
        let pings = u32::try_from(limits.socket_pings_per_s_max).unwrap_or(u32::MAX);
        Self {
            stream,
            out: Outgoing::default(),
            decoder: Decoder::new(sizes, false),
            pings: PingBudget::new(pings),
        }
    }

    /// Puts a packet on its way.
    pub(super) fn say(&mut self, packet: &str) {
        self.out.push(Shared::text(packet.as_bytes()).bytes().clone());
    }

    /// Whether everything was written.
    pub(super) fn is_empty(&self) -> bool {
        self.out.is_empty() && self.stream.is_flushed()
    }

    pub(super) fn poll_read(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_read_ready(cx)
    }

    /// One read: how many bytes, and what is in them; `None` when nothing is there.
    pub(super) fn read(
        &mut self,
        now_ms: u64,
        depth_max: u64,
    ) -> Result<Option<(usize, Heard)>, End> {
        let mut buffer = [0; READ_BYTES];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(End::Gone),
            Ok(n) => Ok(Some((n, self.parse(&mut buffer[..n], now_ms, depth_max)))),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(_) => Err(End::Gone),
        }
    }

    /// Takes frames apart.
    pub(super) fn parse(&mut self, bytes: &mut [u8], now_ms: u64, depth_max: u64) -> Heard {
        let (mut packets, mut end) = (Vec::new(), None);
        let (pings, out) = (&mut self.pings, &mut self.out);
        let fed = self.decoder.feed(bytes, |incoming| {
            let over = match incoming {
                Incoming::Text(text) => match packet::parse(text.as_bytes(), depth_max) {
                    Ok(packet) => {
                        packets.push(packet);
                        return ControlFlow::Continue(());
                    }
                    Err(no_packet) => End::wrong(&no_packet),
                },
                Incoming::Binary(_) => End::with(1003, "nothing binary is spoken here"),
                Incoming::Close(close) => End::Goodbye(close_answer(close)),
                Incoming::Ping(_) | Incoming::Pong => match pings.spend(now_ms) {
                    Ok(()) => {
                        if let Incoming::Ping(payload) = incoming {
                            out.push(parlor_ws::pong(payload));
                        }
                        return ControlFlow::Continue(());
                    }
                    Err(violation) => End::Goodbye(violation.close_frame()),
                },
            };
            end = Some(over);
            ControlFlow::Break(())
        });
        let fed = fed.err().map(|violation| End::Goodbye(violation.close_frame()));
        (packets, end.or(fed))
    }

    /// What is on its way already, and then this.
    pub(super) fn queue(&mut self, frames: impl Iterator<Item = Bytes>) {
        frames.for_each(|frame| self.out.push(frame));
    }
}
