//! Making an account.

use std::net::IpAddr;

use parlor_domain::{Denied, User, UserId, name};
use parlor_store::accounts::NewAccount;

use crate::clock::new_id;
use crate::courier::Errand;
use crate::{App, Error, Hidden, passwords, rates};

/// What somebody who wants an account says.
#[derive(Debug, Clone)]
pub struct Register {
    /// The handle.
    pub username: String,
    /// The mail address.
    pub email: Option<String>,
    /// The password.
    pub password: Hidden,
    /// The display name; the handle when absent.
    pub name: Option<String>,
    /// Where the request comes from.
    pub address: IpAddr,
}

/// A new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Who they are now.
    pub user: User,
    /// Whether they must prove their address before they can sign in.
    pub verification_required: bool,
}

impl App {
    /// Makes an account; a code is mailed where there is an address, and mail.
    ///
    /// Where addresses are proved, one that is somebody else's is answered like any other, so that
    /// nobody learns by it who has an account: the account that is made can never be used, and the
    /// letter tells the owner. Where they are not, the account would be usable at once and show
    /// that it has no address, so it is refused.
    ///
    /// # Errors
    /// [`Denied`] when a value is not acceptable, the handle or address is taken, or there were
    /// too many registrations from this address.
    pub async fn register(&self, asked: Register) -> Result<Registered, Error> {
        let now = self.clock.now();
        let new = self.checked(&asked)?;
        let from = rates::network(asked.address);
        self.rates.registrations.take(from, now)?;
        let password_hash = self.passwords.hash(&asked.password).await?;
        let id = UserId(new_id(now));
        let new = NewAccount { id, password_hash, ..new };
        let email = new.email.clone();
        let user = self.store.create_account(new, now).await?;
        tracing::info!(user = %user.id, "registered");
        if let Some(email) = email {
            self.mail(email, Errand::Welcome(user.id));
        }
        Ok(Registered { user, verification_required: self.settings.verification_required })
    }

    /// The account as asked for, still without id and hash.
    fn checked(&self, asked: &Register) -> Result<NewAccount, Denied> {
        let limits = &self.limits;
        let username = name::username(&asked.username, limits)?;
        let email = asked.email.as_deref().filter(|e| !e.trim().is_empty());
        let email = email.map(|e| name::email(e, limits)).transpose()?;
        let required = self.settings.verification_required;
        if required && email.is_none() {
            return Err(Denied::invalid("email", "needed to prove who you are"));
        }
        passwords::check_new("password", &asked.password, limits)?;
        let shown = asked.name.as_deref().unwrap_or(&username.shown);
        Ok(NewAccount {
            id: UserId(uuid::Uuid::nil()),
            name: name::line("name", shown, limits)?,
            username,
            email,
            password_hash: String::new(),
            usable: !required,
            discreet: required,
            guest: false,
            shows_email: false,
            replaces_pending: false,
        })
    }
}
