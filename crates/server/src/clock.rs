//! The clock of the process.

use parlor_app::Clock;
use parlor_domain::Time;

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
