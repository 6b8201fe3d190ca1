//! Logins that are known to be alive, so that not every request asks the store.

use std::collections::HashMap;

use parking_lot::Mutex;
use parlor_domain::LoginId;
use parlor_store::logins::Login;

/// Logins of one generation; there are two.
const GENERATION_MAX: usize = 1 << 15;

/// A bounded cache. A login is remembered in the young generation; when that is full it becomes
/// the old one, and what nobody asked for meanwhile is forgotten.
#[derive(Default)]
pub(crate) struct Live(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<LoginId, Login>,
    old: HashMap<LoginId, Login>,
    /// Counts what was forgotten, so that a login read before a revocation is not put in after it.
    revocations: u64,
}

/// The state of the cache before a login was read from the store.
#[derive(Clone, Copy)]
pub(crate) struct Before(u64);

impl Live {
    /// A login that is remembered, or the mark under which a freshly read one may be put in.
    pub(crate) fn get(&self, id: LoginId) -> Result<Login, Before> {
        let mut all = self.0.lock();
        if let Some(login) = all.young.get(&id) {
            return Ok(login.clone());
        }
        let Some(login) = all.old.remove(&id) else {
            return Err(Before(all.revocations));
        };
        all.add(login.clone());
        Ok(login)
    }

    /// The mark under which a login that is read from now on may be put in.
    pub(crate) fn now(&self) -> Before {
        Before(self.0.lock().revocations)
    }

    /// Remembers a login that the store had after `before`, unless something was revoked since.
    pub(crate) fn put(&self, login: Login, before: Before) {
        let mut all = self.0.lock();
        if all.revocations == before.0 {
            all.add(login);
        }
    }

    /// Forgets logins: what they are now is asked from the store.
    pub(crate) fn forget(&self, ids: &[LoginId]) {
        let mut all = self.0.lock();
        all.revocations += 1;
        for id in ids {
            all.young.remove(id);
            all.old.remove(id);
        }
    }
}

impl Generations {
    fn add(&mut self, login: Login) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(login.id, login);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_domain::{DeviceId, Time, UserId};
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
        if let Err(before) = live.get(login(n).id) {
            live.put(login(n), before);
        }
    }

    #[test]
    fn a_revoked_login_is_forgotten_at_once() {
        let live = Live::default();
        put(&live, 1);
        assert!(live.get(login(1).id).is_ok());
        live.forget(&[login(1).id]);
        assert!(live.get(login(1).id).is_err());
    }

    #[test]
    fn a_login_read_before_its_revocation_does_not_come_back() {
        let live = Live::default();
        let Err(before) = live.get(login(1).id) else {
            panic!("not put in yet");
        };
        live.forget(&[login(1).id]);
        live.put(login(1), before);
        assert!(live.get(login(1).id).is_err());
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let live = Live::default();
        for n in 0..3 * GENERATION_MAX {
            put(&live, n);
            put(&live, 0);
        }
        let all = live.0.lock();
        assert!(all.young.len() + all.old.len() <= 2 * GENERATION_MAX);
        drop(all);
        assert!(live.get(login(0).id).is_ok());
        assert!(live.get(login(1).id).is_err());
    }
}
