//! The clocks of the process: what the system says, and for a server one that nobody sets.
//!
//! What is to disappear does so neither early nor late because somebody sets the machine's clock.
//! A server takes the wall clock once, and counts from then on the time that the machine has run.
//! That goes on over a restart of the server, by a small file; not over one of the machine, when
//! nothing tells how long that was off, but what was is never again. What the wall clock gains or
//! loses little by little is followed slowly. A jump is not followed: the operator is told, and
//! decides.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use parlor_app::Clock;
use parlor_domain::Time;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What the system says.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody takes")]
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Time(i64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(i64::MAX))
    }
}

/// The file, in the data directory.
pub(crate) const FILE: &str = "clock.json";

/// A difference from the wall clock that is more than this is a jump.
pub(crate) const JUMP: Duration = Duration::from_secs(5 * 60);

/// How often the wall clock is looked at, and by how much it is followed then at most: an hour
/// grows or shrinks by 36 seconds.
const EVERY: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(100);

/// How often the operator is told again.
const AGAIN: Duration = Duration::from_secs(3_600);

/// A clock that runs as the machine does.
pub struct SteadyClock {
    file: PathBuf,
    state: Mutex<State>,
}

struct State {
    steady: Steady,
    /// When a jump was told last.
    told: Option<Duration>,
}

/// A time, and how long the machine had run then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Steady {
    /// The machine's run that this is of; empty when it has no name.
    boot: String,
    ran_us: i64,
    time_us: i64,
}

impl SteadyClock {
    /// Goes on from where the last server on this data directory was, as far as that can be known.
    pub fn open(data_dir: &Path) -> Self {
        let file = data_dir.join(FILE);
        let steady = Steady::begin(read(&file), &boot(), ran(), SystemClock.now());
        Self { file, state: Mutex::new(State { steady, told: None }) }
    }

    /// Looks at the wall clock now and then, and never ends by itself.
    pub async fn watch(&self) {
        loop {
            self.look(ran(), SystemClock.now());
            tokio::time::sleep(EVERY).await;
        }
    }

    fn look(&self, ran: Duration, wall: Time) {
        let mut state = self.state.lock();
        let ahead_us = wall.0.saturating_sub(state.steady.at(ran).0);
        metrics::gauge!("parlor_clock_difference_seconds").set(ahead_us as f64 / 1e6);
        if state.steady.follow(ran, wall) {
            state.told = None;
            if let Err(error) = keep(&self.file, &state.steady) {
                tracing::warn!(%error, file = %self.file.display(), "the time is not kept");
            }
        } else if state.told.is_none_or(|told| ran.saturating_sub(told) >= AGAIN) {
            state.told = Some(ran);
            let seconds = ahead_us / 1_000_000;
            tracing::warn!(
                seconds,
                file = %self.file.display(),
                "the machine's clock jumped, and is not followed: nothing disappears early or \
                 late by it. Set it right, or, if it is right now, stop the server, delete the \
                 file, and start it"
            );
        }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Time {
        self.state.lock().steady.at(ran())
    }
}

impl Steady {
    /// The time at the beginning of a server: that of the server before where it is of the same
    /// run of the machine; else that of the wall clock, but never one that was over before.
    fn begin(before: Option<Self>, boot: &str, ran: Duration, wall: Time) -> Self {
        let time = match before {
            Some(before) if before.boot == boot && !boot.is_empty() => before.at(ran),
            Some(before) => wall.max(Time(before.time_us)),
            None => wall,
        };
        Self { boot: boot.to_owned(), ran_us: micros(ran), time_us: time.0 }
    }

    /// The time when the machine has run for this long.
    fn at(&self, ran: Duration) -> Time {
        Time(self.time_us.saturating_add((micros(ran) - self.ran_us).max(0)))
    }

    /// Comes nearer to the wall clock, and says whether that is near enough to be followed.
    fn follow(&mut self, ran: Duration, wall: Time) -> bool {
        let now = self.at(ran);
        let ahead = wall.0.saturating_sub(now.0);
        let step = micros(STEP);
        let near = ahead.unsigned_abs() <= JUMP.as_micros() as u64;
        let by = if near { ahead.clamp(-step, step) } else { 0 };
        (self.ran_us, self.time_us) = (micros(ran), now.0 + by);
        near
    }
}

/// By how many seconds the machine's clock is ahead of the one that a server on this data directory
/// goes by, when that is of this run of the machine.
pub(crate) fn ahead(data_dir: &Path) -> Option<i64> {
    let steady = read(&data_dir.join(FILE)).filter(|steady| steady.boot == boot())?;
    Some((SystemClock.now().0 - steady.at(ran()).0) / 1_000_000)
}

fn read(file: &Path) -> Option<Steady> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Puts the new file in the place of the old one as a whole.
fn keep(file: &Path, steady: &Steady) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    std::fs::write(&beside, serde_json::to_vec(steady)?)?;
    std::fs::rename(beside, file)
}

/// How long the machine has run, asleep or not.
fn ran() -> Duration {
    #[cfg(target_os = "linux")]
    let ran = clock_gettime(ClockId::Boottime);
    #[cfg(not(target_os = "linux"))]
    let ran = clock_gettime(ClockId::Monotonic);
    Duration::try_from(ran).unwrap_or_default()
}

/// The name of this run of the machine; empty where it has none.
fn boot() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    name.trim().to_owned()
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Time = Time(1_767_225_600_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn begin(before: Option<Steady>, boot: &str, ran: Duration, wall: Time) -> Steady {
        Steady::begin(before, boot, ran, wall)
    }

    #[test]
    fn a_clock_that_is_set_changes_nothing_and_is_told() {
        let years = HOUR * 24 * 3_652;
        for wall in [WALL + HOUR, WALL - HOUR, WALL + years, WALL - years, Time(0), Time(i64::MAX)]
        {
            let mut steady = begin(None, "a", HOUR, WALL);
            assert!(!steady.follow(HOUR, wall), "{wall:?}");
            assert_eq!(steady.at(HOUR), WALL);
            assert_eq!(steady.at(HOUR + HOUR), WALL + HOUR);
        }
    }

    #[test]
    fn what_it_gains_or_loses_little_by_little_is_followed_slowly() {
        for ahead in [-2_000_000, 2_000_000, 5 * 60_000_000] {
            let mut steady = begin(None, "a", HOUR, WALL);
            let (mut ran, mut looks) = (HOUR, 0);
            loop {
                let before = steady.at(ran);
                ran += EVERY;
                let wall = Time(WALL.0 + ahead + micros(ran - HOUR));
                assert!(steady.follow(ran, wall));
                let passed = steady.at(ran).since(before);
                assert!(passed >= EVERY - STEP && passed <= EVERY + STEP, "{passed:?}");
                looks += 1;
                if steady.at(ran) == wall {
                    break;
                }
            }
            assert_eq!(looks, i64::abs(ahead) / micros(STEP));
        }
    }

    #[test]
    fn it_goes_on_over_a_restart_of_the_server_whatever_the_wall_clock_says_then() {
        let before = begin(None, "a", HOUR, WALL);
        let after = begin(Some(before), "a", HOUR * 3, WALL + HOUR * 9_000);
        assert_eq!(after.at(HOUR * 3), WALL + HOUR * 2);
    }

    #[test]
    fn after_a_restart_of_the_machine_it_is_the_wall_clock_and_never_earlier_than_before() {
        let before = begin(None, "a", HOUR, WALL);
        let small = Duration::from_secs(9);
        assert_eq!(begin(Some(before.clone()), "b", small, WALL + HOUR).at(small), WALL + HOUR);
        assert_eq!(begin(Some(before.clone()), "b", small, Time(5)).at(small), WALL);
        // Nobody knows whether it is the same one.
        let nameless = Steady { boot: String::new(), ..before };
        assert_eq!(begin(Some(nameless), "", HOUR * 3, WALL + HOUR).at(HOUR * 3), WALL + HOUR);
    }

    #[test]
    fn the_file_is_written_as_a_whole_and_a_damaged_one_is_none() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join(FILE);
        assert_eq!(read(&file), None);
        let steady = begin(None, "a", HOUR, WALL);
        keep(&file, &steady).expect("it is written");
        assert_eq!(read(&file), Some(steady));
        std::fs::write(&file, b"{\"boot\":").expect("it is written");
        assert_eq!(read(&file), None);
        let clock = SteadyClock::open(home.path());
        clock.look(ran(), SystemClock.now());
        assert_eq!(ahead(home.path()), Some(0));
        clock.look(ran(), SystemClock.now() + HOUR);
        assert_eq!(ahead(home.path()), Some(0), "a jump is not kept");
    }
}
