//! The bytes that people send, each kept once under the hash of what it is.
//!
//! Owns where bytes lie, and that they are durable before anybody is told so. Bytes that are still
//! coming are an *upload*, which grows at its end and survives a crash up to its last
//! [`Partial::sync`]; bytes that are complete are a *blob*, which never changes. Refuses to know
//! whose they are, how many there may be and what refers to them: whoever keeps the books says
//! first what he is about to keep, and deletes what he no longer knows.

mod disk;
mod s3;

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use uuid::Uuid;

pub use disk::Disk;
pub use s3::{S3, S3Config};

/// BLAKE3 of a blob's bytes, which is its name.
pub type Hash = [u8; 32];

/// Bytes on their way out, in pieces of at most [`PIECE`].
pub type Pieces = BoxStream<'static, Result<Bytes, BlobError>>;

/// Bytes that are read at once.
pub const PIECE: usize = 64 * 1024;

/// What can go wrong with bytes.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There are no such bytes, or fewer than there should be.
    #[error("the bytes are not there")]
    Missing,
    /// Somebody else is writing the same upload.
    #[error("somebody else is writing")]
    Busy,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The disk or the network failed.
    #[error("bytes: {0}")]
    Failed(String),
}

impl From<std::io::Error> for BlobError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::UnexpectedEof => Self::Missing,
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// An upload that is being written, at its end.
#[async_trait]
pub trait Partial: Send {
    /// Adds bytes, which may still be lost.
    ///
    /// # Errors
    /// [`BlobError::Full`], [`BlobError::Failed`]: how much was added is not known then.
    async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError>;

    /// Makes everything durable that was written, and returns the upload's length in bytes.
    ///
    /// # Errors
    /// [`BlobError`].
    async fn sync(&mut self) -> Result<u64, BlobError>;
}

/// What is there, for whoever compares it with the books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Every blob, by its hash, sorted.
    pub blobs: Vec<Hash>,
    /// Every upload, sorted.
    pub uploads: Vec<Uuid>,
    /// Files that are neither: what a crash left of a blob that was being made.
    pub unfinished: u64,
}

/// Keeps bytes.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Goes on with an upload of which `at` bytes are known to be durable; what lies behind them
    /// is cut off. At 0 it begins. Each time that an upload is gone on with it has a higher `turn`:
    /// what an earlier one still writes is not seen.
    ///
    /// # Errors
    /// [`BlobError::Missing`] when fewer than `at` bytes are there; [`BlobError::Busy`].
    async fn resume(&self, upload: Uuid, at: u64, turn: u64)
    -> Result<Box<dyn Partial>, BlobError>;

    /// The first `length` bytes of an upload, from `from`.
    ///
    /// # Errors
    /// [`BlobError::Missing`], at once or in the middle.
    async fn read_upload(&self, upload: Uuid, from: u64, length: u64) -> Result<Pieces, BlobError>;

    /// Makes a blob of an upload of this length and with this hash. The upload stays until it is
    /// discarded, so that whoever is killed now can do this again. Nothing happens where there is
    /// such a blob.
    ///
    /// # Errors
    /// [`BlobError`].
    async fn keep(&self, upload: Uuid, length: u64, hash: Hash) -> Result<(), BlobError>;

    /// Makes a blob of a file with this hash, from its beginning. Nothing happens where there is
    /// such a blob.
    ///
    /// # Errors
    /// [`BlobError`].
    async fn put(&self, file: File, hash: Hash) -> Result<(), BlobError>;

    /// A range of a blob's bytes.
    ///
    /// # Errors
    /// [`BlobError::Missing`], at once or in the middle.
    async fn read(&self, hash: Hash, range: Range<u64>) -> Result<Pieces, BlobError>;

    /// Deletes a blob, if it is there. Its bytes are gone when this returns.
    ///
    /// # Errors
    /// [`BlobError`].
    async fn delete(&self, hash: Hash) -> Result<(), BlobError>;

    /// Deletes an upload, if it is there.
    ///
    /// # Errors
    /// [`BlobError`].
    async fn discard(&self, upload: Uuid) -> Result<(), BlobError>;

    /// A file of this machine that has no name, and so is gone with its last handle.
    ///
    /// # Errors
    /// [`BlobError`].
    fn scratch(&self) -> Result<File, BlobError>;

    /// Deletes what crashes have left of blobs that were being made before a moment, and returns
    /// how many there were.
    ///
    /// # Errors
    /// [`BlobError`].
    async fn tidy(&self, before: SystemTime) -> Result<u64, BlobError>;

    /// Everything that is there. It takes its time.
    ///
    /// # Errors
    /// [`BlobError`].
    async fn inventory(&self) -> Result<Inventory, BlobError>;
}

/// The hash of an upload of this length, read from where it lies: what is kept is what is hashed.
///
/// # Errors
/// [`BlobError::Missing`] when it is shorter.
pub async fn hash_of(
    blobs: &dyn Blobs,
    upload: Uuid,
    length: u64,
    mut also: impl FnMut(&[u8]) + Send,
) -> Result<Hash, BlobError> {
    let mut hasher = blake3::Hasher::new();
    let mut pieces = blobs.read_upload(upload, 0, length).await?;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        hasher.update(&piece);
        also(&piece);
    }
    Ok(*hasher.finalize().as_bytes())
}

/// Bytes in a scratch file, for who wants to jump about in them. It stands at its beginning.
///
/// # Errors
/// [`BlobError`].
pub async fn local(blobs: &dyn Blobs, mut pieces: Pieces) -> Result<File, BlobError> {
    let mut file = blobs.scratch()?;
    while let Some(piece) = pieces.next().await {
        // Into the page cache: no longer than a copy of memory, which this is.
        file.write_all(&piece?)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// A hash in hexadecimal digits.
pub fn hex(hash: &Hash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

/// A hash out of 64 hexadecimal digits in lower case.
pub fn from_hex(text: &str) -> Option<Hash> {
    let lower = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let hash = blake3::Hash::from_hex(text).ok()?;
    lower.then(|| *hash.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_spelling() {
        let hash = *blake3::hash(b"x").as_bytes();
        assert_eq!(from_hex(&hex(&hash)), Some(hash));
        assert_eq!(from_hex(&hex(&hash).to_uppercase()), None);
        assert_eq!(from_hex("ab"), None);
        assert_eq!(from_hex("../../etc/passwd"), None);
    }

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(matches!(BlobError::from(full), BlobError::Full));
        let broken = std::io::Error::other("input/output error");
        assert!(matches!(BlobError::from(broken), BlobError::Failed(_)));
    }
}
