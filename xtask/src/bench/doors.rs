//! What a delivery costs at each door: the same things are said in the lobby at 50 a second, and
//! two hundred people hear them, all by one door at a time. Every one of them must hear everything.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use memchr::memmem::Finder;
use serde_json::{Value, json};

use super::dialect::{content, uuid};
use super::figures::{self, Figures, quantile};
use super::machine;
use super::rest::Rest;
use super::swarm::{Desk, Load, Swarm};
use super::system::{Kind, System};
use super::town;

const LISTENERS: usize = 200;
const PER_S: f64 = 50.0;
const JOIN: Duration = Duration::from_secs(20);
const DRAIN: Duration = Duration::from_secs(5);
const SETTLE: Duration = Duration::from_millis(500);
/// Every so many listeners, one's latency is taken.
const SAMPLED: usize = 20;

/// A way to hear.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Door {
    Socket,
    Stream,
    SocketIo,
    Rei,
    Shh,
    Mrsambosk,
    Groups,
    /// The peer's own.
    Peer,
}

impl Door {
    const OURS: [Self; 7] = [
        Self::Socket,
        Self::Stream,
        Self::SocketIo,
        Self::Rei,
        Self::Shh,
        Self::Mrsambosk,
        Self::Groups,
    ];

    /// As it stands in tables.
    fn name(self) -> &'static str {
        match self {
            Self::Socket => figures::SOCKET,
            Self::Stream => figures::STREAM,
            Self::SocketIo => figures::SOCKET_IO,
            Self::Rei => figures::REI,
            Self::Shh => figures::SHH,
            Self::Mrsambosk => figures::MRSAMBOSK,
            Self::Groups => figures::GROUPS,
            Self::Peer => Kind::Socketio.name(),
        }
    }
}

/// The lobby, and somebody in it.
struct Person {
    token: String,
    cookie: String,
    no: i64,
}

struct Lobby {
    room: String,
    session: String,
}

/// One run over every door of a server.
pub(super) fn run(system: &System, seconds: f64, figures: &mut Figures) -> anyhow::Result<()> {
    if system.kind == Kind::Socketio {
        let lobby = Lobby { room: uuid(1), session: uuid(1) };
        let nobody = || Person { token: String::new(), cookie: String::new(), no: 0 };
        let people: Vec<_> = (0..=LISTENERS).map(|_| nobody()).collect();
        return measure(system, Door::Peer, &people, &lobby, seconds, figures);
    }
    let people = town::in_parallel(system.address, LISTENERS + 1, register)?;
    let lobby = find_lobby(system, &people[0])?;
    for door in Door::OURS {
        measure(system, door, &people, &lobby, seconds, figures)?;
    }
    Ok(())
}

fn register(rest: &mut Rest, index: usize) -> anyhow::Result<Person> {
    let login = town::sign_up(rest, index)?;
    Ok(Person {
        token: login["access_token"].as_str().context("no token")?.to_owned(),
        cookie: rest.cookie().context("no cookie")?,
        no: login["user"]["no"].as_i64().context("no small id")?,
    })
}

fn find_lobby(system: &System, person: &Person) -> anyhow::Result<Lobby> {
    let mut rest = Rest::connect(system.address)?;
    let (_, body) = rest.get("/api/v1/me/init", &person.token)?;
    let init: Value = serde_json::from_slice(body)?;
    let mut rooms = init["rooms"].as_array().into_iter().flatten();
    let lobby = rooms.find(|room| room["lobby"] == true).context("there is no lobby")?;
    let text = |name: &str| lobby[name].as_str().map(str::to_owned).context("no id");
    Ok(Lobby { room: text("id")?, session: text("main_session_id")? })
}

fn measure(
    system: &System,
    door: Door,
    people: &[Person],
    lobby: &Lobby,
    seconds: f64,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let mut swarm = Swarm::new()?;
    let mut hearers = Hearers::new(door, lobby);
    let host = system.address.to_string();
    let (speaker, listeners) = people.split_last().context("nobody is there")?;
    for person in listeners {
        swarm.connect(system.address, request(door, &host, person, lobby))?;
    }
    let says_by = if door == Door::Peer { Door::Peer } else { Door::Socket };
    let mouth = swarm.connect(system.address, request(says_by, &host, speaker, lobby))?;
    hearers.mouth = mouth;
    swarm.until("listeners", JOIN, &mut hearers, |it| it.ready() || it.fault.is_some())?;
    let settled = Instant::now() + SETTLE;
    while Instant::now() < settled {
        swarm.turn(Duration::from_millis(10), &mut hearers)?;
    }
    hearers.heard.fill(0);
    machine::wait_for_quiet()?;
    let (before, start) = (system.cpu_seconds()?, Instant::now());
    let count = (seconds * PER_S) as u64;
    for n in 0..count {
        let due = start + Duration::from_secs_f64(n as f64 / PER_S);
        while Instant::now() < due {
            let left = due.saturating_duration_since(Instant::now());
            swarm.turn(left.min(Duration::from_millis(5)), &mut hearers)?;
        }
        let said = hearers.said(n);
        hearers.due.push(due);
        swarm.desk().say(mouth, said.as_bytes());
    }
    swarm.until("all deliveries", DRAIN, &mut hearers, |it| {
        it.fault.is_some() || it.heard[..LISTENERS].iter().all(|heard| *heard >= count)
    })?;
    if let Some(fault) = hearers.fault {
        bail!("{door:?}: {fault}");
    }
    if hearers.heard[..LISTENERS].iter().any(|heard| *heard != count) {
        bail!("{door:?}: something came twice");
    }
    let cpu = system.cpu_seconds()? - before;
    let deliveries = count as f64 * LISTENERS as f64;
    let mut add = |what, unit, value| figures.add("doors", door.name(), what, unit, value);
    add(figures::CPU_STEADY, "s", cpu / deliveries * 1e6);
    add(figures::P50, "ms", quantile(&mut hearers.late_us, 0.5) / 1e3);
    add(figures::P99, "ms", quantile(&mut hearers.late_us, 0.99) / 1e3);
    swarm.leave();
    system.calm_down()
}

fn request(door: Door, host: &str, person: &Person, lobby: &Lobby) -> Vec<u8> {
    let (token, room) = (&person.token, &lobby.room);
    let path = match door {
        Door::Socket => "/api/v1/socket".to_owned(),
        Door::Stream => format!("/api/v1/events?session={}", lobby.session),
        Door::SocketIo | Door::Peer => "/socket.io/?EIO=4&transport=websocket".to_owned(),
        Door::Rei => format!("/ws/chat/lobby?token={token}"),
        Door::Shh => format!("/ws/chat/{room}/"),
        Door::Mrsambosk => format!("/ws/{}", person.no),
        Door::Groups => format!("/stream/group?group_uuid={room}"),
    };
    let mut head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
    // Writing to a text does not fail.
    let _ = match door {
        Door::Shh => write!(head, "Cookie: access_token={token}\r\n"),
        Door::Mrsambosk => write!(head, "Cookie: {}\r\n", person.cookie),
        Door::Socket | Door::SocketIo | Door::Stream | Door::Groups => {
            write!(head, "Authorization: Bearer {token}\r\n")
        }
        _ => Ok(()),
    };
    if !matches!(door, Door::Stream | Door::Groups) {
        head += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: cGFybG9yIGJlbmNobWFyaw==\r\n";
    }
    (head + "\r\n").into_bytes()
}

/// What the listeners do, and the one who speaks.
struct Hearers<'a> {
    door: Door,
    lobby: &'a Lobby,
    mouth: usize,
    /// Messages heard, each.
    heard: Vec<u64>,
    joined: Vec<bool>,
    /// When each message was to be said, and how long after that some of the listeners heard it.
    due: Vec<Instant>,
    late_us: Vec<u32>,
    /// What is in every message, and in nothing else.
    mark: Finder<'static>,
    fault: Option<String>,
}

impl<'a> Hearers<'a> {
    fn new(door: Door, lobby: &'a Lobby) -> Self {
        Self {
            door,
            lobby,
            mouth: LISTENERS,
            heard: vec![0; LISTENERS + 1],
            joined: vec![false; LISTENERS + 1],
            due: Vec::new(),
            late_us: Vec::new(),
            mark: Finder::new(b"said in a room, and heard by everybody"),
            fault: None,
        }
    }

    fn ready(&self) -> bool {
        self.joined.iter().all(|joined| *joined)
    }

    fn door_of(&self, id: usize) -> Door {
        if id == self.mouth && self.door != Door::Peer { Door::Socket } else { self.door }
    }

    /// The speaker's `n`-th message.
    fn said(&self, n: u64) -> String {
        let session = &self.lobby.session;
        let (client, text) = (uuid(u128::from(n) | self.salt()), content(n));
        if self.door == Door::Peer {
            let asked = json!({"session_id": session, "client_id": client, "content": text});
            return format!("42{}[\"send\",{asked}]", n + 2);
        }
        json!({
            "type": "send", "ref": n + 2, "session_id": session, "client_id": client,
            "content": text,
        })
        .to_string()
    }

    /// Makes the ids of each door's messages others than those of the door before.
    fn salt(&self) -> u128 {
        (self.door as u128 + 1) << 96 | u128::from(std::process::id()) << 32
    }
}

impl Load for Hearers<'_> {
    fn opened(&mut self, id: usize, desk: &mut Desk) {
        match self.door_of(id) {
            // The others say first, or are listening as soon as they are open.
            Door::Mrsambosk => desk.say(id, b""),
            Door::Socket => {
                let session = &self.lobby.session;
                let asked = json!({"type": "subscribe", "ref": 1, "session_id": session});
                desk.say(id, asked.to_string().as_bytes());
            }
            _ => {}
        }
    }

    fn heard(&mut self, id: usize, said: &[u8], now: Instant, desk: &mut Desk) {
        if id != self.mouth {
            let before = self.heard[id] as usize;
            self.heard[id] += self.mark.find_iter(said).count() as u64;
            let after = (self.heard[id] as usize).min(self.due.len());
            if id.is_multiple_of(SAMPLED) && before < after {
                // Listeners hear in order, so the next they hear is the next that was said.
                let late = |due: &Instant| now.duration_since(*due).as_micros() as u32;
                self.late_us.extend(self.due[before..after].iter().map(late));
            }
        }
        if self.joined[id] {
            if matches!(self.door_of(id), Door::SocketIo | Door::Peer) && said == b"2" {
                desk.say(id, b"3");
            }
            return;
        }
        let begins = |with: &str| said.starts_with(with.as_bytes());
        let session = &self.lobby.session;
        match self.door_of(id) {
            Door::Socket => self.joined[id] = begins("{\"type\":\"ok\""),
            Door::SocketIo | Door::Peer if begins("0") => desk.say(id, b"40"),
            Door::SocketIo if begins("40") => {
                let asked = json!(["subscribe", {"ref": 1, "session_id": session}]);
                desk.say(id, format!("421{asked}").as_bytes());
            }
            Door::Peer if begins("40") => {
                desk.say(id, format!("421[\"join\",\"{session}\"]").as_bytes());
            }
            Door::SocketIo | Door::Peer => self.joined[id] = begins("431"),
            Door::Rei => {
                desk.say(id, b"{\"type\":\"listen_latest\"}");
                self.joined[id] = true;
            }
            Door::Shh | Door::Mrsambosk | Door::Stream | Door::Groups => self.joined[id] = true,
        }
    }

    fn closed(&mut self, id: usize, why: String) {
        self.fault.get_or_insert(format!("client {id}: {why}"));
    }
}
