//! What waits to be sent. It never waits itself: beyond its bounds an event becomes the place it
//! has in its log, of which the newest is enough; beyond those it is lost, and found by whoever
//! compares heads.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::shards::Channel;
use crate::{Node, Topic, carry};

/// Bytes that wait for one channel at most.
const CHANNEL_BYTES_MAX: usize = 256 * 1024;

/// Bytes that wait in all at most.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Logs whose heads wait at most.
const HEADS_MAX: usize = 1 << 16;

pub(super) struct Outbox {
    node: Node,
    waiting: Mutex<Waiting>,
    some: Notify,
}

#[derive(Default)]
struct Waiting {
    /// Whether nothing is taken at present: only heads are kept then.
    shut: bool,
    letters: HashMap<Channel, Vec<u8>>,
    bytes: usize,
    heads: HashMap<Topic, i64>,
}

impl Outbox {
    /// An empty one, which is shut.
    pub(super) fn new(node: Node) -> Self {
        let waiting = Waiting { shut: true, ..Waiting::default() };
        Self { node, waiting: Mutex::new(waiting), some: Notify::new() }
    }

    /// Puts an event's entry in; its place in its log, where there is no room.
    pub(super) fn put_event(&self, topic: Topic, seq: i64, entry: &[u8]) {
        let mut waiting = self.waiting.lock();
        if !waiting.put(self.node, Channel::of(topic), entry) {
            waiting.put_head(topic, seq);
        }
        drop(waiting);
        self.some.notify_one();
    }

    /// Puts a word in, unless there is no room.
    pub(super) fn put_word(&self, channel: Channel, entry: &[u8]) {
        let mut waiting = self.waiting.lock();
        if !waiting.put(self.node, channel, entry) {
            metrics::counter!("parlor_bus_lost_total", "what" => "word").increment(1);
        }
        drop(waiting);
        self.some.notify_one();
    }

    /// Waits until there is something, and takes it: one letter for each channel.
    pub(super) async fn take(&self) -> Vec<(Channel, Vec<u8>)> {
        loop {
            let some = self.some.notified();
            let taken = self.waiting.lock().take(self.node);
            if !taken.is_empty() {
                return taken;
            }
            some.await;
        }
    }

    /// Nothing is taken from now on, until [`Outbox::open`].
    pub(super) fn shut(&self) {
        let mut waiting = self.waiting.lock();
        waiting.shut = true;
        waiting.letters.clear();
        waiting.bytes = 0;
    }

    /// Things are taken again.
    pub(super) fn open(&self) {
        self.waiting.lock().shut = false;
        self.some.notify_one();
    }
}

impl Waiting {
    /// Whether there was room.
    fn put(&mut self, node: Node, channel: Channel, entry: &[u8]) -> bool {
        if self.shut || self.bytes + entry.len() > BYTES_MAX {
            return false;
        }
        let letter = self.letters.entry(channel).or_insert_with(|| carry::begin(node));
        if letter.len() + entry.len() > CHANNEL_BYTES_MAX {
            return false;
        }
        letter.extend_from_slice(entry);
        self.bytes += entry.len();
        true
    }

    fn put_head(&mut self, topic: Topic, seq: i64) {
        let room = self.heads.len() < HEADS_MAX;
        match self.heads.get_mut(&topic) {
            Some(head) => *head = seq.max(*head),
            None if room => _ = self.heads.insert(topic, seq),
            None => metrics::counter!("parlor_bus_lost_total", "what" => "head").increment(1),
        }
        metrics::counter!("parlor_bus_shortened_total").increment(1);
    }

    fn take(&mut self, node: Node) -> Vec<(Channel, Vec<u8>)> {
        if self.shut {
            return vec![];
        }
        let mut letters = std::mem::take(&mut self.letters);
        self.bytes = 0;
        for (topic, seq) in self.heads.drain() {
            let letter = letters.entry(Channel::of(topic)).or_insert_with(|| carry::begin(node));
            letter.extend(carry::head(topic, seq));
        }
        letters.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Heard, Word};
    use parlor_domain::{SessionId, UserId};
    use uuid::Uuid;

    fn topic(n: u128) -> Topic {
        Topic::Session(SessionId(Uuid::from_u128(n)))
    }

    fn heard(letters: &[(Channel, Vec<u8>)]) -> Vec<Heard> {
        letters.iter().flat_map(|(_, letter)| carry::read(letter)).collect()
    }

    #[tokio::test]
    async fn what_waits_for_a_channel_goes_in_one_letter_in_its_order() {
        let outbox = Outbox::new(Node(1));
        outbox.open();
        for seq in 1..=3 {
            outbox.put_event(topic(1), seq, &carry::head(topic(1), seq));
        }
        let letters = outbox.take().await;
        assert_eq!(letters.len(), 1);
        assert_eq!(heard(&letters), [1, 2, 3].map(|seq| Heard::Head(topic(1), seq)));
    }

    #[tokio::test]
    async fn beyond_its_bounds_an_event_becomes_the_newest_head() {
        let outbox = Outbox::new(Node(1));
        outbox.open();
        let entry = carry::word(&Word::Murmur(parlor_wire::Dialect::Rei, vec![0; 100_000]));
        for seq in 1..=9 {
            outbox.put_event(topic(1), seq, &entry);
        }
        let heard = heard(&outbox.take().await);
        assert_eq!(heard.len(), 3, "two fit");
        assert_eq!(heard[2], Heard::Head(topic(1), 9));
    }

    #[tokio::test]
    async fn while_it_is_shut_heads_are_kept_and_words_are_not() {
        let outbox = Outbox::new(Node(1));
        outbox.put_event(topic(1), 4, &carry::head(topic(1), 4));
        outbox.put_word(Channel::ALL, &carry::word(&Word::Ask(Node(2))));
        outbox.open();
        assert_eq!(heard(&outbox.take().await), [Heard::Head(topic(1), 4)]);
        let user = Topic::User(UserId(Uuid::nil()));
        outbox.put_event(user, 1, &carry::head(user, 1));
        outbox.shut();
        outbox.open();
        outbox.put_event(user, 2, &carry::head(user, 2));
        assert_eq!(heard(&outbox.take().await), [Heard::Head(user, 2)]);
    }
}
