//! The logs: one per session and one per user, each counted without holes.

use async_trait::async_trait;
use parlor_domain::{Event, SessionId, UserEvent, UserId};

use crate::StoreError;

/// What one commit made durable, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Events of sessions; dense and ascending for each session.
    pub events: Vec<Event>,
    /// Entries of users' own logs; dense and ascending for each user.
    pub user_events: Vec<UserEvent>,
}

impl Batch {
    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.user_events.is_empty()
    }
}

/// A stretch of a session's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// Ascending by `seq`, without holes.
    pub events: Vec<Event>,
    /// The newest `seq` at the time of reading.
    pub head: i64,
}

/// A stretch of a user's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserLogPage {
    /// Ascending by `seq`, without holes.
    pub events: Vec<UserEvent>,
    /// The newest `seq` at the time of reading.
    pub head: i64,
}

/// Reads the logs.
#[async_trait]
pub trait Log: Send + Sync {
    /// Names this history: a cursor of another epoch is void. It is made with the database and
    /// made anew when a backup is restored.
    fn epoch(&self) -> &str;

    /// Up to `limit` events of a session after `after`, as `user` may see them; `None` when they
    /// may not see the session. An event shows its message as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn events_after(
        &self,
        user: UserId,
        session: SessionId,
        after: i64,
        limit: u64,
    ) -> Result<Option<LogPage>, StoreError>;

    /// Like [`Log::events_after`], for the server itself: to repair a hole.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn events_between(
        &self,
        session: SessionId,
        after: i64,
        before: i64,
    ) -> Result<Vec<Event>, StoreError>;

    /// Up to `limit` entries of a user's own log after `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn user_events_after(
        &self,
        user: UserId,
        after: i64,
        limit: u64,
    ) -> Result<UserLogPage, StoreError>;

    /// The newest `seq` of each of these sessions that exists: for the server itself, to find that
    /// something was committed of which it has not heard.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn heads(&self, sessions: Vec<SessionId>) -> Result<Vec<(SessionId, i64)>, StoreError>;

    /// The newest `seq` of the own log of each of these users who exist.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn user_heads(&self, users: Vec<UserId>) -> Result<Vec<(UserId, i64)>, StoreError>;

    /// Whether the store answers: reads something and, when the last write failed, writes.
    ///
    /// # Errors
    /// [`StoreError`] when not.
    async fn check(&self) -> Result<(), StoreError>;
}
