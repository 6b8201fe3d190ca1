//! What else there is of a message besides what was said: what people did with it since. Few
//! messages have any of it, and the others are to cost nothing more.

use crate::{File, Forwarded, Preview, Reaction, Thread, Time};

/// What else there is of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extras {
    /// Which of the following there are: a sum of the constants. What is not listed here is not
    /// looked for.
    pub bits: i64,
    /// How people react to it, in the order in which each emoji came first.
    pub reactions: Vec<Reaction>,
    /// What became of it, when it began a thread.
    pub thread: Option<Thread>,
    /// Since when it is pinned.
    pub pinned_at: Option<Time>,
    /// Whose words these are, when somebody passed them on.
    pub forwarded: Option<Forwarded>,
    /// The files that it carries, in their order.
    pub files: Vec<File>,
    /// What is behind its links, in their order.
    pub previews: Vec<Preview>,
}

impl Extras {
    /// People have reacted to it.
    pub const REACTIONS: i64 = 1;
    /// It began a thread.
    pub const THREAD: i64 = 2;
    /// It is pinned.
    pub const PINNED: i64 = 4;
    /// It passes on what somebody said elsewhere.
    pub const FORWARDED: i64 = 8;

    /// It carries files.
    pub const FILES: i64 = 16;
    /// What is behind its links is known.
    pub const PREVIEWS: i64 = 32;

    /// Room for what these bits say, which is still to be read; `None` when it is nothing.
    pub fn of(bits: i64) -> Option<Box<Self>> {
        (bits != 0).then(|| Box::new(Self { bits, ..Self::default() }))
    }

    /// Its text is ciphertext.
    pub const ENCRYPTED: i64 = 64;
    /// Its text is kept sealed.
    pub const SEALED: i64 = 128;

    /// Whether there is this, one of the constants.
    pub fn has(&self, bit: i64) -> bool {
        self.bits & bit != 0
    }
}
