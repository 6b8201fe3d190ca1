//! Pinning what was said.

use parlor_domain::{Denied, Message, MessageId, SessionId, View};

use crate::{Actor, App, Error};

impl App {
    /// Pins a message, or takes its pin off. What is so already stays so.
    ///
    /// # Errors
    /// [`Denied`]: not found, not theirs to pin, or too many are pinned.
    pub async fn pin(&self, actor: &Actor, message: MessageId, on: bool) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let limits = self.limits;
        let decide = Box::new(move |view: &View, message: &Message, facts: &_| {
            view.admit_pin(message, on, facts, now, &limits)
        });
        Ok(self.store.pin(actor.user, message, on, now, decide).await?)
    }

    /// The pinned messages of a session, the last one pinned first.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when the actor is not in the session.
    pub async fn pins(&self, actor: &Actor, session: SessionId) -> Result<Vec<Message>, Error> {
        Ok(self.store.pins(actor.user, session).await?.ok_or(Denied::NotFound)?)
    }
}
