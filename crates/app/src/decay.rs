//! What has decayed goes, on time, and sessions end: a task that sleeps until something is due.

use std::sync::Arc;
use std::time::Duration;

use parlor_domain::Time;
use tokio_util::sync::CancellationToken;

use crate::{App, Error};

/// How long the task sleeps at most. Nothing lives for less than a second, so that what is said
/// while it sleeps is not due before it wakes.
const NAP: Duration = Duration::from_secs(1);

/// Messages that are erased at once: some milliseconds, during which nobody else writes.
const AT_ONCE: u64 = 256;

/// Lets decay what is due until stopped.
pub async fn decay(app: Arc<App>, stop: CancellationToken) {
    let decaying = async {
        loop {
            let nap = match app.decay_due().await {
                Ok(Some(next)) => next.since(app.now()).min(NAP),
                Ok(None) => NAP,
                Err(error) => {
                    tracing::error!(%error, "failed to let decay what is due");
                    NAP
                }
            };
            tokio::time::sleep(nap).await;
        }
    };
    tokio::select! {
        () = decaying => {}
        () = stop.cancelled() => {}
    }
}

impl App {
    /// Erases what is to be gone before anybody is served: what was erased after the copy was made
    /// that this database comes from, and what is due.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn erase_first(&self) -> Result<(), Error> {
        let count = self.store.erase_again(self.clock.now()).await?;
        if count > 0 {
            tracing::info!(count, "erased again what was erased since the database was copied");
        }
        self.decay_due().await.map(drop)
    }

    /// Erases and ends all that is due, and says when the next is, as far as it is known.
    ///
    /// # Errors
    /// [`Error`] when the store fails; what is due then stays due.
    pub async fn decay_due(&self) -> Result<Option<Time>, Error> {
        let mut erased = 0;
        let next = loop {
            let now = self.clock.now();
            let done = self.store.decay(now, AT_ONCE).await?;
            erased += done.erased;
            if done.next.is_none_or(|next| next > now) {
                break done.next;
            }
        };
        if erased > 0 {
            self.sweep_now().await;
        }
        Ok(next)
    }
}
