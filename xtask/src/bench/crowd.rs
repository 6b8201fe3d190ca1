//! Clients that sit in rooms: they join, count what they hear, and notice every hole.
//! What they do beyond that is the part that a scenario gives them.

use std::time::{Duration, Instant};

use anyhow::bail;

use super::dialect::{Dialect, JOIN, Said};
use super::swarm::{Desk, Load, Swarm};
use super::system::System;

/// A place in a room, for one connection.
#[derive(Clone)]
pub(super) struct Seat {
    /// Whose connection it is.
    pub(super) token: String,
    /// The room's session.
    pub(super) session: String,
    /// The last event seen by an earlier connection.
    pub(super) after: Option<u64>,
}

/// What a scenario does.
pub(super) trait Part {
    /// The connection has joined.
    fn joined(&mut self, _id: usize, _now: Instant) {}
    /// Something was said in its room, in order and without a hole.
    fn event(&mut self, _id: usize, _seq: u64, _message: &[u8], _now: Instant) {}
    /// A command of its own was done.
    fn done(&mut self, _reference: u64, _message: &[u8], _now: Instant, _voice: &mut Voice) {}
}

/// A part for clients that only listen.
pub(super) struct Listen;

impl Part for Listen {}

/// One client's way to speak.
pub(super) struct Voice<'a> {
    /// Which client.
    pub(super) id: usize,
    pub(super) dialect: &'a Dialect,
    session: &'a str,
    desk: &'a mut Desk,
}

impl Voice<'_> {
    /// Says something in the client's room.
    pub(super) fn send(&mut self, reference: u64, client_id: u128, content: &str) {
        let mut text = Vec::with_capacity(320);
        self.dialect.send(&mut text, reference, self.session, client_id, content);
        self.desk.say(self.id, &text);
    }
}

/// What every client is asked for, whatever its part.
pub(super) struct People<P> {
    pub(super) part: P,
    dialect: Dialect,
    seats: Vec<Seat>,
    /// The last event that each has heard.
    seqs: Vec<u64>,
    /// Events heard since joining, each.
    pub(super) heard: Vec<u64>,
    pub(super) joined: usize,
    /// What went wrong, the first few times.
    pub(super) faults: Vec<String>,
}

/// People, and the sockets that they sit at.
pub(super) struct Crowd<P> {
    pub(super) swarm: Swarm,
    pub(super) people: People<P>,
}

const FAULTS_KEPT: usize = 5;

impl<P: Part> Crowd<P> {
    /// Starts a connection for every seat, all at once.
    pub(super) fn connect(system: &System, seats: Vec<Seat>, part: P) -> anyhow::Result<Self> {
        let mut swarm = Swarm::new()?;
        let host = system.address.to_string();
        for seat in &seats {
            swarm.connect(system.address, system.dialect.request(&host, &seat.token))?;
        }
        let dialect = system.dialect.clone();
        Ok(Self { swarm, people: People::new(part, dialect, seats) })
    }

    /// The same, a few at a time, until all have joined.
    pub(super) fn gather(
        system: &System,
        seats: Vec<Seat>,
        part: P,
        at_most: Duration,
    ) -> anyhow::Result<Self> {
        const TOGETHER: usize = 250;
        let host = system.address.to_string();
        let mut swarm = Swarm::new()?;
        let mut people = People::new(part, system.dialect.clone(), seats);
        let end = Instant::now() + at_most;
        for first in (0..people.seats.len()).step_by(TOGETHER) {
            let last = people.seats.len().min(first + TOGETHER);
            for id in first..last {
                let token = &people.seats[id].token;
                swarm.connect(system.address, system.dialect.request(&host, token))?;
            }
            let left = end.saturating_duration_since(Instant::now());
            swarm
                .until("connections to join", left, &mut people, |it| it.over(it.joined >= last))?;
            people.check()?;
        }
        Ok(Self { swarm, people })
    }

    /// One turn of the loop.
    pub(super) fn turn(&mut self, at_most: Duration) -> anyhow::Result<()> {
        self.swarm.turn(at_most, &mut self.people)
    }

    /// Turns for so long, whatever happens.
    pub(super) fn rest(&mut self, how_long: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + how_long;
        while Instant::now() < end {
            self.turn(Duration::from_millis(10))?;
        }
        self.people.check()
    }

    /// Turns until `done`, or until something goes wrong, which is an error.
    pub(super) fn until(
        &mut self,
        what: &str,
        at_most: Duration,
        done: impl Fn(&People<P>) -> bool,
    ) -> anyhow::Result<()> {
        self.swarm.until(what, at_most, &mut self.people, |it| it.over(done(it)))?;
        self.people.check()
    }

    /// Lets one client speak.
    pub(super) fn speak(&mut self, id: usize, speak: impl FnOnce(&mut P, &mut Voice)) {
        let people = &mut self.people;
        let session = &people.seats[id].session;
        let desk = self.swarm.desk();
        speak(&mut people.part, &mut Voice { id, dialect: &people.dialect, session, desk });
    }
}

impl<P> People<P> {
    fn new(part: P, dialect: Dialect, seats: Vec<Seat>) -> Self {
        let seqs = seats.iter().map(|seat| seat.after.unwrap_or(0)).collect();
        let heard = vec![0; seats.len()];
        Self { part, dialect, seats, seqs, heard, joined: 0, faults: Vec::new() }
    }

    /// The last event that a client has heard.
    pub(super) fn seq(&self, id: usize) -> u64 {
        self.seqs[id]
    }

    /// An error if anything went wrong.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.faults.is_empty() {
            return Ok(());
        }
        bail!("{}", self.faults.join("; "))
    }

    fn over(&self, done: bool) -> bool {
        done || !self.faults.is_empty()
    }

    fn fault(&mut self, what: String) {
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push(what);
        }
    }
}

impl<P: Part> People<P> {
    fn event(&mut self, id: usize, seq: u64, message: &[u8], now: Instant) {
        let expected = self.seqs[id] + 1;
        if seq != expected {
            self.fault(format!("client {id} heard event {seq} and not {expected}"));
        }
        self.seqs[id] = seq;
        self.heard[id] += 1;
        self.part.event(id, seq, message, now);
    }

    fn done(&mut self, id: usize, reference: u64, message: &[u8], now: Instant, desk: &mut Desk) {
        if reference != JOIN {
            let session = &self.seats[id].session;
            let mut voice = Voice { id, dialect: &self.dialect, session, desk };
            return self.part.done(reference, message, now, &mut voice);
        }
        if self.seats[id].after.is_none() {
            self.seqs[id] = self.dialect.seq(message).unwrap_or(0);
        }
        self.joined += 1;
        self.part.joined(id, now);
    }
}

impl<P: Part> Load for People<P> {
    fn opened(&mut self, _id: usize, _desk: &mut Desk) {}

    fn heard(&mut self, id: usize, message: &[u8], now: Instant, desk: &mut Desk) {
        match self.dialect.understand(message) {
            Said::Event(seq) => self.event(id, seq, message, now),
            Said::Done(reference) => self.done(id, reference, message, now, desk),
            Said::Welcome => {
                let seat = &self.seats[id];
                desk.say(id, &self.dialect.join(&seat.session, seat.after));
            }
            Said::Answer(text) => desk.say(id, text),
            Said::Refused => self.fault(String::from_utf8_lossy(message).into_owned()),
            Said::Other => {}
        }
    }

    fn closed(&mut self, id: usize, why: String) {
        self.fault(format!("client {id}: {why}"));
    }
}

/// The names of rooms that nobody has to make: enough for servers that make them on the way.
pub(super) fn unmade_rooms(rooms: usize, members: usize) -> Vec<Vec<Seat>> {
    let room = |room: usize| {
        let session = super::dialect::uuid(room as u128);
        vec![Seat { token: String::new(), session, after: None }; members]
    };
    (0..rooms).map(room).collect()
}
