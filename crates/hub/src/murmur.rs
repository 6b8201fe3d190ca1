//! What is told but not kept: who is writing, who is here, how far somebody has read. Noted as it
//! happens, told once per session and tick, dropped first.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use parlor_domain::{Limits, SessionId, Time, UserId};
use parlor_wire::v1::{self, server_frame};

use crate::{Frame, Key};

/// Somebody came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub user: UserId,
    /// Whether they are here now.
    pub online: bool,
}

#[derive(Default)]
pub(crate) struct Murmurs(Mutex<State>);

#[derive(Default)]
struct State {
    /// Users whose first connection came or whose last went, with what is so now.
    changes: BTreeMap<UserId, bool>,
    presence: HashMap<SessionId, BTreeMap<UserId, bool>>,
    reads: HashMap<SessionId, BTreeMap<UserId, i64>>,
    typing: HashMap<SessionId, Typing>,
}

#[derive(Default)]
struct Typing {
    /// Who is writing, and when they last said so.
    since: BTreeMap<UserId, Time>,
    told: BTreeSet<UserId>,
    /// Who has said so since it was last told.
    said: BTreeSet<UserId>,
}

impl Murmurs {
    pub(crate) fn came(&self, user: UserId) {
        self.0.lock().changes.insert(user, true);
    }

    pub(crate) fn went(&self, user: UserId) {
        self.0.lock().changes.insert(user, false);
    }

    pub(crate) fn take_changes(&self) -> Vec<Change> {
        let changes = std::mem::take(&mut self.0.lock().changes);
        changes.into_iter().map(|(user, online)| Change { user, online }).collect()
    }

    pub(crate) fn presence(&self, session: SessionId, change: Change) {
        let mut state = self.0.lock();
        state.presence.entry(session).or_default().insert(change.user, change.online);
    }

    pub(crate) fn read(&self, session: SessionId, user: UserId, number: i64) {
        self.0.lock().reads.entry(session).or_default().insert(user, number);
    }

    pub(crate) fn typing(&self, session: SessionId, user: UserId, now: Time) {
        let mut state = self.0.lock();
        let typing = state.typing.entry(session).or_default();
        typing.since.insert(user, now);
        typing.said.insert(user);
    }

    /// What is to be told now, and to whom.
    pub(crate) fn take(&self, now: Time, limits: &Limits) -> Vec<(Key, Arc<Frame>)> {
        let mut state = self.0.lock();
        let mut told = Vec::new();
        for (session, changes) in state.presence.drain() {
            told.push((Key::Session(session), presence_frame(session, &changes)));
        }
        for (session, marks) in state.reads.drain() {
            told.push((Key::Session(session), read_frame(session, &marks)));
        }
        // Who has said nothing for twice the interval between two notices has stopped.
        let lasts = Duration::from_millis(limits.typing_ms * 2);
        state.typing.retain(|session, typing| {
            typing.since.retain(|_, said| now.since(*said) < lasts);
            let said = std::mem::take(&mut typing.said).into_iter();
            told.extend(said.map(|user| (Key::Typing(*session), Frame::typing_of(user))));
            let now: BTreeSet<UserId> = typing.since.keys().copied().collect();
            if now != typing.told {
                told.push((Key::Session(*session), typing_frame(*session, &now)));
                typing.told = now;
            }
            !typing.told.is_empty()
        });
        told
    }
}

fn presence_frame(session: SessionId, changes: &BTreeMap<UserId, bool>) -> Arc<Frame> {
    let who = |here: bool| {
        let who = changes.iter().filter(|(_, online)| **online == here);
        who.map(|(user, _)| user.to_string()).collect()
    };
    Frame::murmur(server_frame::Frame::Presence(v1::Presence {
        session_id: session.to_string(),
        online: who(true),
        offline: who(false),
    }))
}

fn read_frame(session: SessionId, marks: &BTreeMap<UserId, i64>) -> Arc<Frame> {
    let mark = |(user, number): (&UserId, &i64)| v1::ReadMark {
        user_id: user.to_string(),
        number: *number,
    };
    Frame::murmur(server_frame::Frame::Read(v1::ReadMarks {
        session_id: session.to_string(),
        marks: marks.iter().map(mark).collect(),
    }))
}

fn typing_frame(session: SessionId, users: &BTreeSet<UserId>) -> Arc<Frame> {
    Frame::murmur(server_frame::Frame::Typing(v1::TypingNow {
        session_id: session.to_string(),
        user_ids: users.iter().map(ToString::to_string).collect(),
    }))
}
