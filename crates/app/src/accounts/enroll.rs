//! Making an account by a façade. Other systems let people have any name, so the handle is made
//! from it, and the name is what people see.

use std::net::IpAddr;

use parlor_domain::{Denied, UserId, name};
use parlor_store::StoreError;
use parlor_store::accounts::NewAccount;

use super::Registered;
use crate::clock::new_id;
use crate::courier::Errand;
use crate::{App, Error, Hidden, passwords, rates};

/// Handles that are tried when the first is taken.
const HANDLES_MAX: u32 = 16;

/// What somebody says who wants an account and comes by a façade.
#[derive(Debug, Clone)]
pub struct Enroll {
    /// What people call them.
    pub name: String,
    /// Whether nobody else may have the handle that the name makes. Otherwise theirs gets digits.
    pub unique: bool,
    /// The mail address.
    pub email: String,
    /// The password.
    pub password: Hidden,
    /// Where the request comes from.
    pub address: IpAddr,
}

impl App {
    /// Makes an account whose mail address the people of its rooms see, as they do in the systems
    /// that façades speak for. Where addresses are proved, an account that was never proved gives
    /// way to a new one with its address.
    ///
    /// # Errors
    /// [`Denied::Taken`] when the address, or a name that is to be unique, is another's;
    /// [`Denied`] when a value is not acceptable or there were too many registrations.
    pub async fn enroll(&self, asked: Enroll) -> Result<Registered, Error> {
        let now = self.clock.now();
        let email = name::email(&asked.email, &self.limits)?;
        let shown = name::line_within("username", &asked.name, self.limits.facade_name_chars_max)?;
        passwords::check_new("password", &asked.password, &self.limits)?;
        self.rates.registrations.take(rates::network(asked.address), now)?;
        let password_hash = self.passwords.hash(&asked.password).await?;
        let required = self.settings.verification_required;
        let new = NewAccount {
            id: UserId(new_id(now)),
            username: name::handle_of(&shown, 0, &self.limits),
            name: shown,
            email: Some(email.clone()),
            password_hash,
            usable: !required,
            discreet: false,
            guest: false,
            shows_email: true,
            replaces_pending: required,
        };
        let user = self.with_free_handle(new, asked.unique).await?;
        self.mail(email, Errand::Welcome(user.id));
        Ok(Registered { user, verification_required: required })
    }

    /// Makes the account with the first handle that is free.
    pub(super) async fn with_free_handle(
        &self,
        new: NewAccount,
        unique: bool,
    ) -> Result<parlor_domain::User, Error> {
        let now = self.clock.now();
        for n in 0..HANDLES_MAX {
            // A few in order, which are nice, and then any, which are free.
            let suffix = if n < 4 { n } else { (new_id(now).as_u128() & 0xf_ffff) as u32 };
            let username = name::handle_of(&new.name, suffix, &self.limits);
            match self.store.create_account(NewAccount { username, ..new.clone() }, now).await {
                Err(StoreError::Denied(Denied::Taken("username"))) if !unique => {}
                made => {
                    let user = made?;
                    tracing::info!(user = %user.id, "registered");
                    return Ok(user);
                }
            }
        }
        Err(Denied::Taken("username").into())
    }
}
