//! S1: ten thousand connections that have joined and are silent: what each costs the server.

use std::time::{Duration, Instant};

use super::crowd::{Crowd, Listen};
use super::figures::{self, Figures};
use super::ledger::Ledger;
use super::system::System;

const CONNECTIONS: usize = 10_000;
const MEMBERS: usize = 10;
const PEOPLE: usize = 200;
const JOIN: Duration = Duration::from_secs(120);
const SETTLE: Duration = Duration::from_secs(2);

/// One run.
pub(super) fn run(system: System, figures: &mut Figures) -> anyhow::Result<()> {
    let name = system.kind.name();
    let rooms = system.rooms(PEOPLE, CONNECTIONS / MEMBERS, MEMBERS)?;
    // A fresh heap: what the set-up has freed would hide what the connections take.
    let system = system.restart()?;
    let seats: Vec<_> = rooms.into_iter().flatten().collect();
    let (memory, cpu, start) = (system.memory()?, system.cpu_seconds()?, Instant::now());
    let mut crowd = Crowd::gather(&system, seats, Listen, JOIN)?;
    let took = start.elapsed().as_secs_f64();
    let cpu = system.cpu_seconds()? - cpu;
    crowd.rest(SETTLE)?;
    let each = (system.memory()? - memory) / CONNECTIONS as f64;
    let mut add = |what, unit, value| figures.add("S1", name, what, unit, value);
    add(figures::MEMORY, "KiB", each / 1024.0);
    add("connections per second", "/s", CONNECTIONS as f64 / took);
    add("CPU per connection", "ms", cpu / CONNECTIONS as f64 * 1e3);
    crowd.swarm.leave();
    system.finish(&Ledger::new())
}
