//! Takes connections and speaks HTTP on them, within limits: how many, how slow, how large.
//!
//! Owns the accept loop and the life of a connection up to its upgrade. Refuses to know what the
//! requests are about.

mod attend;
mod first;
mod io;
mod slots;
mod stream;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;
use parlor_domain::Limits;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use io::{Conn, take_stream};
pub use stream::Stream;
pub use tls::Tls;

use attend::{Attendance, End};
use first::First;
use io::{Handler, Pulse, Tracked};
use slots::Slots;

use crate::Network;

/// Connections that may wait to be taken.
const BACKLOG: u32 = 4096;

/// How long a server that goes down waits for answers that are under way.
const DRAIN: Duration = Duration::from_secs(7);

/// Streams of one HTTP/2 connection.
const STREAMS_MAX: u32 = 100;

/// Streams that an HTTP/2 client may open and reset before it is sent away (rapid reset).
const RESETS_MAX: usize = 20;

/// Listens on an address.
///
/// # Errors
/// When the address cannot be had.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The protocols that are agreed on with a TLS handshake, the best first, and last the one of a
/// certificate authority that asks whether we have the domain: it gets its handshake and no more.
pub const PROTOCOLS: [&[u8]; 3] = [b"h2", b"http/1.1", CHALLENGE];
const CHALLENGE: &[u8] = b"acme-tls/1";

/// Serves until `stop`; then finishes the answers that are under way, for seven seconds at most.
/// Sockets that were upgraded are not waited for: who took them sees to them. Connections of
/// `trusted` proxies are limited in all only. With `tls`, nothing else is spoken.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    trusted: Vec<Network>,
    tls: Option<Arc<ServerConfig>>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let server = Arc::new(Server {
        router,
        limits: *limits,
        slots: Slots::new(limits, trusted),
        tls,
        tasks,
        stop,
        abandon: CancellationToken::new(),
    });
    let open = TaskTracker::new();
    while let Some((stream, address)) = server.accept(&listener).await {
        match server.slots.enter(address.ip()) {
            Ok(slot) => {
                let connection = server.clone().converse(stream, address, slot);
                server.tasks.spawn(open.track_future(connection));
            }
            // Under TLS a handshake would have to come before any answer, and costs too much.
            Err(_) if server.tls.is_some() => {}
            Err(answer) => first::turn_away(Stream::Plain(stream), answer),
        }
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(DRAIN, open.wait()).await.is_err() {
        tracing::warn!(connections = open.len(), "left connections that did not end");
        server.abandon.cancel();
    }
}

struct Server {
    router: Router,
    limits: Limits,
    slots: Arc<Slots>,
    tls: Option<Arc<ServerConfig>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    abandon: CancellationToken,
}

impl Server {
    /// The next connection; `None` when the server goes down.
    async fn accept(&self, listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(connection) => return Some(connection),
                Err(error) if first::is_of_the_peer(&error) => {}
                Err(error) => {
                    // Out of descriptors, most likely: some will be given back.
                    tracing::error!(%error, "failed to take a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// The life of one connection, up to its end or upgrade. `_slot` is given back with it.
    async fn converse(self: Arc<Self>, tcp: TcpStream, peer: SocketAddr, _slot: slots::Slot) {
        // Without it small frames wait for each other; a socket that cannot have it still works.
        let _ = tcp.set_nodelay(true);
        let mut stream = match &self.tls {
            None => Stream::Plain(tcp),
            // Boxed: a handshake is large, and soon over.
            Some(tls) => match Box::pin(self.agree(tcp, tls)).await {
                Some(tls) => Stream::Tls(Box::new(tls)),
                None => return,
            },
        };
        let head_max = usize::try_from(self.limits.header_bytes_max).unwrap_or(usize::MAX);
        let first = first::read(&mut stream, head_max);
        match self.timely(self.limits.first_byte_ms_max, first).await {
            Some(First::Http1) => self.http1(stream, peer).await,
            Some(First::Http2) => self.http2(stream, peer).await,
            Some(First::Malformed) => first::turn_away(stream, first::BAD_REQUEST),
            Some(First::Nothing) | None => {}
        }
    }

    /// Agrees on TLS, within the time for a first byte and that for a head; `None` when that fails
    /// or when the handshake was all that was wanted.
    async fn agree(&self, tcp: TcpStream, config: &Arc<ServerConfig>) -> Option<Tls> {
        if !self.timely(self.limits.first_byte_ms_max, first::is_tls(&tcp)).await? {
            first::turn_away(Stream::Plain(tcp), first::NOT_TLS);
            return None;
        }
        let agreed = Tls::agree(tcp, config.clone());
        let tls = self.timely(self.limits.header_ms_max, agreed).await?;
        (tls.protocol() != Some(CHALLENGE)).then_some(tls)
    }

    /// What is done in time, without an error, before the server goes down.
    async fn timely<T>(
        &self,
        within_ms: u64,
        doing: impl Future<Output = std::io::Result<T>>,
    ) -> Option<T> {
        tokio::select! {
            done = tokio::time::timeout(Duration::from_millis(within_ms), doing) => done.ok()?.ok(),
            () = self.stop.cancelled() => None,
        }
    }

    async fn http1(&self, stream: Stream, peer: SocketAddr) {
        let pulse = Arc::new(Pulse::new(true));
        let handler = Handler::new(self.router.clone(), peer, pulse.clone());
        let head_max = usize::try_from(self.limits.header_bytes_max).unwrap_or(usize::MAX);
        let fields_max = usize::try_from(self.limits.header_fields_max).unwrap_or(usize::MAX);
        let mut connection = http1::Builder::new()
            .max_headers(fields_max)
            .max_header_size(head_max)
            .max_buf_size(head_max.max(8 * 1024))
            .serve_connection(Conn::new(stream, pulse.clone()), handler)
            .with_upgrades();
        let end = self.attendance(&pulse).attend(&mut connection).await;
        if end == End::SlowHead
            && let Some(parts) = connection.into_parts()
        {
            first::turn_away(parts.io.into_stream(), first::REQUEST_TIMEOUT);
        }
    }

    async fn http2(&self, stream: Stream, peer: SocketAddr) {
        let pulse = Arc::new(Pulse::new(false));
        let handler = Handler::new(self.router.clone(), peer, pulse.clone());
        let head_max = u32::try_from(self.limits.header_bytes_max).unwrap_or(u32::MAX);
        let beat = Duration::from_millis(self.limits.heartbeat_ms);
        let mut connection = http2::Builder::new(Tracked(self.tasks.clone()))
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_pending_accept_reset_streams(RESETS_MAX)
            .max_local_error_reset_streams(RESETS_MAX)
            .max_header_list_size(head_max)
            .max_send_buf_size(64 * 1024)
            .keep_alive_interval(beat)
            .keep_alive_timeout(beat)
            .serve_connection(Conn::new(stream, pulse.clone()), handler);
        self.attendance(&pulse).attend(&mut connection).await;
    }

    fn attendance<'a>(&'a self, pulse: &'a Pulse) -> Attendance<'a> {
        Attendance { pulse, limits: &self.limits, stop: &self.stop, abandon: &self.abandon }
    }
}
