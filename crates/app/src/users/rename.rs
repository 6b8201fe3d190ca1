//! Taking another name, where names are short and may be shared.

use parlor_domain::name;
use parlor_store::accounts::ProfileChange;

use crate::{Actor, App, Error};

impl App {
    /// Changes the actor's name to one that a guest may have; others may have it, too.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when it is not acceptable.
    pub async fn rename(&self, actor: &Actor, asked: &str) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let shown = name::text("name", asked, self.limits.guest_name_chars_max)?;
        let change = ProfileChange { name: Some(shown), ..ProfileChange::default() };
        self.store.change_profile(actor.user, change, now).await?;
        self.people.forget(actor.user);
        Ok(())
    }
}
