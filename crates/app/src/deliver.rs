//! Path 7/8: what was committed, in commit order, to the hub and the bus. Next: the hub,
//! `hub/src/lane.rs`. A hole in what comes is filled from the store: sequence is truth.

use std::sync::Arc;

use parlor_domain::{Event, EventKind, UserEvent};
use parlor_hub::Key;
use parlor_store::Batch;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::App;

/// Tells what is committed until stopped.
pub async fn deliver(app: Arc<App>, mut commits: mpsc::Receiver<Batch>, stop: CancellationToken) {
    loop {
        let batch = tokio::select! {
            Some(mut batch) = commits.recv() => {
                while let Ok(more) = commits.try_recv() {
                    batch.events.extend(more.events);
                    batch.user_events.extend(more.user_events);
                }
                app.see_links(&batch.events);
                app.see_files(&batch.events);
                app.bus.publish(&batch.events, &batch.user_events);
                app.pause(batch)
            }
            events = app.pauses.ended() => Batch { events, ..Batch::default() },
            () = stop.cancelled() => break,
            else => break,
        };
        app.tell(batch).await;
        app.let_write().await;
    }
    app.tell(Batch { events: app.pauses.all(), ..Batch::default() }).await;
}

impl App {
    /// Tells everybody who listens here of one commit.
    pub async fn tell(&self, batch: Batch) {
        let Batch { mut events, mut user_events } = batch;
        events.iter().for_each(|event| self.views.hear(event));
        user_events.iter().for_each(|event| self.people.hear(event));
        // Two nodes, and two connections to one database, may tell the wrong way round.
        events.sort_by_key(|event| (event.session, event.seq));
        for run in events.chunk_by(|a, b| a.session == b.session) {
            self.tell_session(run).await;
        }
        user_events.sort_by_key(|event| (event.user, event.seq));
        for run in user_events.chunk_by(|a, b| a.user == b.user) {
            self.tell_user(run).await;
        }
    }

    /// Tells of events of one session, in order. What comes before what it follows waits a moment
    /// for it, where other nodes tell, too; then it is read from the store.
    pub(crate) async fn tell_session(&self, events: &[Event]) {
        fail::fail_point!("app::deliver::drop", |_| ());
        let Some(session) = events.first().map(|event| event.session) else { return };
        if !self.hub.is_heard(session) {
            return;
        }
        if events
            .iter()
            .any(|event| matches!(event.kind, EventKind::Joined { .. } | EventKind::Left { .. }))
        {
            // Whose keys are to be asked for may be others now.
            self.hub
                .listeners(Key::Session(session))
                .into_iter()
                .for_each(|user| self.hub.ring_queue(user));
        }
        let joined = self.early.join(session, events);
        let events = joined.as_deref().unwrap_or(events);
        let Err(hole) = self.hub.publish(session, events.to_vec()) else { return };
        if !self.may_wait() || !self.early.keep(session, events, hole.after) {
            self.fill(session, hole, events).await;
        }
    }

    pub(crate) async fn tell_user(&self, events: &[UserEvent]) {
        let Some(user) = events.first().map(|event| event.user) else { return };
        let Err(hole) = self.hub.publish_user(user, events.to_vec()) else { return };
        let missing = self.store.user_events_after(user, hole.after, u64::MAX).await;
        let filled = missing.map(|page| self.hub.publish_user(user, page.events));
        if !matches!(filled, Ok(Ok(()))) {
            tracing::error!(%user, "failed to fill a hole in a user's log");
        }
    }
}
