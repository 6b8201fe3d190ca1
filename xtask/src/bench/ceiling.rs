//! What the machine allows: a broadcaster that stores nothing, checks nobody and does no work but
//! frames and writes. It speaks as much of Parlor's JSON as the load does.
//!
//! `coalesce` writes what a turn of its loop has gathered with one call per member; `each` writes
//! every message to every member by itself, as a server without batching must.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use super::frames;

const LISTENER: Token = Token(usize::MAX);
const BACKLOG: i32 = 4_096;
const BUFFER: usize = 64 * 1024;
/// What may wait for a member that does not read; more, and it is cut off.
const WAITING_MOST: usize = 16 * 1024 * 1024;

struct Ceiling {
    coalesce: bool,
    poll: Poll,
    members: Vec<Member>,
    rooms: Vec<Room>,
    by_name: HashMap<Vec<u8>, usize>,
    busy_rooms: Vec<usize>,
    busy_members: Vec<usize>,
    buffer: Vec<u8>,
}

struct Member {
    stream: Option<TcpStream>,
    upgraded: bool,
    /// The beginning of a frame whose end has not come.
    rest: Vec<u8>,
    /// What the socket did not take yet.
    out: Vec<u8>,
}

#[derive(Default)]
struct Room {
    members: Vec<usize>,
    seq: u64,
    /// The frames of this turn.
    gathered: Vec<u8>,
}

/// Runs until it is killed.
pub(super) fn serve(coalesce: bool) -> anyhow::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(socket.into());
    println!("listening on http://{}", listener.local_addr()?);
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut ceiling = Ceiling {
        coalesce,
        poll,
        members: Vec::new(),
        rooms: Vec::new(),
        by_name: HashMap::new(),
        busy_rooms: Vec::new(),
        busy_members: Vec::new(),
        buffer: vec![0; BUFFER],
    };
    let mut events = Events::with_capacity(1_024);
    loop {
        match ceiling.poll.poll(&mut events, None) {
            Err(why) if why.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            match event.token() {
                LISTENER => ceiling.accept(&listener)?,
                Token(id) => ceiling.serve(id, event),
            }
        }
        ceiling.end_of_turn();
    }
}

impl Ceiling {
    fn accept(&mut self, listener: &TcpListener) -> anyhow::Result<()> {
        while let Ok((mut stream, _)) = listener.accept() {
            if stream.set_nodelay(true).is_err() {
                continue; // It has gone already.
            }
            let token = Token(self.members.len());
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, token, interest)?;
            let (rest, out) = (Vec::new(), Vec::new());
            self.members.push(Member { stream: Some(stream), upgraded: false, rest, out });
        }
        Ok(())
    }

    fn serve(&mut self, id: usize, event: &Event) {
        if event.is_writable() && !self.members[id].out.is_empty() {
            self.members[id].write(&[]);
        }
        if event.is_readable() {
            self.read(id);
        }
    }

    fn read(&mut self, id: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut filled = self.members[id].rest.len();
        buffer[..filled].copy_from_slice(&self.members[id].rest);
        self.members[id].rest.clear();
        while let Some(stream) = &mut self.members[id].stream {
            match stream.read(&mut buffer[filled..]) {
                Ok(0) => self.leave(id),
                Ok(read) => {
                    filled += read;
                    let taken = self.take(id, &mut buffer[..filled]);
                    buffer.copy_within(taken..filled, 0);
                    filled -= taken;
                }
                Err(why) if why.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.leave(id),
            }
        }
        self.members[id].rest.extend_from_slice(&buffer[..filled]);
        self.buffer = buffer;
    }

    fn take(&mut self, id: usize, bytes: &mut [u8]) -> usize {
        const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                                Connection: Upgrade\r\n\r\n";
        let mut taken = 0;
        if !self.members[id].upgraded {
            let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
                return 0;
            };
            taken = end + 4;
            self.members[id].upgraded = true;
            self.reply(id, |out| {
                out.extend_from_slice(SWITCH);
                frames::write_plain(out, frames::TEXT, b"{\"type\":\"hello\"}");
            });
        }
        while let Some(frame) = frames::next(&bytes[taken..]) {
            let payload = &mut bytes[taken + frame.start..taken + frame.end];
            frames::unmask(payload, frame.mask.unwrap_or_default());
            if frame.opcode == frames::TEXT {
                self.command(id, payload);
            }
            taken += frame.end;
        }
        taken
    }

    fn command(&mut self, id: usize, command: &[u8]) {
        let session = field(command, b"\"session_id\":\"");
        let reference = field(command, b"\"ref\":");
        let room = self.room(session);
        if command.starts_with(b"{\"type\":\"subscribe\"") {
            self.rooms[room].members.push(id);
            let seq = self.rooms[room].seq;
            self.acknowledge(id, reference, seq);
        } else {
            self.rooms[room].seq += 1;
            let seq = self.rooms[room].seq;
            let event = event(session, seq, command);
            self.broadcast(room, &event);
            self.acknowledge(id, reference, seq);
        }
    }

    fn room(&mut self, name: &[u8]) -> usize {
        if let Some(room) = self.by_name.get(name) {
            return *room;
        }
        self.rooms.push(Room::default());
        self.by_name.insert(name.to_vec(), self.rooms.len() - 1);
        self.rooms.len() - 1
    }

    fn broadcast(&mut self, room: usize, event: &[u8]) {
        if self.coalesce {
            let room_state = &mut self.rooms[room];
            if room_state.gathered.is_empty() {
                self.busy_rooms.push(room);
            }
            frames::write_plain(&mut room_state.gathered, frames::TEXT, event);
        } else {
            let mut frame = Vec::with_capacity(event.len() + 4);
            frames::write_plain(&mut frame, frames::TEXT, event);
            for member in &self.rooms[room].members {
                self.members[*member].write(&frame);
            }
        }
    }

    fn acknowledge(&mut self, id: usize, reference: &[u8], seq: u64) {
        let reference = String::from_utf8_lossy(reference);
        let text = format!(r#"{{"type":"ok","ref":{reference},"number":{seq},"seq":{seq}}}"#);
        self.reply(id, |out| frames::write_plain(out, frames::TEXT, text.as_bytes()));
    }

    fn reply(&mut self, id: usize, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.members[id].out);
        self.busy_members.push(id);
    }

    fn end_of_turn(&mut self) {
        for room in self.busy_rooms.drain(..) {
            let gathered = std::mem::take(&mut self.rooms[room].gathered);
            for member in &self.rooms[room].members {
                self.members[*member].write(&gathered);
            }
            self.rooms[room].gathered = gathered;
            self.rooms[room].gathered.clear();
        }
        for member in self.busy_members.drain(..) {
            self.members[member].write(&[]);
        }
    }

    fn leave(&mut self, id: usize) {
        self.members[id].stream = None;
        for room in &mut self.rooms {
            room.members.retain(|member| *member != id);
        }
    }
}

impl Member {
    /// Writes what waits and then `bytes`; what the socket does not take waits.
    fn write(&mut self, bytes: &[u8]) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        if self.out.is_empty() {
            let written = write_all(stream, bytes);
            self.out.extend_from_slice(&bytes[written..]);
        } else {
            self.out.extend_from_slice(bytes);
            let written = write_all(stream, &self.out);
            self.out.drain(..written);
        }
        if self.out.len() > WAITING_MOST {
            (self.stream, self.out) = (None, Vec::new());
        }
    }
}

fn write_all(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(more) => written += more,
            // A broken socket is seen by reading it.
            Err(_) => break,
        }
    }
    written
}

/// The value after `key`, up to a quote, comma or brace.
fn field<'a>(command: &'a [u8], key: &[u8]) -> &'a [u8] {
    let Some(at) = memchr::memmem::find(command, key) else {
        return &[];
    };
    let value = &command[at + key.len()..];
    let end = memchr::memchr3(b'"', b',', b'}', value).unwrap_or(value.len());
    &value[..end]
}

/// As long as an event of Parlor's, with the same fields.
fn event(session: &[u8], seq: u64, command: &[u8]) -> Vec<u8> {
    const AT: &str = "2026-01-01T00:00:00.000000Z";
    let text = String::from_utf8_lossy;
    let session = text(session);
    let client_id = text(field(command, b"\"client_id\":\""));
    let content = text(field(command, b"\"content\":\""));
    let head = format!(r#"{{"type":"event","session_id":"{session}","seq":{seq},"at":"{AT}","#);
    let ids = format!(r#""id":"{client_id}","no":{seq},"number":{seq},"seq":{seq},"#);
    let whose = format!(r#""session_id":"{session}","sender_id":"{client_id}","#);
    let what = format!(r#""client_id":"{client_id}","content":"{content}","reply_to":null,"#);
    let when = format!(r#""sent_at":"{AT}","edited_at":null,"deleted_at":null,"expires_at":null"#);
    format!(r#"{head}"posted":{{{ids}{whose}{what}{when}}}}}"#).into_bytes()
}
