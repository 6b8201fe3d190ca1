//! People as façades show them, kept so that an event need not ask the store who said it. Where
//! other nodes may change them, they are not kept: what one node has changed, the next request to
//! another shows.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use parlor_domain::{Person, UserEvent, UserEventKind, UserId};

/// People kept at most; then all are forgotten.
const PEOPLE_MAX: usize = 1 << 14;

pub(crate) struct People {
    kept: Mutex<Kept>,
    shared: bool,
}

#[derive(Default)]
struct Kept {
    known: HashMap<UserId, Arc<Person>>,
    /// Counts what was forgotten, so that somebody read before a change is not put in after it.
    changes: u64,
}

/// The state of the people before some were read from the store.
#[derive(Clone, Copy)]
pub(crate) struct Before(u64);

impl People {
    /// Nobody yet; `shared` where other nodes may change people.
    pub(crate) fn new(shared: bool) -> Self {
        Self { kept: Mutex::default(), shared }
    }

    pub(crate) fn get(&self, user: UserId) -> Option<Arc<Person>> {
        self.kept.lock().known.get(&user).cloned()
    }

    pub(crate) fn before(&self) -> Before {
        Before(self.kept.lock().changes)
    }

    /// Remembers somebody whom the store had after `before`, unless something changed since.
    pub(crate) fn put(&self, person: &Arc<Person>, before: Before) {
        let mut kept = self.kept.lock();
        if self.shared || kept.changes != before.0 {
            return;
        }
        if kept.known.len() >= PEOPLE_MAX {
            kept.known.clear();
        }
        kept.known.insert(person.user.id, Arc::clone(person));
    }

    /// Forgets what an entry of somebody's own log has changed.
    pub(crate) fn hear(&self, event: &UserEvent) {
        if let UserEventKind::Settings(_) = event.kind {
            self.forget(event.user);
        }
    }

    pub(crate) fn forget(&self, user: UserId) {
        let mut kept = self.kept.lock();
        kept.known.remove(&user);
        kept.changes += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_domain::{Time, User};
    use uuid::Uuid;

    fn person(name: &str) -> Arc<Person> {
        let user = User {
            id: UserId(Uuid::nil()),
            no: 1,
            username: name.to_owned(),
            name: name.to_owned(),
            status: String::new(),
            created_at: Time(0),
            last_seen_at: None,
            show_last_seen: true,
            picture: None,
        };
        Arc::new(Person { user, email: None, guest: false, changed_at: Time(0) })
    }

    #[test]
    fn somebody_read_before_a_change_is_not_put_in_after_it() {
        let people = People::new(false);
        let (ana, before) = (person("ana"), people.before());
        people.put(&ana, before);
        assert_eq!(people.get(ana.user.id), Some(Arc::clone(&ana)));
        people.forget(ana.user.id);
        people.put(&ana, before);
        assert_eq!(people.get(ana.user.id), None);
    }
}
