//! The simulation: random schedules of people and connections through the real store, committer,
//! teller and hub, on one thread, under a clock that stands still. Every schedule comes from one
//! number; a failure prints it, and `cargo xtask sim --seed` plays it again, step by step.

mod client;
pub(crate) mod dice;
#[cfg(feature = "faults")]
mod faults;
mod schedule;
mod town;

use dice::Dice;
use schedule::{Failure, play};
use town::Town;

/// Schedules played unless `PARLOR_SIM_SCHEDULES` says otherwise.
const SCHEDULES: u64 = 10_000;

/// The first seed unless `PARLOR_SIM_SEED` says otherwise.
const SEED: u64 = 0x7061_726c_6f72;

/// Schedules played in one town, until its database has grown.
const PER_TOWN: u64 = 64;

/// Seeds, beginning with one.
struct Seeds(Dice);

impl Seeds {
    fn from(first: u64) -> impl Iterator<Item = u64> {
        let mut seeds = Self(Dice::new(first));
        std::iter::once(first).chain(std::iter::from_fn(move || Some(seeds.0.next())))
    }
}

/// A number from the environment, decimal or with `0x`.
pub(crate) fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let hex = text.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16));
    let number = hex.unwrap_or_else(|| text.parse());
    Some(number.unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// Plants a fault before a schedule with this seed, and takes it out afterwards.
type Plant<'a> = &'a dyn Fn(Option<u64>);

/// Plays up to `count` schedules; returns how many were played before one failed, and how.
fn hunt(first: u64, count: u64, plant: Plant<'_>) -> Result<u64, (u64, u64, Failure)> {
    let mut town = Town::new();
    for (played, seed) in (0..count).zip(Seeds::from(first)) {
        if played % PER_TOWN == 0 {
            town = Town::new();
        }
        if let (Err(failure), _) = play(&mut town, seed, plant, false) {
            return Err((played + 1, seed, failure));
        }
    }
    Ok(count)
}

/// Plays a schedule again by itself and tells every step.
fn retell(seed: u64) -> String {
    let (result, steps) = play(&mut Town::new(), seed, &|_| (), true);
    format!("{}\n{result:?}", steps.join("\n"))
}

#[test]
fn no_schedule_breaks_a_promise() {
    let first = number("PARLOR_SIM_SEED").unwrap_or(SEED);
    let default = if std::env::var_os("PARLOR_SIM_SEED").is_some() { 1 } else { SCHEDULES };
    let count = number("PARLOR_SIM_SCHEDULES").unwrap_or(default);
    if let Err((played, seed, failure)) = hunt(first, count, &|_| ()) {
        let steps = retell(seed);
        panic!("schedule {played}: {failure}\n{steps}\ncargo xtask sim --seed {seed:#x}");
    }
}
