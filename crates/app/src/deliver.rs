//! Path 7/8: what was committed, in commit order, to the hub and the bus. Next: the hub,
//! `hub/src/lane.rs`. A hole in what comes is filled from the store: sequence is truth.

use std::sync::Arc;
use std::time::Duration;

use parlor_bus::Bus;
use parlor_domain::{Event, UserEvent};
use parlor_store::Batch;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::App;
use crate::pauses::Pauses;

/// When many were woken, the next are told after a pause for each of these, about as long as the
/// writing takes, up to so many: who is woken less often takes more with one call.
const WRITE: Duration = Duration::from_micros(10);
const MANY: usize = 200;
const MOST: usize = 2_500;

/// Tells what is committed until stopped.
pub async fn deliver(
    app: Arc<App>,
    bus: Arc<dyn Bus>,
    mut commits: mpsc::Receiver<Batch>,
    stop: CancellationToken,
) {
    let mut pauses = Pauses::new(&app.limits);
    loop {
        let batch = tokio::select! {
            Some(mut batch) = commits.recv() => {
                while let Ok(more) = commits.try_recv() {
                    batch.events.extend(more.events);
                    batch.user_events.extend(more.user_events);
                }
                bus.publish(&batch.events, &batch.user_events).await;
                batch.events = pauses.pass(batch.events, |session| app.hub.is_heard(session));
                batch
            }
            events = pauses.ended() => Batch { events, ..Batch::default() },
            () = stop.cancelled() => break,
            else => break,
        };
        app.tell(batch).await;
        let woken = app.hub.take_woken();
        if woken > MANY {
            tokio::time::sleep(WRITE * woken.min(MOST) as u32).await;
        }
    }
    app.tell(Batch { events: pauses.all(), ..Batch::default() }).await;
}

impl App {
    /// Tells everybody who listens here of one commit.
    pub async fn tell(&self, batch: Batch) {
        let Batch { mut events, mut user_events } = batch;
        events.iter().for_each(|event| self.views.hear(event));
        user_events.iter().for_each(|event| self.people.hear(event));
        // Stable: within a session, and within a user's log, the order stays.
        events.sort_by_key(|event| event.session);
        for run in events.chunk_by(|a, b| a.session == b.session) {
            self.tell_session(run).await;
        }
        user_events.sort_by_key(|event| event.user);
        for run in user_events.chunk_by(|a, b| a.user == b.user) {
            self.tell_user(run).await;
        }
    }

    async fn tell_session(&self, events: &[Event]) {
        fail::fail_point!("app::deliver::drop", |_| ());
        let Some(session) = events.first().map(|event| event.session) else { return };
        if !self.hub.is_heard(session) {
            return;
        }
        let Err(hole) = self.hub.publish(session, events.to_vec()) else { return };
        tracing::warn!(%session, ?hole, "events are missing; reading them from the store");
        match self.store.events_between(session, hole.after, hole.before).await {
            Ok(mut missing) => {
                missing.iter().for_each(|event| self.views.hear(event));
                missing.extend_from_slice(events);
                if self.hub.publish(session, missing).is_err() {
                    tracing::error!(%session, "failed to fill a hole: the store has one too");
                }
            }
            Err(error) => tracing::error!(%session, %error, "failed to fill a hole"),
        }
    }

    async fn tell_user(&self, events: &[UserEvent]) {
        let Some(user) = events.first().map(|event| event.user) else { return };
        let Err(hole) = self.hub.publish_user(user, events.to_vec()) else { return };
        let missing = self.store.user_events_after(user, hole.after, u64::MAX).await;
        let filled = missing.map(|page| self.hub.publish_user(user, page.events));
        if !matches!(filled, Ok(Ok(()))) {
            tracing::error!(%user, "failed to fill a hole in a user's log");
        }
    }
}
