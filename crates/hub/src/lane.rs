//! Path 8/8: one shared log of encoded frames per session. Connections read it through cursors;
//! one bell each wakes them, one vectored write carries what is ready → back to 1/8,
//! `doors/src/socket.rs`.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use parlor_domain::{Limits, UserId};

use crate::bell::Rope;
use crate::{Frame, Key};

/// Murmurs kept for those who have not read them; older ones are dropped.
const MURMURS_MAX: usize = 16;

/// What came does not continue what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// The last `seq` that was told.
    pub after: i64,
    /// The first `seq` that came.
    pub before: i64,
}

/// The frames of one session or user that are on their way to those who listen.
pub(crate) struct Lane {
    key: Key,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Frames with consecutive `seq`.
    frames: VecDeque<Arc<Frame>>,
    bytes: u64,
    /// The `seq` of the newest frame there ever was; 0 before the first.
    tail: i64,
    /// The `seq` of the newest frame at the last sweep: what is not newer may be forgotten next.
    swept: i64,
    murmurs: VecDeque<Arc<Frame>>,
    /// How many murmurs there have been.
    murmured: u64,
    ropes: Vec<Arc<Rope>>,
    /// Whether it is known where the log was when somebody began to listen.
    grounded: bool,
    /// Whether nobody listened at the last sweep.
    deserted: bool,
}

/// What a cursor finds at its place.
pub(crate) enum Taken {
    /// Frames, in order, were appended to the buffer; nothing is left.
    All,
    /// Frames were appended; more are there.
    More,
    /// What the cursor wants next is not kept any more.
    Lost,
}

impl State {
    /// Takes out of the frames what they tell of messages of which nothing is left.
    fn erase(&mut self, numbers: (i64, i64), at: i64) {
        for frame in &mut self.frames {
            if let Some(erased) = frame.without(numbers, at) {
                self.bytes = self.bytes - frame.bytes() + erased.bytes();
                *frame = erased;
            }
        }
    }
}

impl Lane {
    pub(crate) fn new(key: Key) -> Self {
        Self { key, state: Mutex::default() }
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// Appends frames, up to the first hole, and wakes all who listen; returns how many. What was
    /// there is left out. What is appended at once is kept as a whole: who had heard everything
    /// before it is not behind.
    pub(crate) fn append(&self, frames: Vec<Arc<Frame>>, limits: &Limits) -> Result<usize, Hole> {
        let mut state = self.state.lock();
        let state = &mut *state;
        let heard = state.tail;
        let mut hole = None;
        for frame in frames {
            let (after, before) = (state.tail, frame.seq());
            match place(before, after, state.grounded) {
                Place::Told => continue,
                Place::Beyond => {
                    hole = Some(Hole { after, before });
                    break;
                }
                Place::Next => {}
            }
            if let Some((numbers, at)) = frame.erases() {
                state.erase(numbers, at);
            }
            state.tail = frame.seq();
            state.bytes += frame.bytes();
            state.frames.push_back(frame);
        }
        while state.frames.len() as u64 > limits.backlog_events_max
            || state.bytes > limits.backlog_bytes_max
        {
            let Some(oldest) = state.frames.pop_front_if(|frame| frame.seq() <= heard) else {
                break;
            };
            state.bytes -= oldest.bytes();
        }
        let woken = match state.tail > heard {
            true => state.ropes.iter().filter(|rope| rope.pull()).count(),
            false => 0,
        };
        hole.map_or(Ok(woken), Err)
    }

    /// The `seq` of the newest frame there ever was, once it is known where the log was.
    pub(crate) fn tail(&self) -> Option<i64> {
        let state = self.state.lock();
        (state.grounded || state.tail != 0).then_some(state.tail)
    }

    /// Says where the log was when somebody began to listen: what comes next continues that, or
    /// there is a hole. Without it, whatever comes first begins the lane, which is right where
    /// everything that is committed comes.
    pub(crate) fn ground(&self, head: i64) {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.grounded, true) {
            return;
        }
        let first = state.tail - state.frames.len() as i64 + 1;
        if state.tail == 0 || first > head + 1 {
            state.frames.clear();
            (state.tail, state.swept, state.bytes) = (head, head, 0);
        }
    }

    /// Lets those who listen hear something that has no place in the log.
    pub(crate) fn murmur(&self, frame: Arc<Frame>) {
        let mut state = self.state.lock();
        state.murmurs.push_back(frame);
        state.murmured += 1;
        if state.murmurs.len() > MURMURS_MAX {
            state.murmurs.pop_front();
        }
        state.ropes.iter().for_each(|rope| _ = rope.pull());
    }

    /// Adds a listener; they hear every murmur from now on. Returns where murmurs begin for them.
    pub(crate) fn listen(&self, rope: Arc<Rope>) -> u64 {
        let mut state = self.state.lock();
        state.ropes.push(rope);
        state.deserted = false;
        state.murmured
    }

    /// Who listens, each once.
    pub(crate) fn listeners(&self) -> BTreeSet<UserId> {
        self.state.lock().ropes.iter().map(|rope| rope.user()).collect()
    }

    /// Removes a listener.
    pub(crate) fn ignore(&self, rope: &Arc<Rope>) {
        self.state.lock().ropes.retain(|r| !Arc::ptr_eq(r, rope));
    }

    /// Appends to `out` the frames from `next` on, up to about `bytes_max` bytes.
    pub(crate) fn take(&self, next: i64, bytes_max: u64, out: &mut Vec<Arc<Frame>>) -> Taken {
        let state = self.state.lock();
        if next > state.tail {
            return Taken::All;
        }
        let first = state.tail - state.frames.len() as i64 + 1;
        let Ok(skip) = usize::try_from(next - first) else {
            fail::fail_point!("hub::lane::pass-over", |_| Taken::All);
            return Taken::Lost;
        };
        let mut bytes = 0;
        for frame in state.frames.range(skip..) {
            out.push(Arc::clone(frame));
            bytes += frame.bytes();
            if bytes >= bytes_max && frame.seq() < state.tail {
                return Taken::More;
            }
        }
        Taken::All
    }

    /// The newest `seq`, if everything from `next` on is kept and nothing of it takes the user out:
    /// somebody who went and came back hears of both, which a cursor would end between.
    pub(crate) fn tail_if_kept(&self, next: i64, user: UserId) -> Option<i64> {
        let state = self.state.lock();
        let first = state.tail - state.frames.len() as i64 + 1;
        let skip = usize::try_from(next - first).ok().filter(|_| state.tail != 0)?;
        let mut kept = state.frames.iter().skip(skip);
        let goes_on = !kept.any(|frame| frame.takes_out() == Some(user));
        (next <= state.tail + 1 && goes_on).then_some(state.tail)
    }

    /// Appends to `out` the murmurs after the first `heard`, and returns how many there have been.
    /// Dropped ones are passed over.
    pub(crate) fn take_murmurs(&self, heard: u64, out: &mut Vec<Arc<Frame>>) -> u64 {
        let state = self.state.lock();
        let new = usize::try_from(state.murmured - heard).unwrap_or(usize::MAX);
        let kept = state.murmurs.len();
        out.extend(state.murmurs.range(kept - new.min(kept)..).cloned());
        state.murmured
    }

    /// Forgets the frames that were there at the last call: who has not taken them since then has
    /// stalled, and reads them from the store when it comes back.
    /// Says whether the lane is still wanted: somebody listens, or did since the last call.
    pub(crate) fn forget(&self) -> bool {
        let mut state = self.state.lock();
        if state.deserted && state.ropes.is_empty() {
            return false;
        }
        state.deserted = state.ropes.is_empty();
        while state.frames.front().is_some_and(|frame| frame.seq() <= state.swept) {
            if let Some(frame) = state.frames.pop_front() {
                state.bytes -= frame.bytes();
            }
        }
        state.swept = state.tail;
        state.frames.shrink_to(16);
        state.murmurs.clear();
        state.murmurs.shrink_to_fit();
        true
    }
}

/// How a frame goes on from where a lane is.
enum Place {
    Told,
    Next,
    Beyond,
}

fn place(seq: i64, tail: i64, grounded: bool) -> Place {
    fail::fail_point!("hub::lane::no-dedupe", seq <= tail, |_| Place::Next);
    fail::fail_point!("hub::lane::ignore-hole", seq > tail, |_| Place::Next);
    match seq - tail {
        _ if tail == 0 && !grounded => Place::Next,
        ..=0 => Place::Told,
        1 => Place::Next,
        _ => Place::Beyond,
    }
}
