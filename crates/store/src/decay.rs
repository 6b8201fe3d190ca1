//! What has decayed goes.

use async_trait::async_trait;
use parlor_domain::Time;

use crate::StoreError;

/// What a look at what is due came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decayed {
    /// How many messages were erased: the limit, when there may be more.
    pub erased: u64,
    /// When the next one is due, as far as it is known now.
    pub next: Option<Time>,
}

/// Takes away what has decayed.
#[async_trait]
pub trait Decay: Send + Sync {
    /// Erases messages that are due at `now`, up to `limit` of them, whose time was over first
    /// first: their texts, earlier wordings, files, what people did with them, whom they name and
    /// what they are found by. Their numbers stay, and an event tells of each run of them.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn decay(&self, now: Time, limit: u64) -> Result<Decayed, StoreError>;
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
