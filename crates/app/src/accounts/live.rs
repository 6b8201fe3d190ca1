//! Logins that are known to be alive, so that not every request asks the store. Where other nodes
//! may end them, that is known for a while only.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use parlor_domain::{LoginId, Time};
use parlor_store::logins::Login;

/// How long a login counts as alive that another node may end: normally this node is told, but
/// nothing depends on that.
const LASTS: Duration = Duration::from_secs(10);

/// Logins of one generation; there are two.
const GENERATION_MAX: usize = 1 << 15;

/// A bounded cache. A login is remembered in the young generation; when that is full it becomes
/// the old one, and what nobody asked for meanwhile is forgotten.
pub(crate) struct Live {
    all: Mutex<Generations>,
    lasts: Duration,
}

#[derive(Default)]
struct Generations {
    /// Each with the time at which it was read.
    young: HashMap<LoginId, (Login, Time)>,
    old: HashMap<LoginId, (Login, Time)>,
    /// Counts what was forgotten, so that a login read before a revocation is not put in after it.
    revocations: u64,
}

/// The state of the cache before a login was read from the store.
#[derive(Clone, Copy)]
pub(crate) struct Before(u64);

impl Live {
    /// An empty cache; `shared` where other nodes may end logins.
    pub(crate) fn new(shared: bool) -> Self {
        let lasts = if shared { LASTS } else { Duration::MAX };
        Self { all: Mutex::default(), lasts }
    }

    /// A login that is remembered, or the mark under which a freshly read one may be put in.
    pub(crate) fn get(&self, id: LoginId, now: Time) -> Result<Login, Before> {
        let mut all = self.all.lock();
        let (login, read) = match all.young.get(&id) {
            Some(known) => known.clone(),
            None => match all.old.remove(&id) {
                Some(known) => {
                    all.add(known.clone());
                    known
                }
                None => return Err(Before(all.revocations)),
            },
        };
        // A clock that was set back makes nothing last longer.
        if now < read || now.since(read) > self.lasts {
            return Err(Before(all.revocations));
        }
        Ok(login)
    }

    /// The mark under which a login that is read from now on may be put in.
    pub(crate) fn now(&self) -> Before {
        Before(self.all.lock().revocations)
    }

    /// Remembers a login that the store had after `before` and at `read`, unless something was
    /// revoked since.
    pub(crate) fn put(&self, login: Login, before: Before, read: Time) {
        let mut all = self.all.lock();
        if all.revocations == before.0 {
            all.add((login, read));
        }
    }

    /// Forgets logins: what they are now is asked from the store.
    pub(crate) fn forget(&self, ids: &[LoginId]) {
        let mut all = self.all.lock();
        all.revocations += 1;
        for id in ids {
            all.young.remove(id);
            all.old.remove(id);
        }
    }
}

impl Generations {
    fn add(&mut self, known: (Login, Time)) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(known.0.id, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_domain::{DeviceId, UserId};
    use uuid::Uuid;

    fn login(n: usize) -> Login {
        Login {
            id: LoginId(Uuid::from_u128(n as u128)),
            user: UserId(Uuid::nil()),
            user_no: 1,
            device: DeviceId(Uuid::nil()),
            cookie_hash: [0; 32],
            expires: Time(0),
        }
    }

    fn put(live: &Live, n: usize) {
        if let Err(before) = live.get(login(n).id, Time(0)) {
            live.put(login(n), before, Time(0));
        }
    }

    #[test]
    fn a_revoked_login_is_forgotten_at_once() {
        let live = Live::new(false);
        put(&live, 1);
        assert!(live.get(login(1).id, Time(0)).is_ok());
        live.forget(&[login(1).id]);
        assert!(live.get(login(1).id, Time(0)).is_err());
    }

    #[test]
    fn a_login_read_before_its_revocation_does_not_come_back() {
        let live = Live::new(false);
        let Err(before) = live.get(login(1).id, Time(0)) else {
            panic!("not put in yet");
        };
        live.forget(&[login(1).id]);
        live.put(login(1), before, Time(0));
        assert!(live.get(login(1).id, Time(0)).is_err());
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let live = Live::new(false);
        for n in 0..3 * GENERATION_MAX {
            put(&live, n);
            put(&live, 0);
        }
        let all = live.all.lock();
        assert!(all.young.len() + all.old.len() <= 2 * GENERATION_MAX);
        drop(all);
        assert!(live.get(login(0).id, Time(0)).is_ok());
        assert!(live.get(login(1).id, Time(0)).is_err());
    }

    #[test]
    fn what_another_node_may_end_is_asked_for_again() {
        let live = Live::new(true);
        let Err(before) = live.get(login(1).id, Time(0)) else { panic!("not put in yet") };
        live.put(login(1), before, Time(0));
        assert!(live.get(login(1).id, Time(0) + LASTS).is_ok());
        assert!(live.get(login(1).id, Time(1) + LASTS).is_err());
        assert!(live.get(login(1).id, Time(-1)).is_err());
    }
}
