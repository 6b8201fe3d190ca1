//! Rooms by the names that other systems have for them.

use parlor_domain::{Card, Denied, RoomId};
use parlor_store::handles::Which;

use crate::{Actor, App, Error};

impl App {
    /// Rooms that the actor can see, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn cards(&self, actor: &Actor, which: Which) -> Result<Vec<Card>, Error> {
        Ok(self.store.cards(actor.user, which).await?)
    }

    /// One room that the actor can see.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn card(&self, actor: &Actor, room: RoomId) -> Result<Card, Error> {
        self.one_card(actor, Which::Id(room)).await
    }

    /// The room that goes by this name in paths.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn card_by_slug(&self, actor: &Actor, slug: &str) -> Result<Card, Error> {
        self.one_card(actor, Which::Slug(slug.to_owned())).await
    }

    /// Whether the actor may not come back into the room that goes by this name in paths, and that
    /// others may enter.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn is_kept_out(&self, actor: &Actor, slug: &str) -> Result<bool, Error> {
        Ok(self.store.is_banned(actor.user, slug.to_owned()).await?)
    }

    async fn one_card(&self, actor: &Actor, which: Which) -> Result<Card, Error> {
        let found = self.store.cards(actor.user, which).await?.pop();
        Ok(found.ok_or(Denied::NotFound)?)
    }
}
