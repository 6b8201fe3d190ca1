//! Who is at which node: what this one tells the others, and hears of them. A node tells who came
//! and went, and every other second how many it has; who has missed something asks. So that
//! several nodes tell people of one coming or going once, it is told by the node where it happens;
//! of a node that died, by the first of those that are left.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use parking_lot::Mutex;
use parlor_bus::{Node, Word};
use parlor_domain::{Time, UserId};
use parlor_hub::Change;

use crate::App;

/// How long a node may be silent.
const SILENCE: Duration = Duration::from_secs(10);

/// How often a node says how many it has.
const HERE: Duration = Duration::from_secs(2);

/// How long it may take until nodes have heard of each other.
const CROSSING: Duration = Duration::from_secs(10);

/// People in one word.
const PEOPLE_MAX: usize = 4_096;

/// People whose coming and going is remembered because it was not told, at most.
const HUSHED_MAX: usize = 1 << 14;

#[derive(Default)]
pub(crate) struct Neighbours(Mutex<State>);

#[derive(Default)]
struct State {
    /// Of whom this node has said that they are here.
    told: BTreeSet<UserId>,
    /// When it last said how many.
    counted: Time,
    /// Whether somebody has asked who they are.
    asked: bool,
    /// Nodes that said a number that was not ours the last time.
    disagreed: BTreeSet<u64>,
    /// Who went from here while they were elsewhere, and when.
    hushed: HashMap<UserId, Time>,
}

impl App {
    /// Tells other nodes who came and went here, and returns of whom people are to be told: who
    /// was nowhere before, or is nowhere now.
    pub(crate) fn tell_neighbours(&self, changes: Vec<Change>, now: Time) -> Vec<Change> {
        let mut state = self.neighbours.0.lock();
        let side = |online| changes.iter().filter(move |change| change.online == online);
        let users = |online| side(online).map(|change| change.user).collect::<Vec<_>>();
        let (came, went) = (users(true), users(false));
        state.told.extend(&came);
        went.iter().for_each(|user| _ = state.told.remove(user));
        if !changes.is_empty() {
            self.bus.say(Word::Moved { came, went });
        }
        if now.since(state.counted) >= HERE || now < state.counted {
            state.counted = now;
            if std::mem::take(&mut state.asked) {
                self.tell_all(&state.told);
            }
            let (count, digest) = (state.told.len() as u64, parlor_hub::digest(&state.told));
            self.bus.say(Word::Here { count, digest });
            state.hushed.retain(|_, at| now.since(*at) < CROSSING);
        }
        let (hushed, told): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| self.hub.is_elsewhere(change.user));
        for change in hushed.iter().filter(|change| !change.online) {
            if state.hushed.len() < HUSHED_MAX {
                state.hushed.insert(change.user, now);
            }
        }
        told
    }

    fn tell_all(&self, told: &BTreeSet<UserId>) {
        let users: Vec<_> = told.iter().copied().collect();
        let mut first = true;
        for some in users.chunks(PEOPLE_MAX) {
            self.bus.say(Word::People { first, users: some.to_vec() });
            first = false;
        }
        if first {
            self.bus.say(Word::People { first, users });
        }
    }

    /// Notes what a neighbour says of who is there.
    pub(crate) fn hear_neighbour(&self, node: Node, word: Word, now: Time) {
        match word {
            Word::Here { count, digest } => {
                let agrees = self.hub.agrees(node.0, count, digest, now);
                let mut state = self.neighbours.0.lock();
                if agrees {
                    state.disagreed.remove(&node.0);
                } else if !state.disagreed.insert(node.0) || count > 0 && self.is_new(node) {
                    state.disagreed.remove(&node.0);
                    self.bus.say(Word::Ask(node));
                }
            }
            Word::Ask(asked) if asked == self.bus.node() => {
                self.neighbours.0.lock().asked = true;
            }
            Word::People { first, users } => {
                let gone = self.hub.is_at(node.0, first, &users, now);
                if users.is_empty() {
                    self.tell_gone(gone);
                }
            }
            Word::Moved { came, went } => {
                self.hub.moved_elsewhere(node.0, &came, &went, now);
                let mut state = self.neighbours.0.lock();
                for user in went {
                    // Both nodes may have said nothing, or the wrong thing, when somebody went
                    // from one while they came to or went from the other.
                    if self.hub.is_here(user) || state.hushed.remove(&user).is_some() {
                        self.turned.note(user);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether nobody is known to be at a node.
    fn is_new(&self, node: Node) -> bool {
        self.hub.count_at(node.0) == 0
    }

    /// Forgets nodes that say nothing any more, and has it told that their people are gone.
    pub(crate) fn forget_silent_nodes(&self, now: Time) {
        let gone = self.hub.forget_silent(SILENCE, now);
        self.tell_gone(gone);
    }

    /// Says to other nodes that nobody is here any more.
    pub(crate) fn leave_neighbours(&self) {
        self.bus.say(Word::People { first: true, users: vec![] });
    }

    /// Has it told that people of a node are gone, if that is for this node to do.
    fn tell_gone(&self, gone: Vec<UserId>) {
        let first = self.hub.nodes().first().is_none_or(|node| self.bus.node().0 < *node);
        if first {
            gone.into_iter().for_each(|user| self.turned.note(user));
        }
    }
}
