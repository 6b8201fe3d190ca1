//! A connection's ear: what it listens to, how far it has heard, and the bell that wakes it.

use std::sync::Arc;
use std::task::{Context, Poll};

use parlor_domain::UserId;
use parlor_wire::frame::Codec;
use parlor_ws::Shared;

use crate::bell::{Bell, Rope};
use crate::lane::{Lane, Taken};
use crate::registry::Cut;
use crate::{Frame, Hub, Key, Who};

/// Names one of the things that an ear listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(u32);

/// The connection has fallen so far behind that what it needs next is not kept any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lagged;

/// What [`Ear::gather`] came upon.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// More is ready than was taken.
    pub more: bool,
    /// The user is out of these: the ear does not listen to them any more.
    pub over: Vec<Key>,
}

/// How many bytes one session may put in front of the others in one turn.
const TURN_BYTES: u64 = 32 * 1024;

struct Cursor {
    lane: Arc<Lane>,
    rope: Arc<Rope>,
    /// The `seq` wanted next; `None`: the log is being caught up with, nothing is taken yet.
    next: Option<i64>,
    murmurs: u64,
}

/// A connection's side of the hub. Dropping it leaves.
pub struct Ear {
    hub: Arc<Hub>,
    who: Who,
    number: u64,
    bell: Arc<Bell>,
    cursors: Vec<Option<Cursor>>,
    ready: Vec<Token>,
}

impl Ear {
    pub(crate) fn new(hub: Arc<Hub>, who: Who, number: u64, bell: Arc<Bell>) -> Self {
        Self { hub, who, number, bell, cursors: Vec::new(), ready: Vec::new() }
    }

    /// Whose connection it is.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// Ready when there may be something to gather, or a verdict. The task that asked last is woken
    /// when there is.
    pub fn poll_rung(&self, cx: &Context<'_>) -> Poll<()> {
        if self.ready.is_empty() { self.bell.poll(cx) } else { Poll::Ready(()) }
    }

    /// Ready when there is a verdict, whatever there may be to gather. The task that asked last is
    /// woken when there is.
    pub fn poll_cut(&self, cx: &Context<'_>) -> Poll<()> {
        self.bell.poll_cut(cx)
    }

    /// How the connection is to end, if it is.
    pub fn verdict(&self) -> Option<Cut> {
        self.bell.verdict()
    }

    /// Whether it listens to this.
    pub fn hears(&self, key: Key) -> bool {
        self.find(key).is_some()
    }

    /// How many things it listens to.
    pub fn len(&self) -> usize {
        self.cursors.iter().flatten().count()
    }

    /// Whether it listens to nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins to listen: from now on nothing is missed, but nothing is taken before
    /// [`Ear::live_from`] says where to begin. Listening again begins anew.
    pub fn listen(&mut self, key: Key) -> Token {
        let slot = self.find(key).or_else(|| self.cursors.iter().position(Option::is_none));
        let slot = slot.unwrap_or_else(|| {
            self.cursors.push(None);
            self.cursors.len() - 1
        });
        let token = Token(u32::try_from(slot).unwrap_or(u32::MAX));
        if let Some(cursor) = &mut self.cursors[slot] {
            cursor.next = None;
            return token;
        }
        let rope = Arc::new(Rope::new(Arc::clone(&self.bell), token, self.who.user));
        let cursor = self.hub.with_lane(key, |lane| {
            let murmurs = lane.listen(Arc::clone(&rope));
            Cursor { lane: Arc::clone(lane), rope: Arc::clone(&rope), next: None, murmurs }
        });
        self.cursors[slot] = Some(cursor);
        token
    }

    /// Takes what comes from `next` on. Everything before must have been told already.
    pub fn live_from(&mut self, key: Key, next: i64) {
        let Some(slot) = self.find(key) else { return };
        if let Some(cursor) = &mut self.cursors[slot] {
            cursor.next = Some(next);
            cursor.rope.pull();
        }
    }

    /// Says where a log was when this ear began to listen to it: see [`Hub::tails`].
    pub fn ground(&self, key: Key, head: i64) {
        if let Some(cursor) = self.find(key).and_then(|slot| self.cursors[slot].as_ref()) {
            cursor.lane.ground(head);
        }
    }

    /// The newest `seq`, if everything from `next` on can still be taken without the store, and
    /// nothing of it takes the user out.
    pub fn tail_if_kept(&self, key: Key, next: i64) -> Option<i64> {
        self.cursors[self.find(key)?].as_ref()?.lane.tail_if_kept(next, self.who.user)
    }

    /// Listens no more.
    pub fn ignore(&mut self, key: Key) {
        if let Some(slot) = self.find(key) {
            self.drop_slot(slot);
        }
    }

    /// Hands over what is ready, up to about `bytes_max` bytes. Sessions take turns, so that a
    /// busy one does not keep others waiting.
    ///
    /// # Errors
    /// [`Lagged`] when it has fallen too far behind.
    pub fn gather(
        &mut self,
        bytes_max: u64,
        mut tell: impl FnMut(Key, Arc<Frame>),
    ) -> Result<Gathered, Lagged> {
        self.bell.take(&mut self.ready);
        let mut gathered = Gathered::default();
        let mut turns = std::mem::take(&mut self.ready);
        let (mut bytes, mut done) = (0, 0);
        while done < turns.len() && bytes < bytes_max {
            let token = turns[done];
            done += 1;
            let (more, taken) = self.turn(token, &mut tell, &mut gathered)?;
            bytes += taken;
            if more {
                turns.push(token);
            }
        }
        turns.drain(..done);
        gathered.more = !turns.is_empty();
        self.ready = turns;
        Ok(gathered)
    }

    /// One lane's turn: whether it has more, and how many bytes it gave.
    fn turn(
        &mut self,
        token: Token,
        tell: &mut impl FnMut(Key, Arc<Frame>),
        gathered: &mut Gathered,
    ) -> Result<(bool, u64), Lagged> {
        let slot = token.0 as usize;
        let Some(cursor) = self.cursors.get_mut(slot).and_then(Option::as_mut) else {
            return Ok((false, 0));
        };
        cursor.rope.heard();
        let Some(next) = cursor.next else {
            return Ok((false, 0));
        };
        let mut frames = Vec::new();
        let taken = cursor.lane.take(next, TURN_BYTES, &mut frames);
        if matches!(taken, Taken::Lost) {
            return Err(Lagged);
        }
        let more = matches!(taken, Taken::More);
        disorder(&mut frames);
        let out_at = parting(&frames, self.who.user);
        if let Some(last) = out_at {
            frames.truncate(last + 1);
        }
        cursor.next = Some(frames.last().map_or(next, |frame| frame.seq() + 1));
        if !more && out_at.is_none() {
            cursor.murmurs = cursor.lane.take_murmurs(cursor.murmurs, &mut frames);
        }
        let (key, mut bytes) = (cursor.lane.key(), 0);
        for frame in frames.into_iter().filter(|frame| !frame.is_from(self.who.device)) {
            bytes += frame.bytes();
            tell(key, frame);
        }
        if out_at.is_some() {
            gathered.over.push(key);
            self.drop_slot(slot);
            return Ok((false, bytes));
        }
        Ok((more, bytes))
    }

    fn find(&self, key: Key) -> Option<usize> {
        self.cursors.iter().position(|c| c.as_ref().is_some_and(|c| c.lane.key() == key))
    }

    fn drop_slot(&mut self, slot: usize) {
        if let Some(cursor) = self.cursors[slot].take() {
            cursor.lane.ignore(&cursor.rope);
        }
    }
}

/// Where in these frames the user is taken out: the last that they hear.
fn parting(frames: &[Arc<Frame>], user: UserId) -> Option<usize> {
    fail::fail_point!("hub::ear::hear-on", |_| None);
    frames.iter().position(|frame| frame.takes_out() == Some(user))
}

/// Does nothing, but for a fault that is planted here.
fn disorder(frames: &mut [Arc<Frame>]) {
    fail::fail_point!("hub::ear::swap", frames.len() > 1, |_| frames.swap(0, 1));
    let _ = frames;
}

impl Drop for Ear {
    fn drop(&mut self) {
        for slot in 0..self.cursors.len() {
            self.drop_slot(slot);
        }
        if self.hub.registry.leave(self.number, &self.who) {
            self.hub.murmurs.went(self.who.user);
        }
    }
}

/// The form that a connection takes frames in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Plain, in this codec.
    Plain(Codec),
    /// JSON, compressed once per event.
    Deflated,
}

impl Form {
    /// The frame in this form.
    pub fn of(self, frame: &Frame) -> &Shared {
        match self {
            Self::Plain(codec) => frame.encoded(codec),
            Self::Deflated => frame.deflated(),
        }
    }
}
