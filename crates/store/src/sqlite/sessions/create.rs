//! A session is opened.

use parlor_domain::{Denied, Encryption, Ending, Session, SessionId, Time, Ttl};
use rusqlite::params;

use super::super::receipts::{self, Made};
use super::super::rooms::{self, Place};
use super::super::rows::{Person, one, person, uuid};
use super::super::txn::Txn;
use super::{enter, read, tell_added};
use crate::sessions::{DecideOpen, NewSession};
use crate::{Changed, StoreError};

/// A session to be written.
pub(in super::super) struct Opening<'a> {
    pub(in super::super) id: SessionId,
    pub(in super::super) name: &'a str,
    pub(in super::super) main: bool,
    pub(in super::super) encryption: Option<Encryption>,
    pub(in super::super) message_ttl: Option<Ttl>,
    pub(in super::super) ending: Option<Ending>,
}

/// Writes a session without members and begins its log; returns its small id.
pub(in super::super) fn insert(
    txn: &mut Txn<'_>,
    room_no: i64,
    new: &Opening<'_>,
    created_by: Option<i64>,
    now: Time,
) -> Result<i64, StoreError> {
    let sql = "insert into sessions (id, room_no, name, main, created_by, created_at, algorithm, \
               rotation_period_ms, rotation_period_msgs, verified_only, \
               message_ttl_s, ends_at, silence_s, read_only_s) \
               values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (id, encryption) = (new.id.0.as_bytes(), new.encryption);
    let algorithm = encryption.map(|encryption| encryption.algorithm.as_str());
    let ms = encryption.map(|encryption| encryption.rotation_period_ms);
    let msgs = encryption.map(|encryption| encryption.rotation_period_msgs);
    let verified_only = encryption.is_some_and(|encryption| encryption.verified_only);
    let place = params![
        id,
        room_no,
        new.name,
        new.main,
        created_by,
        now.0,
        algorithm,
        ms,
        msgs,
        verified_only,
        new.message_ttl.map(Ttl::seconds),
        new.ending.map(|ending| ending.at.0),
        new.ending.and_then(|ending| ending.silence).map(Ttl::seconds),
        new.ending.and_then(|ending| ending.read_only).map(Ttl::seconds),
    ];
    txn.execute(sql, place)?;
    let no = txn.conn.last_insert_rowid();
    txn.begin_log(no, new.id, encryption.is_some())?;
    Ok(no)
}

/// Opens a session; see [`crate::Sessions::create_session`].
pub(super) fn create(
    txn: &mut Txn<'_>,
    new: &NewSession,
    now: Time,
    decide: DecideOpen,
) -> Result<Changed<Session>, StoreError> {
    let creator = person(txn.conn, new.creator)?.ok_or(Denied::NotFound)?;
    if let Some(session) = earlier(txn, &creator, new)? {
        return changed(txn, &creator, session, false);
    }
    let place = rooms::place(txn.conn, new.room)?.ok_or(Denied::NotFound)?;
    let facts = rooms::facts(txn.conn, &place, new.creator, &new.people)?;
    let facts = facts.ok_or(Denied::NotFound)?;
    let visible = facts.room.kind.is_open() && !facts.actor.banned;
    if facts.actor.role.is_none() && !visible {
        return Err(Denied::NotFound.into());
    }
    let mut members = Vec::new();
    for user in decide(&facts, open_sessions(txn, &place)?)? {
        members.push(person(txn.conn, user)?.ok_or(Denied::NotFound)?);
    }
    let opening = Opening {
        id: new.id,
        name: &new.name,
        main: false,
        encryption: new.encryption,
        message_ttl: new.message_ttl.unwrap_or(facts.room.rules.message_ttl),
        ending: new.ending,
    };
    let no = insert(txn, place.no, &opening, Some(creator.no), now)?;
    if let Some(key) = &new.key {
        receipts::keep(txn, creator.no, key, (Made::Session, no), now)?;
    }
    fill(txn, &place, (no, new.id), &creator, &members, now)?;
    changed(txn, &creator, new.id, true)
}

/// What an earlier request with the same key made.
fn earlier(
    txn: &Txn<'_>,
    creator: &Person,
    new: &NewSession,
) -> Result<Option<SessionId>, StoreError> {
    let Some(key) = &new.key else { return Ok(None) };
    let Some(no) = receipts::earlier(txn.conn, creator.no, key, Made::Session)? else {
        return Ok(None);
    };
    let sql = "select id from sessions where no = ?";
    one(txn.conn, sql, [no], |row| Ok(SessionId(uuid(row, 0)?)))
}

fn changed(
    txn: &mut Txn<'_>,
    creator: &Person,
    session: SessionId,
    fresh: bool,
) -> Result<Changed<Session>, StoreError> {
    let session = read::joined_now(txn, creator.id, session)?;
    let value = session.ok_or(Denied::NotFound)?;
    Ok(Changed { value, fresh })
}

/// How many sessions of a room are open.
fn open_sessions(txn: &Txn<'_>, place: &Place) -> Result<u64, StoreError> {
    let sql = "select count(*) from sessions where room_no = ? and ended_at is null";
    let count: Option<i64> = one(txn.conn, sql, [place.no], |row| row.get(0))?;
    Ok(count.unwrap_or(0).unsigned_abs())
}

/// Puts everybody into a new session, and tells them when all are there.
fn fill(
    txn: &mut Txn<'_>,
    place: &Place,
    (no, session): (i64, SessionId),
    creator: &Person,
    members: &[Person],
    now: Time,
) -> Result<(), StoreError> {
    let by = |member: &Person| (member.id != creator.id).then_some(creator.id);
    let mut news = Vec::new();
    for member in members {
        // Whoever decided: nobody is in a session without being in its room.
        let standing = rooms::standing(txn.conn, place.no, None, member.id)?;
        standing.and_then(|standing| standing.role).ok_or(Denied::NotFound)?;
        if enter(txn, no, member, by(member), now)? {
            news.push(member);
        }
    }
    for member in news {
        tell_added(txn, (place.id, session), member, by(member), now)?;
    }
    Ok(())
}
