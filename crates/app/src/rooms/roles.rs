//! Who is what in a room.

use parlor_domain::{Role, RoomId, UserId, room};

use crate::{Actor, App, Error};

impl App {
    /// Gives a member a role.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when the actor may not, or the room would be without an owner.
    pub async fn set_role(
        &self,
        actor: &Actor,
        room: RoomId,
        user: UserId,
        role: Role,
    ) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let decide = Box::new(move |facts: &_| room::set_role(facts, role));
        self.store.change_room(actor.user, room, vec![user], now, decide).await?;
        Ok(())
    }
}
