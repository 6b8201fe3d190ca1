//! Time is a parameter: the use cases ask a clock that they are given.

use parlor_domain::Time;
use uuid::{NoContext, Timestamp, Uuid};

/// Says what time it is. Only the binary and the test kit make one.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
}

/// A new id (UUID version 7, RFC 9562): ordered by time, the rest random.
pub(crate) fn new_id(now: Time) -> Uuid {
    let micros = u64::try_from(now.0).unwrap_or(0);
    let nanos = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
    Uuid::new_v7(Timestamp::from_unix(NoContext, micros / 1_000_000, nanos))
}
