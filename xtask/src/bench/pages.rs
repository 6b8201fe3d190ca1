//! S4: pages of history at random places of a long log, read by a few raw clients.
//! Every answer is checked: fifty messages, the right ones, in order.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use memchr::memmem::Finder;

use super::acks::Chain;
use super::crowd::{Crowd, Seat};
use super::dialect::content;
use super::figures::{self, Figures, quantile};
use super::rest::Rest;
use super::system::System;

const MESSAGES: u64 = 100_000;
const PAGE: u64 = 50;
const READERS: u64 = 8;
const MEMBERS: usize = 10;
/// Sends outstanding while the log is filled.
const OUTSTANDING: usize = 500;
const PATIENCE: Duration = Duration::from_secs(300);

/// One run. Only ours: no peer here has a history.
pub(super) fn run(system: System, seconds: f64, figures: &mut Figures) -> anyhow::Result<()> {
    let name = system.kind.name();
    let seats = system.rooms(MEMBERS, 1, MEMBERS)?.remove(0);
    let chain = fill(&system, seats.clone())?;
    let (cpu, start) = (system.cpu_seconds()?, Instant::now());
    let mut latencies = read(system.address, &seats[0], seconds)?;
    let took = start.elapsed().as_secs_f64();
    let (pages, cpu) = (latencies.len() as f64, system.cpu_seconds()? - cpu);
    let mut add = |what, unit, value| figures.add("S4", name, what, unit, value);
    add(figures::PAGES, "/s", pages / took);
    add(figures::P50, "ms", quantile(&mut latencies, 0.5) / 1e3);
    add(figures::P99, "ms", quantile(&mut latencies, 0.99) / 1e3);
    add("CPU per page", "ms", cpu / pages * 1e3);
    system.finish(&chain.ledger)
}

fn fill(system: &System, seats: Vec<Seat>) -> anyhow::Result<Chain> {
    let mut crowd = Crowd::gather(system, seats, Chain::of(MESSAGES, content), PATIENCE)?;
    for n in 0..OUTSTANDING {
        crowd.speak(n % MEMBERS, |chain, voice| chain.next(voice));
    }
    crowd.until("the log to be filled", PATIENCE, |people| people.part.over())?;
    crowd.swarm.leave();
    Ok(crowd.people.part)
}

/// Reads pages on a few connections for so long; how many microseconds each took.
fn read(server: SocketAddr, seat: &Seat, seconds: f64) -> anyhow::Result<Vec<u32>> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut all = Vec::new();
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let reader = |first| move || read_until(server, seat, end, first);
        let threads: Vec<_> = (0..READERS).map(|first| scope.spawn(reader(first))).collect();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow!("a reader died"))??);
        }
        Ok(())
    })?;
    Ok(all)
}

fn read_until(
    server: SocketAddr,
    seat: &Seat,
    end: Instant,
    reader: u64,
) -> anyhow::Result<Vec<u32>> {
    let number = Finder::new(b"\"number\":");
    let mut rest = Rest::connect(server)?;
    let (mut random, mut took) = (reader + 1, Vec::new());
    while Instant::now() < end {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        let before = PAGE + 1 + (random >> 33) % (MESSAGES - PAGE);
        let session = &seat.session;
        let path = format!("/api/v1/sessions/{session}/messages?before={before}&limit={PAGE}");
        let start = Instant::now();
        let (status, page) = rest.get(&path, &seat.token)?;
        took.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX));
        ensure!(status == 200, "{path}: {status} {}", String::from_utf8_lossy(page));
        check(&number, page, before)?;
    }
    Ok(took)
}

fn check(number: &Finder<'_>, page: &[u8], before: u64) -> anyhow::Result<()> {
    let mut wanted = before - PAGE;
    for at in number.find_iter(page) {
        let found = super::dialect::number(&page[at + number.needle().len()..]);
        ensure!(found == wanted, "message {found} stands where {wanted} should");
        wanted += 1;
    }
    ensure!(wanted == before, "the page before {before} ends with {}", wanted - 1);
    Ok(())
}
