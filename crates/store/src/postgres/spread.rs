//! Which lane a session's drafts go through. As few lanes as will do: a transaction costs the
//! database about as much with a few drafts as with many, so what could go in one group should not
//! be spread over four. A session stays in its lane as long as anything of it is under way, so that
//! its drafts are stored in the order in which they were queued.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Drafts under way for each lane before another one is used.
const LANE_FULL: usize = 32;

/// The lanes of a node, and what is under way in them.
pub(super) struct Spread {
    lanes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Drafts under way.
    drafts: usize,
    /// The lane of each session that has any, and how many it has.
    sessions: HashMap<i64, (usize, usize)>,
}

impl Spread {
    /// For so many lanes, one at least.
    pub(super) fn over(lanes: usize) -> Arc<Self> {
        Arc::new(Self { lanes: lanes.max(1), state: Mutex::default() })
    }

    /// A place for a draft of this session.
    pub(super) fn place(self: &Arc<Self>, session_no: i64) -> Place {
        let mut state = self.state.lock();
        state.drafts += 1;
        // Doubled and not one more each time, so that most sessions are where they were, and two
        // nodes, whose groups wait for each other where they share a session, part them alike.
        let needed = state.drafts.div_ceil(LANE_FULL).next_power_of_two().min(self.lanes);
        let lane = session_no.unsigned_abs() % needed as u64;
        let new = (usize::try_from(lane).unwrap_or_default(), 0);
        let (lane, drafts) = state.sessions.entry(session_no).or_insert(new);
        *drafts += 1;
        Place { lane: *lane, session_no, spread: Arc::clone(self) }
    }
}

/// A draft's place in a lane, which is free when this is dropped.
pub(super) struct Place {
    /// Which lane.
    pub(super) lane: usize,
    session_no: i64,
    spread: Arc<Spread>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.spread.state.lock();
        state.drafts -= 1;
        if let Some((_, drafts)) = state.sessions.get_mut(&self.session_no) {
            *drafts -= 1;
            if *drafts == 0 {
                state.sessions.remove(&self.session_no);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(spread: &Arc<Spread>, sessions: std::ops::Range<i64>) -> Vec<Place> {
        sessions.map(|session_no| spread.place(session_no)).collect()
    }

    #[test]
    fn a_few_drafts_share_a_lane_and_many_use_all() {
        let spread = Spread::over(4);
        let few = places(&spread, 0..32);
        assert!(few.iter().all(|place| place.lane == 0));
        let more = places(&spread, 32..64);
        assert!(more.iter().all(|place| place.lane < 2) && more.iter().any(|it| it.lane == 1));
        let many = places(&spread, 64..200);
        assert!(many.iter().any(|place| place.lane == 3));
        drop((few, more, many));
        assert_eq!(spread.place(3).lane, 0);
    }

    #[test]
    fn a_session_stays_in_its_lane_while_anything_of_it_is_under_way() {
        let spread = Spread::over(4);
        let first = spread.place(3);
        let many = places(&spread, 10..300);
        let second = spread.place(3);
        assert_eq!((first.lane, second.lane), (0, 0));
        drop(first);
        assert_eq!(spread.place(3).lane, 0, "the second is still under way");
        drop(second);
        assert_eq!(spread.place(3).lane, 3);
        drop(many);
        assert!(spread.state.lock().sessions.is_empty());
    }
}
