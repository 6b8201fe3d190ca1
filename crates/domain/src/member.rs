//! Roles, members and bans.

use crate::{Time, User, UserId};

/// What somebody is in a room; ordered by power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Talks.
    Member,
    /// Also keeps order.
    Moderator,
    /// Also decides what the room is.
    Owner,
}

impl Role {
    /// The name on the wire and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Member, Self::Moderator, Self::Owner].into_iter().find(|r| r.as_str() == text)
    }
}

/// A person in a room or session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// Their role in the room.
    pub role: Role,
    /// Since when.
    pub joined_at: Time,
    /// How far they have read; only in a session's list, and not when hidden.
    pub read_number: Option<i64>,
}

/// Somebody who may not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Who.
    pub user: User,
    /// Who banned them, if that account still exists.
    pub by: Option<UserId>,
    /// When.
    pub at: Time,
    /// Why, as the moderator put it.
    pub reason: String,
}
