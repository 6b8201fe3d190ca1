//! Everything breaks while people talk.

use std::time::Duration;

use parlor_testkit::clock::Stopwatch;

use super::fault::{Storm, Tally, schedule};
use super::probe::Probe;
use super::town::Town;
use super::{cluster, count, seed};
use crate::simulation::dice::Dice;

const ROOMS: usize = 20;
const WRITERS: usize = 16;

/// Between two messages of one writer while things break, and when nothing does any more.
const PACE: Duration = Duration::from_millis(2_000);
const RUSH: Duration = Duration::from_millis(250);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_whatever_breaks() {
    let seed = seed();
    let messages = count("PARLOR_STORM_MESSAGES", 200_000);
    let began = Stopwatch::start();
    let mut cluster = cluster().await;
    let mut probe = Probe::begin(&cluster).await;
    let town = Town::open(&cluster, ROOMS, WRITERS, PACE, seed).await;
    // Everybody comes at once, which is a storm of its own: it may pass first.
    town.until_answered((ROOMS * WRITERS) as u64, PACE).await;
    probe.all_works("everybody came").await;
    let mut dice = Dice::new(seed);
    let strikes = schedule(&mut dice);
    let mut storm = Storm {
        cluster: &mut cluster,
        probe: &mut probe,
        dice: &mut dice,
        tally: Tally::default(),
    };
    for (n, strike) in strikes.iter().enumerate() {
        println!("{n:>4}/{} {strike:?}, {} answered", strikes.len(), town.answered());
        storm.strike(*strike).await;
    }
    let tally = storm.tally;
    town.until_answered(messages, RUSH).await;
    let verdict = town.audit(&cluster).await;
    println!(
        "{tally:?}: {} messages acknowledged, {} events told in {:.0} s: none lost, none doubled; \
         the longest recovery took {:.2} s",
        verdict.answers,
        verdict.told,
        began.elapsed().as_secs_f64(),
        probe.worst().as_secs_f64(),
    );
}
