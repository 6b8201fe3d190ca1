//! Sending somebody away.

use parlor_domain::{RoomId, UserId, room};

use crate::{Actor, App, Error};

impl App {
    /// Takes somebody out of a room; they may come back where anybody may.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when the actor may not, or they are not in it.
    pub async fn kick(&self, actor: &Actor, room: RoomId, user: UserId) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let decide = Box::new(room::kick);
        self.store.change_room(actor.user, room, vec![user], now, decide).await?;
        Ok(())
    }
}
