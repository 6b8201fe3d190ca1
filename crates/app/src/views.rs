//! Sessions as their members saw them last, so that a send need not read them again. A view that
//! is out of date does no harm: the commit compares its access version. Where other nodes commit,
//! too, it is kept for a moment only, for what no commit follows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use parlor_domain::{Denied, Event, EventKind, RoomId, SessionId, Time, UserId, View};

use crate::{Actor, App, Error};

/// Views kept at most; then all are forgotten.
const VIEWS_MAX: usize = 1 << 16;

/// How long a view is kept that another node may change.
const LASTS: Duration = Duration::from_secs(2);

pub(crate) struct Views {
    kept: Mutex<Kept>,
    lasts: Duration,
}

#[derive(Default)]
struct Kept {
    count: usize,
    sessions: HashMap<SessionId, HashMap<UserId, (Arc<View>, Time)>>,
    /// Counts what was forgotten, so that a view read before a change is not put in after it: it
    /// would let somebody who was sent away listen on.
    changes: u64,
}

/// The state of the views before one was read from the store.
#[derive(Clone, Copy)]
struct Before(u64);

impl Views {
    /// No views yet; `shared` where other nodes may change what they show.
    pub(crate) fn new(shared: bool) -> Self {
        let lasts = if shared { LASTS } else { Duration::MAX };
        Self { kept: Mutex::default(), lasts }
    }

    fn get(&self, user: UserId, session: SessionId, now: Time) -> Option<Arc<View>> {
        let kept = self.kept.lock();
        let (view, read) = kept.sessions.get(&session)?.get(&user)?;
        (*read <= now && now.since(*read) <= self.lasts).then(|| Arc::clone(view))
    }

    fn before(&self) -> Before {
        Before(self.kept.lock().changes)
    }

    /// Remembers a view that the store had after `before` and at `read`, unless something has
    /// changed since.
    fn put(&self, view: &Arc<View>, before: Before, read: Time) {
        let mut kept = self.kept.lock();
        if kept.changes != before.0 {
            return;
        }
        if kept.count >= VIEWS_MAX {
            kept.sessions.clear();
            kept.count = 0;
        }
        let of_session = kept.sessions.entry(view.session).or_default();
        if of_session.insert(view.user, (Arc::clone(view), read)).is_none() {
            kept.count += 1;
        }
    }

    /// Forgets a session.
    pub(crate) fn forget(&self, session: SessionId) {
        let mut kept = self.kept.lock();
        let forgotten = kept.sessions.remove(&session).map_or(0, |views| views.len());
        kept.count -= forgotten;
        kept.changes += 1;
    }

    fn forget_room(&self, room: RoomId) {
        let mut kept = self.kept.lock();
        kept.sessions.retain(|_, views| views.values().all(|(view, _)| view.room != room));
        kept.count = kept.sessions.values().map(HashMap::len).sum();
        kept.changes += 1;
    }

    /// Forgets what an event has changed.
    pub(crate) fn hear(&self, event: &Event) {
        fail::fail_point!("app::views::deaf", |_| ());
        match &event.kind {
            EventKind::Posted(_)
            | EventKind::Edited(_)
            | EventKind::Deleted { .. }
            | EventKind::Decayed { .. }
            | EventKind::Reacted { .. }
            | EventKind::Previewed { .. } => {}
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
        if let Some(view) = self.views.get(actor.user, session, self.clock.now())
            && view.writable(self.clock.now()).is_ok()
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
        let (before, now) = (self.views.before(), self.clock.now());
        let Some(view) = self.store.session_as_seen_by(user, session).await? else {
            self.views.forget(session);
            return Err(Denied::NotFound.into());
        };
        let view = Arc::new(view);
        self.views.put(&view, before, now);
        Ok(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_domain::{Role, RoomKind, Rules};
    use uuid::Uuid;

    fn view(user: u128) -> Arc<View> {
        Arc::new(View {
            encryption: None,
            membership_version: 0,
            message_ttl: None,
            retention: None,
            ending: None,
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
            people: 1,
            acl_version: 1,
        })
    }

    fn has(views: &Views, user: u128) -> bool {
        let view = view(user);
        views.get(view.user, view.session, Time(0)).is_some()
    }

    #[test]
    fn the_views_of_all_members_are_kept_side_by_side() {
        let views = Views::new(false);
        for user in [1, 2, 2] {
            views.put(&view(user), views.before(), Time(0));
        }
        assert!(has(&views, 1) && has(&views, 2));
        assert_eq!(views.kept.lock().count, 2);
        views.forget(view(1).session);
        assert!(!has(&views, 1) && !has(&views, 2));
        assert_eq!(views.kept.lock().count, 0);
    }

    #[test]
    fn a_view_read_before_a_removal_is_not_put_in_after_it() {
        let views = Views::new(false);
        let before = views.before();
        let kind =
            EventKind::Left { user: view(1).user, by: None, reason: parlor_domain::Gone::Kicked };
        views.hear(&Event { session: view(1).session, seq: 7, at: Time(0), kind });
        views.put(&view(1), before, Time(0));
        assert!(!has(&views, 1));
    }

    #[test]
    fn a_rooms_settings_are_heard_in_all_its_sessions() {
        let views = Views::new(false);
        let aside = Arc::new(View { archived: true, ..(*view(1)).clone() });
        views.put(&aside, views.before(), Time(0));
        let kind = EventKind::RoomSettings {
            room: aside.room,
            name: "open again".to_owned(),
            description: String::new(),
            kind: RoomKind::Public,
            has_password: false,
            archived_at: None,
            rules: Rules::default(),
            by: aside.user,
        };
        let main = SessionId(Uuid::from_u128(9));
        views.hear(&Event { session: main, seq: 7, at: Time(0), kind });
        assert!(!has(&views, 1), "who could not write then can still not write now");
        assert_eq!(views.kept.lock().count, 0);
    }

    #[test]
    fn a_view_that_another_node_may_change_is_kept_for_a_moment() {
        let (views, view) = (Views::new(true), view(1));
        views.put(&view, views.before(), Time(0));
        assert!(views.get(view.user, view.session, Time(0) + LASTS).is_some());
        assert!(views.get(view.user, view.session, Time(1) + LASTS).is_none());
    }
}
