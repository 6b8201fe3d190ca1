//! The bus of several nodes: sharded pub/sub of Redis (7 or later, or Valkey).
//!
//! Owns the connection, its end and its return. Redis keeps nothing for us: every letter that it
//! loses is made up for from the store, so that any Redis will do, and one that is emptied or
//! replaced is not missed. Refuses to hold up whoever publishes: what cannot be sent at once waits
//! in the outbox, within its bounds.
//!
//! A node hears its own letters, too, and throws them away; those of the channel that all nodes
//! hear prove that Redis carries.

mod address;
mod link;
mod outbox;
mod shards;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use parlor_domain::{Event, UserEvent};
use redis::{PushInfo, PushKind, RedisResult, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use address::{Address, BadAddress};

use crate::{Bus, Heard, Node, State, Topic, Word, carry};
use link::{Link, Pushes};
use outbox::Outbox;
use shards::{Channel, Shards};

/// What came and was not heard yet, at most.
const HEARD_MAX: usize = 4_096;

/// How often a node writes to itself, and after how many unanswered letters Redis is down.
const BEAT: Duration = Duration::from_secs(1);
const BEATS_MISSED_MAX: u64 = 4;

/// The time between two attempts to connect: doubled each time from the first to the second of
/// these, and cut by up to a half at random, so that nodes do not come back together.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(3);

/// A bus over Redis. Clones are the same bus.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    node: Node,
    epoch: String,
    address: Address,
    outbox: Outbox,
    shards: Shards,
    up: AtomicBool,
    beats: AtomicU64,
    heard: mpsc::Sender<Heard>,
}

/// Why a connection is given up.
enum Broken {
    Failed(redis::RedisError),
    Closed,
    /// Nothing comes back, though nothing fails.
    Silent,
    /// The server hears a channel no more, or another server has it.
    Moved,
}

impl Redis {
    /// A bus that is not connected yet; [`Redis::run`] does that. What comes from other nodes of
    /// the same history is in the receiver.
    pub fn new(address: Address, epoch: &str) -> (Self, mpsc::Receiver<Heard>) {
        let (heard, receiver) = mpsc::channel(HEARD_MAX);
        let (node, _) = Uuid::new_v4().as_u64_pair();
        let node = Node(node);
        let shared = Shared {
            node,
            epoch: epoch.to_owned(),
            address,
            outbox: Outbox::new(node),
            shards: Shards::default(),
            up: AtomicBool::new(false),
            beats: AtomicU64::new(0),
            heard,
        };
        (Self(Arc::new(shared)), receiver)
    }

    /// Connects, and does so again whenever the connection is lost, until stopped.
    pub async fn run(self, stop: CancellationToken) {
        let connected = async {
            let mut wait = RETRY_MIN;
            let mut complained = false;
            loop {
                match Link::connect(&self.0.address).await {
                    Ok((link, pushes)) => {
                        let broken = self.0.serve(link, pushes, &mut complained).await;
                        if self.0.set_up(false) {
                            wait = RETRY_MIN;
                        }
                        self.0.outbox.shut();
                        broken.complain(&mut complained);
                    }
                    Err(error) => Broken::Failed(error).complain(&mut complained),
                }
                tokio::time::sleep(jittered(wait)).await;
                wait = (wait * 2).min(RETRY_MAX);
            }
        };
        stop.run_until_cancelled(connected).await;
        self.0.set_up(false);
    }
}

impl Bus for Redis {
    fn publish(&self, events: &[Event], user_events: &[UserEvent]) {
        for event in events {
            self.0.outbox.put_event(Topic::Session(event.session), event.seq, &carry::event(event));
        }
        for event in user_events {
            let entry = carry::user_event(event);
            self.0.outbox.put_event(Topic::User(event.user), event.seq, &entry);
        }
        let count = events.len() + user_events.len();
        metrics::counter!("parlor_bus_events_total", "way" => "out").increment(count as u64);
    }

    fn say(&self, word: Word) {
        let channel = word.topic().map_or(Channel::ALL, Channel::of);
        self.0.outbox.put_word(channel, &carry::word(&word));
    }

    fn follow(&self, topic: Topic) {
        self.0.shards.follow(topic);
    }

    fn follow_only(&self, topics: &[Topic]) {
        self.0.shards.follow_only(topics);
    }

    fn node(&self) -> Node {
        self.0.node
    }

    fn state(&self) -> State {
        if self.0.up.load(Ordering::Acquire) { State::Up } else { State::Down }
    }
}

impl Shared {
    /// Notes whether Redis carries; returns what was so before.
    fn set_up(&self, up: bool) -> bool {
        metrics::gauge!("parlor_bus_up").set(f64::from(u8::from(up)));
        self.up.swap(up, Ordering::AcqRel)
    }

    /// Uses a connection until it breaks.
    async fn serve(&self, link: Link, pushes: Pushes, complained: &mut bool) -> Broken {
        self.beats.store(0, Ordering::Relaxed);
        if let Err(error) = self.subscribe(&link, [Channel::ALL]).await {
            return Broken::Failed(error);
        }
        self.outbox.open();
        if std::mem::take(complained) {
            tracing::info!("Redis is back");
        }
        let ended = tokio::select! {
            ended = self.read(pushes) => ended,
            ended = self.write(&link) => ended,
            ended = self.keep(&link) => ended,
            ended = self.beat(&link) => ended,
        };
        metrics::counter!("parlor_bus_broken_total").increment(1);
        ended
    }

    async fn subscribe(
        &self,
        link: &Link,
        channels: impl IntoIterator<Item = Channel>,
    ) -> RedisResult<()> {
        let names = channels.into_iter().map(|channel| channel.name(&self.epoch));
        try_join_all(names.map(|name| link.clone().subscribe(name))).await.map(drop)
    }

    /// Hears what comes.
    async fn read(&self, mut pushes: Pushes) -> Broken {
        while let Some((push, overrun)) = pushes.next().await {
            if overrun {
                self.hear(Heard::Doubt).await;
            }
            match push.kind {
                PushKind::SMessage => self.open_letter(&push).await,
                PushKind::Disconnection => return Broken::Closed,
                PushKind::SUnsubscribe if self.is_wanted(&push) => return Broken::Moved,
                _ => {}
            }
        }
        Broken::Closed
    }

    async fn open_letter(&self, push: &PushInfo) {
        let Some(Value::BulkString(letter)) = push.data.last() else { return };
        if carry::writer(letter) == Some(self.node) {
            // Of all that comes back to where it came from, this proves that something does.
            self.beats.store(0, Ordering::Relaxed);
            return;
        }
        let mut events = 0;
        for heard in carry::read(letter) {
            events += u64::from(matches!(heard, Heard::Event(_) | Heard::Head(..)));
            self.hear(heard).await;
        }
        metrics::counter!("parlor_bus_events_total", "way" => "in").increment(events);
    }

    /// Whoever hears may be slow: then Redis, and in the end the store, has what they miss.
    async fn hear(&self, heard: Heard) {
        // An error: nobody hears any more, since the node is stopping.
        let _ = self.heard.send(heard).await;
    }

    fn is_wanted(&self, push: &PushInfo) -> bool {
        let Some(Value::BulkString(name)) = push.data.first() else { return false };
        let name = String::from_utf8_lossy(name);
        let mut wanted = self.shards.wanted();
        wanted.push(Channel::ALL);
        wanted
            .iter()
            .any(|channel| self.shards.wants(*channel) && channel.name(&self.epoch) == name)
    }

    /// Sends what waits.
    async fn write(&self, link: &Link) -> Broken {
        loop {
            let letters = self.outbox.take().await;
            let sent = letters
                .into_iter()
                .map(|(channel, letter)| link.clone().publish(channel.name(&self.epoch), letter));
            if let Err(error) = try_join_all(sent).await {
                metrics::counter!("parlor_bus_lost_total", "what" => "letter").increment(1);
                return Broken::Failed(error);
            }
        }
    }

    /// Hears the channels that are wanted, and no others.
    async fn keep(&self, link: &Link) -> Broken {
        let mut have = HashSet::new();
        loop {
            let wanted: HashSet<_> = self.shards.wanted().into_iter().collect();
            let new: Vec<_> = wanted.difference(&have).copied().collect();
            if let Err(error) = self.subscribe(link, new.iter().copied()).await {
                return Broken::Failed(error);
            }
            let old = have.difference(&wanted).map(|channel| channel.name(&self.epoch));
            let left = old.map(|name| link.clone().unsubscribe(name));
            if let Err(error) = try_join_all(left).await {
                return Broken::Failed(error);
            }
            if !new.is_empty() || have.is_empty() {
                // What was committed before these channels were heard is in the store.
                self.hear(Heard::Doubt).await;
            }
            have = wanted;
            self.shards.changed().await;
        }
    }

    /// Writes to itself, and notes whether that comes back.
    async fn beat(&self, link: &Link) -> Broken {
        let mut ticks = tokio::time::interval(BEAT);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let name = Channel::ALL.name(&self.epoch);
        loop {
            ticks.tick().await;
            if self.beats.fetch_add(1, Ordering::Relaxed) > BEATS_MISSED_MAX {
                return Broken::Silent;
            }
            let letter = carry::begin(self.node);
            if let Err(error) = link.clone().publish(name.clone(), letter).await {
                return Broken::Failed(error);
            }
            self.set_up(self.beats.load(Ordering::Relaxed) <= 1);
        }
    }
}

impl Broken {
    /// Says so in the log, once for each time that Redis is away.
    fn complain(&self, complained: &mut bool) {
        if std::mem::replace(complained, true) {
            return;
        }
        match self {
            // Of an error only its kind: its text may hold an address with a password.
            Self::Failed(error) => {
                tracing::warn!(kind = ?error.kind(), code = ?error.code(), "Redis is away");
            }
            Self::Closed => tracing::warn!("Redis is away: it closed the connection"),
            Self::Silent => tracing::warn!("Redis is away: nothing comes back"),
            Self::Moved => tracing::warn!("Redis has moved a channel: connecting anew"),
        }
    }
}

/// A wait, cut by up to a half at random.
fn jittered(wait: Duration) -> Duration {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    wait.mul_f64(0.5 + 0.5 * (random >> 11) as f64 / (1_u64 << 53) as f64)
}
