//! Deleting one's account.

use crate::{Actor, App, Error};

impl App {
    /// Deletes the actor's account: they leave every room, every login of theirs ends, their names
    /// and address are erased, and then all that they said. Their messages' numbers stay.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::NotFound`] when it is deleted already.
    pub async fn delete_account(&self, actor: &Actor) -> Result<(), Error> {
        let (store, now, user) = (self.store.clone(), self.admit(actor)?, actor.user);
        let work = async move { store.delete_account(user, now).await };
        self.revoking(work, Vec::as_slice).await?;
        self.people.forget(user);
        tracing::info!(%user, "deleted an account");
        self.erase_deleted().await
    }

    /// Erases what deleted accounts have said, few messages at a time, so that sends get in
    /// between.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn erase_deleted(&self) -> Result<(), Error> {
        let rows = self.limits.sweep_rows_max.max(1);
        while self.store.erase_deleted(rows, self.clock.now()).await? >= rows {}
        Ok(())
    }
}
