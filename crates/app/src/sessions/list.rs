//! Which sessions there are.

use parlor_domain::{Denied, RoomId, Session, SessionId, UserId};

use crate::{Actor, App, Error};

impl App {
    /// The sessions of a room that the actor is in.
    ///
    /// # Errors
    /// [`Denied`] when they cannot see the room or are not in it.
    pub async fn sessions(&self, actor: &Actor, room: RoomId) -> Result<Vec<Session>, Error> {
        self.joined(actor, room).await?;
        Ok(self.store.sessions_of(actor.user, Some(room)).await?)
    }

    /// The sessions of all rooms that the actor is in.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn my_sessions(&self, actor: &Actor) -> Result<Vec<Session>, Error> {
        Ok(self.store.sessions_of(actor.user, None).await?)
    }

    /// The sessions that both the actor and somebody else are in, of one room or of all.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn sessions_with(
        &self,
        actor: &Actor,
        other: UserId,
        room: Option<RoomId>,
    ) -> Result<Vec<Session>, Error> {
        Ok(self.store.sessions_shared(actor.user, other, room).await?)
    }

    /// A session that the actor is in.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn session(&self, actor: &Actor, session: SessionId) -> Result<Session, Error> {
        let session = self.store.session(actor.user, session).await?;
        Ok(session.ok_or(Denied::NotFound)?)
    }
}
