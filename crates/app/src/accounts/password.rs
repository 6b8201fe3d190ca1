//! Changing one's password.

use parlor_domain::{Denied, LoginId, UserId};

use crate::{Actor, App, Error, Hidden, digest, passwords};

impl App {
    /// Changes the actor's password and ends every other login of theirs.
    ///
    /// # Errors
    /// [`Denied::Forbidden`] when the old password is wrong, [`Denied::SlowDown`] after too many
    /// tries, [`Denied`] when the new one is not acceptable.
    pub async fn change_password(
        &self,
        actor: &Actor,
        old: &Hidden,
        new: &Hidden,
    ) -> Result<(), Error> {
        let now = self.admit(actor)?;
        passwords::bounded("old", old, &self.limits)?;
        passwords::check_new("new", new, &self.limits)?;
        let tries = self.digests.of("old password", &[&digest::ids([actor.user.0])]);
        self.rates.guesses.take(tries, now)?;
        let account = self.store.credentials_of(actor.user).await?;
        let hash = account.map(|a| a.password_hash).filter(|hash| !hash.is_empty());
        if !self.passwords.verify(old, hash).await? {
            return Err(Denied::Forbidden("the old password is wrong").into());
        }
        self.rates.guesses.give_back(&tries);
        let hash = self.passwords.hash(new).await?;
        let keep = Some(actor.login);
        let ended = self.set_password(actor.user, hash, keep).await?;
        tracing::info!(user = %actor.user, logins = ended, "changed a password");
        Ok(())
    }

    /// Sets a password, ends every login but `keep`, and returns how many.
    pub(crate) async fn set_password(
        &self,
        user: UserId,
        hash: String,
        keep: Option<LoginId>,
    ) -> Result<usize, Error> {
        let (store, now) = (self.store.clone(), self.clock.now());
        let work = async move { store.set_password(user, hash, keep, now).await };
        let revoked = self.revoking(work, Vec::as_slice).await?;
        Ok(revoked.len())
    }
}
