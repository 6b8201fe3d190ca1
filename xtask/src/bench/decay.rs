//! What it costs that messages decay, and how fast they go: sends with and without a time to live
//! on servers that take turns, and a million messages that are all due when a server starts, which
//! it erases before it serves anybody.

use std::time::{Duration, Instant};

use super::acks::{self, Chain, Shape};
use super::crowd::Crowd;
use super::dialect::content;
use super::figures::Figures;
use super::system::{Kind, System};
use super::town;

const FOR_EVER: Shape = Shape { name: "decay 50×20, for ever", each: 20, ttl_s: None };
const FOR_AN_HOUR: Shape =
    Shape { name: "decay 50×20, for an hour", each: 20, ttl_s: Some(3_600) };

const MESSAGES: u64 = 1_000_000;
const PEOPLE: usize = 50;
const ROOMS: usize = 25;
const MEMBERS: usize = 2;
/// Sends outstanding while the log is filled.
const OUTSTANDING: usize = 1_000;
/// Longer than it takes to say all of it.
const TTL: Duration = Duration::from_secs(120);
const PATIENCE: Duration = Duration::from_secs(900);

/// One run.
pub(super) fn run(kind: Kind, seconds: f64, figures: &mut Figures) -> anyhow::Result<()> {
    for shape in [FOR_EVER, FOR_AN_HOUR] {
        acks::run(System::start(kind)?, &shape, seconds, figures)?;
    }
    erase(System::start(kind)?, figures)
}

fn erase(system: System, figures: &mut Figures) -> anyhow::Result<()> {
    let rooms = system.rooms(PEOPLE, ROOMS, MEMBERS)?;
    town::let_decay(system.address, &rooms, TTL.as_secs())?;
    let seats: Vec<_> = rooms.into_iter().map(|mut seats| seats.remove(0)).collect();
    let mut crowd = Crowd::gather(&system, seats, Chain::of(MESSAGES, content), PATIENCE)?;
    for n in 0..OUTSTANDING {
        crowd.speak(n % ROOMS, |chain, voice| chain.next(voice));
    }
    crowd.until("the log to be filled", PATIENCE, |people| people.part.over())?;
    crowd.swarm.leave();
    let ledger = crowd.people.part.ledger;
    let name = system.kind.name();
    let (due, stopped) = (Instant::now() + TTL, system.stop());
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
    let began = Instant::now();
    let system = stopped.start_within(PATIENCE)?;
    let took = began.elapsed().as_secs_f64();
    let mut add = |what, unit, value| figures.add("decay 10^6", name, what, unit, value);
    add("erased per second, before a start is over", "/s", MESSAGES as f64 / took);
    add("user memory afterwards", "MiB", system.memory()? / 1024.0 / 1024.0);
    system.finish(&ledger)
}
