//! Who is here and who listens.
//!
//! Owns the shared logs of encoded frames (one lane per session and per user), the
//! cursors that connections read them through, presence and typing. A connection has no queue:
//! it is behind by as much as its cursors are, and one [`Ear`] with one bell wakes it. Refuses
//! SQL, HTTP, sockets and decisions: whoever listens was let in by the use cases.

mod bell;
mod ear;
mod frame;
mod lane;
mod murmur;
mod registry;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use parlor_domain::{DeviceId, Event, Limits, LoginId, SessionId, Time, UserEvent, UserId};
use parlor_wire::Dialect;
use parlor_ws::Shared;

pub use ear::{Ear, Form, Gathered, Lagged, Token};
pub use frame::Frame;
pub use lane::Hole;
pub use murmur::Change;
pub use registry::{Cut, TooMany};

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

/// All lanes and all connections of this node.
pub struct Hub {
    lanes: Vec<Mutex<HashMap<Key, Arc<Lane>>>>,
    hasher: RandomState,
    registry: Registry,
    murmurs: Murmurs,
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
            limits,
            woken: AtomicUsize::new(0),
        })
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

    /// Tells everybody who listens of events of one session, in order. They follow each other
    /// without holes.
    ///
    /// # Errors
    /// [`Hole`] when they do not continue what was told before: nothing was told, and the caller
    /// reads what is missing from the store.
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

    /// Whether a connection of this user is open here.
    pub fn is_online(&self, user: UserId) -> bool {
        self.registry.is_online(user)
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
        listen(shard.entry(key).or_insert_with(|| Arc::new(Lane::new(key))))
    }
}
