//! S3: how fast sends are acknowledged, that is, durable. Closed loop: every client has so many
//! sends outstanding and sends the next when one is answered.

use std::time::{Duration, Instant};

use super::commit;
use super::crowd::{Crowd, Part, Voice};
use super::dialect::content;
use super::figures::{self, Figures, quantile};
use super::ledger::Ledger;
use super::system::{Data, System};
use super::town;

const CLIENTS: usize = 50;
const MEMBERS: usize = 2;
/// References of sends begin here.
const FIRST: u64 = 16;
const JOIN: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(10);

/// A size of S3.
pub(super) struct Shape {
    pub(super) name: &'static str,
    /// Sends that each client has outstanding.
    pub(super) each: usize,
    /// For how many seconds what is said lives, if not for ever.
    pub(super) ttl_s: Option<u64>,
}

pub(super) const ONE_EACH: Shape = Shape { name: "S3 50×1", each: 1, ttl_s: None };
pub(super) const TWENTY_EACH: Shape = Shape { name: "S3 50×20", each: 20, ttl_s: None };

/// One run.
pub(super) fn run(
    system: System,
    shape: &Shape,
    seconds: f64,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let name = system.kind.name();
    let rooms = system.rooms(CLIENTS, CLIENTS / MEMBERS, MEMBERS)?;
    if let Some(ttl_s) = shape.ttl_s {
        town::let_decay(system.address, &rooms, ttl_s)?;
    }
    let seats: Vec<_> = rooms.into_iter().flatten().collect();
    let chain = Chain::new(seconds);
    let mut crowd = Crowd::gather(&system, seats, chain, JOIN)?;
    let cpu_before = system.cpu_seconds()?;
    crowd.people.part.begin();
    for n in 0..CLIENTS * shape.each {
        crowd.speak(n % CLIENTS, |chain, voice| chain.next(voice));
    }
    let most = Duration::from_secs_f64(seconds) + ANSWER;
    crowd.until("the last answers", most, |people| people.part.over())?;
    let cpu = system.cpu_seconds()? - cpu_before;
    crowd.swarm.leave();

    let chain = &mut crowd.people.part;
    let acknowledged = chain.ledger.len() as f64;
    let mut add = |what, unit, value| figures.add(shape.name, name, what, unit, value);
    add(figures::ACKS, "/s", acknowledged / chain.took().as_secs_f64());
    add(figures::P50, "ms", quantile(&mut chain.latencies_us, 0.5) / 1e3);
    add(figures::P99, "ms", quantile(&mut chain.latencies_us, 0.99) / 1e3);
    add("CPU per 1k sends", "s", cpu / acknowledged * 1e3);
    system.finish(&crowd.people.part.ledger)
}

/// Beside it: the same rows by a bare group commit, with as many rows in each.
pub(super) fn run_bare(shape: &Shape, seconds: f64, figures: &mut Figures) -> anyhow::Result<()> {
    let data = Data::new()?;
    let rows = (CLIENTS * shape.each).min(commit::ROWS_MOST);
    let rate = commit::rows_per_second(data.path(), rows, seconds)?;
    figures.add(shape.name, "bare group commit", figures::ACKS, "/s", rate);
    Ok(())
}

/// Sends, each after the answer to another.
pub(super) struct Chain {
    pub(super) ledger: Ledger,
    latencies_us: Vec<u32>,
    /// When each write was sent.
    sent: Vec<Instant>,
    start: Instant,
    last: Instant,
    seconds: f64,
    most: u64,
    /// What each write says.
    text: fn(u64) -> String,
}

impl Chain {
    /// One that ends after a time.
    pub(super) fn new(seconds: f64) -> Self {
        Self {
            ledger: Ledger::new(),
            latencies_us: Vec::new(),
            sent: Vec::new(),
            start: Instant::now(),
            last: Instant::now(),
            seconds,
            most: u64::MAX,
            text: content,
        }
    }

    /// One that ends after so many writes, which say this.
    pub(super) fn of(most: u64, text: fn(u64) -> String) -> Self {
        Self { most, text, ..Self::new(f64::MAX) }
    }

    fn begin(&mut self) {
        self.start = Instant::now();
    }

    /// Sends once more, unless it is time to end.
    pub(super) fn next(&mut self, voice: &mut Voice) {
        let write = self.sent.len() as u64;
        if write >= self.most || self.start.elapsed().as_secs_f64() > self.seconds {
            return;
        }
        self.sent.push(Instant::now());
        voice.send(write + FIRST, self.ledger.client_id(write), &(self.text)(write));
    }

    /// Whether all that was sent is answered, and no more is to be sent.
    pub(super) fn over(&self) -> bool {
        let all_said = self.sent.len() as u64 >= self.most
            || self.start.elapsed().as_secs_f64() > self.seconds;
        all_said && self.ledger.len() == self.sent.len()
    }

    fn took(&self) -> Duration {
        self.last.duration_since(self.start)
    }
}

impl Part for Chain {
    fn done(&mut self, reference: u64, message: &[u8], now: Instant, voice: &mut Voice) {
        let write = reference - FIRST;
        self.ledger.acknowledge(write, voice.dialect.number(message).unwrap_or(0));
        let sent = self.sent.get(write as usize).copied().unwrap_or(now);
        let took = now.saturating_duration_since(sent).as_micros();
        self.latencies_us.push(u32::try_from(took).unwrap_or(u32::MAX));
        self.last = now;
        self.next(voice);
    }
}
