//! Finding what was said.

use parlor_domain::search::{self, Snippet};
use parlor_domain::{Message, RoomId};
use parlor_store::search::Asked;

use crate::{Actor, App, Error};

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The message.
    pub message: Message,
    /// The room of its session.
    pub room: RoomId,
    /// The part of its text that shows why it was found.
    pub snippet: Snippet,
}

/// A page of what was found, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    /// The messages.
    pub hits: Vec<Hit>,
    /// Where the next page begins: below this small id. `None` when there is nothing more; a page
    /// that has one may hold fewer messages than were asked for, or none.
    pub next: Option<i64>,
}

impl App {
    /// Messages that match a query, in sessions that the actor is in, with a small id below
    /// `before` where given.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] with field `q` when the query is not understood, or when the actor
    /// searches too often.
    pub async fn search(
        &self,
        actor: &Actor,
        text: &str,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Hits, Error> {
        let query = search::parse(text, &self.limits)?;
        self.rates.searches.take(actor.user, self.clock.now())?;
        let wanted = query.wanted.clone();
        let asked = Asked {
            query,
            before,
            limit,
            rows_max: self.limits.search_rows_max,
            text_bytes_max: self.limits.search_text_bytes_max,
        };
        let found = self.store.search(actor.user, asked).await?;
        let hits = found.hits.into_iter().map(|hit| Hit {
            snippet: search::snippet(&hit.message.content, &wanted),
            message: hit.message,
            room: hit.room,
        });
        Ok(Hits { hits: hits.collect(), next: found.next })
    }
}
