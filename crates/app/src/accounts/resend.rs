//! Asking for a code by mail.

use std::net::IpAddr;

use parlor_domain::{Denied, name};
use parlor_store::accounts::Purpose;

use crate::courier::Errand;
use crate::{App, Error, rates};

/// Said to everybody alike, whoever has an account.
const NO_MAIL: Denied = Denied::Forbidden("this server sends no mail: ask whoever runs it");

impl App {
    /// Asks for a new code that proves an address. Says nothing about whether there is an account.
    ///
    /// # Errors
    /// [`Denied`] for what is no mail address, too many requests from `address`, or when this
    /// server sends no mail.
    pub fn resend(&self, email: &str, address: IpAddr) -> Result<(), Error> {
        self.request_code(email, address, Purpose::Verify)
    }

    /// Asks for a code that allows a new password. Says nothing about whether there is an account.
    ///
    /// # Errors
    /// [`Denied`] for what is no mail address, too many requests from `address`, or when this
    /// server sends no mail.
    pub fn forgot(&self, email: &str, address: IpAddr) -> Result<(), Error> {
        self.request_code(email, address, Purpose::Reset)
    }

    fn request_code(&self, email: &str, address: IpAddr, purpose: Purpose) -> Result<(), Error> {
        if !self.courier.works() {
            return Err(NO_MAIL.into());
        }
        let email = name::email(email, &self.limits)?;
        let from = rates::network(address);
        self.rates.registrations.take(from, self.clock.now())?;
        self.mail(email, Errand::Code(purpose));
        Ok(())
    }

    /// Mails a letter behind the answer, unless this address got too many. That is not said: it
    /// would tell that the address had letters before.
    pub(crate) fn mail(&self, email: String, errand: Errand) {
        let key = self.digests.of("mails", &[email.as_bytes()]);
        if self.rates.mails.take(key, self.clock.now()).is_ok() {
            self.courier.dispatch(&self.tasks, email, errand);
        }
    }
}
