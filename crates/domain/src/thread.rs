//! A thread: what was said under one message, apart from the timeline.

use crate::{Time, UserId};

/// What became of a message that began a thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thread {
    /// Messages in it, those that were deleted included: their numbers stay.
    pub replies: i64,
    /// When something was last said in it.
    pub last_reply_at: Option<Time>,
    /// Who said something in it, up to [`Thread::SHOWN`] people, who spoke last first.
    pub users: Vec<UserId>,
    /// Whether the reader follows it; false where nobody in particular reads.
    pub following: bool,
    /// How much of it the reader has not read, if they follow it; up to [`Thread::COUNTED`].
    pub unread: i64,
    /// The reader's marker: every message of it up to here is read.
    pub read_number: i64,
}

impl Thread {
    /// People who are named with a thread, at most.
    pub const SHOWN: usize = 5;

    /// Unread messages that are counted in one thread, at most.
    pub const COUNTED: i64 = 1_000;
}
