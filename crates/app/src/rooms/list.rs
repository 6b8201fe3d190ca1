//! Which rooms there are.

use parlor_domain::Room;

use crate::{Actor, App, Error};

impl App {
    /// The rooms that the actor is in.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn rooms(&self, actor: &Actor) -> Result<Vec<Room>, Error> {
        Ok(self.store.rooms_of(actor.user).await?)
    }

    /// Public rooms whose name or description contains `query`, made after the one numbered
    /// `after`.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] for a query that is too long.
    pub async fn public_rooms(
        &self,
        actor: &Actor,
        query: &str,
        after: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Room>, Error> {
        let query = self.query(query)?;
        let rooms = self.store.public_rooms(actor.user, query, after, limit);
        Ok(rooms.await?)
    }
}
