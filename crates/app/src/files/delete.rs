//! Taking a file back.

use parlor_domain::FileId;

use crate::{Actor, App, Error};

impl App {
    /// Gives up an upload.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::NotFound`].
    pub async fn delete_upload(&self, actor: &Actor, id: FileId) -> Result<(), Error> {
        self.admit(actor)?;
        self.upload(actor, id).await?;
        self.give_up(actor, id).await
    }

    /// Deletes a file that no message carries.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::NotFound`]; [`parlor_domain::Denied::Conflict`] when one does.
    pub async fn delete_file(&self, actor: &Actor, id: FileId) -> Result<(), Error> {
        self.admit(actor)?;
        self.store.delete_file(actor.user, id).await?;
        self.sweep_blobs().await
    }
}
