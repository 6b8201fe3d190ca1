//! Messages by the names and in the lists that other systems have for them.

use parlor_domain::{Denied, Message, Placed, SessionId};
use parlor_store::handles::Listing;
use parlor_store::messages::Page;

use crate::{Actor, App, Error};

/// Messages read from the store at once for a whole history.
const PAGE: u64 = 500;

impl App {
    /// The message of a main session with this small id; a deleted one, too.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn message_by_no(&self, actor: &Actor, no: i64) -> Result<Placed, Error> {
        Ok(self.store.message_by_no(actor.user, no).await?.ok_or(Denied::NotFound)?)
    }

    /// The session with this small id.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when the actor is not in it.
    pub async fn session_by_no(&self, actor: &Actor, no: i64) -> Result<SessionId, Error> {
        Ok(self.store.session_by_no(actor.user, no).await?.ok_or(Denied::NotFound)?)
    }

    /// Messages of main sessions that the actor is in, newest first, without deleted ones; and how
    /// many there are in all (of those with a text in them, how many are in this list).
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn listing(
        &self,
        actor: &Actor,
        listing: Listing,
    ) -> Result<(Vec<Placed>, u64), Error> {
        let limit = listing.limit.min(self.limits.facade_rows_max);
        let listing = Listing { limit, ..listing };
        let (rows, bytes) = (self.limits.facade_scan_max, self.limits.facade_bytes_max);
        Ok(self.store.listing(actor.user, listing, rows, bytes).await?)
    }

    /// What was said in a session from one number to another, both included, the oldest first,
    /// deleted messages too: the first of it when it is more than a façade answers whole.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when the actor is not in the session.
    pub async fn range(
        &self,
        actor: &Actor,
        session: SessionId,
        from: i64,
        to: i64,
    ) -> Result<Vec<Message>, Error> {
        let (rows, bytes) = (self.limits.facade_rows_max, self.limits.facade_bytes_max);
        let (mut found, mut size, mut after) = (Vec::new(), 0, from.max(1) - 1);
        while after < to && (found.len() as u64) < rows && size < bytes {
            let left = rows - found.len() as u64;
            let limit = to.abs_diff(after).min(left).min(PAGE);
            let read = self.page(actor, session, Page::After(after), limit).await?;
            let Some(last) = read.messages.last() else { break };
            after = last.number;
            size += read.messages.iter().map(|message| message.content.len() as u64).sum::<u64>();
            found.extend(read.messages);
            if !read.more_after {
                break;
            }
        }
        Ok(found)
    }

    /// All that was said in a session, the oldest first, deleted messages too: the newest of it
    /// when it is more than a façade answers whole.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when the actor is not in the session.
    pub async fn history(&self, actor: &Actor, session: SessionId) -> Result<Vec<Message>, Error> {
        let (rows, bytes) = (self.limits.facade_rows_max, self.limits.facade_bytes_max);
        let (mut newest_first, mut size, mut page) = (Vec::new(), 0, Page::Newest);
        loop {
            let read = self.page(actor, session, page, PAGE).await?;
            let more = read.more_before;
            let Some(first) = read.messages.first().map(|message| message.number) else { break };
            for message in read.messages.into_iter().rev() {
                size += message.content.len() as u64;
                if newest_first.len() as u64 >= rows || size > bytes {
                    newest_first.reverse();
                    return Ok(newest_first);
                }
                newest_first.push(message);
            }
            if !more {
                break;
            }
            page = Page::Before(first);
        }
        newest_first.reverse();
        Ok(newest_first)
    }
}
