//! Sessions as their members saw them last, so that a send need not read them again. A view that
//! is out of date does no harm: the commit compares its access version.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use parlor_domain::{Denied, Event, EventKind, SessionId, UserId, View};

use crate::{Actor, App, Error};

/// Views kept at most; then all are forgotten.
const VIEWS_MAX: usize = 1 << 16;

#[derive(Default)]
pub(crate) struct Views(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    count: usize,
    sessions: HashMap<SessionId, HashMap<UserId, Arc<View>>>,
}

impl Views {
    fn get(&self, user: UserId, session: SessionId) -> Option<Arc<View>> {
        self.0.lock().sessions.get(&session)?.get(&user).cloned()
    }

    fn put(&self, view: &Arc<View>) {
        let mut kept = self.0.lock();
        if kept.count >= VIEWS_MAX {
            *kept = Kept::default();
        }
        kept.count += 1;
        kept.sessions.entry(view.session).or_default().insert(view.user, Arc::clone(view));
    }

    fn forget(&self, session: SessionId) {
        let mut kept = self.0.lock();
        let forgotten = kept.sessions.remove(&session).map_or(0, |views| views.len());
        kept.count = kept.count.saturating_sub(forgotten);
    }

    /// Forgets what an event has changed.
    pub(crate) fn hear(&self, event: &Event) {
        let said = matches!(
            event.kind,
            EventKind::Posted(_) | EventKind::Edited(_) | EventKind::Deleted { .. }
        );
        if !said {
            self.forget(event.session);
        }
    }
}

impl App {
    /// The session as the actor saw it last, or sees it now.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when they are not in it.
    pub(crate) async fn view(
        &self,
        actor: &Actor,
        session: SessionId,
    ) -> Result<Arc<View>, Error> {
        if let Some(view) = self.views.get(actor.user, session) {
            return Ok(view);
        }
        self.fresh_view(actor.user, session).await
    }

    /// The session as the user sees it now.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when they are not in it.
    pub(crate) async fn fresh_view(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Arc<View>, Error> {
        self.views.forget(session);
        let view = self.store.session_as_seen_by(user, session).await?;
        let view = Arc::new(view.ok_or(Denied::NotFound)?);
        self.views.put(&view);
        Ok(view)
    }
}
