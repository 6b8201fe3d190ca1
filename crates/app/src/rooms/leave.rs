//! Going.

use parlor_domain::{RoomId, room};

use crate::{Actor, App, Error};

impl App {
    /// Takes the actor out of a room and all its sessions.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::NotFound`] when they are not in it.
    pub async fn leave(&self, actor: &Actor, room: RoomId) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let decide = Box::new(room::leave);
        self.store.change_room(actor.user, room, vec![], now, decide).await?;
        Ok(())
    }
}
