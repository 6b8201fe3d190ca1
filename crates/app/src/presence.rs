//! Who is here: told to the people of the rooms that somebody is in, and remembered as last seen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use parlor_bus::Word;
use parlor_domain::UserId;
use parlor_hub::Change;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::App;

/// How often murmurs are told.
const TICK: Duration = Duration::from_millis(250);

/// Ticks between two sweeps of the hub's lanes.
const SWEEP_TICKS: u64 = 40;

/// People who are told of in one tick at most, of those who came or went otherwise than here.
const TURNED_MAX: usize = 100;

/// Members of a session beyond which nobody is told who comes and goes in it.
const AUDIENCE_MAX: i64 = 1_000;

/// Who has hidden or shown while they were here: to others they go or come.
#[derive(Default)]
pub(crate) struct Turned(Mutex<BTreeSet<UserId>>);

impl Turned {
    pub(crate) fn note(&self, user: UserId) {
        self.0.lock().insert(user);
    }

    /// Takes some: when a whole node is gone, its people are told of bit by bit.
    fn take(&self) -> Vec<UserId> {
        let mut turned = self.0.lock();
        std::iter::from_fn(|| turned.pop_first()).take(TURNED_MAX).collect()
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
        // With many who go at once it takes a while: a node that stops does not wait for it.
        stop.run_until_cancelled(app.note_presence()).await;
        app.hub.murmur(app.clock.now());
    }
    app.leave_neighbours();
}

impl App {
    /// Passes on who came and went.
    async fn note_presence(&self) {
        let (changes, now) = (self.hub.presence_changes(), self.clock.now());
        if self.shared {
            self.forget_silent_nodes(now);
        }
        let turned = self.turned.take();
        if !changes.is_empty() {
            let seen = changes.iter().map(|change| (change.user, now)).collect();
            if let Err(error) = self.store.touch_users(seen).await {
                tracing::warn!(%error, "failed to remember who was here");
            }
        }
        let changes = if self.shared { self.tell_neighbours(changes, now) } else { changes };
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
            if !session.main || !small {
                continue;
            }
            self.bus.say(Word::Presence(session.id, change.user, change.online));
            if self.hub.is_heard(session.id) {
                self.hub.presence(session.id, change);
            }
        }
    }
}
