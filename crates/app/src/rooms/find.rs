//! Looking at a room.

use parlor_domain::{Denied, Role, Room, RoomId};

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

    /// The actor's role in a room, whose members alone may look inside. Others learn no more than
    /// whether there is such a room.
    pub(crate) async fn joined(&self, actor: &Actor, room: RoomId) -> Result<Role, Error> {
        let seen = self.room(actor, room).await?;
        Ok(seen.my_role.ok_or(Denied::Forbidden("join the room first"))?)
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
