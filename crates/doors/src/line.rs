//! One open WebSocket: its bytes both ways, its patience and its end. What is said on it, others
//! know: `socket.rs` in our own words, `facade/` in those of other systems.

use std::future::Future as _;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use parlor_domain::{Limits, Time};
use parlor_ws::{Decoder, Incoming, PingBudget, close_answer};
use tokio::time::Sleep;

use crate::manner::{End, part};
use crate::outgoing::{Outgoing, SLICES};
use crate::serve::Stream;

/// Bytes read at once, on the stack: an idle connection has no buffer.
pub(crate) const READ_BYTES: usize = 16 * 1024;

/// What a line is ready for.
pub(crate) enum Ready {
    Write,
    Read,
    Tick,
}

/// One open socket.
pub(crate) struct Line {
    stream: Stream,
    decoder: Decoder,
    pings: PingBudget,
    out: Outgoing,
    timer: Pin<Box<Sleep>>,
    /// Timer ticks since the peer said anything, and since it took anything that is due to it.
    silent: u32,
    stalled: u32,
}

impl Line {
    pub(crate) fn new(limits: &Limits, deflate: bool, stream: Stream) -> Self {
        let sizes = parlor_ws::Limits {
            message_bytes_max: usize::try_from(limits.socket_message_bytes_max)
                .unwrap_or(usize::MAX),
            fragments_max: u32::try_from(limits.socket_fragments_max).unwrap_or(u32::MAX),
        };
        let pings = u32::try_from(limits.socket_pings_per_s_max).unwrap_or(u32::MAX);
        Self {
            stream,
            decoder: Decoder::new(sizes, deflate),
            pings: PingBudget::new(pings),
            out: Outgoing::default(),
            timer: Box::pin(tokio::time::sleep(tick(limits))),
            silent: 0,
            stalled: 0,
        }
    }

    /// Puts a frame behind those that are to be written.
    pub(crate) fn push(&mut self, frame: Bytes) {
        self.out.push(frame);
    }

    /// Whether everything was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.out.is_empty() && self.stream.is_flushed()
    }

    /// Whether as much waits to be written as goes into one call.
    pub(crate) fn is_full(&self) -> bool {
        self.out.len() >= SLICES
    }

    /// How many bytes wait to be written.
    pub(crate) fn bytes(&self) -> u64 {
        self.out.bytes()
    }

    /// Writes as much as the peer takes without waiting.
    pub(crate) fn write(&mut self) -> Result<(), End> {
        if self.out.write(&mut self.stream)? {
            self.stalled = 0;
        }
        Ok(())
    }

    /// Ready when what is left can be written.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        if self.is_empty() {
            return Poll::Pending;
        }
        self.stream.poll_write_ready(cx).map_ok(|()| Ready::Write)
    }

    /// Ready when more can be written, or nothing is left.
    pub(crate) fn poll_drained(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.stream.poll_write_ready(cx)
    }

    /// Ready when something can be read.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.stream.poll_read_ready(cx).map_ok(|()| Ready::Read)
    }

    /// Ready at the next beat of the timer.
    pub(crate) fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.timer.as_mut().poll(cx).map(|()| Ok(Ready::Tick))
    }

    /// One read: how many bytes, and what [`Line::feed`] made of them; `None`: nothing is there.
    pub(crate) fn read_once(
        &mut self,
        now: Time,
        said: impl FnMut(Incoming<'_>) -> ControlFlow<End>,
    ) -> Result<Option<(usize, Option<End>)>, End> {
        let mut buffer = [0; READ_BYTES];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(End::Gone),
            Ok(n) => Ok(Some((n, self.feed(&mut buffer[..n], now, said)))),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Takes frames apart: `said` gets the messages, the rest is answered here. Returns the end
    /// that the peer asked for or brought about.
    pub(crate) fn feed(
        &mut self,
        bytes: &mut [u8],
        now: Time,
        mut said: impl FnMut(Incoming<'_>) -> ControlFlow<End>,
    ) -> Option<End> {
        self.silent = 0;
        let now_ms = now.millis().unsigned_abs();
        let (pings, out, mut end) = (&mut self.pings, &mut self.out, None);
        let fed = self.decoder.feed(bytes, |incoming| {
            let flow = match incoming {
                Incoming::Close(close) => ControlFlow::Break(End::Goodbye(close_answer(close))),
                Incoming::Ping(_) | Incoming::Pong => match pings.spend(now_ms) {
                    Err(violation) => ControlFlow::Break(End::Goodbye(violation.close_frame())),
                    Ok(()) => {
                        if let Incoming::Ping(payload) = incoming {
                            out.push(parlor_ws::pong(payload));
                        }
                        ControlFlow::Continue(())
                    }
                },
                message => said(message),
            };
            flow.map_break(|how| end = Some(how))
        });
        end.or(fed.err().map(|violation| End::Goodbye(violation.close_frame())))
    }

    /// A beat of the timer: pings the silent, leaves the dead and the stalled.
    pub(crate) fn beat(&mut self, limits: &Limits) -> Result<(), End> {
        let tick = tick(limits);
        self.silent += 1;
        self.stalled = if self.is_empty() { 0 } else { self.stalled + 1 };
        let beats = |ms: u64| u32::try_from(ms / tick.as_millis().max(1) as u64).unwrap_or(1);
        if self.silent >= beats(limits.idle_ms_max).max(2) {
            return Err(End::Gone);
        }
        if self.stalled > beats(limits.stall_ms_max) {
            return Err(End::with(4008, "too slow: resume"));
        }
        if self.silent.is_multiple_of(beats(limits.heartbeat_ms).max(1)) {
            self.out.push(parlor_ws::ping(b""));
        }
        self.timer = Box::pin(tokio::time::sleep(tick));
        Ok(())
    }

    /// Ends the connection: what is left is written, the goodbye last.
    pub(crate) async fn end(&mut self, end: End) {
        if let End::Goodbye(bytes) = end {
            self.out.push(bytes);
            part(&mut self.stream, &mut self.out).await;
        }
    }
}

/// The time between two beats: half of the shorter of the two patiences.
pub(crate) fn tick(limits: &Limits) -> Duration {
    Duration::from_millis((limits.stall_ms_max.min(limits.heartbeat_ms) / 2).max(1))
}
