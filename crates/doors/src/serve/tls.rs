//! TLS on one connection. What is written is encrypted into a buffer of the connection's own, which
//! holds one call's worth and is emptied before anything else is taken.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use rustls::{ServerConfig, ServerConnection};
use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;

/// A TCP stream under TLS.
pub struct Tls {
    tcp: TcpStream,
    layer: ServerConnection,
    /// What was looked at already and is still to be read.
    early: Bytes,
    /// Whether the layer may hold bytes that the next read gets without asking the socket.
    more: bool,
    /// Whether the peer has said that it writes no more.
    closed: bool,
    /// Bytes that the socket has taken.
    taken: u64,
}

impl Tls {
    /// Agrees on TLS with the peer.
    ///
    /// # Errors
    /// When the peer leaves, or cannot be agreed with.
    pub(super) async fn agree(tcp: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        let layer = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut tls =
            Self { tcp, layer, early: Bytes::new(), more: false, closed: false, taken: 0 };
        std::future::poll_fn(|cx| tls.poll_agree(cx)).await?;
        Ok(tls)
    }

    fn poll_agree(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_flush(cx))?;
            if !self.layer.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            match self.take_in() {
                Ok(0) => return Poll::Ready(Err(ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    ready!(self.tcp.poll_read_ready(cx))?;
                }
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
    }

    /// The protocol that was agreed on with the handshake.
    pub(super) fn protocol(&self) -> Option<&[u8]> {
        self.layer.alpn_protocol()
    }

    /// Gives bytes back that were looked at only.
    pub(super) fn unread(&mut self, bytes: &[u8]) {
        self.early = Bytes::copy_from_slice(bytes);
    }

    /// Bytes that the peer has taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.more || self.closed || !self.early.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.tcp.poll_read_ready(cx)
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_write_ready(cx)
    }

    /// Reads what is here. An end without a goodbye is an error: somebody may have cut the rest.
    pub(super) fn try_read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if !self.early.is_empty() {
            let n = self.early.len().min(to.len());
            self.early.copy_to_slice(&mut to[..n]);
            return Ok(n);
        }
        loop {
            match self.layer.reader().read(to) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.more = false,
                read => {
                    self.more = read.as_ref().is_ok_and(|n| *n == to.len());
                    return read;
                }
            }
            self.take_in()?;
        }
    }

    /// Asks the socket once, and opens what came.
    fn take_in(&mut self) -> io::Result<usize> {
        let n = self.layer.read_tls(&mut Socket(&self.tcp))?;
        match self.layer.process_new_packets() {
            Ok(state) => self.closed |= state.peer_has_closed(),
            Err(error) => {
                // The alert says why; nobody waits until it is taken.
                let _ = self.try_flush();
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
        Ok(n)
    }

    /// Takes bytes when those before are gone.
    pub(super) fn try_write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.try_flush()?;
        let n = self.layer.writer().write_vectored(slices)?;
        match self.try_flush() {
            Err(e) if e.kind() != ErrorKind::WouldBlock => Err(e),
            _ => Ok(n),
        }
    }

    /// Whether the socket has taken everything.
    pub(super) fn is_flushed(&self) -> bool {
        !self.layer.wants_write()
    }

    /// Gives the socket what it takes; [`ErrorKind::WouldBlock`] when it does not take all.
    pub(super) fn try_flush(&mut self) -> io::Result<()> {
        while self.layer.wants_write() {
            match self.layer.write_tls(&mut Socket(&self.tcp))? {
                0 => return Err(ErrorKind::WriteZero.into()),
                n => self.taken += n as u64,
            }
        }
        Ok(())
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.try_flush() {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    ready!(self.tcp.poll_write_ready(cx))?;
                }
                flushed => return Poll::Ready(flushed),
            }
        }
    }

    /// Says that nothing follows.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.layer.send_close_notify();
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    /// Says this and that nothing follows, as far as that can be done without waiting.
    pub(super) fn leave(mut self, last: &[u8]) -> TcpStream {
        let _ = self.try_write_vectored(&[IoSlice::new(last)]);
        self.layer.send_close_notify();
        let _ = self.try_flush();
        self.tcp
    }
}

/// The socket as the layer sees it: it takes and gives without waiting.
struct Socket<'a>(&'a TcpStream);

impl Read for Socket<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(to)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
