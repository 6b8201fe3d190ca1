//! Guests: accounts that a name is all there is to. They are a class of their own: no password is
//! ever theirs, no account with a password is ever opened by a name, and the lobby is not for them.

use std::net::IpAddr;

use parlor_domain::{Denied, UserId, name};
use parlor_store::StoreError;
use parlor_store::accounts::NewAccount;
use parlor_wire::Dialect;

use super::SignedIn;
use crate::clock::new_id;
use crate::{App, Error, rates};

/// What a guest's device is called.
const DEVICE: &str = "a guest's device";

impl App {
    /// Makes a guest and signs them in.
    ///
    /// # Errors
    /// [`Denied::Forbidden`] where there are no guests, [`Denied::Taken`] when the name is
    /// somebody's, [`Denied`] when it is not acceptable or there were too many registrations.
    pub async fn register_guest(&self, asked: &str, address: IpAddr) -> Result<SignedIn, Error> {
        self.check_guests()?;
        let now = self.clock.now();
        self.rates.registrations.take(rates::network(address), now)?;
        let shown = name::text("name", asked, self.limits.guest_name_chars_max)?;
        let id = UserId(new_id(now));
        let new = NewAccount {
            id,
            username: name::handle_of(&shown, 0, &self.limits),
            name: shown,
            email: None,
            password_hash: String::new(),
            usable: true,
            discreet: false,
            guest: true,
            shows_email: false,
            replaces_pending: false,
        };
        let user = match self.store.create_account(new.clone(), now).await {
            Err(taken) if self.is_a_guests(&new, &taken).await? => {
                self.with_free_handle(new, false).await?
            }
            made => made?,
        };
        tracing::info!(user = %user.id, "registered a guest");
        self.begin_login(user.id, DEVICE.to_owned(), Some(Dialect::Groups), now).await
    }

    /// Signs a guest in by their name.
    ///
    /// # Errors
    /// [`Denied::Forbidden`] where there are no guests; [`Denied::NotFound`] when no guest has the
    /// name, whoever else may.
    pub async fn login_guest(&self, asked: &str, address: IpAddr) -> Result<SignedIn, Error> {
        self.check_guests()?;
        let now = self.clock.now();
        self.rates.registrations.take(rates::network(address), now)?;
        let shown = name::text("name", asked, self.limits.guest_name_chars_max)?;
        let guest = self.store.guest(shown).await?.ok_or(Denied::NotFound)?;
        self.begin_login(guest.user.id, DEVICE.to_owned(), Some(Dialect::Groups), now).await
    }

    /// Whether a handle is taken, but only by a guest of another name that makes the same handle:
    /// then another one will do. The handle of somebody with a password is theirs alone.
    async fn is_a_guests(&self, new: &NewAccount, taken: &StoreError) -> Result<bool, Error> {
        if !matches!(taken, StoreError::Denied(Denied::Taken("username"))) {
            return Ok(false);
        }
        if self.store.guest(new.name.clone()).await?.is_some() {
            return Ok(false);
        }
        let holder = self.store.credentials(new.username.shown.clone()).await?;
        Ok(holder.is_some_and(|holder| holder.password_hash.is_empty()))
    }

    fn check_guests(&self) -> Result<(), Denied> {
        if self.settings.guests {
            return Ok(());
        }
        Err(Denied::Forbidden("this server has no accounts without a password"))
    }
}
