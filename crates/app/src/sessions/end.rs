//! Ending a session.

use parlor_domain::{SessionFacts, SessionId, session};

use crate::{Actor, App, Error};

impl App {
    /// Ends a session: its log takes nothing more, and what was said in it is gone.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when the actor may not, it is a main session, or it has ended.
    pub async fn end_session(&self, actor: &Actor, session: SessionId) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let decide = Box::new(|facts: &SessionFacts| session::end(facts).map(|c| vec![c]));
        self.store.change_session(actor.user, session, vec![], now, decide).await?;
        Ok(())
    }
}
