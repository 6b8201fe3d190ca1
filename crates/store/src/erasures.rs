//! The list of what somebody has erased, by ids alone. It is kept beside the keys, where no backup
//! is, so that a database which comes out of one erases it again before it serves anybody.
//!
//! Owns what an entry says. An entry is written before what it says is committed: what was erased
//! and stood nowhere would come back, and what stands there and was not erased is when the database
//! is opened next. What goes by itself, at a time that the database knows, is not listed.

use parlor_domain::{MessageId, RoomId, SessionId, UserId};
use uuid::Uuid;

/// The note of `meta` that says up to which entry all is done.
pub(crate) const DONE: &str = "erasures_done";

/// How many entries are done at once.
pub(crate) const AT_ONCE: i64 = 256;

/// What somebody has erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Erasure {
    /// A message, and who did so.
    Message(MessageId, UserId),
    /// A session, which ended; who did so, unless it ended by itself.
    Session(SessionId, Option<UserId>),
    /// A room, and who did so.
    Room(RoomId, UserId),
    /// An account, by its owner.
    Account(UserId),
}

impl Erasure {
    /// As it is kept: its kind, what it is about, and by whom.
    pub(crate) fn to_row(self) -> (i64, Uuid, Option<Uuid>) {
        match self {
            Self::Message(id, by) => (1, id.0, Some(by.0)),
            Self::Session(id, by) => (2, id.0, by.map(|by| by.0)),
            Self::Room(id, by) => (3, id.0, Some(by.0)),
            Self::Account(id) => (4, id.0, None),
        }
    }

    /// As it was kept; `None`: by a newer program.
    pub(crate) fn of_row(kind: i64, id: Uuid, by: Option<Uuid>) -> Option<Self> {
        let by = by.map(UserId);
        Some(match (kind, by) {
            (1, Some(by)) => Self::Message(MessageId(id), by),
            (2, by) => Self::Session(SessionId(id), by),
            (3, Some(by)) => Self::Room(RoomId(id), by),
            (4, None) => Self::Account(UserId(id)),
            _ => return None,
        })
    }
}

/// An entry of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Which; ascending, with holes.
    pub(crate) nth: i64,
    pub(crate) erasure: Erasure,
}
