//! Who is here: told to the people of the rooms that somebody is in, and remembered as last seen.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::App;

/// How often murmurs are told.
const TICK: Duration = Duration::from_millis(250);

/// Ticks between two sweeps of the hub's lanes.
const SWEEP_TICKS: u64 = 40;

/// Members of a session beyond which nobody is told who comes and goes in it.
const AUDIENCE_MAX: i64 = 1_000;

/// Tells murmurs until stopped.
pub async fn murmur(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for n in 1_u64.. {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => break,
        }
        app.note_presence().await;
        app.hub.murmur(app.clock.now());
        if n % SWEEP_TICKS == 0 {
            app.hub.sweep();
        }
    }
}

impl App {
    /// Passes on who came and went to the main sessions of their rooms.
    async fn note_presence(&self) {
        let changes = self.hub.presence_changes();
        if changes.is_empty() {
            return;
        }
        let now = self.clock.now();
        let seen = changes.iter().map(|change| (change.user, now)).collect();
        if let Err(error) = self.store.touch_users(seen).await {
            tracing::warn!(%error, "failed to remember who was here");
        }
        for change in changes {
            let shown = match self.store.user(change.user).await {
                Ok(Some(user)) => user.show_last_seen,
                _ => false,
            };
            if !shown {
                continue;
            }
            let sessions = self.store.sessions_of(change.user, None).await.unwrap_or_default();
            for session in sessions {
                let small = session.member_count <= AUDIENCE_MAX;
                if session.main && small && self.hub.is_heard(session.id) {
                    self.hub.presence(session.id, change);
                }
            }
        }
    }
}
