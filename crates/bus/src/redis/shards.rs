//! Which channels this node hears: those that a log is hashed to which somebody here listens to,
//! and the one that all nodes hear.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Topic;

/// Channels that logs are spread over. All nodes of an installation must agree.
const SHARDS: u16 = 1024;

/// A channel, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Channel(u16);

impl Channel {
    /// The one that all nodes hear.
    pub(super) const ALL: Self = Self(SHARDS);

    /// A log's.
    pub(super) fn of(topic: Topic) -> Self {
        let id = match topic {
            Topic::Session(session) => session.0,
            Topic::User(user) => user.0,
        };
        // Of a version 7 id the end is random; of any other, what matters is that nodes agree.
        let hash = id.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let folded = (hash >> 32) ^ hash;
        Self(u16::try_from(folded % u64::from(SHARDS)).unwrap_or(0))
    }

    /// Its name in Redis. Without braces, so that a cluster spreads the channels over its servers.
    pub(super) fn name(self, epoch: &str) -> String {
        if self == Self::ALL {
            format!("parlor:{epoch}:all")
        } else {
            format!("parlor:{epoch}:{}", self.0)
        }
    }
}

/// The channels that are wanted.
#[derive(Default)]
pub(super) struct Shards {
    /// Each with whether it was wanted since [`Shards::follow_only`] was called last: a lane that
    /// is made while its caller counts the lanes is not missed.
    wanted: Mutex<HashMap<Channel, bool>>,
    changed: Notify,
}

impl Shards {
    /// Wants a log's channel.
    pub(super) fn follow(&self, topic: Topic) {
        if self.wanted.lock().insert(Channel::of(topic), true).is_none() {
            self.changed.notify_one();
        }
    }

    /// Wants the channels of these logs, and of those that were wanted meanwhile.
    pub(super) fn follow_only(&self, topics: &[Topic]) {
        let mut wanted = self.wanted.lock();
        let before = wanted.len();
        let mut kept: HashMap<_, _> =
            topics.iter().map(|topic| (Channel::of(*topic), false)).collect();
        let added = kept.keys().any(|channel| !wanted.contains_key(channel));
        for (channel, _) in wanted.iter().filter(|(_, fresh)| **fresh) {
            kept.entry(*channel).or_insert(false);
        }
        let changed = added || kept.len() != before;
        *wanted = kept;
        drop(wanted);
        if changed {
            self.changed.notify_one();
        }
    }

    /// Those that are wanted now.
    pub(super) fn wanted(&self) -> Vec<Channel> {
        self.wanted.lock().keys().copied().collect()
    }

    /// Whether one is wanted.
    pub(super) fn wants(&self, channel: Channel) -> bool {
        channel == Channel::ALL || self.wanted.lock().contains_key(&channel)
    }

    /// Waits until others are wanted than before.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_domain::SessionId;
    use uuid::Uuid;

    fn topics(from: u128, to: u128) -> Vec<Topic> {
        (from..to).map(|n| Topic::Session(SessionId(Uuid::from_u128(n)))).collect()
    }

    #[test]
    fn logs_are_spread_over_all_channels() {
        let mut counts = vec![0_u32; usize::from(SHARDS)];
        for topic in topics(1, 65_537) {
            counts[usize::from(Channel::of(topic).0)] += 1;
        }
        assert!(counts.iter().all(|count| (16..=256).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_channel_that_is_not_wanted_any_more_goes_with_the_next_count_but_one() {
        let shards = Shards::default();
        let all = topics(1, 3);
        shards.follow(all[0]);
        shards.follow_only(&[]);
        assert_eq!(shards.wanted(), [Channel::of(all[0])], "made while they were counted");
        shards.follow_only(&all[1..]);
        assert_eq!(shards.wanted(), [Channel::of(all[1])]);
        assert!(shards.wants(Channel::ALL) && !shards.wants(Channel::of(all[0])));
    }
}
