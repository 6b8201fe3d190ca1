//! The keys to what is kept sealed: where they are, and the copy of them that is made apart from
//! every backup.

use std::path::PathBuf;
use std::time::Duration;

use parlor_store::keys::{self, KeyPlace};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::manifest::SQLITE;

/// How often the copy is made anew: what it opens is gone for at most twice as long.
const EVERY: Duration = Duration::from_secs(12 * 60 * 60);

/// Where an installation's keys are.
pub(crate) fn place(config: &Config) -> KeyPlace {
    match config.keyring_url.as_ref().or(config.database_url.as_ref()) {
        Some(url) => KeyPlace::Postgres(url.expose().to_owned()),
        None => KeyPlace::beside(&config.data_dir.join(SQLITE)),
    }
}

/// Where somebody says that keys are: a file, or PostgreSQL.
pub(crate) fn named(text: &str) -> KeyPlace {
    let rest = ["postgres://", "postgresql://"].iter().find_map(|it| text.strip_prefix(it));
    match rest {
        Some(rest) => KeyPlace::Postgres(format!("postgres://{rest}")),
        None => KeyPlace::File(PathBuf::from(text)),
    }
}

/// Copies the keys now and then, where that is asked for.
pub(crate) fn copy_in_turn(config: &Config, tasks: &TaskTracker, stop: &CancellationToken) {
    if let Some(to) = config.keyring_copy.clone() {
        tasks.spawn(keep_copied(place(config), to, stop.clone()));
    }
}

/// Copies the keys into a file, over the copy before, until stopped.
async fn keep_copied(from: KeyPlace, to: PathBuf, stop: CancellationToken) {
    let to = KeyPlace::File(to);
    let copying = async {
        let mut pulse = tokio::time::interval(EVERY);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pulse.tick().await;
            if let Err(error) = keys::copy(&from, &to).await {
                tracing::error!(%error, "failed to copy the keys (keyring_copy)");
            }
        }
    };
    tokio::select! {
        () = copying => {}
        () = stop.cancelled() => {}
    }
}
