//! Setting a new password by a mailed code.

use std::net::IpAddr;

use parlor_store::accounts::Purpose;

use crate::{App, Error, Hidden, passwords};

impl App {
    /// Sets a new password and ends every login of the account.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when the code or the password is not good, or there were too many
    /// tries.
    pub async fn reset_password(
        &self,
        email: &str,
        code: &Hidden,
        password: &Hidden,
        address: IpAddr,
    ) -> Result<(), Error> {
        // Before the code, which works only once.
        passwords::check_new("password", password, &self.limits)?;
        let user = self.use_code(email, code, Purpose::Reset, address).await?;
        let hash = self.passwords.hash(password).await?;
        let ended = self.set_password(user, hash, None).await?;
        tracing::info!(%user, logins = ended, "reset a password");
        Ok(())
    }
}
