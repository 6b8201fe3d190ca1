//! Pins: what a session keeps in sight.

use async_trait::async_trait;
use parlor_domain::pin::PinFacts;
use parlor_domain::{Denied, Message, MessageId, SessionId, Time, UserId, View};

use crate::StoreError;

/// Decides about a pin, with the message and the actor's view.
pub type DecidePin = Box<dyn FnOnce(&View, &Message, &PinFacts) -> Result<(), Denied> + Send>;

/// Writes and reads pins.
#[async_trait]
pub trait Pins: Send + Sync {
    /// Pins a message that `user` can see, or takes its pin off. What is so already changes nothing
    /// and is not logged.
    ///
    /// # Errors
    /// [`StoreError::Denied`] as decided; [`Denied::NotFound`] when they cannot see it.
    async fn pin(
        &self,
        user: UserId,
        message: MessageId,
        on: bool,
        now: Time,
        decide: DecidePin,
    ) -> Result<(), StoreError>;

    /// The pinned messages of a session that `user` is in, the last one pinned first; `None` when
    /// they are not in it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn pins(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<Vec<Message>>, StoreError>;
}
