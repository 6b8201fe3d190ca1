//! Stays with a connection, and ends it when it takes too long over something.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use parlor_domain::Limits;
use tokio_util::sync::CancellationToken;

use super::io::{Conn, Handler, Phase, Pulse, Tracked};

/// Bytes a second that a peer must take at least of what is written to it.
const TAKEN_PER_S_MIN: u64 = 1024;

/// How long a closed connection waits for its peer to close too.
const LINGER: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, or by its upgrade.
    Over,
    /// It took too long.
    Slow,
    /// A request's head took too long; the connection can still be told so.
    SlowHead,
}

/// Something that can finish what is under way and then end.
pub(super) trait Drain {
    fn drain(self: Pin<&mut Self>);
}

impl Drain for http1::UpgradeableConnection<Conn, Handler> {
    fn drain(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl Drain for http2::Connection<Conn, Handler, Tracked> {
    fn drain(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// What is needed to attend a connection.
pub(super) struct Attendance<'a> {
    pub(super) pulse: &'a Pulse,
    pub(super) limits: &'a Limits,
    pub(super) stop: &'a CancellationToken,
    pub(super) abandon: &'a CancellationToken,
}

impl Attendance<'_> {
    /// Drives a connection to its end.
    pub(super) async fn attend<C: Future + Drain + Unpin>(&self, connection: &mut C) -> End {
        let mut draining = false;
        loop {
            let phase = self.pulse.phase();
            let written = self.pulse.written();
            let patience = self.patience(phase);
            let late = tokio::time::sleep(patience.unwrap_or_default());
            tokio::select! {
                biased;
                over = self.drive(connection, phase) => {
                    if over {
                        return End::Over;
                    }
                }
                () = self.abandon.cancelled() => return End::Slow,
                () = self.stop.cancelled(), if !draining => {
                    draining = true;
                    Pin::new(&mut *connection).drain();
                }
                () = late, if patience.is_some() => match phase {
                    Phase::Head => return End::SlowHead,
                    Phase::Stalled if self.moves(written) => {}
                    _ => return End::Slow,
                }
            }
        }
    }

    /// Polls the connection until it is over (true) or does something else than before (false).
    async fn drive<C: Future + Unpin>(&self, connection: &mut C, before: Phase) -> bool {
        poll_fn(|cx| {
            if Pin::new(&mut *connection).poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            if self.pulse.phase() == before {
                return Poll::Pending;
            }
            Poll::Ready(false)
        })
        .await
    }

    /// How long a phase may last; `None`: others see to that.
    fn patience(&self, phase: Phase) -> Option<Duration> {
        match phase {
            Phase::Idle => Some(Duration::from_millis(self.limits.idle_ms_max)),
            Phase::Head => Some(Duration::from_millis(self.limits.header_ms_max)),
            Phase::Answering => None,
            Phase::Stalled => Some(Duration::from_millis(self.limits.body_ms_max)),
            Phase::Closing => Some(LINGER),
        }
    }

    /// Whether a stalled peer has taken enough since then.
    fn moves(&self, written: u64) -> bool {
        let least = self.limits.body_ms_max * TAKEN_PER_S_MIN / 1000;
        self.pulse.written() - written >= least
    }
}
