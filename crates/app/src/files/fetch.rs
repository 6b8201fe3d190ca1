//! Getting a file.

use std::ops::Range;

use bytes::BytesMut;
use futures_util::StreamExt as _;
use parlor_blobs::{BlobError, Hash, Pieces};
use parlor_domain::{Denied, File, FileId};
use parlor_seal::FileKey;
use parlor_store::files::Found;

use super::unsigned;
use crate::{Actor, App, Error};

/// Which bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What was sent.
    Whole,
    /// The small picture.
    Thumbnail,
}

/// Bytes that somebody may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    /// What they are called.
    name: String,
    /// How many there are.
    pub length: u64,
    hash: Hash,
    /// What they are kept under, where they are kept sealed.
    key: Option<FileKey>,
    media_type: String,
}

impl Bytes {
    /// What they are.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// What they are called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names them: other bytes have another name. It says nothing of what they are.
    pub fn tag(&self) -> String {
        parlor_blobs::hex(blake3::hash(&self.hash).as_bytes())[..32].to_owned()
    }
}

/// Bytes by which a small picture is known.
const SMALL_HEAD: u64 = 64;

impl App {
    /// A file that the actor may have, as of now.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn file(&self, actor: &Actor, id: FileId) -> Result<File, Error> {
        let found = self.store.file(actor.user, id).await?;
        Ok(found.ok_or(Denied::NotFound)?.file)
    }

    /// How long a file of the actor's was as it was sent, for who asks whether all of it has come.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn sent_length(&self, actor: &Actor, id: FileId) -> Result<u64, Error> {
        let found = self.store.file(actor.user, id).await?.ok_or(Denied::NotFound)?;
        if found.file.owner != actor.user {
            return Err(Denied::NotFound.into());
        }
        Ok(unsigned(found.length))
    }

    /// The bytes of a file, or of the picture of a preview, that the actor may have, as of now. A
    /// small picture that is being drawn is waited for.
    ///
    /// # Errors
    /// [`Denied::NotFound`]; [`Error::Busy`] when drawing takes longer than anybody waits.
    pub async fn bytes_of(&self, actor: &Actor, id: FileId, part: Part) -> Result<Bytes, Error> {
        let Some(Found { file, hash, key, .. }) = self.store.file(actor.user, id).await? else {
            return self.preview_bytes(actor, id).await;
        };
        if part == Part::Thumbnail {
            let (found, small) = self.with_thumbnail(actor, id).await?;
            let (hash, length) = (small.hash, unsigned(small.size));
            let key = found.key.as_ref().map(FileKey::of_thumbnail);
            let media_type = self.small_type(hash, key.clone(), length).await?;
            return Ok(Bytes { name: found.file.name, length, hash, key, media_type });
        }
        let length = unsigned(file.size);
        Ok(Bytes { name: file.name, length, hash, key, media_type: file.media_type })
    }

    /// The picture of a preview, which is a small one already.
    async fn preview_bytes(&self, actor: &Actor, id: FileId) -> Result<Bytes, Error> {
        let found = self.store.preview_image(actor.user, id).await?.ok_or(Denied::NotFound)?;
        let length = unsigned(found.size);
        let media_type = self.small_type(found.hash, None, length).await?;
        let (name, hash) = ("preview".to_owned(), found.hash);
        Ok(Bytes { name, length, hash, key: None, media_type })
    }

    /// What a small picture is, by its content.
    async fn small_type(
        &self,
        hash: Hash,
        key: Option<FileKey>,
        length: u64,
    ) -> Result<String, Error> {
        let pieces = self.blobs.read(hash, 0..length.min(SMALL_HEAD)).await?;
        let mut pieces = opened(pieces, key, 0);
        let head = pieces.next().await.transpose()?.unwrap_or_default();
        Ok(parlor_media::kind(&head).0.to_owned())
    }

    /// Reads them, from the first of a range up to the one behind its last.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when they have just been deleted.
    pub async fn read_bytes(&self, bytes: &Bytes, range: Range<u64>) -> Result<Pieces, Error> {
        let at = range.start;
        match self.blobs.read(bytes.hash, range).await {
            Err(parlor_blobs::BlobError::Missing) => Err(Denied::NotFound.into()),
            read => Ok(opened(read?, bytes.key.clone(), at)),
        }
    }
}

/// Pieces as they were before they were sealed, of which the first begins at `at`.
pub(super) fn opened(pieces: Pieces, key: Option<FileKey>, mut at: u64) -> Pieces {
    let Some(key) = key else { return pieces };
    let open = move |piece: Result<bytes::Bytes, BlobError>| {
        let mut piece = BytesMut::from(piece?);
        key.apply(at, &mut piece);
        at += piece.len() as u64;
        Ok(piece.freeze())
    };
    pieces.map(open).boxed()
}
