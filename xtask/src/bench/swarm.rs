//! Very many WebSocket clients on one thread: epoll, one big read buffer for all of them, frames
//! handed on where they lie. Knows no protocol above the frame; decides nothing about the load.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::frames;

/// Every read goes here first: large, so that a busy socket is emptied in one call.
const BUFFER: usize = 512 * 1024;
const EVENTS: usize = 4_096;

/// What is done with what the clients hear.
pub(super) trait Load {
    /// The connection is upgraded and may speak.
    fn opened(&mut self, id: usize, desk: &mut Desk);
    /// A message was read.
    fn heard(&mut self, id: usize, payload: &[u8], now: Instant, desk: &mut Desk);
    /// The other side ended the connection.
    fn closed(&mut self, id: usize, why: String);
}

/// What is to be sent, per client.
#[derive(Default)]
pub(super) struct Desk {
    outgoing: Vec<Outgoing>,
    waiting: Vec<usize>,
}

#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    waiting: bool,
}

impl Desk {
    /// Sends a text message at the end of this turn.
    pub(super) fn say(&mut self, id: usize, text: &[u8]) {
        self.push(id, |out| frames::write_masked(out, frames::TEXT, text));
    }

    fn push(&mut self, id: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(outgoing) = self.outgoing.get_mut(id) else {
            return;
        };
        write(&mut outgoing.bytes);
        if !outgoing.waiting {
            outgoing.waiting = true;
            self.waiting.push(id);
        }
    }
}

/// The clients.
pub(super) struct Swarm {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    desk: Desk,
    buffer: Vec<u8>,
}

struct Client {
    stream: Option<TcpStream>,
    phase: Phase,
    /// The beginning of a frame whose end has not come yet.
    rest: Vec<u8>,
}

#[derive(PartialEq, Clone, Copy)]
enum Phase {
    Connecting,
    Upgrading,
    Open,
    /// An answer that does not end, in place of a socket.
    Stream,
}

impl Swarm {
    /// Nobody yet.
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            clients: Vec::new(),
            desk: Desk::default(),
            buffer: vec![0; BUFFER],
        })
    }

    /// Starts one more client, which upgrades with `request`; its id counts from 0.
    pub(super) fn connect(&mut self, to: SocketAddr, request: Vec<u8>) -> anyhow::Result<usize> {
        let mut stream = TcpStream::connect(to).context("failed to connect")?;
        // Without it a small send waits for the acknowledgement of the one before it: 40 ms.
        stream.set_nodelay(true)?;
        let id = self.clients.len();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(id), interest)?;
        self.clients.push(Client {
            stream: Some(stream),
            phase: Phase::Connecting,
            rest: Vec::new(),
        });
        self.desk.outgoing.push(Outgoing { bytes: request, sent: 0, waiting: false });
        Ok(id)
    }

    /// What is to be sent.
    pub(super) fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    /// Ends all connections.
    pub(super) fn leave(&mut self) {
        for client in &mut self.clients {
            client.stream = None;
        }
    }

    /// Sends what waits, reads what has come, and waits for it up to `at_most`.
    pub(super) fn turn(&mut self, at_most: Duration, load: &mut impl Load) -> anyhow::Result<()> {
        self.flush(load);
        match self.poll.poll(&mut self.events, Some(at_most)) {
            Err(why) if why.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(1));
        for event in &events {
            let id = event.token().0;
            if event.is_writable() {
                self.writable(id, load);
            }
            if event.is_readable() {
                self.read(id, load);
            }
        }
        self.events = events;
        self.flush(load);
        Ok(())
    }

    /// Turns until `done` says so; an error names what was waited for.
    pub(super) fn until<L: Load>(
        &mut self,
        what: &str,
        at_most: Duration,
        load: &mut L,
        done: impl Fn(&L) -> bool,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + at_most;
        while !done(load) {
            if Instant::now() > end {
                bail!("waited {} s for {what}", at_most.as_secs());
            }
            self.turn(Duration::from_millis(10), load)?;
        }
        Ok(())
    }

    fn writable(&mut self, id: usize, load: &mut impl Load) {
        let client = &mut self.clients[id];
        let Some(stream) = &client.stream else { return };
        if client.phase == Phase::Connecting {
            if let Ok(Some(why)) | Err(why) = stream.take_error() {
                return self.lose(id, why.to_string(), load);
            }
            client.phase = Phase::Upgrading;
        }
        self.write(id, load);
    }

    fn flush(&mut self, load: &mut impl Load) {
        let mut waiting = std::mem::take(&mut self.desk.waiting);
        for id in waiting.drain(..) {
            self.desk.outgoing[id].waiting = false;
            if self.clients[id].phase == Phase::Open {
                self.write(id, load);
            }
        }
        self.desk.waiting = waiting;
    }

    /// Writes what the socket takes; the rest follows when it is writable again.
    fn write(&mut self, id: usize, load: &mut impl Load) {
        let outgoing = &mut self.desk.outgoing[id];
        let Some(stream) = &mut self.clients[id].stream else {
            return;
        };
        while outgoing.sent < outgoing.bytes.len() {
            match stream.write(&outgoing.bytes[outgoing.sent..]) {
                Ok(written) => outgoing.sent += written,
                Err(why) if why.kind() == ErrorKind::WouldBlock => return,
                Err(why) => return self.lose(id, why.to_string(), load),
            }
        }
        outgoing.bytes.clear();
        outgoing.sent = 0;
    }

    fn read(&mut self, id: usize, load: &mut impl Load) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut filled = self.clients[id].rest.len();
        buffer[..filled].copy_from_slice(&self.clients[id].rest);
        self.clients[id].rest.clear();
        while let Some(stream) = &mut self.clients[id].stream {
            let room = buffer.len() - filled;
            let read = match stream.read(&mut buffer[filled..]) {
                Ok(0) => {
                    self.lose(id, "the connection ended".to_owned(), load);
                    break;
                }
                Ok(read) => read,
                Err(why) if why.kind() == ErrorKind::WouldBlock => break,
                Err(why) => {
                    self.lose(id, why.to_string(), load);
                    break;
                }
            };
            filled += read;
            let taken = self.take(id, &buffer[..filled], load);
            buffer.copy_within(taken..filled, 0);
            filled -= taken;
            if read < room {
                break; // The socket was empty: it will say when it is not.
            }
        }
        self.clients[id].rest.extend_from_slice(&buffer[..filled]);
        self.buffer = buffer;
    }

    /// Hands on every whole frame in `bytes`, and says how much that was.
    fn take(&mut self, id: usize, bytes: &[u8], load: &mut impl Load) -> usize {
        let now = Instant::now();
        let mut taken = 0;
        if self.clients[id].phase == Phase::Stream {
            // Whole events, among the heads of chunks, which nobody needs.
            let Some(end) = memchr::memmem::rfind(bytes, b"\n\n") else { return 0 };
            load.heard(id, &bytes[..end + 2], now, &mut self.desk);
            return end + 2;
        }
        if self.clients[id].phase != Phase::Open {
            let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
                return 0;
            };
            if bytes.starts_with(b"HTTP/1.1 200") {
                self.clients[id].phase = Phase::Stream;
                load.opened(id, &mut self.desk);
                return end + 4 + self.take(id, &bytes[end + 4..], load);
            }
            if !bytes.starts_with(b"HTTP/1.1 101") {
                self.lose(id, String::from_utf8_lossy(bytes).into_owned(), load);
                return bytes.len();
            }
            taken = end + 4;
            self.clients[id].phase = Phase::Open;
            load.opened(id, &mut self.desk);
        }
        while let Some(frame) = frames::next(&bytes[taken..]) {
            let payload = &bytes[taken + frame.start..taken + frame.end];
            taken += frame.end;
            match frame.opcode {
                frames::TEXT | frames::BINARY => load.heard(id, payload, now, &mut self.desk),
                frames::PING => {
                    self.desk.push(id, |out| frames::write_masked(out, frames::PONG, payload));
                }
                frames::CLOSE => {
                    self.lose(id, closing(payload), load);
                    return bytes.len();
                }
                _ => {}
            }
        }
        taken
    }

    fn lose(&mut self, id: usize, why: String, load: &mut impl Load) {
        self.clients[id].stream = None;
        load.closed(id, why);
    }
}

fn closing(payload: &[u8]) -> String {
    match payload {
        [a, b, reason @ ..] => {
            let code = u16::from_be_bytes([*a, *b]);
            format!("closed with {code} {}", String::from_utf8_lossy(reason))
        }
        _ => "closed without a code".to_owned(),
    }
}
