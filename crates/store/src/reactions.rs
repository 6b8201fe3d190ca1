//! Reactions: by whom, to which message, by which emoji.

use async_trait::async_trait;
use parlor_domain::reaction::ReactionFacts;
use parlor_domain::{Denied, Message, MessageId, Time, User, UserId, View};

use crate::StoreError;

/// A reaction to come, or to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reacting {
    /// By whom.
    pub user: UserId,
    /// To which message.
    pub message: MessageId,
    /// By which emoji.
    pub emoji: String,
    /// Whether it comes.
    pub on: bool,
}

/// Decides about a reaction, with the message and the actor's view.
pub type DecideReaction =
    Box<dyn FnOnce(&View, &Message, &ReactionFacts) -> Result<(), Denied> + Send>;

/// Writes and reads reactions.
#[async_trait]
pub trait Reactions: Send + Sync {
    /// Lets somebody react to a message that they can see, or no more. What is so already changes
    /// nothing and is not logged.
    ///
    /// # Errors
    /// [`StoreError::Denied`] as decided; [`Denied::NotFound`] when they cannot see it.
    async fn react(
        &self,
        reacting: Reacting,
        now: Time,
        decide: DecideReaction,
    ) -> Result<(), StoreError>;

    /// Up to `limit` people who react by this emoji to a message that `user` can see, by their
    /// small ids after `after`; `None` when they cannot see it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn reactors(
        &self,
        user: UserId,
        message: MessageId,
        emoji: String,
        after: i64,
        limit: u64,
    ) -> Result<Option<Vec<User>>, StoreError>;
}
