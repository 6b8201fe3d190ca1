//! Making a file of an upload that is complete.

use std::time::Duration;

use parlor_domain::{Denied, File, FileId};
use parlor_store::StoreError;
use parlor_store::files::Upload;
use parlor_store::jobs::Kind;

use super::look::Looked;
use super::unsigned;
use crate::{Actor, App, Error};

/// How often it is tried again when the same bytes are just being deleted, and the pause before.
pub(super) const TRIES: usize = 50;
pub(super) const PAUSE: Duration = Duration::from_millis(100);

impl App {
    /// Makes a file of an upload that is complete. Whoever is killed here can do it again.
    pub(super) async fn finish_upload(
        &self,
        actor: &Actor,
        upload: &Upload,
    ) -> Result<File, Error> {
        let looked = self.look(upload).await?;
        for _ in 0..TRIES {
            match self.keep(actor, upload, &looked).await {
                // Somebody has deleted the last file with these very bytes: they go, and come anew.
                Err(Error::Busy) => self.sweep_blobs().await?,
                Ok(Some(file)) => {
                    self.bells.ring(Kind::Thumbnail);
                    self.discard(upload.id).await?;
                    return Ok(file);
                }
                Ok(None) => return self.finished_before(actor, upload.id).await,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Error::Busy)
    }

    async fn keep(
        &self,
        actor: &Actor,
        upload: &Upload,
        looked: &Looked,
    ) -> Result<Option<File>, Error> {
        let (blob, now) = (looked.made.blob, self.clock.now());
        self.store.expect_blob(blob, now).await?;
        match &looked.instead {
            Some(file) => {
                let file = file.try_clone().map_err(parlor_blobs::BlobError::from)?;
                self.blobs.put(file, blob.hash).await?;
            }
            None => self.blobs.keep(upload.id.0, unsigned(upload.length), blob.hash).await?,
        }
        let made = looked.made.clone();
        match self.store.finish_upload(actor.user, upload.id, made, now).await {
            Err(StoreError::Denied(Denied::Conflict(_))) => Err(Error::Busy),
            finished => Ok(finished?),
        }
    }

    /// Another node, or an earlier try, was faster.
    async fn finished_before(&self, actor: &Actor, id: FileId) -> Result<File, Error> {
        let found = self.store.file(actor.user, id).await?;
        Ok(found.ok_or(Denied::NotFound)?.file)
    }

    /// Deletes the bytes of an upload that is over, and forgets it.
    pub(super) async fn discard(&self, id: FileId) -> Result<(), Error> {
        self.blobs.discard(id.0).await?;
        Ok(self.store.forget_upload(id).await?)
    }

    /// Gives up an upload, if it is still there, with what has come of it.
    pub(super) async fn give_up(&self, actor: &Actor, id: FileId) -> Result<(), Error> {
        match self.store.drop_upload(actor.user, id).await {
            Ok(()) | Err(StoreError::Denied(Denied::NotFound)) => self.discard(id).await,
            Err(error) => Err(error.into()),
        }
    }
}
