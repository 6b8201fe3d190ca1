//! Accounts: who there is, and how they prove it.

use async_trait::async_trait;
use parlor_domain::name::Username;
use parlor_domain::{LoginId, Profile, Time, User, UserId};

use crate::StoreError;

/// An account to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Its id to be.
    pub id: UserId,
    /// The handle.
    pub username: Username,
    /// The display name.
    pub name: String,
    /// The mail address, normalised.
    pub email: Option<String>,
    /// The hash of the password (a PHC string).
    pub password_hash: String,
    /// Whether the account can sign in before its address is proved.
    pub usable: bool,
    /// Whether it is made, without the address and never usable, when the address is somebody
    /// else's: so whoever asked does not learn that it is.
    pub discreet: bool,
    /// Whether it has no password and never gets one: a name is all that opens it.
    pub guest: bool,
    /// Whether the people of its rooms see its mail address.
    pub shows_email: bool,
    /// Whether it takes the place of an account with this address that was never proved.
    pub replaces_pending: bool,
}

/// What is needed to check a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub user: UserId,
    /// The hash of the password (a PHC string).
    pub password_hash: String,
    /// Whether the account may sign in: its address is proved, or needs no proof.
    pub usable: bool,
    /// The mail address, if there is one.
    pub email: Option<String>,
}

/// What changes about a profile; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// The handle.
    pub username: Option<Username>,
    /// The display name.
    pub name: Option<String>,
    /// The status text.
    pub status: Option<String>,
    /// Whether others see when they are here.
    pub show_last_seen: Option<bool>,
    /// Whether the people of their rooms see their mail address.
    pub show_email: Option<bool>,
}

/// What a mailed code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Proves the mail address.
    Verify,
    /// Allows a new password.
    Reset,
}

impl Purpose {
    /// The name in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
        }
    }
}

/// What became of a code that somebody typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeOutcome {
    /// It was right, and is used up.
    Right(UserId),
    /// It was wrong.
    Wrong,
    /// It is too old, or was tried too often.
    Over,
    /// There is none: none was made, or it is used up.
    Missing,
}

/// Writes and reads accounts.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes an account and puts it into the lobby (whose owner is the first one).
    ///
    /// # Errors
    /// [`parlor_domain::Denied::Conflict`] when the handle (by its key) is taken, or the address,
    /// unless the account is [`NewAccount::discreet`].
    async fn create_account(&self, new: NewAccount, now: Time) -> Result<User, StoreError>;

    /// A person.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn user(&self, user: UserId) -> Result<Option<User>, StoreError>;

    /// Oneself.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn profile(&self, user: UserId) -> Result<Option<Profile>, StoreError>;

    /// People whose handle or display name begins with `query` (all, when it is empty), by handle.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_users(&self, query: String, limit: u64) -> Result<Vec<User>, StoreError>;

    /// The credentials of a username (by its key) or of a mail address.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn credentials(&self, login: String) -> Result<Option<Credentials>, StoreError>;

    /// The credentials of a user.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn credentials_of(&self, user: UserId) -> Result<Option<Credentials>, StoreError>;

    /// Changes a profile; logged in the user's own log.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::Conflict`] when the handle is taken.
    async fn change_profile(
        &self,
        user: UserId,
        change: ProfileChange,
        now: Time,
    ) -> Result<Profile, StoreError>;

    /// Takes an account out of use for good: its rooms are left, its logins revoked (they are
    /// returned), its names, address and password erased. What it said is erased by
    /// [`Accounts::erase_deleted`].
    ///
    /// # Errors
    /// [`parlor_domain::Denied::NotFound`] when there is no such account any more.
    async fn delete_account(&self, user: UserId, now: Time) -> Result<Vec<LoginId>, StoreError>;

    /// Deletes up to `limit` messages of deleted accounts, wherever they are, and returns how
    /// many: fewer than `limit` when none is left.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn erase_deleted(&self, limit: u64, now: Time) -> Result<u64, StoreError>;

    /// Sets a password and revokes every login except `keep`; returns the revoked.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn set_password(
        &self,
        user: UserId,
        password_hash: String,
        keep: Option<LoginId>,
        now: Time,
    ) -> Result<Vec<LoginId>, StoreError>;

    /// Remembers the hash of a mailed code, in place of an earlier one for the same purpose.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn put_code(
        &self,
        user: UserId,
        purpose: Purpose,
        hash: [u8; 32],
        expires: Time,
    ) -> Result<(), StoreError>;

    /// Tries a code for the account of this address; the right one is used up, and proves the
    /// address. A wrong one counts; after `tries_max` the code is dead.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn try_code(
        &self,
        email: String,
        purpose: Purpose,
        hash: [u8; 32],
        tries_max: u64,
        now: Time,
    ) -> Result<CodeOutcome, StoreError>;

    /// Forgets up to `limit` codes whose time was over at `now`, and returns how many: fewer than
    /// `limit` when none is left.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget_codes(&self, now: Time, limit: u64) -> Result<u64, StoreError>;

    /// Remembers when people were last here. Not logged.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn touch_users(&self, seen: Vec<(UserId, Time)>) -> Result<(), StoreError>;
}
