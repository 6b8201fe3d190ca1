//! Finding people.

use parlor_domain::{Denied, User, UserId};

use crate::{Actor, App, Error};

impl App {
    /// People whose handle or display name begins with `query`.
    ///
    /// # Errors
    /// [`Denied::TooLong`] for a query longer than any name.
    pub async fn find_users(
        &self,
        _actor: &Actor,
        query: &str,
        limit: u64,
    ) -> Result<Vec<User>, Error> {
        let query = self.query(query)?;
        Ok(self.store.find_users(query, limit).await?)
    }

    /// A person.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn user(&self, _actor: &Actor, user: UserId) -> Result<User, Error> {
        let user = self.store.user(user).await?;
        Ok(user.ok_or(Denied::NotFound)?)
    }

    /// Reads what somebody looks for.
    pub(crate) fn query(&self, text: &str) -> Result<String, Denied> {
        let limit = self.limits.name_chars_max;
        let text = text.trim();
        if text.chars().count() as u64 > limit {
            return Err(Denied::invalid("query", "too long"));
        }
        if text.contains('\0') {
            return Err(Denied::invalid("query", "must not hold NUL"));
        }
        Ok(text.to_owned())
    }
}
