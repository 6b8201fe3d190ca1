//! How nodes hear of each other: what was committed, and what is said without being kept.
//!
//! Owns the carrying, and nothing else: sequence is truth, the bus is rumour. What it loses,
//! doubles or swaps, the receiver puts right from the store. Refuses to be a system of record: it
//! keeps nothing, and can be emptied or replaced at any moment.

mod carry;
mod local;
mod redis;
mod word;

use parlor_domain::{Event, SessionId, UserEvent, UserId};

pub use crate::redis::{Address, BadAddress, Redis};
pub use local::Local;
pub use word::{Spent, Word};

/// Carries between nodes. Nothing here waits or fails: who commits must not.
pub trait Bus: Send + Sync {
    /// Carries what this node has committed, in commit order. It may lose it.
    fn publish(&self, events: &[Event], user_events: &[UserEvent]);

    /// Carries what is not kept. It may lose it.
    fn say(&self, _: Word) {}

    /// Hears of a log from now on. What went before is in the store; that it is heard from here on
    /// without a hole is said by [`Heard::Doubt`].
    fn follow(&self, _: Topic) {}

    /// Hears of no other logs than these any more.
    fn follow_only(&self, _: &[Topic]) {}

    /// Which node speaks by it.
    fn node(&self) -> Node {
        Node(0)
    }

    /// Whether it carries.
    fn state(&self) -> State {
        State::Absent
    }
}

/// Whether a bus carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Absent,
    /// What was said a moment ago came back.
    Up,
    /// Nothing comes back.
    Down,
}

/// A log that can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// A session's.
    Session(SessionId),
    /// A user's own.
    User(UserId),
}

/// One run of one node: a node that starts again is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node(pub u64);

/// What came from other nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something was committed; all of it, in its order.
    Event(Event),
    /// A log has come this far; what it says is in the store.
    Head(Topic, i64),
    /// Another node says something.
    Word(Node, Word),
    /// Something may have been missed: whoever listens compares with the store.
    Doubt,
}
