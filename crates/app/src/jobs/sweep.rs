//! Forgetting what has had its time: answers kept for repetitions, logins that are over, codes that
//! nobody typed, jobs that were given up.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{App, Error};

const DAY_S: u64 = 24 * 60 * 60;

/// Sweeps until stopped.
pub async fn sweep(app: Arc<App>, stop: CancellationToken) {
    let every = Duration::from_secs(app.limits.sweep_s.clamp(1, 365 * DAY_S));
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let sweeping = async {
        loop {
            ticks.tick().await;
            if let Err(error) = app.forget_what_is_over().await {
                tracing::warn!(%error, "failed to forget what is over");
            }
        }
    };
    tokio::select! {
        () = sweeping => {}
        () = stop.cancelled() => {}
    }
}

impl App {
    /// Forgets what is over, few rows at a time, so that sends get in between.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn forget_what_is_over(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let rows = self.limits.sweep_rows_max.max(1);
        let kept = Duration::from_secs(self.limits.receipts_kept_days.saturating_mul(DAY_S));
        while self.store.forget_receipts(now - kept, rows).await? >= rows {}
        while self.store.forget_logins(now, rows).await? >= rows {}
        while self.store.forget_codes(now, rows).await? >= rows {}
        while self.store.forget_sendings(now - kept, rows).await? >= rows {}
        let given_up = Duration::from_secs(self.limits.jobs_kept_days.saturating_mul(DAY_S));
        while self.store.forget_jobs(now - given_up, rows).await? >= rows {}
        // What a crash kept from being erased at once.
        self.erase_deleted().await?;
        self.sweep_files().await
    }
}
