//! Short words for what the tests say to a hub and hear from it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::task::{Context, Waker};

use parlor_domain::{
    ClientId, DeviceId, Event, EventKind, Gone, Limits, LoginId, Message, MessageId, SessionId,
    Time, UserId,
};
use parlor_hub::{Ear, Frame, Gathered, Hub, Key, Lagged, Who};
use uuid::Uuid;

/// What is gathered when nothing is ready.
pub(crate) const SILENCE: [i64; 0] = [];

pub(crate) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

pub(crate) fn session(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(1_000 + n))
}

pub(crate) fn key(n: u128) -> Key {
    Key::Session(session(n))
}

/// A connection of user `n`, from a login, device and address of its own number `place`.
pub(crate) fn who(n: u128, place: u128) -> Who {
    let low = u8::try_from(place % 250).unwrap();
    Who {
        user: user(n),
        login: LoginId(Uuid::from_u128(place)),
        device: DeviceId(Uuid::from_u128(place)),
        address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, low)),
    }
}

/// A message of `bytes` characters, posted as event `seq` of a session.
pub(crate) fn posted(session: SessionId, seq: i64, bytes: usize) -> Event {
    let message = Message {
        id: MessageId(Uuid::from_u128(u128::from(seq.unsigned_abs()))),
        no: seq,
        number: seq,
        seq,
        session,
        sender: user(1),
        client_id: ClientId(Uuid::from_u128(u128::from(seq.unsigned_abs()))),
        content: "x".repeat(bytes),
        reply_to: None,
        sent_at: Time(0),
        edited_at: None,
        deleted_at: None,
        expires_at: None,
        file: None,
        thread: None,
        extras: None,
    };
    Event { session, seq, at: Time(0), kind: EventKind::Posted(message) }
}

/// Somebody is sent away by event `seq` of a session.
pub(crate) fn left(session: SessionId, seq: i64, user: UserId) -> Event {
    let kind = EventKind::Left { user, by: None, reason: Gone::Kicked };
    Event { session, seq, at: Time(0), kind }
}

/// Short messages with these places in a session's log.
pub(crate) fn run(session: SessionId, seqs: std::ops::RangeInclusive<i64>) -> Vec<Event> {
    seqs.map(|seq| posted(session, seq, 2)).collect()
}

/// A hub that keeps at most `events` frames of a session.
pub(crate) fn hub_of(events: u64) -> Arc<Hub> {
    Hub::new(Limits { backlog_events_max: events, ..Limits::default() })
}

/// An ear of user `n` that hears session 1 from the first event on.
pub(crate) fn ear_from_start(hub: &Arc<Hub>, n: u128) -> Ear {
    let mut ear = hub.connect(who(n, n)).unwrap();
    ear.listen(key(1));
    ear.live_from(key(1), 1);
    ear
}

/// What is ready, as places in logs, up to about `bytes_max` bytes.
pub(crate) fn gather_some(ear: &mut Ear, bytes_max: u64) -> (Vec<(Key, i64)>, Gathered) {
    let mut told = Vec::new();
    let gathered = ear.gather(bytes_max, |key, frame| told.push((key, frame.seq())));
    (told, gathered.expect("not lagged"))
}

/// All that is ready in session 1.
pub(crate) fn gather(ear: &mut Ear) -> Vec<i64> {
    gather_some(ear, u64::MAX).0.into_iter().map(|(_, seq)| seq).collect()
}

/// All frames that are ready.
pub(crate) fn frames(ear: &mut Ear) -> Result<Vec<Arc<Frame>>, Lagged> {
    let mut told = Vec::new();
    ear.gather(u64::MAX, |_, frame| told.push(frame)).map(|_| told)
}

/// Whether something waits for the ear.
pub(crate) fn is_rung(ear: &Ear) -> bool {
    ear.poll_rung(&Context::from_waker(Waker::noop())).is_ready()
}
