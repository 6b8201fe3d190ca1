//! Who is here and who listens.
//!
//! Owns the shared logs of encoded frames (one lane per session and per user), the
//! cursors that connections read them through, presence and typing. A connection has no queue:
//! it is behind by as much as its cursors are, and one [`Ear`] with one bell wakes it. Refuses
//! SQL, HTTP, sockets and decisions: whoever listens was let in by the use cases.

mod bell;
mod ear;
mod elsewhere;
mod frame;
mod lane;
mod murmur;
mod registry;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use parlor_domain::{DeviceId, Event, Limits, LoginId, SessionId, Time, UserEvent, UserId};
use parlor_wire::Dialect;
use parlor_wire::v1::server_frame;
use parlor_ws::Shared;

pub use ear::{Ear, Form, Gathered, Lagged, Token};
pub use frame::Frame;
pub use lane::Hole;
pub use murmur::Change;
pub use registry::{Cut, TooMany};

use elsewhere::Elsewhere;
use lane::Lane;
use murmur::Murmurs;
use registry::Registry;

/// What can be listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A session's log.
    Session(SessionId),
    /// A user's own log.
    User(UserId),
    /// What only the connections of one façade hear; it has no log.
    Dialect(Dialect),
    /// Who says in a session that they are writing, whenever they say so: for façades that have no
    /// word for its end. It has no log.
    Typing(SessionId),
    /// That something may wait in the queues of a user's devices. It has no log.
    Queue(UserId),
}

/// Who a connection belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    /// The user.
    pub user: UserId,
    /// The sign-in.
    pub login: LoginId,
    /// The device.
    pub device: DeviceId,
    /// Where it comes from.
    pub address: IpAddr,
}

/// How many parts the map of lanes has, each with its own lock.
const SHARDS: usize = 64;

/// What wants to know of new lanes.
type Follow = Box<dyn Fn(Key) + Send + Sync>;

/// All lanes and all connections of this node.
pub struct Hub {
    lanes: Vec<Mutex<HashMap<Key, Arc<Lane>>>>,
    hasher: RandomState,
    registry: Registry,
    murmurs: Murmurs,
    elsewhere: Elsewhere,
    follow: OnceLock<Follow>,
    limits: Limits,
    /// Connections woken by events since this was last asked.
    woken: AtomicUsize,
}

impl Hub {
    /// An empty hub.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            lanes: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            registry: Registry::default(),
            murmurs: Murmurs::default(),
            elsewhere: Elsewhere::default(),
            follow: OnceLock::new(),
            limits,
            woken: AtomicUsize::new(0),
        })
    }

    /// Calls `follow` for every lane that is made from now on, before anybody can listen to it; who
    /// asked first is asked. It must not wait, nor call the hub.
    pub fn on_lane(&self, follow: impl Fn(Key) + Send + Sync + 'static) {
        let _ = self.follow.set(Box::new(follow));
    }

    /// How far each log that is listened to here was told, of those where it is known.
    pub fn tails(&self) -> Vec<(Key, i64)> {
        let tails = |(key, lane): (&Key, &Arc<Lane>)| lane.tail().map(|tail| (*key, tail));
        let shards = self.lanes.iter();
        shards.flat_map(|lanes| lanes.lock().iter().filter_map(tails).collect::<Vec<_>>()).collect()
    }

    /// How far a log was told, if it is listened to here and that is known.
    pub fn tail(&self, key: Key) -> Option<i64> {
        self.lane(key)?.tail()
    }

    /// Who listens here, each once.
    pub fn listeners(&self, key: Key) -> Vec<UserId> {
        let listeners = self.lane(key).map(|lane| lane.listeners());
        listeners.unwrap_or_default().into_iter().collect()
    }

    /// Everything that is listened to here.
    pub fn keys(&self) -> Vec<Key> {
        let shards = self.lanes.iter();
        shards.flat_map(|lanes| lanes.lock().keys().copied().collect::<Vec<_>>()).collect()
    }

    /// Lets a connection in.
    ///
    /// # Errors
    /// [`TooMany`] when its device, user or address has as many as the limits allow.
    pub fn connect(self: &Arc<Self>, who: Who) -> Result<Ear, TooMany> {
        let (number, bell, first) = self.registry.enter(who, &self.limits)?;
        if first {
            self.murmurs.came(who.user);
        }
        Ok(Ear::new(Arc::clone(self), who, number, bell))
    }

    /// Tells everybody who listens of events of one session, in order.
    ///
    /// # Errors
    /// [`Hole`] where they do not continue what was told before: nothing behind it was told, and
    /// the caller reads what is missing from the store.
    pub fn publish(&self, session: SessionId, events: Vec<Event>) -> Result<(), Hole> {
        self.append(Key::Session(session), || events.into_iter().map(Frame::event).collect())
    }

    /// Tells a user's connections of entries of their own log, in order.
    ///
    /// # Errors
    /// As [`Hub::publish`].
    pub fn publish_user(&self, user: UserId, events: Vec<UserEvent>) -> Result<(), Hole> {
        self.append(Key::User(user), || events.into_iter().map(Frame::user_event).collect())
    }

    fn append(&self, key: Key, frames: impl FnOnce() -> Vec<Arc<Frame>>) -> Result<(), Hole> {
        if let Some(lane) = self.lane(key) {
            let woken = lane.append(frames(), &self.limits)?;
            self.woken.fetch_add(woken, Ordering::Relaxed);
        }
        Ok(())
    }

    /// How many connections were woken by events since this was last asked.
    pub fn take_woken(&self) -> usize {
        self.woken.swap(0, Ordering::Relaxed)
    }

    /// Whether anybody on this node listens to a session, or did a moment ago.
    pub fn is_heard(&self, session: SessionId) -> bool {
        self.lane(Key::Session(session)).is_some()
    }

    /// Ends every connection of these logins; each closes as soon as it wakes.
    pub fn cut(&self, logins: &[LoginId]) {
        self.registry.cut(logins, Cut::Revoked);
    }

    /// Tells every connection that the server is going down.
    pub fn drain(&self) {
        self.registry.cut_all(Cut::Draining);
    }

    /// Whether a connection of this user is open, here or on another node.
    pub fn is_online(&self, user: UserId) -> bool {
        self.is_here(user) || self.elsewhere.has(user)
    }

    /// Whether a connection of this user is open here.
    pub fn is_here(&self, user: UserId) -> bool {
        self.registry.is_online(user)
    }

    /// Whether a connection of this user is open on another node.
    pub fn is_elsewhere(&self, user: UserId) -> bool {
        self.elsewhere.has(user)
    }

    /// The users who are connected here.
    pub fn users(&self) -> Vec<UserId> {
        self.registry.users()
    }

    /// The logins that are connected here.
    pub fn logins(&self) -> Vec<LoginId> {
        self.registry.logins()
    }

    /// The other nodes that were heard of a moment ago, in order.
    pub fn nodes(&self) -> Vec<u64> {
        self.elsewhere.nodes()
    }

    /// How many people are known to be at another node.
    pub fn count_at(&self, node: u64) -> usize {
        self.elsewhere.count(node)
    }

    /// Ends every connection.
    pub fn cut_all(&self, cut: Cut) {
        self.registry.cut_all(cut);
    }

    /// Notes who came to another node and who went from it.
    pub fn moved_elsewhere(&self, node: u64, came: &[UserId], went: &[UserId], now: Time) {
        self.elsewhere.moved(node, came, went, now);
    }

    /// Notes who is on another node; `first` forgets who was there before, and returns those of
    /// them who are nowhere now.
    pub fn is_at(&self, node: u64, first: bool, users: &[UserId], now: Time) -> Vec<UserId> {
        let mut gone = self.elsewhere.is(node, first, users, now);
        gone.retain(|user| !self.is_online(*user));
        gone
    }

    /// Notes that another node is alive; whether those who are known to be there are those of whom
    /// it says the number and the [`digest`].
    pub fn agrees(&self, node: u64, count: u64, digest: u128, now: Time) -> bool {
        self.elsewhere.agrees(node, count, digest, now)
    }

    /// Forgets the nodes that were not heard for so long, and returns who was there and is nowhere
    /// now.
    pub fn forget_silent(&self, silence: Duration, now: Time) -> Vec<UserId> {
        let mut gone = self.elsewhere.forget_silent(silence, now);
        gone.retain(|user| !self.is_online(*user));
        gone
    }

    /// How many connections are open here.
    pub fn connections(&self) -> usize {
        self.registry.len()
    }

    /// Notes that somebody is writing; told with the next [`Hub::murmur`].
    pub fn typing(&self, session: SessionId, user: UserId, now: Time) {
        self.murmurs.typing(session, user, now);
    }

    /// Notes how far somebody has read; told with the next [`Hub::murmur`].
    pub fn read_mark(&self, session: SessionId, user: UserId, number: i64) {
        self.murmurs.read(session, user, number);
    }

    /// Tells a user's other devices what happened on this one, which has no place in a log.
    pub fn murmur_to(&self, user: UserId, device: DeviceId, content: server_frame::Frame) {
        if let Some(lane) = self.lane(Key::User(user)) {
            lane.murmur(Frame::murmur_from(device, content));
        }
    }

    /// Wakes the connections of a user that read their device's queue.
    pub fn ring_queue(&self, user: UserId) {
        if let Some(lane) = self.lane(Key::Queue(user)) {
            lane.murmur(Frame::knock());
        }
    }

    /// Who came and went since this was last asked.
    pub fn presence_changes(&self) -> Vec<Change> {
        self.murmurs.take_changes()
    }

    /// Notes who came and went in a session; told with the next [`Hub::murmur`].
    pub fn presence(&self, session: SessionId, change: Change) {
        self.murmurs.presence(session, change);
    }

    /// Tells what was noted since the last call, once per session: typing, presence and read
    /// markers are told together and are the first to be dropped.
    pub fn murmur(&self, now: Time) {
        for (key, frame) in self.murmurs.take(now, &self.limits) {
            if let Some(lane) = self.lane(key) {
                lane.murmur(frame);
            }
        }
    }

    /// As [`Hub::murmur_in`], for a text that came from another node.
    pub fn murmur_text(&self, dialect: Dialect, text: &[u8]) {
        self.murmur_in(dialect, Shared::text(text));
    }

    /// Tells the connections of one façade something that is not kept and nobody else hears.
    pub fn murmur_in(&self, dialect: Dialect, said: Shared) {
        if let Some(lane) = self.lane(Key::Dialect(dialect)) {
            lane.murmur(Frame::murmur_in(dialect, said));
        }
    }

    /// Forgets frames that everybody who is not stalled has taken, and lanes that nobody has
    /// listened to since the last sweep. Until then a lane waits for those who come back: when a
    /// network fails, many do so at once, and none of them has to ask the store.
    pub fn sweep(&self) {
        for shard in &self.lanes {
            shard.lock().retain(|_, lane| lane.forget());
        }
    }

    fn shard(&self, key: Key) -> &Mutex<HashMap<Key, Arc<Lane>>> {
        let hash = self.hasher.hash_one(key) as usize;
        &self.lanes[hash % SHARDS]
    }

    fn lane(&self, key: Key) -> Option<Arc<Lane>> {
        self.shard(key).lock().get(&key).cloned()
    }

    /// Runs `listen` on the key's lane while nobody can take it away.
    fn with_lane<T>(&self, key: Key, listen: impl FnOnce(&Arc<Lane>) -> T) -> T {
        let mut shard = self.shard(key).lock();
        listen(shard.entry(key).or_insert_with(|| {
            if let Some(follow) = self.follow.get() {
                follow(key);
            }
            Arc::new(Lane::new(key))
        }))
    }
}

/// The ids of people, combined so that their order does not matter: by exclusive or.
pub fn digest<'a>(users: impl IntoIterator<Item = &'a UserId>) -> u128 {
    users.into_iter().fold(0, |digest, user| digest ^ user.0.as_u128())
}
