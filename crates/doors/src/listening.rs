//! What one connection hears, on any door: sessions and the user's own log, each caught up with
//! from the store and then followed in the hub, without a hole or a double in between.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};

use parlor_app::{Actor, App, Error};
use parlor_domain::Denied;
use parlor_hub::{Ear, Frame, Key, Lagged};
use parlor_wire::v1;

/// A stretch of a log that is still to be read from the store.
struct Replay {
    key: Key,
    after: i64,
}

/// An ear, and what is still to be caught up with.
pub struct Listening {
    app: Arc<App>,
    actor: Actor,
    /// The connection's side of the hub.
    pub ear: Ear,
    replays: VecDeque<Replay>,
    keys: Keys,
}

/// How far the device is with what it is told about keys: one frame at a time, and the next when it
/// has said that it has it.
#[derive(Default)]
struct Keys {
    /// Whether it wants to be told.
    on: bool,
    /// Whether it says here what it has; otherwise it does so elsewhere, and is told of all news.
    answers: bool,
    /// Whether there may be more, and whether there was more than it was told.
    rung: bool,
    more: bool,
    /// What it has, and what it was told.
    taken: i64,
    said: i64,
    /// How many keys of its own it was told are left, of each kind, and of which kinds one is.
    left: Option<Box<Left>>,
}

type Left = (HashMap<String, i64>, Vec<String>);

impl Listening {
    /// An ear that hears nothing yet.
    pub fn new(app: Arc<App>, actor: Actor, ear: Ear) -> Self {
        Self { app, actor, ear, replays: VecDeque::new(), keys: Keys::default() }
    }

    /// Begins to hear a log after `after` (`None`: from now) and returns its head. What is already
    /// there comes with [`Listening::catch_up`], the rest from the ear.
    ///
    /// # Errors
    /// [`Denied::NotFound`] for a session that the actor is not in; [`Error::ResyncRequired`] when
    /// `after` is beyond the head.
    pub async fn subscribe(&mut self, key: Key, after: Option<i64>) -> Result<i64, Error> {
        let (heard, after) = (self.ear.hears(key), resumed(after));
        if !heard && self.ear.len() as u64 >= self.app.limits().subscriptions_max {
            return Err(Denied::Conflict("too many subscriptions").into());
        }
        self.replays.retain(|replay| replay.key != key);
        self.ear.listen(key);
        match self.begin(key, after).await {
            Ok(head) => Ok(head),
            Err(error) => {
                if !heard || !matches!(error, Error::ResyncRequired) {
                    self.ear.ignore(key);
                }
                Err(error)
            }
        }
    }

    async fn begin(&mut self, key: Key, after: Option<i64>) -> Result<i64, Error> {
        // A lane that has everything since then spares the store the work: many come back at
        // once after a restart of the network.
        if let Some(next) = after.map(|after| after.saturating_add(1))
            && let Key::Session(session) = key
            && let Some(head) = self.ear.tail_if_kept(key, next)
        {
            self.app.check_listener(&self.actor, session).await?;
            self.ear.live_from(key, next);
            return Ok(head);
        }
        let head = match key {
            Key::Session(session) => self.app.session_head(&self.actor, session).await?,
            Key::User(_) => self.app.user_head(&self.actor).await?,
            Key::Dialect(_) | Key::Typing(_) | Key::Queue(_) => 0,
        };
        if self.app.is_shared() {
            // What other nodes commit may not be told here: what comes next must follow this.
            self.ear.ground(key, head);
        }
        match after {
            Some(after) if after > head || after < 0 => return Err(Error::ResyncRequired),
            Some(after) if after < head => self.replays.push_back(Replay { key, after }),
            _ => self.ear.live_from(key, head + 1),
        }
        Ok(head)
    }

    /// Hears a log no more.
    pub fn unsubscribe(&mut self, key: Key) {
        self.replays.retain(|replay| replay.key != key);
        self.ear.ignore(key);
    }

    /// Whether something is still to be read from the store, now: not before all keys are told
    /// that wait for the device.
    pub fn is_behind(&self) -> bool {
        !self.replays.is_empty() && !self.keys.more
    }

    /// The device has what it was told about keys up to `pos`, and wants what comes next.
    pub fn take_keys(&mut self, pos: i64) {
        if !self.keys.on {
            self.hear_of_keys(Keys { answers: true, said: pos, ..Keys::default() });
        }
        self.keys.taken = self.keys.taken.max(pos);
        // What it was told may have been all or not.
        self.keys.rung |= self.keys.taken >= self.keys.said;
    }

    /// The device wants all news about keys, and says elsewhere what it has.
    pub fn follow_keys(&mut self) {
        self.hear_of_keys(Keys { rung: true, ..Keys::default() });
    }

    fn hear_of_keys(&mut self, keys: Keys) {
        let key = Key::Queue(self.actor.user);
        self.ear.listen(key);
        self.ear.live_from(key, 1);
        self.keys = Keys { on: true, ..keys };
    }

    /// Whether the device wants to be told about keys.
    pub fn hears_of_keys(&self) -> bool {
        self.keys.on
    }

    /// Whether there may be something about keys that the device can be told now.
    pub fn is_rung(&self) -> bool {
        self.keys.rung && (!self.keys.answers || self.keys.taken >= self.keys.said)
    }

    /// What the device is told about keys next: how many of its own are left, at least. `None` when
    /// it knows all of it: it would answer, and be told the same again.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn key_news(&mut self) -> Result<Option<v1::E2ee>, Error> {
        self.keys.rung = false;
        let news = self.app.key_news(&self.actor, self.keys.taken).await?;
        self.keys.said = news.pos.max(self.keys.taken);
        self.keys.more = news.more && self.keys.answers;
        let counts = news.device_one_time_keys_count.clone();
        let left = Box::new((counts, news.device_unused_fallback_key_types.clone()));
        let told = self.keys.left.replace(left);
        let is_known = news.pos <= self.keys.taken && told == self.keys.left;
        Ok((!is_known).then_some(news))
    }

    /// Ready when there may be something to take, from the store or in the hub. The task that asked
    /// last is woken when there is.
    pub fn poll_rung(&self, cx: &Context<'_>) -> Poll<()> {
        if self.is_behind() || self.is_rung() { Poll::Ready(()) } else { self.ear.poll_rung(cx) }
    }

    /// Reads one page of what is still to be caught up with; logs take turns. Returns the log that
    /// turned out to be over: its user was sent away meanwhile and hears nothing more of it.
    ///
    /// # Errors
    /// [`Error`] when the store fails: the connection must end, since it has a hole now.
    pub async fn catch_up(
        &mut self,
        mut tell: impl FnMut(Key, Arc<Frame>),
    ) -> Result<Option<Key>, Error> {
        let Some(Replay { key, after }) = self.replays.pop_front() else {
            return Ok(None);
        };
        let (frames, head) = match self.page(key, after).await {
            Ok(page) => page,
            Err(Error::Denied(Denied::NotFound)) => {
                self.ear.ignore(key);
                return Ok(Some(key));
            }
            Err(error) => return Err(error),
        };
        let last = frames.last().map_or(after, |frame| frame.seq());
        frames.into_iter().for_each(|frame| tell(key, frame));
        if last >= head || self.ear.tail_if_kept(key, last + 1).is_some() {
            self.ear.live_from(key, last + 1);
        } else {
            self.replays.push_back(Replay { key, after: last });
        }
        Ok(None)
    }

    async fn page(&self, key: Key, after: i64) -> Result<(Vec<Arc<Frame>>, i64), Error> {
        let limit = self.app.limits().replay_page_max;
        match key {
            Key::Session(session) => {
                let page = self.app.events_after(&self.actor, session, after, limit).await?;
                Ok((page.events.into_iter().map(Frame::event).collect(), page.head))
            }
            Key::User(_) => {
                let page = self.app.user_events_after(&self.actor, after, limit).await?;
                Ok((page.events.into_iter().map(Frame::user_event).collect(), page.head))
            }
            Key::Dialect(_) | Key::Typing(_) | Key::Queue(_) => Ok((vec![], 0)),
        }
    }

    /// Hands over what is ready in the hub.
    ///
    /// # Errors
    /// [`Lagged`] when the connection has fallen too far behind.
    pub fn gather(
        &mut self,
        bytes_max: u64,
        mut tell: impl FnMut(Key, Arc<Frame>),
    ) -> Result<Vec<Key>, Lagged> {
        let rung = &mut self.keys.rung;
        let tell = |key: Key, frame: Arc<Frame>| match key {
            Key::Queue(_) => *rung = true,
            _ => tell(key, frame),
        };
        self.ear.gather(bytes_max, tell).map(|gathered| gathered.over)
    }
}

/// Where a resumed log goes on: where it was left, but for faults that are planted here.
fn resumed(after: Option<i64>) -> Option<i64> {
    fail::fail_point!("doors::listening::resume-late", |_| after.map(|after| after + 1));
    fail::fail_point!("doors::listening::resume-early", |_| after.map(|after| after - 1));
    after
}
