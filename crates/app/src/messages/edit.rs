//! Rewording.

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
        content: String,
    ) -> Result<Message, Error> {
        let now = self.admit(actor)?;
        let (text, limits) = (content.clone(), self.limits);
        let decide = Box::new(move |view: &_, message: &_, revisions| {
            parlor_domain::View::admit_edit(view, message, revisions, &text, &limits)
        });
        Ok(self.store.edit(actor.user, message, content, now, decide).await?)
    }
}
