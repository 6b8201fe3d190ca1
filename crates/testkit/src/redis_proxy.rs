//! A proxy in front of Redis that understands enough of what passes to lose published messages
//! now and then, as a network or a busy Redis may, and nothing else.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How messages are named that were published.
const MESSAGES: [&[u8]; 3] = [b"message", b"smessage", b"pmessage"];

/// A proxy. Dropping it closes everything.
pub struct RedisProxy {
    address: SocketAddr,
    counts: Arc<Counts>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Counts {
    messages: AtomicU64,
    lost: AtomicU64,
}

impl RedisProxy {
    /// Listens on a port of its own; of the messages that Redis hands out, about one in `one_in`
    /// is lost, the same ones for the same seed and order.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start(target: SocketAddr, one_in: u64, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let counts = Arc::new(Counts::default());
        let mut tasks = JoinSet::new();
        let loss = Loss { one_in, seed, counts: Arc::clone(&counts) };
        tasks.spawn(accept(listener, target, loss));
        Self { address, counts, _tasks: tasks }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many messages came, and how many of them were lost.
    pub fn messages(&self) -> (u64, u64) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (count(&self.counts.messages), count(&self.counts.lost))
    }
}

/// Which messages are lost.
#[derive(Clone)]
struct Loss {
    one_in: u64,
    seed: u64,
    counts: Arc<Counts>,
}

impl Loss {
    /// Whether the next message is lost.
    fn strikes(&self) -> bool {
        let nth = self.counts.messages.fetch_add(1, Ordering::Relaxed);
        // A multiplication that scatters, so that it is not simply every tenth.
        let mixed = (nth ^ self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let lost = mixed.checked_rem(self.one_in) == Some(0);
        if lost {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
        lost
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, loss: Loss) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let loss = loss.clone();
                open.spawn(async move {
                    // Either end's end is the end of both.
                    let _ = carry(client, target, loss).await;
                });
            }
            Some(_) = open.join_next() => {}
        }
    }
}

async fn carry(client: TcpStream, target: SocketAddr, loss: Loss) -> io::Result<()> {
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        up = pass(from_client, to_server) => up,
        down = sift(from_server, to_client, &loss) => down,
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    tokio::io::copy(&mut from, &mut to).await.map(drop)
}

/// Passes on what Redis says, value by value, without the messages that are lost.
async fn sift(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, loss: &Loss) -> io::Result<()> {
    let mut said = Vec::new();
    while from.read_buf(&mut said).await? > 0 {
        let (mut passed, mut at) = (Vec::new(), 0);
        while let Some(length) = value(&said[at..]) {
            let one = &said[at..at + length];
            if !is_message(one) || !loss.strikes() {
                passed.extend_from_slice(one);
            }
            at += length;
        }
        said.drain(..at);
        to.write_all(&passed).await?;
    }
    Ok(())
}

/// The length of the value that these bytes begin with, when all of it is there.
fn value(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let number = || std::str::from_utf8(&bytes[1..line - 2]).ok()?.parse::<i64>().ok();
    match bytes.first()? {
        b'$' | b'!' | b'=' => match number().map(usize::try_from) {
            Some(Ok(length)) => {
                let end = line + length + 2;
                (bytes.len() >= end).then_some(end)
            }
            _ => Some(line),
        },
        kind @ (b'*' | b'>' | b'~' | b'%' | b'|') => {
            let pairs = matches!(kind, b'%' | b'|');
            let count = number().unwrap_or(0).max(0) * if pairs { 2 } else { 1 };
            // An attribute stands before the value that it is of.
            let count = count + i64::from(*kind == b'|');
            (0..count).try_fold(line, |at, _| Some(at + value(bytes.get(at..)?)?))
        }
        _ => Some(line),
    }
}

/// Whether a value is a published message: a list or a push that begins with the word.
fn is_message(value: &[u8]) -> bool {
    let Some(rest) = value.strip_prefix(b"*").or_else(|| value.strip_prefix(b">")) else {
        return false;
    };
    let mut lines = rest.split(|byte| *byte == b'\n').skip(2);
    let word = lines.next().map(|word| word.strip_suffix(b"\r").unwrap_or(word));
    word.is_some_and(|word| MESSAGES.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_measured_whole_or_not_at_all() {
        for text in [
            "+OK\r\n",
            ":12\r\n",
            "$5\r\nhe\r\no\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
            ">3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$2\r\n\r\n\r\n",
            "%1\r\n+a\r\n*0\r\n",
            "|1\r\n+a\r\n+b\r\n:1\r\n",
        ] {
            let bytes = text.as_bytes();
            assert_eq!(value(&[bytes, b"+more\r\n"].concat()), Some(bytes.len()), "{text:?}");
            for cut in 0..bytes.len() {
                assert_eq!(value(&bytes[..cut]), None, "{text:?} {cut}");
            }
        }
    }

    #[test]
    fn only_what_was_published_may_be_lost() {
        assert!(is_message(b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"));
        assert!(is_message(b">3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"));
        assert!(!is_message(b">3\r\n$10\r\nssubscribe\r\n$1\r\nc\r\n:1\r\n"));
        assert!(!is_message(b"*1\r\n$4\r\nPONG\r\n"));
        assert!(!is_message(b"$7\r\nmessage\r\n"));
    }

    #[test]
    fn about_so_many_are_lost_and_not_simply_every_tenth() {
        let loss = Loss { one_in: 10, seed: 7, counts: Arc::default() };
        let lost: Vec<_> = (0..10_000).filter(|_| loss.strikes()).collect();
        assert!((800..1_200).contains(&lost.len()), "{}", lost.len());
        assert!(lost.windows(2).any(|pair| pair[1] - pair[0] != 10));
    }
}
