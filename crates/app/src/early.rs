//! Events that came before those that they follow. Where several nodes write to one session, each
//! hears of its own commits first: the others' are on their way, and waiting a moment for them is
//! cheaper than reading them. Bounded; what does not come in time is read from the store.

use std::collections::HashMap;

use parking_lot::Mutex;
use parlor_domain::{Event, SessionId};
use tokio::sync::Notify;

/// Events that wait at most.
const EVENTS_MAX: usize = 8_192;

#[derive(Default)]
pub(crate) struct Early {
    kept: Mutex<Kept>,
    some: Notify,
}

#[derive(Default)]
struct Kept {
    count: usize,
    /// By session, ascending; and whether they were there at the last call of [`Early::overdue`].
    sessions: HashMap<SessionId, (Vec<Event>, bool)>,
}

impl Early {
    /// These events and those that wait for what comes before them, ascending; `None` when none
    /// do.
    pub(crate) fn join(&self, session: SessionId, events: &[Event]) -> Option<Vec<Event>> {
        let mut joined = self.kept.lock().take(session)?;
        joined.extend_from_slice(events);
        joined.sort_by_key(|event| event.seq);
        joined.dedup_by_key(|event| event.seq);
        Some(joined)
    }

    /// Lets the events after `after` wait, unless too many do.
    pub(crate) fn keep(&self, session: SessionId, events: &[Event], after: i64) -> bool {
        let mut kept = self.kept.lock();
        if kept.count + events.len() > EVENTS_MAX {
            return false;
        }
        let mut waiting = kept.take(session).unwrap_or_default();
        waiting.extend(events.iter().filter(|event| event.seq > after).cloned());
        waiting.sort_by_key(|event| event.seq);
        waiting.dedup_by_key(|event| event.seq);
        kept.count += waiting.len();
        kept.sessions.insert(session, (waiting, false));
        drop(kept);
        self.some.notify_one();
        true
    }

    /// Waits until something waits.
    pub(crate) async fn some(&self) {
        self.some.notified().await;
    }

    /// Takes what has waited since before the last call; whether anything else waits.
    pub(crate) fn overdue(&self) -> (Vec<(SessionId, Vec<Event>)>, bool) {
        let mut kept = self.kept.lock();
        let old: Vec<_> =
            kept.sessions.iter().filter(|(_, (_, old))| *old).map(|(id, _)| *id).collect();
        let taken = old.into_iter().filter_map(|id| Some((id, kept.take(id)?))).collect();
        kept.sessions.values_mut().for_each(|(_, old)| *old = true);
        (taken, !kept.sessions.is_empty())
    }
}

impl Kept {
    fn take(&mut self, session: SessionId) -> Option<Vec<Event>> {
        let (events, _) = self.sessions.remove(&session)?;
        self.count -= events.len();
        Some(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_domain::{EventKind, Time, UserId};
    use uuid::Uuid;

    fn session() -> SessionId {
        SessionId(Uuid::nil())
    }

    fn events(seqs: &[i64]) -> Vec<Event> {
        let kind = || EventKind::SessionSettings {
            name: String::new(),
            message_ttl: None,
            ending: None,
            by: UserId(Uuid::nil()),
        };
        let event = |seq| Event { session: session(), seq, at: Time(0), kind: kind() };
        seqs.iter().map(|seq| event(*seq)).collect()
    }

    #[test]
    fn what_came_early_goes_behind_what_it_follows() {
        let early = Early::default();
        assert!(early.keep(session(), &events(&[4, 5, 7]), 3));
        assert!(early.keep(session(), &events(&[3, 6, 7]), 3));
        assert_eq!(early.join(session(), &events(&[4, 3])), Some(events(&[3, 4, 5, 6, 7])));
        assert_eq!(early.join(session(), &events(&[8])), None);
        assert_eq!(early.kept.lock().count, 0);
    }

    #[test]
    fn what_has_waited_for_a_while_is_given_back() {
        let early = Early::default();
        assert!(early.keep(session(), &events(&[4]), 2));
        assert_eq!(early.overdue(), (vec![], true));
        assert_eq!(early.overdue(), (vec![(session(), events(&[4]))], false));
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let early = Early::default();
        let many: Vec<_> = (2..).take(EVENTS_MAX).collect();
        assert!(early.keep(session(), &events(&many), 0));
        assert!(!early.keep(SessionId(Uuid::max()), &events(&[2]), 0));
    }
}
