//! Saying that one is writing.

use parlor_bus::Word;
use parlor_domain::SessionId;

use crate::{Actor, App, Error};

impl App {
    /// Tells the others in a session that the actor is writing.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when they are not in it, or nothing can be written there any more.
    pub async fn typing(&self, actor: &Actor, session: SessionId) -> Result<(), Error> {
        self.view(actor, session).await?.writable(self.clock.now())?;
        self.hub.typing(session, actor.user, self.clock.now());
        self.bus.say(Word::Typing(session, actor.user));
        Ok(())
    }
}
