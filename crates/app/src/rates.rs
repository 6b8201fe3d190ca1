//! How often something may be done: one generic cell rate (GCRA) for each key.
//!
//! Owns the counters of this node. Takes the time as an argument, and can give a try back, so
//! that a right password costs nobody a place in the queue.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use parking_lot::Mutex;
use parlor_domain::{Denied, Limits, RoomId, Time, UserId};

/// Keys that one rate remembers at most. Beyond it, new keys are refused: forgetting instead would
/// let whoever brings the most keys go free.
const KEYS_MAX: usize = 1 << 18;

/// Keys below which nothing is swept.
const SWEEP_MIN: usize = 1 << 10;

/// One rate, counted for each key on its own.
pub struct Rate<K> {
    /// Microseconds that one try uses up.
    cost: i64,
    /// Microseconds that may be used up ahead of time.
    room: i64,
    cells: Mutex<Cells<K>>,
}

struct Cells<K> {
    /// When each key's tries will have been paid for.
    paid_at: HashMap<K, i64>,
    sweep_at: usize,
}

impl<K: Eq + Hash> Rate<K> {
    /// `count` tries in `period`, of which `burst` may come at once.
    pub fn new(count: u64, period: Duration, burst: u64) -> Self {
        let period = i64::try_from(period.as_micros()).unwrap_or(i64::MAX);
        let cost = period / i64::try_from(count.max(1)).unwrap_or(i64::MAX);
        let burst = i64::try_from(burst.max(1)).unwrap_or(i64::MAX);
        Self {
            cost,
            room: cost.saturating_mul(burst),
            cells: Mutex::new(Cells { paid_at: HashMap::new(), sweep_at: SWEEP_MIN }),
        }
    }

    /// Counts a try.
    ///
    /// # Errors
    /// [`Denied::SlowDown`] when there were too many.
    pub fn take(&self, key: K, now: Time) -> Result<(), Denied> {
        if self.cost == 0 {
            return Ok(()); // A lifted limit: not even remembered.
        }
        let mut cells = self.cells.lock();
        cells.make_room(&key, now)?;
        let paid_at = cells.paid_at.entry(key).or_insert(now.0);
        // The upper bound heals what a clock that was set back would leave behind.
        *paid_at = (*paid_at).clamp(now.0, now.0.saturating_add(self.room));
        let next = paid_at.saturating_add(self.cost);
        let wait = next.saturating_sub(self.room).saturating_sub(now.0);
        if wait > 0 {
            return Err(Denied::SlowDown {
                retry_after_ms: u64::try_from(wait).unwrap_or(0).div_ceil(1000),
            });
        }
        *paid_at = next;
        Ok(())
    }

    /// Takes a try back, which turned out to be a good one.
    pub fn give_back(&self, key: &K) {
        if let Some(paid_at) = self.cells.lock().paid_at.get_mut(key) {
            *paid_at -= self.cost;
        }
    }
}

impl<K: Eq + Hash> Cells<K> {
    /// Forgets keys that have paid for everything, when there are many.
    fn make_room(&mut self, key: &K, now: Time) -> Result<(), Denied> {
        if self.paid_at.len() < self.sweep_at || self.paid_at.contains_key(key) {
            return Ok(());
        }
        self.paid_at.retain(|_, paid_at| *paid_at > now.0);
        self.sweep_at = (self.paid_at.len() * 2).clamp(SWEEP_MIN, KEYS_MAX);
        if self.paid_at.len() >= KEYS_MAX {
            return Err(Denied::SlowDown { retry_after_ms: 1_000 });
        }
        Ok(())
    }
}

/// The rates of people and addresses.
pub(crate) struct Rates {
    /// Password tries for one account from one address. Not for the account alone: whoever guesses
    /// at somebody's password must not keep that somebody out.
    pub(crate) guesses: Rate<[u8; 16]>,
    /// Wrong passwords and codes from one address.
    pub(crate) wrong_from: Rate<IpAddr>,
    /// Registrations and mails asked for, from one address.
    pub(crate) registrations: Rate<IpAddr>,
    /// Mails to one mail address.
    pub(crate) mails: Rate<[u8; 16]>,
    /// Changes of one user.
    pub(crate) commands: Rate<UserId>,
    /// Searches of one user.
    pub(crate) searches: Rate<UserId>,
    /// Messages of one user.
    pub(crate) messages: Rate<UserId>,
    /// Messages in one room.
    pub(crate) room_messages: Rate<RoomId>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let minute = Duration::from_mins(1);
        let tries = limits.login_tries_per_min;
        let registrations = limits.registrations_per_min;
        let commands = limits.commands_per_s;
        let in_room = limits.room_messages_per_s;
        let second = Duration::from_secs(1);
        Self {
            guesses: Rate::new(tries, minute, tries),
            wrong_from: Rate::new(tries, minute, tries),
            registrations: Rate::new(registrations, minute, registrations),
            mails: Rate::new(limits.mails_per_hour, Duration::from_hours(1), limits.mails_per_hour),
            commands: Rate::new(commands, Duration::from_secs(1), commands),
            searches: Rate::new(limits.searches_per_s, second, limits.searches_per_s),
            messages: Rate::new(limits.messages_per_s, second, limits.messages_burst),
            room_messages: Rate::new(in_room, second, in_room),
        }
    }
}

/// The part of an address that one person controls: all of an IPv4 address, the first half of an
/// IPv6 one.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Time {
        Time(ms * 1_000)
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let rate = Rate::new(20, Duration::from_mins(1), 20);
        for _ in 0..20 {
            assert_eq!(rate.take("ana", at(0)), Ok(()));
        }
        let wait = Denied::SlowDown { retry_after_ms: 3_000 };
        assert_eq!(rate.take("ana", at(0)), Err(wait));
        assert_eq!(rate.take("bo", at(0)), Ok(()));
        assert!(rate.take("ana", at(2_999)).is_err());
        assert_eq!(rate.take("ana", at(3_000)), Ok(()));
        assert!(rate.take("ana", at(3_000)).is_err());
    }

    #[test]
    fn a_try_that_is_given_back_was_never_made() {
        let rate = Rate::new(1, Duration::from_mins(1), 1);
        for _ in 0..100 {
            assert_eq!(rate.take("ana", at(0)), Ok(()));
            rate.give_back(&"ana");
        }
        assert_eq!(rate.take("ana", at(0)), Ok(()));
        assert!(rate.take("ana", at(0)).is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out() {
        let rate = Rate::new(1, Duration::from_secs(1), 1);
        assert_eq!(rate.take("ana", at(3_600_000)), Ok(()));
        assert!(rate.take("ana", at(0)).is_err());
        assert_eq!(rate.take("ana", at(1_000)), Ok(()));
    }

    #[test]
    fn keys_that_have_paid_are_forgotten() {
        let rate = Rate::new(1, Duration::from_secs(1), 1);
        for key in 0..10_000_i64 {
            assert_eq!(rate.take(key, at(key * 10)), Ok(()));
        }
        assert!(rate.cells.lock().paid_at.len() <= 2 * SWEEP_MIN);
    }

    #[test]
    fn a_lifted_limit_is_none() {
        let rate = Rate::new(u64::from(u32::MAX), Duration::from_secs(1), 1);
        for _ in 0..1_000 {
            assert_eq!(rate.take((), at(0)), Ok(()));
        }
    }

    #[test]
    fn one_household_is_one_key() {
        let net = |text: &str| network(text.parse().unwrap());
        assert_eq!(net("::ffff:10.0.0.1"), net("10.0.0.1"));
        assert_eq!(net("2001:db8::1"), net("2001:db8::ffff:1"));
        assert_ne!(net("2001:db8::1"), net("2001:db8:0:1::1"));
        assert_ne!(net("10.0.0.1"), net("10.0.0.2"));
    }
}
