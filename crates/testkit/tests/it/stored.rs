//! What a database has of one session, whichever database it is, held against the session's log.

use crate::checker::{Entry, What};

/// A session as its rows have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// `number` and `seq` of each message, by number.
    pub(crate) messages: Vec<(i64, i64)>,
    /// The newest `seq` and the newest `number` that were given.
    pub(crate) heads: (i64, i64),
}

impl Stored {
    /// Whether the session's messages, numbers and heads are those of its log.
    pub(crate) fn agrees(&self, session: &str, log: &[Entry]) -> Result<(), String> {
        let posted = log.iter().filter_map(|entry| match &entry.what {
            What::Posted { number, .. } => Some((*number, entry.seq)),
            _ => None,
        });
        if !posted.eq(self.messages.iter().copied()) {
            return Err(format!("the stored messages of {session} are not those of its log"));
        }
        let numbers = self.messages.last().map_or(0, |(number, _)| *number);
        let seqs = log.last().map_or(0, |entry| entry.seq);
        if self.heads == (seqs, numbers) {
            Ok(())
        } else {
            Err(format!("the heads of {session} are {:?}, not {seqs} and {numbers}", self.heads))
        }
    }
}
