//! Keeping the bytes of files sealed that only messages carry which are: done as a job, a moment
//! after the message was sent, or began to be kept so.

use std::io::{BufWriter, Seek as _, Write as _};

use futures_util::StreamExt as _;
use parlor_blobs::BlobError;
use parlor_domain::{Event, EventKind, FileId};
use parlor_seal::FileKey;
use parlor_store::files::{Blob, Found, Hash, Sealed};
use parlor_store::jobs::Kind;
use uuid::Uuid;

use super::unsigned;
use crate::{App, Error};

impl App {
    /// Seals the bytes of a file, if that is to be, and has every message that carries it have the
    /// key.
    pub(crate) async fn seal_file(&self, file: Uuid) -> Result<(), Error> {
        let id = FileId(file);
        let sealed = match self.store.file_to_seal(id).await? {
            Some(found) => Some(self.sealed_copy(&found).await?),
            None => None,
        };
        let done = self.store.seal_file(id, sealed, self.clock.now()).await?;
        self.sweep_blobs().await?;
        if done { Ok(()) } else { Err(Error::Busy) }
    }

    /// Keeps the bytes of a file, and its small picture, once more under a new key.
    async fn sealed_copy(&self, found: &Found) -> Result<Sealed, Error> {
        let key = FileKey::random().map_err(|error| Error::Internal(error.to_string()))?;
        let size = unsigned(found.file.size);
        let blob = self.keep_sealed(found.hash, size, &key).await?;
        let thumbnail = match found.thumbnail {
            Some(Blob { hash, size }) => {
                let key = key.of_thumbnail();
                Some((hash, self.keep_sealed(hash, unsigned(size), &key).await?))
            }
            None => None,
        };
        Ok(Sealed { of: found.hash, blob, thumbnail, key })
    }

    /// Keeps bytes once more, under a key. They have no second time the same name, whatever they
    /// are.
    async fn keep_sealed(&self, of: Hash, size: u64, key: &FileKey) -> Result<Blob, Error> {
        let mut pieces = self.blobs.read(of, 0..size).await.map_err(gone)?;
        let mut scratch = BufWriter::new(self.blobs.scratch()?);
        let (mut hasher, mut at) = (blake3::Hasher::new(), 0);
        while let Some(piece) = pieces.next().await {
            let mut piece = piece.map_err(gone)?.to_vec();
            key.apply(at, &mut piece);
            at += piece.len() as u64;
            hasher.update(&piece);
            scratch.write_all(&piece).map_err(BlobError::from)?;
        }
        let mut scratch =
            scratch.into_inner().map_err(|error| BlobError::from(error.into_error()))?;
        scratch.rewind().map_err(BlobError::from)?;
        let blob = Blob { hash: *hasher.finalize().as_bytes(), size: super::signed(size) };
        self.store.expect_blob(blob, self.clock.now()).await?;
        self.blobs.put(scratch, blob.hash).await?;
        Ok(blob)
    }

    /// Begins at once with what is to be done about files of messages that were just stored.
    pub(crate) fn see_files(&self, events: &[Event]) {
        let carries = |event: &Event| match &event.kind {
            EventKind::Posted(message) => {
                message.is_sealed()
                    && message.extras.as_ref().is_some_and(|extras| !extras.files.is_empty())
            }
            _ => false,
        };
        if events.iter().any(carries) {
            self.bells.ring(Kind::Seal);
        }
    }
}

/// Bytes that are not there were deleted meanwhile, or sealed: it is looked again.
fn gone(error: BlobError) -> Error {
    match error {
        BlobError::Missing => Error::Busy,
        other => other.into(),
    }
}
