//! S2: what is said in a room reaches everybody in it. Open loop: the load says what it was to
//! say by now, whether or not the server keeps up, and latency counts from when it was to be said.

use std::time::{Duration, Instant};

use anyhow::bail;

use super::Load;
use super::crowd::{Crowd, Part, Seat, Voice};
use super::dialect::{Dialect, content};
use super::figures::{self, Figures, quantile};
use super::ledger::Ledger;
use super::machine::{self, Watch};
use super::system::System;

/// References of sends begin here.
const FIRST: u64 = 16;
const SENDERS: usize = 10;
/// Every so many clients, one's latency is taken.
const SAMPLED: usize = 20;
const P99_MOST_MS: f64 = 100.0;
const SETTLE: Duration = Duration::from_millis(300);
const WARM_UP: Duration = Duration::from_millis(500);
const DRAIN: Duration = Duration::from_secs(3);
const JOIN: Duration = Duration::from_secs(30);
/// The rates that are tried: doubled from here until one fails, then halved in between.
const FIRST_RATE: f64 = 20_000.0;
const LEAST_RATE: f64 = 500.0;
const LAST_RATE: f64 = 1.0e7;
/// Half of what T1 asks for.
const HALF_OF_T1: f64 = 500_000.0;
const REFINEMENTS: usize = 3;
/// Attempts at one rate, disturbed ones included.
const TRIES: usize = 4;

/// A size of S2.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) rooms: usize,
    pub(super) members: usize,
}

pub(super) const ONE_ROOM: Shape = Shape { name: "S2 200", rooms: 1, members: 200 };
pub(super) const MANY_ROOMS: Shape = Shape { name: "S2 200×10", rooms: 200, members: 10 };

/// What came of one rate.
struct Step {
    deliveries: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_per_million: f64,
    /// How late the load itself was: where this is the latency, the load is what is too slow.
    load_late_ms: f64,
    /// Cores that others have used meanwhile.
    others: f64,
    fault: Option<String>,
}

impl Step {
    fn good(&self) -> bool {
        self.fault.is_none() && self.p99_ms < P99_MOST_MS
    }
}

/// One run: the highest rate, the latency at half of it, the cost at a low one.
pub(super) fn run(
    system: System,
    shape: &Shape,
    load: Load,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let name = system.kind.name();
    let mut ledger = Ledger::new();
    let rooms = system.rooms(200, shape.rooms, shape.members)?;
    let mut fanout = Fanout { system: &system, rooms, ledger: &mut ledger, seconds: load.seconds };
    let best = match load.rate {
        Some(rate) => fanout.step(rate)?,
        None => fanout.highest()?,
    };
    let mut add = |what, unit, value| figures.add(shape.name, name, what, unit, value);
    add(figures::DELIVERIES, "/s", best.deliveries);
    add(figures::P50, "ms", best.p50_ms);
    add(figures::P99, "ms", best.p99_ms);
    add(figures::CPU, "s", best.cpu_per_million);
    if load.rate.is_some() {
        println!("    {}", describe(&best));
        return system.finish(&ledger);
    }
    let half = fanout.step(best.deliveries / 2.0)?;
    add(figures::P99_HALF, "ms", half.p99_ms);
    if shape.rooms == 1 && best.deliveries > HALF_OF_T1 {
        let half = fanout.step(HALF_OF_T1)?;
        add("p99 at 500k deliveries/s", "ms", half.p99_ms);
    }
    if shape.rooms == 1 {
        // At so low a rate it takes longer until the clock has enough ticks to count.
        fanout.seconds *= 3.0;
        let steady = fanout.step(50.0 * shape.members as f64)?;
        add(figures::CPU_STEADY, "s", steady.cpu_per_million);
    }
    system.finish(&ledger)
}

struct Fanout<'a> {
    system: &'a System,
    rooms: Vec<Vec<Seat>>,
    ledger: &'a mut Ledger,
    seconds: f64,
}

impl Fanout<'_> {
    fn highest(&mut self) -> anyhow::Result<Step> {
        let (mut rate, mut too_much) = (FIRST_RATE, None);
        let mut best = loop {
            match self.try_twice(rate)? {
                Some(step) => break step,
                None if rate < LEAST_RATE => bail!("not even {rate} deliveries/s"),
                None => (rate, too_much) = (rate / 2.0, Some(rate)),
            }
        };
        while rate < LAST_RATE && too_much.is_none() {
            match self.try_twice(rate * 2.0)? {
                Some(step) => (rate, best) = (rate * 2.0, step),
                None => too_much = Some(rate * 2.0),
            }
        }
        let Some(mut too_much) = too_much else {
            return Ok(best);
        };
        for _ in 0..REFINEMENTS {
            let middle = (rate * too_much).sqrt();
            match self.try_twice(middle)? {
                Some(step) => (rate, best) = (middle, step),
                None => too_much = middle,
            }
        }
        Ok(best)
    }

    /// A rate fails when it fails twice while the machine has nothing else to do.
    fn try_twice(&mut self, deliveries: f64) -> anyhow::Result<Option<Step>> {
        let mut failures = 0;
        for _ in 0..TRIES {
            let step = self.step(deliveries)?;
            if step.good() {
                return Ok(Some(step));
            }
            println!("    {deliveries:.0}/s fails: {}", describe(&step));
            failures += usize::from(step.others < machine::DISTURBED);
            if failures == 2 {
                break;
            }
        }
        Ok(None)
    }

    /// Asks for so many deliveries per second, with connections of its own.
    fn step(&mut self, deliveries: f64) -> anyhow::Result<Step> {
        let members = self.rooms[0].len();
        let rate = deliveries / members as f64;
        let count = (rate * self.seconds).ceil() as u64;
        let seats: Vec<_> = self.rooms.iter().flatten().cloned().collect();
        let first_write = self.ledger.len() as u64;
        let talk = Talk::new(&self.system.dialect, self.ledger, rate);
        let mut crowd = Crowd::gather(self.system, seats, talk, JOIN)?;
        crowd.rest(SETTLE)?;
        for heard in &mut crowd.people.heard {
            *heard = 0;
        }
        machine::wait_for_quiet()?;
        let watch = Watch::start()?;
        let cpu_before = self.system.cpu_seconds()?;
        let plan = Plan { rooms: self.rooms.len(), members, rate, count, first_write };
        let fault = plan.carry_out(&mut crowd).err().map(|why| format!("{why:#}"));
        let cpu = self.system.cpu_seconds()? - cpu_before;
        let others = watch.cores()?;
        let heard: u64 = crowd.people.heard.iter().sum();
        let mut latencies = std::mem::take(&mut crowd.people.part.latencies_us);
        let mut load_late = std::mem::take(&mut crowd.people.part.load_late_us);
        crowd.swarm.leave();
        self.system.calm_down()?;
        Ok(Step {
            deliveries,
            p50_ms: quantile(&mut latencies, 0.5) / 1e3,
            p99_ms: quantile(&mut latencies, 0.99) / 1e3,
            cpu_per_million: cpu / heard as f64 * 1e6,
            load_late_ms: quantile(&mut load_late, 0.99) / 1e3,
            others,
            fault,
        })
    }
}

fn describe(step: &Step) -> String {
    let Step { p99_ms, load_late_ms, others, .. } = step;
    let fault = step.fault.as_deref().unwrap_or("nothing lost");
    format!("p99 {p99_ms:.0} ms, load {load_late_ms:.0} ms late, others {others:.2} cores, {fault}")
}

/// What is to be said, and when.
struct Plan {
    rooms: usize,
    members: usize,
    rate: f64,
    count: u64,
    first_write: u64,
}

impl Plan {
    fn carry_out(&self, crowd: &mut Crowd<Talk<'_>>) -> anyhow::Result<()> {
        let start = Instant::now();
        crowd.people.part.start = start;
        let (mut said, mut text) = (0, String::new());
        while said < self.count {
            let due = (start.elapsed().as_secs_f64() * self.rate) as u64 + 1;
            while said < due.min(self.count) {
                self.say(crowd, said, &mut text);
                said += 1;
            }
            // The wait is whole milliseconds: what is left of it is spent turning.
            let next = said as f64 / self.rate - start.elapsed().as_secs_f64();
            let whole = Duration::from_millis((next.max(0.0) * 1e3) as u64);
            crowd.turn(whole)?;
            crowd.people.check()?;
        }
        let (count, rooms) = (self.count, self.rooms as u64);
        let members = self.members;
        crowd.until("all deliveries", DRAIN, |people| {
            let of_room = |room: u64| count / rooms + u64::from(room < count % rooms);
            let acknowledged = people.part.acknowledged == count;
            acknowledged
                && people
                    .heard
                    .iter()
                    .enumerate()
                    .all(|(id, heard)| *heard == of_room((id / members) as u64))
        })
    }

    /// Message `n`: the rooms take turns, and so do the first members of each.
    fn say(&self, crowd: &mut Crowd<Talk<'_>>, n: u64, text: &mut String) {
        let room = n as usize % self.rooms;
        let sender = n as usize / self.rooms % SENDERS.min(self.members);
        let intended_us = n as f64 / self.rate * 1e6;
        *text = content(intended_us as u64);
        let write = self.first_write + n;
        crowd.speak(room * self.members + sender, |talk, voice| {
            let late_us = talk.start.elapsed().as_secs_f64() * 1e6 - intended_us;
            talk.load_late_us.push(late_us as u32);
            voice.send(write + FIRST, talk.ledger.client_id(write), text);
        });
    }
}

/// Latencies at a few of the listeners; acknowledgements of all.
struct Talk<'a> {
    dialect: Dialect,
    ledger: &'a mut Ledger,
    rate: f64,
    start: Instant,
    latencies_us: Vec<u32>,
    load_late_us: Vec<u32>,
    acknowledged: u64,
}

impl<'a> Talk<'a> {
    fn new(dialect: &Dialect, ledger: &'a mut Ledger, rate: f64) -> Self {
        Self {
            dialect: dialect.clone(),
            ledger,
            rate,
            start: Instant::now(),
            latencies_us: Vec::new(),
            load_late_us: Vec::new(),
            acknowledged: 0,
        }
    }

    /// At a rate so low that little is said, all of it counts.
    fn warm_up_us(&self) -> u64 {
        if self.rate < 100.0 { 0 } else { WARM_UP.as_micros() as u64 }
    }
}

impl Part for Talk<'_> {
    fn event(&mut self, id: usize, _seq: u64, message: &[u8], now: Instant) {
        if !id.is_multiple_of(SAMPLED) {
            return;
        }
        let Some(intended_us) = self.dialect.stamp(message) else {
            return;
        };
        if intended_us >= self.warm_up_us() {
            let now_us = now.duration_since(self.start).as_micros() as u64;
            let late = now_us.saturating_sub(intended_us);
            self.latencies_us.push(u32::try_from(late).unwrap_or(u32::MAX));
        }
    }

    fn done(&mut self, reference: u64, message: &[u8], _now: Instant, voice: &mut Voice) {
        let number = voice.dialect.number(message).unwrap_or(0);
        self.ledger.acknowledge(reference - FIRST, number);
        self.acknowledged += 1;
    }
}
