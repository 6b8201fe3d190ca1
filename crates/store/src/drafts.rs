//! What people have begun to write and not said yet.

use async_trait::async_trait;
use parlor_domain::{Denied, Unsent, UserId, View};

use crate::StoreError;

/// Decides about a text, with the writer's view.
pub type DecideDraft = Box<dyn FnOnce(&View, &Unsent) -> Result<(), Denied> + Send>;

/// Writes and reads them.
#[async_trait]
pub trait Drafts: Send + Sync {
    /// Keeps a text in the place of the one before, or forgets it when it is empty; `most` are kept
    /// of one user.
    ///
    /// # Errors
    /// [`StoreError::Denied`] as decided; [`Denied::NotFound`] when they are not in the session,
    /// [`Denied::Invalid`] when its thread is none, [`Denied::Conflict`] when there are too many.
    async fn keep_draft(
        &self,
        user: UserId,
        unsent: Unsent,
        most: u64,
        decide: DecideDraft,
    ) -> Result<(), StoreError>;

    /// All that `user` has begun to write in sessions that they are in, the last one first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn drafts(&self, user: UserId) -> Result<Vec<Unsent>, StoreError>;
}
