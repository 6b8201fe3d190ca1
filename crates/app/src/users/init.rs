//! Everything for a first screen.

use parlor_domain::{Profile, Room, Session, SessionId, Unsent};
use parlor_store::messages::MessagePage;

use crate::{Actor, App, Error};

/// What a client shows first, and where it hears on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// Oneself.
    pub me: Profile,
    /// The rooms that one is in.
    pub rooms: Vec<Room>,
    /// The sessions that one is in.
    pub sessions: Vec<Session>,
    /// The newest messages of some of them: where something was said last, first.
    pub newest: Vec<(SessionId, MessagePage)>,
    /// What one has begun to write.
    pub drafts: Vec<Unsent>,
    /// The head of one's own log.
    pub user_seq: i64,
}

impl App {
    /// Everything for a first screen.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn init(&self, actor: &Actor) -> Result<Init, Error> {
        // The head comes first: what happens while the rest is read is then heard once more,
        // rather than never.
        let user_seq = self.user_head(actor).await?;
        let (each, all) = (self.limits.first_messages_max, self.limits.first_sessions_max);
        Ok(Init {
            me: self.profile(actor).await?,
            rooms: self.store.rooms_of(actor.user).await?,
            // The heads come before the messages, for the same reason.
            sessions: self.store.sessions_of(actor.user, None).await?,
            newest: self.store.newest(actor.user, all, each).await?,
            drafts: self.store.drafts(actor.user).await?,
            user_seq,
        })
    }
}
