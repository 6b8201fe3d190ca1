//! How far somebody has read.

use parlor_bus::Word;
use parlor_domain::{Denied, SessionId};

use crate::{Actor, App, Error};

impl App {
    /// Moves the actor's marker forward and tells the others. Returns the marker.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when they are not in the session.
    pub async fn read(&self, actor: &Actor, session: SessionId, number: i64) -> Result<i64, Error> {
        if number < 0 {
            return Err(Denied::invalid("number", "must not be negative").into());
        }
        self.admit(actor)?;
        let marker = self.store.mark_read(actor.user, session, number).await?;
        let marker = marker.ok_or(Denied::NotFound)?;
        self.hub.read_mark(session, actor.user, marker);
        self.bus.say(Word::Read(session, actor.user, marker));
        Ok(marker)
    }
}
