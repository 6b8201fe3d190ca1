//! Signing out, here or everywhere.

use parlor_store::logins::Which;

use crate::{Actor, App, Error};

impl App {
    /// Ends the actor's login and cuts its connections.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn logout(&self, actor: &Actor) -> Result<(), Error> {
        self.revoke(Which::Login(actor.login)).await.map(drop)
    }

    /// Ends every login of the actor's and cuts their connections.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn logout_all(&self, actor: &Actor) -> Result<(), Error> {
        let ended = self.revoke(Which::All(actor.user)).await?;
        tracing::info!(user = %actor.user, logins = ended, "signed out everywhere");
        Ok(())
    }

    /// Revokes logins and returns how many were alive.
    pub(crate) async fn revoke(&self, which: Which) -> Result<usize, Error> {
        let (store, now) = (self.store.clone(), self.clock.now());
        let work = async move { store.revoke(which, now).await };
        let revoked = self.revoking(work, Vec::as_slice).await?;
        Ok(revoked.len())
    }
}
