//! How often something may be done: one generic cell rate (GCRA) for each key.
//!
//! Owns the counters of this node, and what is to be told of them to others, whose tries count
//! here, too. Takes the time as an argument, and can give a try back, so that a right password
//! costs nobody a place in the queue.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use parking_lot::Mutex;
use parlor_bus::Spent;
use parlor_domain::{Denied, Limits, RoomId, Time, UserId};

/// Keys that one rate remembers at most. Beyond it, new keys are refused: forgetting instead would
/// let whoever brings the most keys go free.
const KEYS_MAX: usize = 1 << 18;

/// Keys below which nothing is swept.
const SWEEP_MIN: usize = 1 << 10;

/// How often over several nodes may let through at once what one may: what is beyond is made up
/// for afterwards.
const AHEAD_MAX: i64 = 4;

/// What a rate is counted for, as nodes tell each other.
pub trait Key: Copy + Eq + Hash {
    /// Its bytes.
    fn to_bytes(self) -> [u8; 16];

    /// The key of these bytes.
    fn from_bytes(bytes: [u8; 16]) -> Self;
}

/// One rate, counted for each key on its own.
pub struct Rate<K> {
    /// Microseconds that one try uses up.
    cost: i64,
    /// Microseconds that may be used up ahead of time.
    room: i64,
    /// How many times that a key can owe: more than once, where other nodes count, too.
    ahead: i64,
    cells: Mutex<Cells<K>>,
}

struct Cells<K> {
    /// When each key's tries will have been paid for.
    paid_at: HashMap<K, i64>,
    sweep_at: usize,
    /// What other nodes are to be told of; `None`: there are none.
    spent: Option<HashMap<K, i64>>,
}

impl<K: Copy + Eq + Hash> Rate<K> {
    /// `count` tries in `period`, of which `burst` may come at once.
    pub fn new(count: u64, period: Duration, burst: u64) -> Self {
        let period = i64::try_from(period.as_micros()).unwrap_or(i64::MAX);
        let cost = period / i64::try_from(count.max(1)).unwrap_or(i64::MAX);
        let burst = i64::try_from(burst.max(1)).unwrap_or(i64::MAX);
        Self {
            cost,
            room: cost.saturating_mul(burst),
            ahead: 1,
            cells: Mutex::new(Cells { paid_at: HashMap::new(), sweep_at: SWEEP_MIN, spent: None }),
        }
    }

    /// The same, counted together with other nodes if there are any.
    #[must_use]
    pub fn shared(mut self, shared: bool) -> Self {
        if shared {
            self.ahead = AHEAD_MAX;
            self.cells.get_mut().spent = Some(HashMap::new());
        }
        self
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
        *paid_at = (*paid_at).clamp(now.0, self.most(now));
        let next = paid_at.saturating_add(self.cost);
        let wait = next.saturating_sub(self.room).saturating_sub(now.0);
        if wait > 0 {
            return Err(Denied::SlowDown {
                retry_after_ms: u64::try_from(wait).unwrap_or(0).div_ceil(1000),
            });
        }
        *paid_at = next;
        cells.spend(key, 1);
        Ok(())
    }

    /// Takes a try back, which turned out to be a good one.
    pub fn give_back(&self, key: &K) {
        let mut cells = self.cells.lock();
        if let Some(paid_at) = cells.paid_at.get_mut(key) {
            *paid_at -= self.cost;
            cells.spend(*key, -1);
        }
    }

    /// Counts tries that another node has let through, or taken back.
    pub fn charge(&self, key: K, tries: i64, now: Time) {
        let mut cells = self.cells.lock();
        if self.cost == 0 || cells.make_room(&key, now).is_err() {
            return;
        }
        let most = self.most(now);
        let paid_at = cells.paid_at.entry(key).or_insert(now.0);
        let next = (*paid_at).max(now.0).saturating_add(self.cost.saturating_mul(tries));
        *paid_at = next.clamp(now.0, most);
    }

    /// Takes what was spent here since the last call.
    pub fn take_spent(&self) -> Vec<(K, i64)> {
        let mut cells = self.cells.lock();
        cells.spent.as_mut().map_or(vec![], |spent| spent.drain().collect())
    }

    /// How far ahead a key can have spent.
    fn most(&self, now: Time) -> i64 {
        now.0.saturating_add(self.room.saturating_mul(self.ahead))
    }
}

impl<K: Eq + Hash> Cells<K> {
    fn spend(&mut self, key: K, tries: i64) {
        if let Some(spent) = &mut self.spent {
            *spent.entry(key).or_default() += tries;
        }
    }

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
    /// One-time keys of one device that one user is given: on this node, since each claims of many.
    pub(crate) one_time_keys: Rate<[u8; 16]>,
    /// Messages of one user.
    pub(crate) messages: Rate<UserId>,
    /// Messages in one room.
    pub(crate) room_messages: Rate<RoomId>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits, shared: bool) -> Self {
        let minute = Duration::from_mins(1);
        let tries = limits.login_tries_per_min;
        let registrations = limits.registrations_per_min;
        let commands = limits.commands_per_s;
        let in_room = limits.room_messages_per_s;
        let second = Duration::from_secs(1);
        let of_device = limits.one_time_keys_per_hour;
        Self {
            guesses: Rate::new(tries, minute, tries).shared(shared),
            wrong_from: Rate::new(tries, minute, tries).shared(shared),
            registrations: Rate::new(registrations, minute, registrations).shared(shared),
            mails: Rate::new(limits.mails_per_hour, Duration::from_hours(1), limits.mails_per_hour)
                .shared(shared),
            commands: Rate::new(commands, second, commands).shared(shared),
            searches: Rate::new(limits.searches_per_s, second, limits.searches_per_s)
                .shared(shared),
            one_time_keys: Rate::new(of_device, Duration::from_hours(1), of_device),
            messages: Rate::new(limits.messages_per_s, second, limits.messages_burst)
                .shared(shared),
            room_messages: Rate::new(in_room, second, in_room).shared(shared),
        }
    }

    /// What was spent here since the last call, for other nodes.
    pub(crate) fn take_spent(&self) -> Vec<Spent> {
        let mut all = Vec::new();
        add(&mut all, 0, &self.guesses);
        add(&mut all, 1, &self.wrong_from);
        add(&mut all, 2, &self.registrations);
        add(&mut all, 3, &self.mails);
        add(&mut all, 4, &self.commands);
        add(&mut all, 5, &self.searches);
        add(&mut all, 6, &self.messages);
        add(&mut all, 7, &self.room_messages);
        all
    }

    /// Counts what was spent on another node.
    pub(crate) fn charge(&self, spent: &[Spent], now: Time) {
        for Spent { rate, key, tries } in spent {
            let (key, tries) = (*key, *tries);
            match rate {
                0 => self.guesses.charge(key, tries, now),
                1 => self.wrong_from.charge(Key::from_bytes(key), tries, now),
                2 => self.registrations.charge(Key::from_bytes(key), tries, now),
                3 => self.mails.charge(key, tries, now),
                4 => self.commands.charge(Key::from_bytes(key), tries, now),
                5 => self.searches.charge(Key::from_bytes(key), tries, now),
                6 => self.messages.charge(Key::from_bytes(key), tries, now),
                7 => self.room_messages.charge(Key::from_bytes(key), tries, now),
                _ => {} // A newer node's.
            }
        }
    }
}

fn add<K: Key>(all: &mut Vec<Spent>, rate: u8, of: &Rate<K>) {
    let spent = of.take_spent().into_iter().filter(|(_, tries)| *tries != 0);
    all.extend(spent.map(|(key, tries)| Spent { rate, key: key.to_bytes(), tries }));
}

impl Key for [u8; 16] {
    fn to_bytes(self) -> [u8; 16] {
        self
    }

    fn from_bytes(bytes: [u8; 16]) -> Self {
        bytes
    }
}

impl Key for UserId {
    fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes))
    }
}

impl Key for RoomId {
    fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes))
    }
}

impl Key for IpAddr {
    fn to_bytes(self) -> [u8; 16] {
        match self {
            Self::V4(v4) => v4.to_ipv6_mapped().octets(),
            Self::V6(v6) => v6.octets(),
        }
    }

    fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::V6(Ipv6Addr::from(bytes)).to_canonical()
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
    fn two_nodes_that_tell_each_other_let_through_what_one_does() {
        let new = || Rate::new(10, Duration::from_secs(1), 20).shared(true);
        let nodes = [new(), new()];
        let mut passed = 0;
        for ms in 0..20_000 {
            for node in &nodes {
                passed += i64::from(ms % 10 == 0 && node.take("ana", at(ms)).is_ok());
            }
            if ms % 100 == 99 {
                let spent = [nodes[0].take_spent(), nodes[1].take_spent()];
                for (node, theirs) in nodes.iter().zip([&spent[1], &spent[0]]) {
                    theirs.iter().for_each(|(key, tries)| node.charge(*key, *tries, at(ms)));
                }
            }
        }
        let fair = 20 + 20 * 10;
        assert!((fair * 9 / 10..=fair * 11 / 10).contains(&passed), "{passed} of {fair}");
    }

    #[test]
    fn keys_read_back_as_they_were_told() {
        for text in ["10.0.0.1", "2001:db8::"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(IpAddr::from_bytes(address.to_bytes()), address);
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
