//! Changing a session's settings.

use parlor_domain::ending::AskedEnding;
use parlor_domain::session::Settings;
use parlor_domain::{Denied, Ending, Session, SessionFacts, SessionId, Ttl, session};

use crate::{Actor, App, Error};

/// What somebody wants of a session's settings; `None` leaves one as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionPatch {
    /// The name.
    pub name: Option<String>,
    /// How many seconds messages live that are sent from now on; 0: for ever.
    pub message_ttl_s: Option<i64>,
    /// When it ends by itself; nothing in it: it does not.
    pub end: Option<AskedEnding>,
}

impl App {
    /// Changes a session's settings.
    ///
    /// # Errors
    /// [`Denied`] when the actor may not, or a value is not acceptable.
    pub async fn change_session(
        &self,
        actor: &Actor,
        session: SessionId,
        patch: SessionPatch,
    ) -> Result<Session, Error> {
        if patch == SessionPatch::default() {
            return self.session(actor, session).await;
        }
        let now = self.admit(actor)?;
        let limits = self.limits;
        let message_ttl = patch.message_ttl_s.map(|s| Ttl::setting(s, &limits)).transpose()?;
        let ending = patch.end.map(|end| Ending::read(end, now, &limits)).transpose()?;
        let asked = Settings { name: patch.name, message_ttl, ending };
        let decide = Box::new(move |facts: &SessionFacts| {
            session::settings(facts, asked, &limits).map(|change| vec![change])
        });
        let changed = self.store.change_session(actor.user, session, vec![], now, decide).await?;
        Ok(changed.ok_or(Denied::NotFound)?)
    }
}
