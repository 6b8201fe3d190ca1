//! Threads: what was said in them, who follows them and how far they have read.

use async_trait::async_trait;
use parlor_domain::{Message, MessageId, RoomId, UserId};

use crate::StoreError;
use crate::messages::{MessagePage, Page};

/// A thread that somebody follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The message that began it, with what became of it.
    pub root: Message,
    /// The room of its session.
    pub room: RoomId,
    /// The small id of the newest message in it: later ones have greater ones.
    pub last_no: i64,
}

/// Reads threads, and writes who follows them.
#[async_trait]
pub trait Threads: Send + Sync {
    /// A page of what was said in the thread of a message that `user` can see; `None` when they
    /// cannot.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn thread(
        &self,
        user: UserId,
        root: MessageId,
        page: Page,
        limit: u64,
    ) -> Result<Option<MessagePage>, StoreError>;

    /// Moves the reader's marker in a thread forward; a number beyond its newest message means that
    /// one. Returns the marker.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::NotFound`] when they cannot see it, or there is none.
    async fn mark_thread(
        &self,
        user: UserId,
        root: MessageId,
        number: i64,
    ) -> Result<i64, StoreError>;

    /// Lets somebody follow the thread of a message, as read up to now, or no more. There need not
    /// be a thread yet.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::NotFound`] when they cannot see it,
    /// [`parlor_domain::Denied::Invalid`] when it can begin none.
    async fn follow(&self, user: UserId, root: MessageId, on: bool) -> Result<(), StoreError>;

    /// Up to `limit` threads that `user` follows, where something was said last first, with a last
    /// message of a small id below `before` where given.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn followed(
        &self,
        user: UserId,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Followed>, StoreError>;
}
