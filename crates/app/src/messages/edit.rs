//! Rewording.

use parlor_domain::rewording::Rewording;
use parlor_domain::{Message, MessageId};

use crate::{Actor, App, Error};

impl App {
    /// Rewords a message of the actor's own; its earlier wording is kept.
    ///
    /// # Errors
    /// [`Error::Denied`]: not found, not theirs, or the text is not acceptable.
    pub async fn edit(
        &self,
        actor: &Actor,
        message: MessageId,
        asked: Rewording,
    ) -> Result<Message, Error> {
        let now = self.admit(actor)?;
        let (words, limits) = (asked.clone(), self.limits);
        let decide = Box::new(move |view: &_, message: &_, revisions| {
            parlor_domain::View::admit_edit(view, message, revisions, &words, now, &limits)
        });
        Ok(self.store.edit(actor.user, message, asked, now, decide).await?)
    }
}
