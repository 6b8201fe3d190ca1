//! Rooms: made, found, entered, changed.

use async_trait::async_trait;
use parlor_domain::room::NewRoom;
use parlor_domain::{
    Ban, ClientId, Denied, Member, Room, RoomChange, RoomFacts, RoomId, Rules, SessionId, Time,
    Ttl, UserId,
};

use crate::{Changed, StoreError};

/// A room to be made, with the ids it will have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomDraft {
    /// Its id to be.
    pub id: RoomId,
    /// Its main session's id to be.
    pub main_session: SessionId,
    /// Who makes it and owns it.
    pub creator: UserId,
    /// What it is.
    pub room: NewRoom,
    /// The hash of its password.
    pub password_hash: Option<String>,
    /// The creating request's idempotency key and the digest of the request.
    pub key: Option<(ClientId, [u8; 16])>,
    /// A name of its own in paths: letters and digits.
    pub slug: Option<String>,
    /// Whether no other room may have its name.
    pub unique: bool,
}

/// What a room lays down, as its columns `message_ttl_s`, `retention_s` and `sessions_max` have it.
pub(crate) fn columns(rules: &Rules) -> (Option<i64>, Option<i64>, Option<i64>) {
    let (message_ttl, retention) = (rules.message_ttl, rules.retention);
    let sessions_max = rules.sessions_max.map(u64::cast_signed);
    (message_ttl.map(Ttl::seconds), retention.map(Ttl::seconds), sessions_max)
}

/// Decides what changes about a room.
pub type DecideRoom = Box<dyn FnOnce(&RoomFacts) -> Result<Vec<RoomChange>, Denied> + Send>;

/// Writes and reads rooms.
#[async_trait]
pub trait Rooms: Send + Sync {
    /// Makes a room. A direct room of the same people is found instead of made twice, and who left
    /// it is in it again.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when somebody named has no account; [`Denied::Conflict`] when the
    /// creator owns more than `owned_max` rooms; [`Denied::Taken`] when another room has its slug
    /// or, where it is to be unique, its name; [`StoreError::KeyReused`].
    async fn create_room(
        &self,
        draft: RoomDraft,
        owned_max: u64,
        now: Time,
    ) -> Result<Changed<Room>, StoreError>;

    /// Changes a room. `people` are looked up for the decision. In one transaction: the rows, the
    /// `joined`, `left`, `role_changed` and `room_settings` events of every session concerned, the
    /// entries in the logs of the users concerned, and new access versions. Returns the room as
    /// `actor` sees it now; `None` when it is gone or they may not see it any more.
    ///
    /// # Errors
    /// [`StoreError::Denied`] as decided; [`Denied::NotFound`] when there is no such room.
    async fn change_room(
        &self,
        actor: UserId,
        room: RoomId,
        people: Vec<UserId>,
        now: Time,
        decide: DecideRoom,
    ) -> Result<Option<Room>, StoreError>;

    /// A room that `user` can see: one they are in, or an open one they are not banned from.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn room(&self, user: UserId, room: RoomId) -> Result<Option<Room>, StoreError>;

    /// The hash of a room's password, if it has one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn room_password(&self, room: RoomId) -> Result<Option<String>, StoreError>;

    /// The lobby, as `user` sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn lobby(&self, user: UserId) -> Result<Option<Room>, StoreError>;

    /// The rooms that `user` is in, in the order in which they were made.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn rooms_of(&self, user: UserId) -> Result<Vec<Room>, StoreError>;

    /// Public rooms that are not archived, whose name or description contains `query`, with `no`
    /// above `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn public_rooms(
        &self,
        user: UserId,
        query: String,
        after: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Room>, StoreError>;

    /// The members of a room that `user` is in, by username after `after`; `None` when they are
    /// not in it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn room_members(
        &self,
        user: UserId,
        room: RoomId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Option<Vec<Member>>, StoreError>;

    /// Who may not come back, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn bans(&self, room: RoomId, limit: u64) -> Result<Vec<Ban>, StoreError>;
}
