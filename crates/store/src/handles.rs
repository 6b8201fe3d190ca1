//! Things by the names that other systems have for them: small integer ids, slugs, first lists of
//! everybody. Handles, never an authority: whoever asks sees what they may see anyway.

use async_trait::async_trait;
use parlor_domain::{Card, Person, Placed, RoomId, SessionId, Time, UserId};

use crate::StoreError;

/// Which rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// One, by its id.
    Id(RoomId),
    /// One, by its slug.
    Slug(String),
    /// Those that the reader is in.
    Mine,
    /// Those that the reader is in, in the order in which they came in.
    Joined,
    /// Those that the reader is in, and those that everybody may find.
    Visible,
}

/// Which messages of main sessions, newest first. Deleted ones are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Of this room only.
    pub room: Option<RoomId>,
    /// By this person only.
    pub sender: Option<UserId>,
    /// With this in their text, in whatever case.
    pub containing: Option<String>,
    /// How many to pass over.
    pub offset: u64,
    /// How many at most.
    pub limit: u64,
}

/// Looks things up by their handles.
#[async_trait]
pub trait Handles: Send + Sync {
    /// The people with these ids; deleted accounts, too, without a name.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn people(&self, ids: Vec<UserId>) -> Result<Vec<Person>, StoreError>;

    /// The person with this small id, unless the account is deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn person_by_no(&self, no: i64) -> Result<Option<Person>, StoreError>;

    /// The guest with this name; the first of them, when several have taken it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn guest(&self, name: String) -> Result<Option<Person>, StoreError>;

    /// Up to `limit` people whose accounts can be used, in the order in which they came.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn everybody(&self, limit: u64) -> Result<Vec<Person>, StoreError>;

    /// Who shares a room other than the lobby with `user`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn acquaintances(&self, user: UserId) -> Result<Vec<UserId>, StoreError>;

    /// Whether two people share a room other than the lobby.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn are_acquainted(&self, user: UserId, other: UserId) -> Result<bool, StoreError>;

    /// Rooms that both are in, and since when `user` is, in the order in which they came in.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn rooms_shared(
        &self,
        reader: UserId,
        user: UserId,
    ) -> Result<Vec<(RoomId, Time)>, StoreError>;

    /// The session with this small id, if `user` is in it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn session_by_no(&self, user: UserId, no: i64) -> Result<Option<SessionId>, StoreError>;

    /// The message with this small id, if it is of a main session that `user` is in; deleted ones,
    /// too.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn message_by_no(&self, user: UserId, no: i64) -> Result<Option<Placed>, StoreError>;

    /// Rooms that `user` can see, in the order in which they were made unless asked otherwise,
    /// each with its people where they are in it. Direct rooms are among theirs.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn cards(&self, user: UserId, which: Which) -> Result<Vec<Card>, StoreError>;

    /// Whether `user` is banned from the open room with this slug.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn is_banned(&self, user: UserId, slug: String) -> Result<bool, StoreError>;

    /// Messages of main sessions that `user` is in, and how many there are in all; of those with a
    /// text in them, how many are in this page. For these, at most `scan_max` are looked at. The
    /// texts of a page are `bytes_max` long at most, and it is shorter than asked when they are.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn listing(
        &self,
        user: UserId,
        listing: Listing,
        scan_max: u64,
        bytes_max: u64,
    ) -> Result<(Vec<Placed>, u64), StoreError>;
}
