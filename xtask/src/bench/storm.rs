//! S5: everybody comes back at once, and has missed fifty messages: all are back, and every one
//! has every message, in order. Peers that cannot catch up only have to let everybody join.

use std::time::{Duration, Instant};

use super::crowd::{Crowd, Listen, Part, Seat, Voice};
use super::dialect::content;
use super::figures::{self, Figures, quantile};
use super::ledger::Ledger;
use super::system::System;

const CLIENTS: usize = 5_000;
const MEMBERS: usize = 10;
const PEOPLE: usize = 200;
const MISSED: usize = 50;
/// References of sends begin here.
const FIRST: u64 = 16;
const PATIENCE: Duration = Duration::from_secs(60);

/// One run.
pub(super) fn run(system: System, figures: &mut Figures) -> anyhow::Result<()> {
    let name = system.kind.name();
    let missed = if system.kind.is_ours() { MISSED } else { 0 };
    let mut rooms = system.rooms(PEOPLE, CLIENTS / MEMBERS, MEMBERS)?;
    be_there_once(&system, &mut rooms)?;
    let ledger = write_while_away(&system, &rooms, missed)?;

    let seats: Vec<_> = rooms.into_iter().flatten().collect();
    let afters: Vec<_> = seats.iter().map(|seat| seat.after.unwrap_or(0)).collect();
    let (cpu, start) = (system.cpu_seconds()?, Instant::now());
    let mut crowd = Crowd::connect(&system, seats, Return::new(start, CLIENTS, missed))?;
    crowd.until("everybody to be back", PATIENCE, |people| people.part.back == CLIENTS)?;
    let took = start.elapsed().as_secs_f64();
    let cpu = system.cpu_seconds()? - cpu;
    for (id, after) in afters.into_iter().enumerate().filter(|_| missed > 0) {
        let (wanted, seq) = (after + missed as u64, crowd.people.seq(id));
        anyhow::ensure!(seq == wanted, "client {id} is at event {seq} and not at {wanted}");
    }
    let mut ready = std::mem::take(&mut crowd.people.part.ready_us);
    let mut add = |what, unit, value| figures.add("S5", name, what, unit, value);
    add(figures::BACK, "/s", CLIENTS as f64 / took);
    add(figures::P50, "ms", quantile(&mut ready, 0.5) / 1e3);
    add(figures::P99, "ms", quantile(&mut ready, 0.99) / 1e3);
    add("CPU per connection", "ms", cpu / CLIENTS as f64 * 1e3);
    crowd.swarm.leave();
    system.finish(&ledger)
}

/// Everybody joins, notes where the log is, and is cut off.
fn be_there_once(system: &System, rooms: &mut [Vec<Seat>]) -> anyhow::Result<()> {
    let seats: Vec<_> = rooms.iter().flatten().cloned().collect();
    let mut crowd = Crowd::gather(system, seats, Listen, PATIENCE)?;
    crowd.rest(Duration::from_millis(300))?;
    if system.kind.is_ours() {
        for (id, seat) in rooms.iter_mut().flatten().enumerate() {
            seat.after = Some(crowd.people.seq(id));
        }
    }
    crowd.swarm.leave();
    Ok(())
}

/// One member of each room says what all will have missed.
fn write_while_away(system: &System, rooms: &[Vec<Seat>], missed: usize) -> anyhow::Result<Ledger> {
    let writers: Vec<_> = rooms.iter().filter_map(|room| room.first().cloned()).collect();
    let count = writers.len();
    let writers = writers.into_iter().map(|seat| Seat { after: None, ..seat }).collect();
    let part = Missed { ledger: Ledger::new(), left: vec![missed; count], missed };
    let mut crowd = Crowd::gather(system, writers, part, PATIENCE)?;
    for id in 0..count {
        crowd.speak(id, Missed::next);
    }
    crowd.until("what is missed to be written", PATIENCE, |people| {
        people.part.ledger.len() == count * missed
    })?;
    crowd.swarm.leave();
    Ok(crowd.people.part.ledger)
}

/// Writers, each with so many messages left to write.
struct Missed {
    ledger: Ledger,
    left: Vec<usize>,
    missed: usize,
}

impl Missed {
    fn next(&mut self, voice: &mut Voice) {
        let left = &mut self.left[voice.id];
        if *left > 0 {
            *left -= 1;
            let write = (voice.id * self.missed + *left) as u64;
            voice.send(write + FIRST, self.ledger.client_id(write), &content(write));
        }
    }
}

impl Part for Missed {
    fn done(&mut self, reference: u64, message: &[u8], _now: Instant, voice: &mut Voice) {
        let number = voice.dialect.number(message).unwrap_or(0);
        self.ledger.acknowledge(reference - FIRST, number);
        self.next(voice);
    }
}

/// Counts who is back, and when: joined, and with everything that was missed.
struct Return {
    start: Instant,
    /// What each still waits for: its answer, and its events.
    waits_for: Vec<usize>,
    back: usize,
    ready_us: Vec<u32>,
}

impl Return {
    fn new(start: Instant, clients: usize, missed: usize) -> Self {
        let waits_for = vec![missed + 1; clients];
        Self { start, waits_for, back: 0, ready_us: Vec::with_capacity(clients) }
    }

    fn one_less(&mut self, id: usize, now: Instant) {
        self.waits_for[id] = self.waits_for[id].saturating_sub(1);
        if self.waits_for[id] == 0 {
            self.back += 1;
            let took = now.duration_since(self.start).as_micros();
            self.ready_us.push(u32::try_from(took).unwrap_or(u32::MAX));
        }
    }
}

impl Part for Return {
    fn joined(&mut self, id: usize, now: Instant) {
        self.one_less(id, now);
    }

    fn event(&mut self, id: usize, _seq: u64, _message: &[u8], now: Instant) {
        self.one_less(id, now);
    }
}
