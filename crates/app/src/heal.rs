//! What holds when nothing is heard of other nodes, or not everything: the heads of what is
//! listened to here are compared with the store's, and the logins that are connected here are asked
//! for. Who can ask neither the store nor the bus for too long serves nobody any more.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use parlor_bus::{State, Topic};
use parlor_domain::{Event, SessionId, Time};
use parlor_hub::{Cut, Hole, Key};
use parlor_store::StoreError;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{App, topic};

/// How often heads are compared.
const TICK: Duration = Duration::from_secs(1);

/// Ticks between two questions for the logins that are connected.
const LOGIN_TICKS: u64 = 4;

/// The least time between two comparisons: doubts that come together are one.
const GAP: Duration = Duration::from_millis(100);

/// What is committed is told a moment later, after the pause of its session at the latest: only who
/// is behind for longer has missed something.
const TELLING: Duration = Duration::from_millis(150);

/// Ids in one question.
const IDS_MAX: usize = 5_000;

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a node serves without an answer of the store or the bus.
const UNCONFIRMED_MAX: Duration = Duration::from_secs(20);

/// Whether this node knows what is so.
pub(crate) struct Health {
    doubt: Notify,
    confirmed: AtomicI64,
    lost: AtomicBool,
}

impl Health {
    pub(crate) fn new(now: Time) -> Self {
        let confirmed = AtomicI64::new(now.0);
        Self { doubt: Notify::new(), confirmed, lost: AtomicBool::new(false) }
    }

    /// Has the heads compared soon.
    pub(crate) fn doubt(&self) {
        self.doubt.notify_one();
    }

    /// Whether nothing has answered for so long that what is served may be untrue.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }
}

/// Finds what was missed, until stopped.
pub async fn heal(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let healing = async {
        for n in 0_u64.. {
            tokio::select! {
                _ = ticks.tick() => {}
                () = app.health.doubt.notified() => tokio::time::sleep(GAP).await,
            }
            app.compare().await;
            if n % LOGIN_TICKS == 0 {
                app.cut_dead().await;
            }
            app.judge();
        }
    };
    stop.run_until_cancelled(healing).await;
}

impl App {
    /// Compares what was told here with the store, and tells what was missed.
    pub async fn compare(&self) {
        let keys = self.hub.keys();
        let topics: Vec<_> = keys.iter().filter_map(|key| topic(*key)).collect();
        self.bus.follow_only(&topics);
        for tails in self.hub.tails().chunks(IDS_MAX) {
            let Some(behind) = self.ask(self.behind(tails)).await else { return };
            if behind.is_empty() {
                continue;
            }
            tokio::time::sleep(TELLING).await;
            for (topic, seq) in behind {
                if let Err(error) = self.catch_up(topic, seq).await {
                    return tracing::warn!(?topic, %error, "failed to read what was missed");
                }
            }
        }
    }

    /// The logs of which the store has more than was told. Those that it has no more end here.
    async fn behind(&self, tails: &[(Key, i64)]) -> Result<Vec<(Topic, i64)>, StoreError> {
        let (mut sessions, mut users) = (Vec::new(), Vec::new());
        for (key, _) in tails {
            match key {
                Key::Session(session) => sessions.push(*session),
                Key::User(user) => users.push(*user),
                Key::Dialect(_) | Key::Typing(_) | Key::Queue(_) => {}
            }
        }
        let mut heads = Vec::new();
        if !sessions.is_empty() {
            let found = self.store.heads(sessions.clone()).await?;
            let there: HashSet<_> = found.iter().map(|(session, _)| *session).collect();
            for gone in sessions.into_iter().filter(|session| !there.contains(session)) {
                self.end_here(gone).await;
            }
            heads.extend(found.into_iter().map(|(id, seq)| (Topic::Session(id), seq)));
        }
        if !users.is_empty() {
            let found = self.store.user_heads(users).await?;
            heads.extend(found.into_iter().map(|(id, seq)| (Topic::User(id), seq)));
        }
        let key = |topic: &Topic| match topic {
            Topic::Session(session) => Key::Session(*session),
            Topic::User(user) => Key::User(*user),
        };
        heads.retain(|(topic, seq)| self.hub.tail(key(topic)).is_some_and(|tail| tail < *seq));
        Ok(heads)
    }

    /// Tells what is missing, and the events behind it.
    pub(crate) async fn fill(&self, session: SessionId, mut hole: Hole, events: &[Event]) {
        tracing::debug!(%session, ?hole, "events are missing; reading them from the store");
        loop {
            let found = self.store.events_between(session, hole.after, hole.before).await;
            let mut missing = match found {
                Ok(missing) => missing,
                Err(error) => return tracing::error!(%session, %error, "failed to fill a hole"),
            };
            missing.iter().for_each(|event| self.views.hear(event));
            missing.extend(events.iter().filter(|event| event.seq >= hole.before).cloned());
            match self.hub.publish(session, missing) {
                Ok(()) => return,
                Err(next) if next.after > hole.after => hole = next,
                Err(_) => {
                    return tracing::error!(%session, "failed to fill a hole: the store has one");
                }
            }
        }
    }

    /// Cuts the connections of logins that another node has ended.
    pub async fn cut_dead(&self) {
        let now = self.clock.now();
        for logins in self.hub.logins().chunks(IDS_MAX) {
            let asking = self.store.dead(logins.to_vec(), now);
            let Some(dead) = self.ask(asking).await else { return };
            if !dead.is_empty() {
                self.live.forget(&dead);
                self.hub.cut(&dead);
            }
        }
    }

    /// Stops serving when nothing has answered for too long; begins again when something does.
    fn judge(&self) {
        let (now, health) = (self.clock.now(), &self.health);
        if self.bus.state() == State::Up || self.hub.connections() == 0 {
            health.confirmed.store(now.0, Ordering::Release);
        }
        let confirmed = Time(health.confirmed.load(Ordering::Acquire));
        let lost = now.since(confirmed) > UNCONFIRMED_MAX;
        if lost != health.lost.swap(lost, Ordering::AcqRel) {
            tracing::warn!(lost, "whether neither the database nor Redis answers");
        }
        if lost {
            self.hub.cut_all(Cut::Draining);
        }
    }

    /// What the store answers, if it does in time.
    async fn ask<T>(&self, asking: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(Ok(answer)) => {
                self.health.confirmed.store(self.clock.now().0, Ordering::Release);
                Some(answer)
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "failed to compare with the store");
                None
            }
            Err(_) => {
                tracing::warn!("failed to compare with the store: it does not answer");
                None
            }
        }
    }
}
