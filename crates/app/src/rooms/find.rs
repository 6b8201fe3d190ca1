//! Looking at a room.

use parlor_domain::{Denied, Room, RoomId};

use crate::{Actor, App, Error};

impl App {
    /// A room that the actor can see.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn room(&self, actor: &Actor, room: RoomId) -> Result<Room, Error> {
        let room = self.store.room(actor.user, room).await?;
        Ok(room.ok_or(Denied::NotFound)?)
    }

    /// The room that exists from the first start.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when the actor is banned from it.
    pub async fn lobby(&self, actor: &Actor) -> Result<Room, Error> {
        let room = self.store.lobby(actor.user).await?;
        Ok(room.ok_or(Denied::NotFound)?)
    }
}
