//! A connection's bytes and requests, counted, so that somebody can tell whether it moves.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::HOST;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::rt::{Executor, Read, ReadBuf, ReadBufCursor, Write};
use hyper::upgrade::Upgraded;
use hyper::{Request, service};
use hyper_util::rt::TokioIo;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::stream::Stream;
use crate::Peer;

/// Bytes that a peer may still send to a connection that is being closed.
const LINGER_BYTES: usize = 256 * 1024;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing: it waits for a request.
    Idle,
    /// A request's head has begun and is not complete.
    Head,
    /// A request is being answered.
    Answering,
    /// Something is to be written that the peer does not take.
    Stalled,
    /// It is closed for writing and waits for the peer to close too.
    Closing,
}

/// How a connection does. All of it is about what one task does, so the ordering is relaxed.
#[derive(Debug)]
pub(super) struct Pulse {
    /// Whether bytes between requests are the head of the next one (HTTP/1).
    heads: bool,
    in_flight: AtomicUsize,
    heard: AtomicBool,
    blocked: AtomicBool,
    closing: AtomicBool,
    written: AtomicU64,
}

impl Pulse {
    pub(super) fn new(heads: bool) -> Self {
        Self {
            heads,
            in_flight: AtomicUsize::new(0),
            heard: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            written: AtomicU64::new(0),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        if self.closing.load(Ordering::Relaxed) {
            Phase::Closing
        } else if self.blocked.load(Ordering::Relaxed) {
            Phase::Stalled
        } else if self.in_flight.load(Ordering::Relaxed) > 0 {
            Phase::Answering
        } else if self.heads && self.heard.load(Ordering::Relaxed) {
            Phase::Head
        } else {
            Phase::Idle
        }
    }

    /// Bytes that the peer has taken.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn hear(&self) {
        if self.in_flight.load(Ordering::Relaxed) == 0 {
            self.heard.store(true, Ordering::Relaxed);
        }
    }

    /// `taken`: what the socket has taken in all, where that is not what was written.
    fn write(&self, polled: &Poll<io::Result<usize>>, taken: Option<u64>) {
        self.blocked.store(polled.is_pending(), Ordering::Relaxed);
        match (taken, polled) {
            (Some(taken), _) => self.written.store(taken, Ordering::Relaxed),
            (None, Poll::Ready(Ok(n))) => {
                self.written.fetch_add(*n as u64, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Under TLS it may be the flush that waits for the peer.
    fn flush(&self, polled: &Poll<io::Result<()>>, taken: Option<u64>) {
        let Some(taken) = taken else { return };
        self.blocked.store(polled.is_pending(), Ordering::Relaxed);
        self.written.store(taken, Ordering::Relaxed);
    }
}

/// A request that is being answered, until its answer's body is gone.
struct InFlight(Arc<Pulse>);

impl InFlight {
    fn begin(pulse: Arc<Pulse>) -> Self {
        pulse.in_flight.fetch_add(1, Ordering::Relaxed);
        pulse.heard.store(false, Ordering::Relaxed);
        Self(pulse)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream, watched. After an upgrade, [`take_stream`] gives the stream back.
pub struct Conn {
    io: TokioIo<Stream>,
    pulse: Arc<Pulse>,
    lingered: usize,
}

impl Conn {
    pub(super) fn new(stream: Stream, pulse: Arc<Pulse>) -> Self {
        Self { io: TokioIo::new(stream), pulse, lingered: 0 }
    }

    /// The stream itself.
    pub fn into_stream(self) -> Stream {
        self.io.into_inner()
    }

    /// Takes in what the peer still sends, so that the last answer is not lost to a reset.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut space = [0; 4096];
        while self.lingered < LINGER_BYTES {
            let mut buffer = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut self.io).poll_read(cx, buffer.unfilled()))?;
            match buffer.filled().len() {
                0 => break,
                n => self.lingered += n,
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The stream of an upgraded connection, and the bytes that came with the handshake.
///
/// # Errors
/// The connection itself, when it is not one that this server took.
pub fn take_stream(upgraded: Upgraded) -> Result<(Stream, Bytes), Upgraded> {
    let parts = upgraded.downcast::<Conn>()?;
    Ok((parts.io.into_stream(), parts.read_buf))
}

impl Read for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        if polled.is_ready() {
            self.pulse.hear();
        }
        polled
    }
}

impl Write for Conn {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.pulse.write(&polled, self.io.inner().taken());
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_flush(cx);
        self.pulse.flush(&polled, self.io.inner().taken());
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.pulse.closing.load(Ordering::Relaxed) {
            ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
            self.pulse.closing.store(true, Ordering::Relaxed);
        }
        self.poll_linger(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.pulse.write(&polled, self.io.inner().taken());
        polled
    }
}

/// Hands a connection's requests to the router.
#[derive(Clone)]
pub(super) struct Handler {
    router: Router,
    peer: SocketAddr,
    pulse: Arc<Pulse>,
}

impl Handler {
    pub(super) fn new(router: Router, peer: SocketAddr, pulse: Arc<Pulse>) -> Self {
        Self { router, peer, pulse }
    }
}

impl service::Service<Request<Incoming>> for Handler {
    type Response = Response<Attended>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let in_flight = InFlight::begin(self.pulse.clone());
        let mut request = request.map(Body::new);
        name_host(&mut request);
        request.extensions_mut().insert(Peer(self.peer));
        // A router is always ready.
        let answering = self.router.clone().call(request);
        Box::pin(async move {
            let response = answering.await?;
            Ok(response.map(|body| Attended { body, _in_flight: in_flight }))
        })
    }
}

/// HTTP/2 names the host beside the headers; whoever asks for it looks among them.
fn name_host(request: &mut Request<Body>) {
    if request.headers().contains_key(HOST) {
        return;
    }
    let authority = request.uri().authority().map(|a| HeaderValue::from_str(a.as_str()));
    if let Some(Ok(host)) = authority {
        request.headers_mut().insert(HOST, host);
    }
}

/// An answer's body; as long as it is there, the request is being answered.
pub(super) struct Attended {
    body: Body,
    _in_flight: InFlight,
}

impl http_body::Body for Attended {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Runs what HTTP/2 runs beside its connection, where shutdown can join it.
#[derive(Clone)]
pub(super) struct Tracked(pub(super) TaskTracker);

impl<F> Executor<F> for Tracked
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}
