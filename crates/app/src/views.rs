//! Sessions as their members saw them last, so that a send need not read them again. A view that
//! is out of date does no harm: the commit compares its access version.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use parlor_domain::{Denied, Event, EventKind, RoomId, SessionId, UserId, View};

use crate::{Actor, App, Error};

/// Views kept at most; then all are forgotten.
const VIEWS_MAX: usize = 1 << 16;

#[derive(Default)]
pub(crate) struct Views(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    count: usize,
    sessions: HashMap<SessionId, HashMap<UserId, Arc<View>>>,
    /// Counts what was forgotten, so that a view read before a change is not put in after it: it
    /// would let somebody who was sent away listen on.
    changes: u64,
}

/// The state of the views before one was read from the store.
#[derive(Clone, Copy)]
struct Before(u64);

impl Views {
    fn get(&self, user: UserId, session: SessionId) -> Option<Arc<View>> {
        self.0.lock().sessions.get(&session)?.get(&user).cloned()
    }

    fn before(&self) -> Before {
        Before(self.0.lock().changes)
    }

    /// Remembers a view that the store had after `before`, unless something has changed since.
    fn put(&self, view: &Arc<View>, before: Before) {
        let mut kept = self.0.lock();
        if kept.changes != before.0 {
            return;
        }
        if kept.count >= VIEWS_MAX {
            kept.sessions.clear();
            kept.count = 0;
        }
        let of_session = kept.sessions.entry(view.session).or_default();
        if of_session.insert(view.user, Arc::clone(view)).is_none() {
            kept.count += 1;
        }
    }

    fn forget(&self, session: SessionId) {
        let mut kept = self.0.lock();
        let forgotten = kept.sessions.remove(&session).map_or(0, |views| views.len());
        kept.count -= forgotten;
        kept.changes += 1;
    }

    fn forget_room(&self, room: RoomId) {
        let mut kept = self.0.lock();
        kept.sessions.retain(|_, views| views.values().all(|view| view.room != room));
        kept.count = kept.sessions.values().map(HashMap::len).sum();
        kept.changes += 1;
    }

    /// Forgets what an event has changed.
    pub(crate) fn hear(&self, event: &Event) {
        fail::fail_point!("app::views::deaf", |_| ());
        match &event.kind {
            EventKind::Posted(_) | EventKind::Edited(_) | EventKind::Deleted { .. } => {}
            // In the main session's log alone, but whether one may write is so in all of them.
            EventKind::RoomSettings { room, .. } => self.forget_room(*room),
            _ => self.forget(event.session),
        }
    }
}

impl App {
    /// The session as the actor saw it last, or sees it now.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when they are not in it.
    pub(crate) async fn view(&self, actor: &Actor, session: SessionId) -> Result<Arc<View>, Error> {
        // The commit sees through a view that allows too much, but nobody would see through one
        // that allows too little: what is closed is looked at again.
        if let Some(view) = self.views.get(actor.user, session)
            && view.open().is_ok()
        {
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
        let before = self.views.before();
        let Some(view) = self.store.session_as_seen_by(user, session).await? else {
            self.views.forget(session);
            return Err(Denied::NotFound.into());
        };
        let view = Arc::new(view);
        self.views.put(&view, before);
        Ok(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_domain::{Role, RoomKind, Time};
    use uuid::Uuid;

    fn view(user: u128) -> Arc<View> {
        Arc::new(View {
            session: SessionId(Uuid::nil()),
            session_no: 1,
            main: true,
            ended: false,
            created_by: None,
            room: RoomId(Uuid::nil()),
            kind: RoomKind::Public,
            archived: false,
            user: UserId(Uuid::from_u128(user)),
            user_no: 1,
            role: Role::Member,
            acl_version: 1,
        })
    }

    fn has(views: &Views, user: u128) -> bool {
        let view = view(user);
        views.get(view.user, view.session).is_some()
    }

    #[test]
    fn the_views_of_all_members_are_kept_side_by_side() {
        let views = Views::default();
        for user in [1, 2, 2] {
            views.put(&view(user), views.before());
        }
        assert!(has(&views, 1) && has(&views, 2));
        assert_eq!(views.0.lock().count, 2);
        views.forget(view(1).session);
        assert!(!has(&views, 1) && !has(&views, 2));
        assert_eq!(views.0.lock().count, 0);
    }

    #[test]
    fn a_view_read_before_a_removal_is_not_put_in_after_it() {
        let views = Views::default();
        let before = views.before();
        let kind =
            EventKind::Left { user: view(1).user, by: None, reason: parlor_domain::Gone::Kicked };
        views.hear(&Event { session: view(1).session, seq: 7, at: Time(0), kind });
        views.put(&view(1), before);
        assert!(!has(&views, 1));
    }

    #[test]
    fn a_rooms_settings_are_heard_in_all_its_sessions() {
        let views = Views::default();
        let aside = Arc::new(View { archived: true, ..(*view(1)).clone() });
        views.put(&aside, views.before());
        let kind = EventKind::RoomSettings {
            room: aside.room,
            name: "open again".to_owned(),
            description: String::new(),
            kind: RoomKind::Public,
            has_password: false,
            archived_at: None,
            by: aside.user,
        };
        let main = SessionId(Uuid::from_u128(9));
        views.hear(&Event { session: main, seq: 7, at: Time(0), kind });
        assert!(!has(&views, 1), "who could not write then can still not write now");
        assert_eq!(views.0.lock().count, 0);
    }
}
