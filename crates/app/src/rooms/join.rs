//! Coming in.

use parlor_domain::{Denied, Room, RoomId, room};

use crate::{Actor, App, Error, Hidden, digest, passwords};

impl App {
    /// Puts the actor into an open room; who is in it already stays.
    ///
    /// # Errors
    /// [`Denied`] when the room cannot be seen or joined, or its password is wrong.
    pub async fn join(
        &self,
        actor: &Actor,
        room: RoomId,
        password: Option<&Hidden>,
    ) -> Result<Room, Error> {
        let now = self.admit(actor)?;
        let known = match password {
            Some(password) => self.room_password(actor, room, password).await?,
            None => None,
        };
        let decide = Box::new(move |facts: &_| room::join(facts, known.as_deref()));
        let joined = self.store.change_room(actor.user, room, vec![], now, decide).await?;
        Ok(joined.ok_or(Denied::NotFound)?)
    }

    /// Whether this is the password of a room that the actor can see, and that has one.
    ///
    /// # Errors
    /// [`Denied::SlowDown`] after too many tries.
    pub async fn is_room_password(
        &self,
        actor: &Actor,
        room: RoomId,
        password: &Hidden,
    ) -> Result<bool, Error> {
        Ok(self.room_password(actor, room, password).await?.is_some())
    }

    /// The hash of the room's password, if the given one is right.
    async fn room_password(
        &self,
        actor: &Actor,
        room: RoomId,
        password: &Hidden,
    ) -> Result<Option<String>, Error> {
        passwords::bounded("password", password, &self.limits)?;
        // A room that one cannot see has no password to guess at.
        self.room(actor, room).await?;
        let Some(hash) = self.store.room_password(room).await? else {
            return Ok(None);
        };
        let ids = digest::ids([room.0, actor.user.0]);
        let tries = self.digests.of("room password", &[&ids]);
        self.rates.guesses.take(tries, self.clock.now())?;
        let right = self.passwords.verify(password, Some(hash.clone())).await?;
        if right {
            self.rates.guesses.give_back(&tries);
        }
        Ok(right.then_some(hash))
    }
}
