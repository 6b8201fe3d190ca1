//! Reacting to what was said.

use parlor_domain::{Denied, MessageId, User, emoji};
use parlor_store::reactions::Reacting;

use crate::{Actor, App, Error};

impl App {
    /// Reacts to a message by an emoji, or no more. What is so already stays so.
    ///
    /// # Errors
    /// [`Denied`]: not found, not one emoji, or too many already.
    pub async fn react(
        &self,
        actor: &Actor,
        message: MessageId,
        emoji: &str,
        on: bool,
    ) -> Result<(), Error> {
        let emoji = emoji::read(emoji, &self.limits)?;
        let now = self.admit(actor)?;
        let limits = self.limits;
        let decide = Box::new(move |view: &parlor_domain::View, message: &_, facts: &_| {
            view.admit_reaction(message, on, facts, now, &limits)
        });
        let reacting = Reacting { user: actor.user, message, emoji, on };
        Ok(self.store.react(reacting, now, decide).await?)
    }

    /// Who reacts to a message by an emoji, by their small ids after `after`.
    ///
    /// # Errors
    /// [`Denied`]: not found, or not one emoji.
    pub async fn reactors(
        &self,
        actor: &Actor,
        message: MessageId,
        emoji: &str,
        after: i64,
        limit: u64,
    ) -> Result<Vec<User>, Error> {
        let emoji = emoji::read(emoji, &self.limits)?;
        let found = self.store.reactors(actor.user, message, emoji, after, limit).await?;
        Ok(found.ok_or(Denied::NotFound)?)
    }
}
