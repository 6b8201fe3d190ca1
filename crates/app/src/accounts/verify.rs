//! Proving a mail address by the code that was sent to it.

use std::net::IpAddr;

use parlor_domain::{Denied, UserId, name};
use parlor_store::accounts::{CodeOutcome, Purpose};

use crate::{App, Error, Hidden, rates};

impl App {
    /// Proves a mail address; the account can sign in from now on.
    ///
    /// # Errors
    /// [`Denied`] when the code is not good, for whatever cause, or there were too many tries.
    pub async fn verify(&self, email: &str, code: &Hidden, address: IpAddr) -> Result<(), Error> {
        let user = self.use_code(email, code, Purpose::Verify, address).await?;
        tracing::info!(%user, "proved a mail address");
        Ok(())
    }

    /// Tries a code that proves a mail address, and tells what was wrong with it.
    ///
    /// # Errors
    /// [`Denied`] when it is no mail address, or there were too many tries.
    pub async fn try_verify(
        &self,
        email: &str,
        code: &Hidden,
        address: IpAddr,
    ) -> Result<CodeOutcome, Error> {
        self.try_code(email, code, Purpose::Verify, address).await
    }

    /// Uses a code up and says whose it was.
    pub(crate) async fn use_code(
        &self,
        email: &str,
        code: &Hidden,
        purpose: Purpose,
        address: IpAddr,
    ) -> Result<UserId, Error> {
        match self.try_code(email, code, purpose, address).await? {
            CodeOutcome::Right(user) => Ok(user),
            _ => Err(Denied::invalid("code", "wrong or too old").into()),
        }
    }

    async fn try_code(
        &self,
        email: &str,
        code: &Hidden,
        purpose: Purpose,
        address: IpAddr,
    ) -> Result<CodeOutcome, Error> {
        let now = self.clock.now();
        let email = name::email(email, &self.limits)?;
        let from = rates::network(address);
        self.rates.wrong_from.take(from, now)?;
        let hash = self.courier.codes().hash(purpose, &email, code);
        let tries_max = self.limits.code_tries_max;
        let tried = self.store.try_code(email, purpose, hash, tries_max, now).await?;
        if matches!(tried, CodeOutcome::Right(_)) {
            self.rates.wrong_from.give_back(&from);
        }
        Ok(tried)
    }
}
