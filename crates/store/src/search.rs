//! Finding what was said.

use async_trait::async_trait;
use parlor_domain::search::Query;
use parlor_domain::{Message, RoomId, UserId};

use crate::StoreError;

/// A search, and where it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What to look for.
    pub query: Query,
    /// Only messages with a small id below this.
    pub before: Option<i64>,
    /// Messages to find at most.
    pub limit: u64,
    /// Messages to look at, at most.
    pub rows_max: u64,
    /// Bytes of their texts to look at, at most.
    pub text_bytes_max: u64,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The message.
    pub message: Message,
    /// The room of its session.
    pub room: RoomId,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Newest first.
    pub hits: Vec<Hit>,
    /// Where the search goes on, when it did not come to the end: there may be more below this
    /// small id. A search that looked at as much as it may has one even when it found nothing.
    pub next: Option<i64>,
}

/// Searches.
#[async_trait]
pub trait Search: Send + Sync {
    /// Messages that match, in sessions that `user` is in now. What was committed before is found
    /// at once, what was deleted or reworded is not.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn search(&self, user: UserId, asked: Asked) -> Result<Found, StoreError>;
}
