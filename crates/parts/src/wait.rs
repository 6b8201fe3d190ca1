//! Waiting for a condition, with a bound that needs no clock: so many looks, so far apart.

use std::time::Duration;

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until `found` finds something, for about `at_most`; `None` when it never did.
pub(crate) fn until<T>(at_most: Duration, mut found: impl FnMut() -> Option<T>) -> Option<T> {
    let looks = at_most.as_millis() / PAUSE.as_millis();
    for _ in 0..looks {
        if let Some(found) = found() {
            return Some(found);
        }
        std::thread::park_timeout(PAUSE);
    }
    found()
}
