//! Who is connected to other nodes, as far as these have said so.
//!
//! A node says who came and went, and now and then how many it has and what their ids combine to;
//! who has missed something asks for all of them. A node that says nothing any more has nobody.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use parking_lot::Mutex;
use parlor_domain::{Time, UserId};

#[derive(Default)]
pub(crate) struct Elsewhere(Mutex<Nodes>);

#[derive(Default)]
struct Nodes {
    nodes: HashMap<u64, There>,
    /// On how many nodes each of them is.
    counts: HashMap<UserId, u64>,
}

struct There {
    users: HashSet<UserId>,
    heard: Time,
}

impl Elsewhere {
    /// Whether somebody is on another node.
    pub(crate) fn has(&self, user: UserId) -> bool {
        self.0.lock().counts.contains_key(&user)
    }

    /// The nodes that were heard of, in order.
    pub(crate) fn nodes(&self) -> Vec<u64> {
        let mut nodes: Vec<_> = self.0.lock().nodes.keys().copied().collect();
        nodes.sort_unstable();
        nodes
    }

    /// How many people are known to be at a node.
    pub(crate) fn count(&self, node: u64) -> usize {
        self.0.lock().nodes.get(&node).map_or(0, |there| there.users.len())
    }

    /// Notes who came to a node and who went from it.
    pub(crate) fn moved(&self, node: u64, came: &[UserId], went: &[UserId], now: Time) {
        let mut all = self.0.lock();
        came.iter().for_each(|user| all.add(node, *user, now));
        went.iter().for_each(|user| all.remove(node, *user));
    }

    /// Notes who is there; `first` forgets who was there before, and returns them.
    pub(crate) fn is(&self, node: u64, first: bool, users: &[UserId], now: Time) -> Vec<UserId> {
        let mut all = self.0.lock();
        let before = if first { all.drop_node(node) } else { vec![] };
        users.iter().for_each(|user| all.add(node, *user, now));
        before
    }

    /// Whether as many are known to be there as a node says, and the same.
    pub(crate) fn agrees(&self, node: u64, count: u64, digest: u128, now: Time) -> bool {
        let mut all = self.0.lock();
        let there = all.nodes.entry(node).or_insert_with(|| There::new(now));
        there.heard = now;
        there.users.len() as u64 == count && crate::digest(&there.users) == digest
    }

    /// Forgets the nodes that were not heard for so long, and returns who was there.
    pub(crate) fn forget_silent(&self, silence: Duration, now: Time) -> Vec<UserId> {
        let mut all = self.0.lock();
        let silent = all.nodes.iter().filter(|(_, there)| now.since(there.heard) > silence);
        let silent: Vec<_> = silent.map(|(node, _)| *node).collect();
        silent.into_iter().flat_map(|node| all.drop_node(node)).collect()
    }
}

impl There {
    fn new(heard: Time) -> Self {
        Self { users: HashSet::new(), heard }
    }
}

impl Nodes {
    fn add(&mut self, node: u64, user: UserId, now: Time) {
        let there = self.nodes.entry(node).or_insert_with(|| There::new(now));
        if there.users.insert(user) {
            *self.counts.entry(user).or_default() += 1;
        }
    }

    fn remove(&mut self, node: u64, user: UserId) {
        if self.nodes.get_mut(&node).is_some_and(|there| there.users.remove(&user)) {
            crate::registry::count_down(&mut self.counts, &user);
        }
    }

    fn drop_node(&mut self, node: u64) -> Vec<UserId> {
        let users = self.nodes.remove(&node).map(|there| there.users).unwrap_or_default();
        for user in &users {
            crate::registry::count_down(&mut self.counts, user);
        }
        users.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    fn at(s: i64) -> Time {
        Time(s * 1_000_000)
    }

    #[test]
    fn somebody_is_elsewhere_as_long_as_one_node_has_them() {
        let all = Elsewhere::default();
        all.moved(1, &[user(1), user(2)], &[], at(0));
        all.moved(2, &[user(1)], &[], at(0));
        all.moved(1, &[], &[user(1), user(2)], at(0));
        assert!(all.has(user(1)) && !all.has(user(2)));
        all.moved(2, &[], &[user(1), user(1)], at(0));
        assert!(!all.has(user(1)));
    }

    #[test]
    fn who_has_missed_something_notices_and_is_told_all() {
        let all = Elsewhere::default();
        assert!(all.agrees(1, 0, 0, at(0)), "a node with nobody has nothing to tell");
        let there = [user(5), user(9)];
        let digest = crate::digest(&there);
        all.moved(1, &[user(5), user(7)], &[], at(0));
        assert!(!all.agrees(1, 2, digest, at(0)));
        all.is(1, true, &there[..1], at(0));
        all.is(1, false, &there[1..], at(0));
        assert!(all.agrees(1, 2, digest, at(0)));
        assert!(!all.has(user(7)));
    }

    #[test]
    fn a_silent_node_has_nobody() {
        let all = Elsewhere::default();
        all.is(1, true, &[user(1)], at(0));
        all.is(2, true, &[user(2)], at(0));
        all.agrees(2, 1, 0, at(9));
        assert_eq!(all.forget_silent(Duration::from_secs(10), at(11)), [user(1)]);
        assert!(!all.has(user(1)) && all.has(user(2)));
        assert_eq!(all.nodes(), [2]);
    }
}
