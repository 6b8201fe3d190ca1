//! Path 7/8: what was committed, in commit order, to the hub and the bus. Next: the hub,
//! `hub/src/lane.rs`. A hole in what comes is filled from the store: sequence is truth.

use std::sync::Arc;

use parlor_bus::Bus;
use parlor_domain::{Event, UserEvent};
use parlor_store::Batch;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::App;

/// Tells what is committed until stopped.
pub async fn deliver(
    app: Arc<App>,
    bus: Arc<dyn Bus>,
    mut commits: mpsc::Receiver<Batch>,
    stop: CancellationToken,
) {
    while let Some(Some(batch)) = stop.run_until_cancelled(commits.recv()).await {
        bus.publish(&batch.events, &batch.user_events).await;
        app.tell(batch).await;
    }
}

impl App {
    /// Tells everybody who listens here of one commit.
    pub async fn tell(&self, batch: Batch) {
        let Batch { mut events, mut user_events } = batch;
        events.iter().for_each(|event| self.views.hear(event));
        // Stable: within a session, and within a user's log, the order stays.
        events.sort_by_key(|event| event.session);
        for run in split(events, |a, b| a.session == b.session) {
            self.tell_session(run).await;
        }
        user_events.sort_by_key(|event| event.user);
        for run in split(user_events, |a, b| a.user == b.user) {
            self.tell_user(run).await;
        }
    }

    async fn tell_session(&self, events: Vec<Event>) {
        fail::fail_point!("app::deliver::drop", |_| ());
        let Some(session) = events.first().map(|event| event.session) else { return };
        if !self.hub.is_heard(session) {
            return;
        }
        let Err(hole) = self.hub.publish(session, events.clone()) else { return };
        tracing::warn!(%session, ?hole, "events are missing; reading them from the store");
        match self.store.events_between(session, hole.after, hole.before).await {
            Ok(mut missing) => {
                missing.iter().for_each(|event| self.views.hear(event));
                missing.extend(events);
                if self.hub.publish(session, missing).is_err() {
                    tracing::error!(%session, "failed to fill a hole: the store has one too");
                }
            }
            Err(error) => tracing::error!(%session, %error, "failed to fill a hole"),
        }
    }

    async fn tell_user(&self, events: Vec<UserEvent>) {
        let Some(user) = events.first().map(|event| event.user) else { return };
        let Err(hole) = self.hub.publish_user(user, events) else { return };
        let missing = self.store.user_events_after(user, hole.after, u64::MAX).await;
        let filled = missing.map(|page| self.hub.publish_user(user, page.events));
        if !matches!(filled, Ok(Ok(()))) {
            tracing::error!(%user, "failed to fill a hole in a user's log");
        }
    }
}

/// Splits a list into runs whose neighbours belong together.
fn split<T>(list: Vec<T>, same: impl Fn(&T, &T) -> bool) -> Vec<Vec<T>> {
    let mut runs: Vec<Vec<T>> = Vec::new();
    for item in list {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| same(last, &item)) => run.push(item),
            _ => runs.push(vec![item]),
        }
    }
    runs
}
