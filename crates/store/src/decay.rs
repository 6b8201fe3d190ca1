//! What has decayed goes, and what was said in sessions that have ended.

use async_trait::async_trait;
use parlor_domain::{SEALED_MAX, Time, Ttl};

use crate::StoreError;

/// What a look at what is due came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decayed {
    /// How many messages were erased.
    pub erased: u64,
    /// When the next thing is due, as far as it is known now: where it is not after the moment of
    /// the look, there is more to be done at once.
    pub next: Option<Time>,
}

/// Takes away what has decayed, and ends what ends by itself.
#[async_trait]
pub trait Decay: Send + Sync {
    /// Does some of what is due at `now`, each up to `limit`, what was due first first: ends
    /// sessions, brings the ends of messages nearer where their room keeps them for less time than
    /// it did, erases messages whose time is over, and erases messages of sessions that have ended.
    /// Of a message go its text, earlier wordings, files, what people did with it, whom it names
    /// and what it is found by. Its number stays. An event tells of each session that ends,
    /// and of each run of messages that go in one that has not.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn decay(&self, now: Time, limit: u64) -> Result<Decayed, StoreError>;

    /// Erases again what somebody had erased when this database was copied already, or was erasing
    /// when it was last closed: messages, sessions, rooms and accounts that stand on the list which
    /// is kept with the keys. Due before anybody is served. Says how many entries were done.
    ///
    /// # Errors
    /// [`StoreError`]; what is left is done by the next call.
    async fn erase_again(&self, now: Time) -> Result<u64, StoreError>;
}

/// Whether what a room keeps for so long is kept sealed.
pub(crate) fn is_soon(kept: Option<Ttl>) -> bool {
    kept.is_some_and(|kept| kept.after(Time(0)).since(Time(0)) <= SEALED_MAX)
}

/// A message that is due, as the event of a session tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due {
    pub(crate) session_no: i64,
    pub(crate) number: i64,
}

/// The runs of consecutive numbers among what is due, which is in order: the session, the first
/// and the last number.
pub(crate) fn runs(due: &[Due]) -> impl Iterator<Item = (i64, i64, i64)> {
    let goes_on = |a: &Due, b: &Due| a.session_no == b.session_no && a.number + 1 == b.number;
    due.chunk_by(goes_on).filter_map(|run| {
        let (first, last) = (run.first()?, run.last()?);
        Some((first.session_no, first.number, last.number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_numbers_of_a_session_are_one_run() {
        let due = [(1, 1), (1, 2), (1, 4), (2, 5), (2, 6), (2, 7)];
        let due = due.map(|(session_no, number)| Due { session_no, number });
        assert_eq!(runs(&due).collect::<Vec<_>>(), [(1, 1, 2), (1, 4, 4), (2, 5, 7)]);
        assert_eq!(runs(&[]).count(), 0);
    }
}
