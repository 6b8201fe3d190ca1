//! Who is here: told to the people of the rooms that somebody is in, and remembered as last seen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use parlor_domain::UserId;
use parlor_hub::Change;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::App;

/// How often murmurs are told.
const TICK: Duration = Duration::from_millis(250);

/// Ticks between two sweeps of the hub's lanes.
const SWEEP_TICKS: u64 = 40;

/// Members of a session beyond which nobody is told who comes and goes in it.
const AUDIENCE_MAX: i64 = 1_000;

/// Who has hidden or shown while they were here: to others they go or come.
#[derive(Default)]
pub(crate) struct Turned(Mutex<BTreeSet<UserId>>);

impl Turned {
    pub(crate) fn note(&self, user: UserId) {
        self.0.lock().insert(user);
    }

    fn take(&self) -> BTreeSet<UserId> {
        std::mem::take(&mut self.0.lock())
    }
}

/// Tells murmurs until stopped.
pub async fn murmur(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for n in 1_u64.. {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => break,
        }
        // Before anything is told: a sweep right behind would drop it before anybody took it.
        if n % SWEEP_TICKS == 0 {
            app.hub.sweep();
        }
        app.note_presence().await;
        app.hub.murmur(app.clock.now());
    }
}

impl App {
    /// Passes on who came and went.
    async fn note_presence(&self) {
        let changes = self.hub.presence_changes();
        let turned = self.turned.take();
        if !changes.is_empty() {
            let now = self.clock.now();
            let seen = changes.iter().map(|change| (change.user, now)).collect();
            if let Err(error) = self.store.touch_users(seen).await {
                tracing::warn!(%error, "failed to remember who was here");
            }
        }
        for change in changes {
            if self.is_shown(change.user).await {
                self.tell_presence(change).await;
            }
        }
        // Later than the others, so that what is told last is what they chose last.
        for user in turned {
            let online = self.hub.is_online(user) && self.is_shown(user).await;
            self.tell_presence(Change { user, online }).await;
        }
    }

    async fn is_shown(&self, user: UserId) -> bool {
        matches!(self.store.user(user).await, Ok(Some(user)) if user.show_last_seen)
    }

    /// Tells the main sessions of somebody's rooms.
    async fn tell_presence(&self, change: Change) {
        let sessions = self.store.sessions_of(change.user, None).await.unwrap_or_default();
        for session in sessions {
            let small = session.member_count <= AUDIENCE_MAX;
            if session.main && small && self.hub.is_heard(session.id) {
                self.hub.presence(session.id, change);
            }
        }
    }
}
