//! Giving a session another name.

use parlor_domain::{Denied, Session, SessionFacts, SessionId, session};

use crate::{Actor, App, Error};

impl App {
    /// Renames a session.
    ///
    /// # Errors
    /// [`Denied`] when the actor may not, or the name is not acceptable.
    pub async fn rename_session(
        &self,
        actor: &Actor,
        session: SessionId,
        name: String,
    ) -> Result<Session, Error> {
        let now = self.admit(actor)?;
        let limits = self.limits;
        let decide = Box::new(move |facts: &SessionFacts| {
            session::rename(facts, &name, &limits).map(|change| vec![change])
        });
        let changed = self.store.change_session(actor.user, session, vec![], now, decide).await?;
        Ok(changed.ok_or(Denied::NotFound)?)
    }
}
