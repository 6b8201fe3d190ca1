//! What else there is of a message besides what was said: what people did with it since. Few
//! messages have any of it, and the others are to cost nothing more.

use crate::Reaction;

/// What else there is of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extras {
    /// Which of the following there are: a sum of the constants. What is not listed here is not
    /// looked for.
    pub bits: i64,
    /// How people react to it, in the order in which each emoji came first.
    pub reactions: Vec<Reaction>,
}

impl Extras {
    /// People have reacted to it.
    pub const REACTIONS: i64 = 1;

    /// Room for what these bits say, which is still to be read; `None` when it is nothing.
    pub fn of(bits: i64) -> Option<Box<Self>> {
        (bits != 0).then(|| Box::new(Self { bits, ..Self::default() }))
    }

    /// Whether there is this, one of the constants.
    pub fn has(&self, bit: i64) -> bool {
        self.bits & bit != 0
    }
}
