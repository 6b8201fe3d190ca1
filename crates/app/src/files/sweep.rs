//! Deleting bytes that are nobody's any more: what was deleted, what was given up, what came to
//! nothing because a process was killed.

use std::time::{Duration, SystemTime};

use parlor_domain::Time;

use crate::{App, Error};

/// How long a blob may take from being expected to being a file's, on whichever node.
const MAKING: Duration = Duration::from_hours(1);

impl App {
    /// Puts in order what an earlier process of a lone node has left. Nobody is sending yet.
    ///
    /// # Errors
    /// [`Error`] when the store or the disk fails.
    pub async fn tidy_files(&self) -> Result<(), Error> {
        if self.shared {
            return Ok(());
        }
        let now = self.clock.now();
        // Whatever its time says: it is of an earlier process.
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        self.blobs.tidy(later).await?;
        self.sweep_uploads(now).await?;
        // Whoever had a job is no more.
        self.store.free_jobs(None).await?;
        self.delete_blobs(now).await
    }

    /// Sweeps files: what no message carries, what does not grow, what is nobody's.
    ///
    /// # Errors
    /// [`Error`] when the store or the disk fails.
    pub async fn sweep_files(&self) -> Result<(), Error> {
        let (now, rows) = (self.clock.now(), self.limits.sweep_rows_max.max(1));
        self.sweep_uploads(now).await?;
        let unsent = Duration::from_hours(self.limits.file_unsent_hours);
        while self.store.delete_unsent(now - unsent, rows).await? >= rows {}
        self.sweep_blobs().await
    }

    /// Deletes blobs that have just been doomed. What fails is swept later.
    pub(crate) async fn sweep_now(&self) {
        if let Err(error) = self.sweep_blobs().await {
            tracing::warn!(%error, "failed to delete files; they are swept later");
        }
    }

    async fn sweep_uploads(&self, now: Time) -> Result<(), Error> {
        loop {
            let doomed = self.store.doomed_uploads(now, self.limits.sweep_rows_max.max(1)).await?;
            if doomed.is_empty() {
                return Ok(());
            }
            for id in doomed {
                self.turns.settle(id).await;
                self.discard(id).await?;
            }
        }
    }

    /// Deletes blobs that nothing refers to.
    pub(crate) async fn sweep_blobs(&self) -> Result<(), Error> {
        self.delete_blobs(self.clock.now() - MAKING).await
    }

    async fn delete_blobs(&self, before: Time) -> Result<(), Error> {
        loop {
            let doomed = self.store.doomed_blobs(before, self.limits.sweep_rows_max.max(1)).await?;
            if doomed.is_empty() {
                return Ok(());
            }
            for hash in doomed {
                self.blobs.delete(hash).await?;
                self.store.forget_blob(hash).await?;
            }
        }
    }
}
