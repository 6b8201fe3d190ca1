//! The end of a room.

use parlor_domain::{RoomId, room};

use crate::{Actor, App, Error};

impl App {
    /// Deletes a room and all that is in it.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when the actor may not, or it is the lobby.
    pub async fn delete_room(&self, actor: &Actor, room: RoomId) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let decide = Box::new(room::delete);
        self.store.change_room(actor.user, room, vec![], now, decide).await?;
        self.sweep_now().await;
        tracing::info!(user = %actor.user, %room, "deleted a room");
        Ok(())
    }
}
