//! Keeping somebody out, and letting them back.

use parlor_domain::permission::{Action, may};
use parlor_domain::{Ban, RoomId, UserId, room};

use crate::{Actor, App, Error};

impl App {
    /// Takes somebody out of a room, if they are in it, and keeps them out.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when the actor may not, or there is no such account.
    pub async fn ban(
        &self,
        actor: &Actor,
        room: RoomId,
        user: UserId,
        reason: String,
    ) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let limits = self.limits;
        let decide = Box::new(move |facts: &_| room::ban(facts, &reason, &limits));
        self.store.change_room(actor.user, room, vec![user], now, decide).await?;
        Ok(())
    }

    /// Lets somebody back in.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when the actor may not, or they are not banned.
    pub async fn unban(&self, actor: &Actor, room: RoomId, user: UserId) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let decide = Box::new(room::unban);
        self.store.change_room(actor.user, room, vec![user], now, decide).await?;
        Ok(())
    }

    /// Who may not come back, newest first: for those who may ban.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when the actor may not see the list.
    pub async fn bans(&self, actor: &Actor, room: RoomId, limit: u64) -> Result<Vec<Ban>, Error> {
        may(self.joined(actor, room).await?, Action::Ban(None))?;
        Ok(self.store.bans(room, limit).await?)
    }
}
