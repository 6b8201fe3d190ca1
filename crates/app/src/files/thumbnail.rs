//! Small pictures of files: drawn as a job, kept as blobs beside those that they are of.

use std::fs::File;
use std::future::Future;
use std::io::{BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

use parlor_blobs::{BlobError, local};
use parlor_domain::{Denied, FileId};
use parlor_media::{Kind as Format, Limits, Refused, Small};
use parlor_seal::FileKey;
use parlor_store::StoreError;
use parlor_store::files::{Blob, Found};
use parlor_store::jobs::Kind;
use uuid::Uuid;

use super::fetch::opened;
use super::finish::{PAUSE, TRIES};
use super::look::refused;
use super::{signed, unsigned};
use crate::{Actor, App, Error};

/// How often it is looked for a small picture that another node may be drawing.
const LOOK: Duration = Duration::from_millis(250);

impl App {
    /// A file with its small picture, which is waited for while it is being drawn.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when there is none and none will be; [`Error::Busy`] when drawing it
    /// takes longer.
    pub(super) async fn with_thumbnail(
        &self,
        actor: &Actor,
        id: FileId,
    ) -> Result<(Found, Blob), Error> {
        let drawn = async {
            loop {
                let ended = self.bells.ended(Kind::Thumbnail);
                let found = self.store.file(actor.user, id).await?.ok_or(Denied::NotFound)?;
                match found.thumbnail {
                    Some(small) => return Ok((found, small)),
                    None if !found.file.thumbnail => return Err(Denied::NotFound.into()),
                    None => _ = tokio::time::timeout(LOOK, ended).await,
                }
            }
        };
        let wait = Duration::from_millis(self.limits.thumbnail_wait_ms_max);
        tokio::time::timeout(wait, drawn).await.unwrap_or(Err(Error::Busy))
    }

    /// Draws the small picture of a file, if it is a picture and has none.
    pub(crate) async fn draw_thumbnail(&self, file: Uuid) -> Result<(), Error> {
        let id = FileId(file);
        let Some(found) = self.store.any_file(id).await? else { return Ok(()) };
        if found.thumbnail.is_some() || found.file.encrypted {
            return Ok(());
        }
        let small = match self.drawn(&found).await {
            // It is a file like any other, without a small picture: to try again is of no use.
            Err(Error::Denied(denied)) => {
                tracing::info!(%file, %denied, "a picture that cannot be drawn");
                return Ok(());
            }
            drawn => drawn?,
        };
        let Some(Small { mut bytes, .. }) = small else { return self.not_drawn(id).await };
        let (now, key) = (self.clock.now(), found.key.as_ref().map(FileKey::of_thumbnail));
        if let Some(key) = &key {
            key.apply(0, &mut bytes);
        }
        let refer = |blob| self.store.set_thumbnail(id, blob, key.is_some(), now);
        if self.keep_made(&bytes, refer).await? {
            return Ok(());
        }
        // Deleted meanwhile: so is this.
        self.sweep_blobs().await?;
        self.not_drawn(id).await
    }

    /// A file whose small picture came to nothing is gone, or was sealed meanwhile: then it is to
    /// be drawn again.
    async fn not_drawn(&self, id: FileId) -> Result<(), Error> {
        match self.store.any_file(id).await? {
            Some(found) if found.thumbnail.is_none() => Err(Error::Busy),
            _ => Ok(()),
        }
    }

    /// `None`: the file has been deleted meanwhile.
    async fn drawn(&self, found: &Found) -> Result<Option<Small>, Error> {
        let size = unsigned(found.file.size);
        if size > self.limits.image_memory_bytes_max {
            return Err(refused(Refused::TooLarge));
        }
        let side = u32::try_from(self.limits.thumbnail_pixels_max).unwrap_or(u32::MAX);
        let pieces = match self.blobs.read(found.hash, 0..size).await {
            Err(BlobError::Missing) => return Ok(None),
            read => opened(read?, found.key.clone(), 0),
        };
        let picture = local(&*self.blobs, pieces).await?;
        let drawn = self.draw(move |limits| {
            let kind = kind_of(&picture)?;
            parlor_media::fitted(kind, BufReader::new(picture), side, limits)
        });
        drawn.await.map(Some)
    }

    /// Draws something. Few are drawn at once, also when nobody waits for them any more.
    pub(crate) async fn draw<T: Send + 'static>(
        &self,
        draw: impl FnOnce(&Limits) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.drawing).acquire_owned().await;
        let place = place.map_err(|_| Error::Unavailable)?;
        let limits = self.drawing_limits();
        let drawing = tokio::task::spawn_blocking(move || {
            let _place = place;
            draw(&limits)
        });
        let drawn = drawing.await.unwrap_or_else(|ended| {
            if !ended.is_panic() {
                return Err(Refused::Failed(std::io::Error::other("nobody draws any more")));
            }
            // What a decoder of others stumbles over is no picture, whoever sent it.
            tracing::error!("a picture made its decoder panic");
            Err(Refused::Damaged)
        });
        drawn.map_err(refused)
    }

    /// Keeps bytes that were made here, and has `refer` note for what. Whoever is killed in between
    /// leaves a blob that the books know to be nobody's.
    pub(crate) async fn keep_made<T, F>(
        &self,
        bytes: &[u8],
        refer: impl Fn(Blob) -> F + Send + Sync,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let blob = Blob { hash: *blake3::hash(bytes).as_bytes(), size: signed(bytes.len() as u64) };
        for _ in 0..TRIES {
            match self.try_keep(bytes, blob, &refer).await {
                // Somebody has deleted the last file with these very bytes: they go, and come anew.
                Err(Error::Busy) => self.sweep_blobs().await?,
                kept => return kept,
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Error::Busy)
    }

    async fn try_keep<T, F>(
        &self,
        bytes: &[u8],
        blob: Blob,
        refer: impl Fn(Blob) -> F + Send + Sync,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        self.store.expect_blob(blob, self.clock.now()).await?;
        let mut scratch = self.blobs.scratch()?;
        scratch.write_all(bytes).map_err(BlobError::from)?;
        self.blobs.put(scratch, blob.hash).await?;
        match refer(blob).await {
            Err(StoreError::Denied(Denied::Conflict(_))) => Err(Error::Busy),
            referred => Ok(referred?),
        }
    }
}

/// The kind of a picture, by its first bytes. It stands where it stood.
fn kind_of(file: &File) -> Result<Format, Refused> {
    let mut head = [0; 64];
    let read = file.read_at(&mut head, 0)?;
    parlor_media::kind(&head[..read]).1.ok_or(Refused::Damaged)
}
