//! Saying what is not kept.

use parlor_domain::SessionId;

use crate::{Actor, App, Error};

impl App {
    /// Lets the actor tell others in a session something that is not kept. It counts against the
    /// rate of their messages, since it reaches as many people.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when they are not in it, nothing can be said there any more, or
    /// they say too much at once.
    pub async fn admit_murmur(&self, actor: &Actor, session: SessionId) -> Result<(), Error> {
        self.view(actor, session).await?.writable(self.clock.now())?;
        self.rates.messages.take(actor.user, self.clock.now())?;
        Ok(())
    }
}
