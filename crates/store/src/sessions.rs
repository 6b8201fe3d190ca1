//! Sessions: who is in them and how far they have read.

use async_trait::async_trait;
use parlor_domain::{
    ClientId, Denied, Encryption, Ending, Member, RoomFacts, RoomId, Session, SessionChange,
    SessionFacts, SessionId, Time, Ttl, UserId, View,
};

use crate::{Changed, StoreError};

/// A session to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its id to be.
    pub id: SessionId,
    /// The room.
    pub room: RoomId,
    /// Its name, checked.
    pub name: String,
    /// Who opens it.
    pub creator: UserId,
    /// Who else is named.
    pub people: Vec<UserId>,
    /// How it is encrypted, for good; `None`: not.
    pub encryption: Option<Encryption>,
    /// How long messages live in it; `Some(None)`: for ever; `None`: as the room lays down.
    pub message_ttl: Option<Option<Ttl>>,
    /// When it ends by itself; `None`: it does not.
    pub ending: Option<Ending>,
    /// The creating request's idempotency key and the digest of the request.
    pub key: Option<(ClientId, [u8; 16])>,
}

/// Decides, with the room's facts and how many sessions are open, who will be in a new session.
pub type DecideOpen = Box<dyn FnOnce(&RoomFacts, u64) -> Result<Vec<UserId>, Denied> + Send>;

/// Decides what changes about a session.
pub type DecideSession =
    Box<dyn FnOnce(&SessionFacts) -> Result<Vec<SessionChange>, Denied> + Send>;

/// Writes and reads sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Opens a session; its log begins with a `joined` for each member, their own logs get
    /// `added`.
    ///
    /// # Errors
    /// [`StoreError::Denied`] as decided; [`Denied::NotFound`] when the room cannot be seen.
    async fn create_session(
        &self,
        new: NewSession,
        now: Time,
        decide: DecideOpen,
    ) -> Result<Changed<Session>, StoreError>;

    /// Changes a session that `user` is in. `people` are looked up for the decision. Returns the
    /// session as `user` sees it now; `None` when they are not in it any more.
    ///
    /// # Errors
    /// [`StoreError::Denied`] as decided; [`Denied::NotFound`] when they are not in it.
    async fn change_session(
        &self,
        user: UserId,
        session: SessionId,
        people: Vec<UserId>,
        now: Time,
        decide: DecideSession,
    ) -> Result<Option<Session>, StoreError>;

    /// What is needed to decide about a message; `None` when `user` is not in the session.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn session_as_seen_by(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<View>, StoreError>;

    /// A session that `user` is in.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn session(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<Session>, StoreError>;

    /// The sessions that `user` is in, of one room or of all, the main one of a room first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sessions_of(
        &self,
        user: UserId,
        room: Option<RoomId>,
    ) -> Result<Vec<Session>, StoreError>;

    /// The sessions that both `user` and `other` are in, as `user` sees them, of one room or of
    /// all, the main one of a room first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sessions_shared(
        &self,
        user: UserId,
        other: UserId,
        room: Option<RoomId>,
    ) -> Result<Vec<Session>, StoreError>;

    /// The members of a session that `user` is in, by username after `after`; `None` when they are
    /// not in it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn session_members(
        &self,
        user: UserId,
        session: SessionId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Option<Vec<Member>>, StoreError>;

    /// Moves the reader's marker forward; a number beyond the head means the head, one behind the
    /// marker changes nothing. Returns the marker, or `None` when `user` is not in the session.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn mark_read(
        &self,
        user: UserId,
        session: SessionId,
        number: i64,
    ) -> Result<Option<i64>, StoreError>;
}
