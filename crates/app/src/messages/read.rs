//! Reading what was said, and the logs.

use parlor_domain::{Denied, Message, MessageId, Revision, RoomId, SessionId, UserId};
use parlor_store::messages::{MessagePage, Page};
use parlor_store::{LogPage, UserLogPage};

use crate::{Actor, App, Error};

impl App {
    /// A message.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn message(&self, actor: &Actor, message: MessageId) -> Result<Message, Error> {
        let found = self.store.message(actor.user, message).await?;
        Ok(found.ok_or(Denied::NotFound)?)
    }

    /// A page of a session's messages.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when the actor is not in the session.
    pub async fn page(
        &self,
        actor: &Actor,
        session: SessionId,
        page: Page,
        limit: u64,
    ) -> Result<MessagePage, Error> {
        let found = self.store.page(actor.user, session, page, limit).await?;
        Ok(found.ok_or(Denied::NotFound)?)
    }

    /// Messages of one author in sessions that the actor is in, of one room or of all, newest
    /// first, with `no` below `before` where given.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn messages_of(
        &self,
        actor: &Actor,
        author: UserId,
        room: Option<RoomId>,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Message>, Error> {
        Ok(self.store.messages_of(actor.user, author, room, before, limit).await?)
    }

    /// The earlier wordings of a message, oldest first.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn revisions(
        &self,
        actor: &Actor,
        message: MessageId,
    ) -> Result<Vec<Revision>, Error> {
        let found = self.store.revisions(actor.user, message).await?;
        Ok(found.ok_or(Denied::NotFound)?)
    }

    /// Up to `limit` events of a session after `after`, and its head.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when the actor is not in the session; [`Error::ResyncRequired`] when
    /// `after` is beyond the head.
    pub async fn events_after(
        &self,
        actor: &Actor,
        session: SessionId,
        after: i64,
        limit: u64,
    ) -> Result<LogPage, Error> {
        let found = self.store.events_after(actor.user, session, after, limit).await?;
        let page = found.ok_or(Denied::NotFound)?;
        if after > page.head {
            return Err(Error::ResyncRequired);
        }
        Ok(page)
    }

    /// The head of a session's log.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when the actor is not in the session.
    pub async fn session_head(&self, actor: &Actor, session: SessionId) -> Result<i64, Error> {
        let found = self.store.events_after(actor.user, session, 0, 0).await?;
        Ok(found.ok_or(Denied::NotFound)?.head)
    }

    /// The head of the actor's own log.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn user_head(&self, actor: &Actor) -> Result<i64, Error> {
        Ok(self.store.user_events_after(actor.user, 0, 0).await?.head)
    }

    /// Whether the actor is in the session. Where other nodes commit, too, the store is asked: a
    /// view from before this node followed the session may show somebody who was sent away.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when they are not.
    pub async fn check_listener(&self, actor: &Actor, session: SessionId) -> Result<(), Error> {
        if self.shared {
            return self.fresh_view(actor.user, session).await.map(|_| ());
        }
        self.view(actor, session).await.map(|_| ())
    }

    /// Whether other nodes may commit to the same store, so that not everything is told here.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// Up to `limit` entries of the actor's own log after `after`, and its head.
    ///
    /// # Errors
    /// [`Error::ResyncRequired`] when `after` is beyond the head.
    pub async fn user_events_after(
        &self,
        actor: &Actor,
        after: i64,
        limit: u64,
    ) -> Result<UserLogPage, Error> {
        let page = self.store.user_events_after(actor.user, after, limit).await?;
        if after > page.head {
            return Err(Error::ResyncRequired);
        }
        Ok(page)
    }
}
