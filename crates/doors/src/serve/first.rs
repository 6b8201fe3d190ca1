//! The first bytes of a connection: which version of HTTP, and whether its head can be read in
//! one way only.

use std::io::{self, ErrorKind, Write as _};
use std::net::Shutdown;

use tokio::net::TcpStream;

use super::stream::Stream;

pub(super) const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
pub(super) const REQUEST_TIMEOUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
pub(super) const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 10\r\n\
connection: close\r\ncontent-length: 0\r\n\r\n";
pub(super) const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\n\
connection: close\r\ncontent-length: 0\r\n\r\n";

pub(super) const NOT_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\
content-type: text/plain\r\ncontent-length: 33\r\n\r\nonly https is spoken on this port";

/// The kind of record that every connection under TLS begins with.
const HANDSHAKE: u8 = 0x16;

/// What a connection begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum First {
    /// A request of HTTP/1.
    Http1,
    /// The preface of HTTP/2.
    Http2,
    /// A head that two servers could read differently.
    Malformed,
    /// The peer left without a word.
    Nothing,
}

/// Waits for the first bytes and looks at them; they stay where they are.
pub(super) async fn read(stream: &mut Stream, head_max: usize) -> io::Result<First> {
    loop {
        // The buffer is made when there is something to put into it: an idle connection has none.
        stream.readable().await?;
        let mut head = vec![0; head_max];
        let n = match stream {
            Stream::Plain(tcp) => tcp.peek(&mut head).await?,
            Stream::Tls(tls) => match tls.try_read(&mut head) {
                // What came was of TLS itself.
                Err(e) if e.kind() == ErrorKind::WouldBlock => continue,
                read => {
                    let n = read?;
                    tls.unread(&head[..n]);
                    n
                }
            },
        };
        return Ok(look(&head[..n]));
    }
}

/// Waits for the first byte, and whether it is one of TLS; it stays where it is.
pub(super) async fn is_tls(tcp: &TcpStream) -> io::Result<bool> {
    let mut byte = [0];
    let n = tcp.peek(&mut byte).await?;
    // Nothing: the peer is gone, which the handshake finds out.
    Ok(n == 0 || byte[0] == HANDSHAKE)
}

fn look(bytes: &[u8]) -> First {
    if bytes.is_empty() {
        First::Nothing
    } else if bytes.starts_with(b"PRI ") {
        First::Http2
    } else if is_ambiguous(bytes) {
        First::Malformed
    } else {
        First::Http1
    }
}

/// Whether a head, as far as it is here, uses what proxies and servers disagree about: bare line
/// feeds, folded lines, a length said twice or in two ways. This looks at the first head of a
/// connection; with later ones, hyper refuses differing lengths and closes after the rest.
fn is_ambiguous(bytes: &[u8]) -> bool {
    let mut lengths = 0;
    for (nth, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let Some(line) = line.strip_suffix(b"\n") else {
            return false; // The rest of this line is not here yet.
        };
        let Some(line) = line.strip_suffix(b"\r") else {
            return true;
        };
        if line.is_empty() {
            return false;
        }
        let folded = nth > 0 && matches!(line[0], b' ' | b'\t');
        let name = line.split(|b| *b == b':').next().unwrap_or_default();
        let is_length = name.eq_ignore_ascii_case(b"content-length")
            || name.eq_ignore_ascii_case(b"transfer-encoding");
        lengths += u32::from(is_length);
        if folded || lengths > 1 {
            return true;
        }
    }
    false
}

/// Answers a connection that is not served, as far as that can be done without waiting.
pub(super) fn turn_away(mut stream: Stream, answer: &[u8]) {
    let mut unread = [0; 4096];
    // What is left unread would make the close a reset, and the answer might be lost with it.
    while stream.try_read(&mut unread).is_ok_and(|n| n > 0) {}
    // Nobody waits for any of this: a peer that cannot take it does without.
    let tcp = match stream {
        // The socket itself: the runtime may not have heard yet that it can be written to.
        Stream::Plain(tcp) => tcp.into_std().inspect(|mut tcp| drop(tcp.write(answer))),
        Stream::Tls(tls) => tls.leave(answer).into_std(),
    };
    drop(tcp.and_then(|tcp| tcp.shutdown(Shutdown::Write)));
}

/// Whether taking a connection failed because of its other end.
pub(super) fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_one_reading() {
        for good in [
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nb",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nhos",
            "G",
        ] {
            assert_eq!(look(good.as_bytes()), First::Http1, "{good:?}");
        }
        for bad in [
            "GET / HTTP/1.1\nhost: a\n\n",
            "GET / HTTP/1.1\r\nhost: a\nx: y\r\n\r\n",
            "GET / HTTP/1.1\r\nx: y\r\n z\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert_eq!(look(bad.as_bytes()), First::Malformed, "{bad:?}");
        }
    }

    #[test]
    fn the_preface_of_http2_is_known() {
        assert_eq!(look(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), First::Http2);
        assert_eq!(look(b""), First::Nothing);
    }
}
