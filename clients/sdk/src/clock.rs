//! What time it is: a parameter, like everything that a test wants to choose.

use std::sync::Arc;

use jiff::Timestamp;

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The clock of the machine.
pub fn machine() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    Arc::new(Timestamp::now)
}
