//! Deleting.

use parlor_domain::MessageId;

use crate::{Actor, App, Error};

impl App {
    /// Deletes a message for everybody; its number stays.
    ///
    /// # Errors
    /// [`Error::Denied`]: not found, or neither theirs nor theirs to moderate.
    pub async fn delete(&self, actor: &Actor, message: MessageId) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let decide = Box::new(parlor_domain::View::admit_delete);
        self.store.delete(actor.user, message, now, decide).await?;
        self.sweep_now().await;
        Ok(())
    }
}
