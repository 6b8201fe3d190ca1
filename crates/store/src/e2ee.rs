//! The keys of encrypted sessions: what devices publish, what they send to each other, and what
//! they keep for their person. Everything is a text here that nobody reads.

use async_trait::async_trait;
use parlor_domain::{Denied, DeviceId, RoomId, SessionId, Time, UserId};

use crate::StoreError;

/// What signs the devices of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usage {
    /// What stands for the person; it signs the other two.
    Master,
    /// Signs their own devices.
    SelfSigning,
    /// Signs other people's master keys; only its owner sees it.
    UserSigning,
}

impl Usage {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Master, Self::SelfSigning, Self::UserSigning];

    /// The name on the wire and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::SelfSigning => "self_signing",
            Self::UserSigning => "user_signing",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|usage| usage.as_str() == text)
    }
}

/// A key under its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The id.
    pub id: String,
    /// The signed key, as JSON.
    pub key: String,
}

/// What a device publishes, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upload {
    /// Its own keys, as JSON; they never change.
    pub device: Option<String>,
    /// Keys that are given out once each.
    pub one_time: Vec<Key>,
    /// The key that is given out when there is no other.
    pub fallback: Option<Key>,
}

/// What the server has left of a device's keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// One-time keys.
    pub one_time: i64,
    /// Whether there is a fallback key that was never given out.
    pub unused_fallback: bool,
}

/// Somebody's signature of a device or of a signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose device or key it is.
    pub user: UserId,
    /// The device's id, or the signing key itself.
    pub target: String,
    /// Who signed.
    pub signer: UserId,
    /// By which key.
    pub key_id: String,
    /// The signature.
    pub signature: String,
}

/// The published keys of a person, as somebody else may see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Who.
    pub user: UserId,
    /// Their devices: the id, the name, and the keys as JSON.
    pub devices: Vec<(DeviceId, String, String)>,
    /// What signs them, as JSON.
    pub signing: Vec<(Usage, String)>,
    /// Signatures of all these that are not in the JSON: their own, and the reader's.
    pub signatures: Vec<Signature>,
}

/// A key that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Whose.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
    /// Whether it may be a one-time key; otherwise it is the fallback key.
    pub fresh: bool,
}

/// A key that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Whose.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
    /// The key.
    pub key: Key,
}

/// What one device sends to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Who sends.
    pub user: UserId,
    /// By which device.
    pub device: DeviceId,
    /// The request's own id: one that comes again does nothing.
    pub txn_id: String,
    /// What kind of message it is.
    pub kind: String,
    /// To whom: the user, the device or all of theirs, and the content as JSON.
    pub messages: Vec<(UserId, Option<DeviceId>, String)>,
    /// How many may wait for one device.
    pub waiting_max: u64,
}

/// A message from a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Who sent it.
    pub sender: UserId,
    /// What kind of message it is.
    pub kind: String,
    /// The content, as JSON.
    pub content: String,
}

/// What a device is told next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// What the device says when it has it all.
    pub pos: i64,
    /// Messages of other devices, in order.
    pub events: Vec<Sent>,
    /// Whose keys are to be asked for again.
    pub changed: Vec<UserId>,
    /// With whom no encrypted session is shared any more.
    pub left: Vec<UserId>,
    /// What the server has left of the device's own keys.
    pub keys: Left,
    /// Whether there is more.
    pub more: bool,
}

impl News {
    /// Whether there is nothing that has to be acknowledged.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.changed.is_empty() && self.left.is_empty()
    }
}

/// Into which session people are to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crowd {
    /// A new one, which is encrypted and empty.
    New,
    /// This one.
    Session(SessionId),
    /// The main session of this room.
    Room(RoomId),
}

/// Decides about new signing keys of somebody, with those that they have.
pub type DecideSigning = Box<dyn FnOnce(&[(Usage, String)]) -> Result<(), Denied> + Send>;

/// Writes and reads the keys that devices publish, and what they send to each other.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The name of this installation in the ids of people, devices and sessions that are signed:
    /// made by chance, once, and the same for ever.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn server_name(&self) -> Result<String, StoreError>;

    /// Publishes keys of a device; up to `most` one-time keys are kept.
    ///
    /// # Errors
    /// [`Denied::Malformed`] when other keys are published under an id that is taken, or keys of a
    /// device that has published none of its own.
    async fn publish_keys(
        &self,
        user: UserId,
        device: DeviceId,
        upload: Upload,
        most: u64,
    ) -> Result<Left, StoreError>;

    /// The published keys of those people with whom `reader` shares a session.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn published_keys(
        &self,
        reader: UserId,
        users: Vec<UserId>,
    ) -> Result<Vec<Published>, StoreError>;

    /// Gives out a one-time key of each of these devices whose people share a session with
    /// `reader`, the oldest first: each to one asker only. Of a device that has none left, or of
    /// which none is to be given, the fallback key.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn claim_keys(
        &self,
        reader: UserId,
        claims: Vec<Claim>,
    ) -> Result<Vec<Claimed>, StoreError>;

    /// Puts signing keys in the place of those of the same usage.
    ///
    /// # Errors
    /// [`StoreError::Denied`] as decided.
    async fn set_signing_keys(
        &self,
        user: UserId,
        keys: Vec<(Usage, String)>,
        decide: DecideSigning,
    ) -> Result<(), StoreError>;

    /// Adds signatures to those that are there.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn add_signatures(&self, signatures: Vec<Signature>) -> Result<(), StoreError>;

    /// The user, and those with whom they share an encrypted session.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn key_sharers(&self, user: UserId) -> Result<Vec<UserId>, StoreError>;

    /// How many devices with keys the members of a session have together with those who are to
    /// come; `None` when it is not encrypted.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn count_devices(
        &self,
        crowd: Crowd,
        people: Vec<UserId>,
    ) -> Result<Option<u64>, StoreError>;

    /// Puts messages into the queues of devices, all or none of them. Those to people who share no
    /// session with the sender, and to devices for which too many wait, are not taken. Returns
    /// whose
    /// queues have something new.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn send_to_devices(&self, sending: Sending, now: Time)
    -> Result<Vec<UserId>, StoreError>;

    /// What a device is told next, up to `limit` rows; everything up to `taken` is safe there and
    /// forgotten here.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn key_news(&self, device: DeviceId, taken: i64, limit: u64) -> Result<News, StoreError>;

    /// Forgets up to `limit` requests to send from before `before`, and returns how many.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget_sendings(&self, before: Time, limit: u64) -> Result<u64, StoreError>;
}

/// A backup of the keys of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Which: 1, 2, 3 …
    pub version: i64,
    /// How it is encrypted.
    pub algorithm: String,
    /// What that needs, as JSON.
    pub auth_data: String,
    /// How many keys it holds.
    pub count: i64,
    /// Counts its changes.
    pub etag: i64,
}

/// One key in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// The session in which it reads.
    pub session: SessionId,
    /// The id of the key.
    pub key_session: String,
    /// From which message on it reads.
    pub first_index: i64,
    /// Through how many hands it came.
    pub forwarded: i64,
    /// Whether who made it was verified.
    pub verified: bool,
    /// The key, encrypted, as JSON.
    pub data: String,
}

impl BackedUp {
    /// What decides between two of the same id: verified, then what reads from earlier on, then
    /// what
    /// came through fewer hands. The better one is the greater.
    pub(crate) fn rank(&self) -> (bool, i64, i64) {
        (self.verified, -self.first_index, -self.forwarded)
    }
}

/// Which keys of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WhichKeys {
    /// Those of one session.
    pub session: Option<SessionId>,
    /// The one of this id in it.
    pub key_session: Option<String>,
}

/// Writes and reads what devices keep for their person.
#[async_trait]
pub trait Backups: Send + Sync {
    /// Begins a new backup; its version.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn begin_backup(
        &self,
        user: UserId,
        algorithm: String,
        auth_data: String,
    ) -> Result<i64, StoreError>;

    /// A backup, or the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn backup(
        &self,
        user: UserId,
        version: Option<i64>,
    ) -> Result<Option<Backup>, StoreError>;

    /// Changes what a backup's encryption needs.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    async fn change_backup(
        &self,
        user: UserId,
        version: i64,
        auth_data: String,
    ) -> Result<(), StoreError>;

    /// Deletes a backup with its keys; nothing happens when it is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delete_backup(&self, user: UserId, version: i64) -> Result<(), StoreError>;

    /// Puts keys into the newest backup, each unless a better one is there, up to `most` in all;
    /// the
    /// backup as it is now.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when `version` is not the newest, [`Denied::NoRoom`].
    async fn back_up(
        &self,
        user: UserId,
        version: i64,
        keys: Vec<BackedUp>,
        most: u64,
    ) -> Result<Backup, StoreError>;

    /// Keys of a backup.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when there is no such version.
    async fn backed_up(
        &self,
        user: UserId,
        version: i64,
        which: WhichKeys,
    ) -> Result<Vec<BackedUp>, StoreError>;

    /// Deletes keys of a backup; the backup as it is now.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when there is no such version.
    async fn forget_backed_up(
        &self,
        user: UserId,
        version: i64,
        which: WhichKeys,
    ) -> Result<Backup, StoreError>;

    /// A note of a user's devices, as JSON.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn account_data(&self, user: UserId, kind: String) -> Result<Option<String>, StoreError>;

    /// Writes a note, of up to `most` kinds.
    ///
    /// # Errors
    /// [`Denied::NoRoom`] when there are too many.
    async fn set_account_data(
        &self,
        user: UserId,
        kind: String,
        content: String,
        most: u64,
    ) -> Result<(), StoreError>;
}

/// What a member has signed about who was let into a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its place among those of the session: 1, 2, 3 ….
    pub number: i64,
    /// What was signed, and the signatures, as JSON.
    pub statement: String,
}

/// Writes and reads what members have signed about who was let in.
#[async_trait]
pub trait Statements: Send + Sync {
    /// Adds statements to those of a session that `user` is in, in this order; of all only the
    /// newest `most` are kept.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when they are not in it.
    async fn add_statements(
        &self,
        user: UserId,
        session: SessionId,
        statements: Vec<String>,
        most: u64,
    ) -> Result<(), StoreError>;

    /// The first `limit` statements of a session that `user` is in with a number above `after`, in
    /// order; `None` when they are not in it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn statements(
        &self,
        user: UserId,
        session: SessionId,
        after: i64,
        limit: u64,
    ) -> Result<Option<Vec<Statement>>, StoreError>;
}

/// Other keys than those that are there, under the same id.
pub(crate) const OTHER_KEYS: Denied = Denied::Malformed("other keys were published under this id");

/// What stands in the place of a one-time key that was given out, so that its id is known.
pub(crate) const GIVEN_OUT: &str = "";

/// For how many more keys that is remembered, counted in the most that a device may have.
pub(crate) const NOTED: i64 = 2;

/// A device that has published nothing of its own has no keys to give out.
pub(crate) const NO_DEVICE_KEYS: Denied = Denied::Malformed("publish the keys of the device first");

/// More than a backup holds.
pub(crate) const BACKUP_FULL: Denied = Denied::NoRoom("the backup holds too many keys");

/// More notes than are kept.
pub(crate) const TOO_MANY_NOTES: Denied = Denied::NoRoom("there are too many notes");

/// What a row of a queue is.
pub(crate) const MESSAGE: i64 = 1;
pub(crate) const CHANGED: i64 = 2;
pub(crate) const PARTED: i64 = 3;

/// What a row of the changes is.
pub(crate) const KEYS: i64 = 1;
pub(crate) const CAME: i64 = 2;
pub(crate) const WENT: i64 = 3;
/// Somebody has signed another person's keys, which only their own devices see: the other person,
/// and in the place of a session whoever signed.
pub(crate) const SIGNED: i64 = 4;

/// The note of `meta` that counts the changes.
pub(crate) const CHANGES: &str = "e2ee_changes";

/// The note of `meta` that has the name of the installation.
pub(crate) const SERVER_NAME: &str = "e2ee_server_name";

/// A new name for an installation: it can be nobody else's, and is none that can be looked up.
pub(crate) fn new_server_name() -> String {
    format!("{}.parlor.invalid", uuid::Uuid::new_v4().simple())
}
