//! Files: what is coming, what is here, who may have it, and how much of it there is.
//!
//! The bytes are kept elsewhere, by their hash. This keeps the books, in an order that leaves
//! nothing behind whenever a process is killed: a blob is expected here before it is made, and an
//! upload or blob that is to go is doomed here, then deleted, then forgotten. What is doomed is not
//! used any more: who needs the same bytes again waits until they are gone.

use async_trait::async_trait;
use parlor_domain::{Denied, File, FileId, MessageId, Profile, SessionId, Time, UserId};
use parlor_seal::FileKey;

use crate::StoreError;

/// The BLAKE3 hash of bytes.
pub type Hash = [u8; 32];

/// An upload to be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// Its id, which is the file's to be.
    pub id: FileId,
    /// Whose.
    pub user: UserId,
    /// Bytes that it will have.
    pub length: i64,
    /// What it is called.
    pub name: String,
    /// Whether only its readers can tell what it is.
    pub encrypted: bool,
    /// SHA-256 of all of it, if its sender says so beforehand.
    pub sha256: Option<[u8; 32]>,
    /// When it is given up, unless it grows.
    pub expires: Time,
}

/// How much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes of one user's files and uploads.
    pub user_bytes_max: i64,
    /// Bytes of everybody's.
    pub all_bytes_max: i64,
    /// Uploads of one user.
    pub uploads_max: i64,
}

/// An upload that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its id, which is the file's to be.
    pub id: FileId,
    /// Bytes that it will have.
    pub length: i64,
    /// Bytes of it that are durable.
    pub received: i64,
    /// Counts those who have written it, one after the other.
    pub turn: i64,
    /// What it is called.
    pub name: String,
    /// Whether only its readers can tell what it is.
    pub encrypted: bool,
    /// SHA-256 of all of it, if its sender said so beforehand.
    pub sha256: Option<[u8; 32]>,
    /// When it is given up, unless it grows.
    pub expires: Time,
}

/// What an upload has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The blob, which is there.
    pub blob: Blob,
    /// What it is, by its content.
    pub media_type: String,
    /// Pixels, of a picture.
    pub pixels: Option<(i64, i64)>,
}

/// Bytes by their hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// BLAKE3.
    pub hash: Hash,
    /// How many.
    pub size: i64,
}

/// A picture of a person, made small and square.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPicture {
    /// Its id, as a file.
    pub id: FileId,
    /// The blob, which is there.
    pub blob: Blob,
    /// What it is, by its content.
    pub media_type: String,
    /// Pixels of each side.
    pub side: i64,
}

/// A file, and where its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub file: File,
    /// Its bytes.
    pub hash: Hash,
    /// How many its sender had sent.
    pub length: i64,
    /// The small picture of it, once it is drawn.
    pub thumbnail: Option<Blob>,
    /// What its bytes are kept under, and those of the small picture, where they are kept sealed.
    pub key: Option<FileKey>,
}

/// The bytes of a file as they are to be kept from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The bytes that these are instead of.
    pub of: Hash,
    /// The blob, which is there.
    pub blob: Blob,
    /// The small picture that one is instead of, and that one, which is there.
    pub thumbnail: Option<(Hash, Blob)>,
    /// What they are kept under.
    pub key: FileKey,
}

/// A message that carries a file and does not have its key.
pub(crate) struct Keyless {
    pub(crate) message_no: i64,
    pub(crate) nth: i64,
    pub(crate) message: MessageId,
    pub(crate) session: SessionId,
    /// Its own text, where that is kept sealed.
    pub(crate) sealed: Option<Vec<u8>>,
}

impl Room {
    /// Whether `length` more bytes of somebody are not too much, who has `open` uploads and
    /// `theirs` bytes of the `all` that there are.
    ///
    /// # Errors
    /// [`Denied::NoRoom`].
    pub(crate) fn admit(
        &self,
        open: i64,
        theirs: i64,
        all: i64,
        length: i64,
    ) -> Result<(), Denied> {
        if open >= self.uploads_max {
            return Err(Denied::NoRoom("too many files are still coming: finish one first"));
        }
        if theirs.saturating_add(length) > self.user_bytes_max {
            return Err(Denied::NoRoom("your files take all the room that you have"));
        }
        if all.saturating_add(length) > self.all_bytes_max {
            return Err(Denied::NoRoom("the files of all people take all the room that there is"));
        }
        Ok(())
    }
}

impl NewUpload {
    /// What it is when it has begun.
    pub(crate) fn begun(self) -> Upload {
        let Self { id, length, name, encrypted, sha256, expires, .. } = self;
        Upload { id, length, received: 0, turn: 0, name, encrypted, sha256, expires }
    }
}

/// Keeps the books of files.
#[async_trait]
pub trait Files: Send + Sync {
    /// Begins an upload; what it will have counts from now on.
    ///
    /// # Errors
    /// [`Denied::NoRoom`] when it is too much.
    async fn begin_upload(
        &self,
        new: NewUpload,
        room: Room,
        now: Time,
    ) -> Result<Upload, StoreError>;

    /// An upload of `user`'s that is under way.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn upload(&self, user: UserId, id: FileId) -> Result<Option<Upload>, StoreError>;

    /// Takes the next turn to write an upload: whoever had the one before is not heard any more.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn take_turn(
        &self,
        user: UserId,
        id: FileId,
        expires: Time,
    ) -> Result<Option<Upload>, StoreError>;

    /// Notes that more of an upload is durable. False: the turn is over, or the upload.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn advance(
        &self,
        id: FileId,
        turn: i64,
        received: i64,
        expires: Time,
    ) -> Result<bool, StoreError>;

    /// Notes that a blob is about to be made, so that it is swept if nothing comes of it.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while the same bytes are being deleted.
    async fn expect_blob(&self, blob: Blob, now: Time) -> Result<(), StoreError>;

    /// Makes a file of an upload that is complete, whose blob is there. `None`: the upload is over.
    /// That its own bytes can be deleted now, [`Files::doomed_uploads`] says.
    ///
    /// # Errors
    /// [`Denied::Conflict`] when the blob was not expected, or not for long.
    async fn finish_upload(
        &self,
        user: UserId,
        id: FileId,
        made: Made,
        now: Time,
    ) -> Result<Option<File>, StoreError>;

    /// Gives up an upload of `user`'s; its bytes can be deleted.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    async fn drop_upload(&self, user: UserId, id: FileId) -> Result<(), StoreError>;

    /// Gives up what has not grown in time, and names up to `limit` uploads whose bytes can be
    /// deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn doomed_uploads(&self, now: Time, limit: u64) -> Result<Vec<FileId>, StoreError>;

    /// Forgets an upload whose bytes are deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget_upload(&self, id: FileId) -> Result<(), StoreError>;

    /// A file that `user` may have: their own as long as nobody else was shown it, what a message
    /// carries that they can see, and what somebody looks like.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn file(&self, user: UserId, id: FileId) -> Result<Option<Found>, StoreError>;

    /// A file, whoever may have it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn any_file(&self, id: FileId) -> Result<Option<Found>, StoreError>;

    /// Deletes a file of `user`'s that nobody was shown.
    ///
    /// # Errors
    /// [`Denied::NotFound`]; [`Denied::Conflict`] when a message carries it, or a profile.
    async fn delete_file(&self, user: UserId, id: FileId) -> Result<(), StoreError>;

    /// Deletes up to `limit` files from before `before` that nothing carries, and returns how many.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delete_unsent(&self, before: Time, limit: u64) -> Result<u64, StoreError>;

    /// A file whose bytes are to be kept sealed and are not: only messages carry it that are kept
    /// so.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn file_to_seal(&self, id: FileId) -> Result<Option<Found>, StoreError>;

    /// Puts sealed bytes in the place of those of a file, and its key with every message that
    /// carries it and does not have it. False: the file is not as it was any more, and the blobs
    /// are doomed unless somebody else has them.
    ///
    /// # Errors
    /// As [`Files::finish_upload`].
    async fn seal_file(
        &self,
        id: FileId,
        sealed: Option<Sealed>,
        now: Time,
    ) -> Result<bool, StoreError>;

    /// Notes the small picture of a file, whose blob is there, sealed where the file is. False: the
    /// file is gone, has one or is not kept like this, and the blob is doomed unless somebody else
    /// has it.
    ///
    /// # Errors
    /// As [`Files::finish_upload`].
    async fn set_thumbnail(
        &self,
        id: FileId,
        thumbnail: Blob,
        sealed: bool,
        now: Time,
    ) -> Result<bool, StoreError>;

    /// Gives `user` a picture in place of the one before, which goes unless a message carries it;
    /// `None`: no picture. Their own log says so.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when there is no such account, [`Denied::NoRoom`] when it is too much,
    /// and as [`Files::finish_upload`].
    async fn set_picture(
        &self,
        user: UserId,
        picture: Option<NewPicture>,
        room: Room,
        now: Time,
    ) -> Result<Profile, StoreError>;

    /// Dooms blobs that nothing refers to and that nobody has expected since `before`, and names
    /// up to `limit` whose bytes can be deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn doomed_blobs(&self, before: Time, limit: u64) -> Result<Vec<Hash>, StoreError>;

    /// Forgets a blob whose bytes are deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget_blob(&self, hash: Hash) -> Result<(), StoreError>;

    /// Bytes of `user`'s files and uploads.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn bytes_of(&self, user: UserId) -> Result<i64, StoreError>;
}
