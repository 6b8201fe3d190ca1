//! A session is opened.

use std::collections::HashMap;

use parlor_domain::{Denied, Encryption, Ending, Role, Session, SessionId, Time, Ttl, UserId};

use super::super::receipts::{self, Made};
use super::super::rooms::{self, Place};
use super::super::rows::{Person, one, person, uuid};
use super::super::txn::{Space, Txn};
use super::{Newcomer, enter, people, read, tell_added};
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
pub(in super::super) async fn insert(
    txn: &mut Txn,
    room_no: i64,
    new: &Opening<'_>,
    created_by: i64,
    now: Time,
) -> Result<i64, StoreError> {
    let sql = "insert into sessions (id, room_no, name, main, created_by, created_at, algorithm, \
               rotation_period_ms, rotation_period_msgs, verified_only, \
               message_ttl_s, ends_at, silence_s, read_only_s) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) returning no";
    let encryption = new.encryption;
    let algorithm = encryption.map(|encryption| encryption.algorithm.as_str());
    let ms = encryption.map(|encryption| encryption.rotation_period_ms);
    let msgs = encryption.map(|encryption| encryption.rotation_period_msgs);
    let verified_only = encryption.is_some_and(|encryption| encryption.verified_only);
    let message_ttl = new.message_ttl.map(Ttl::seconds);
    let ends_at = new.ending.map(|ending| ending.at.0);
    let silence = new.ending.and_then(|ending| ending.silence).map(Ttl::seconds);
    let read_only = new.ending.and_then(|ending| ending.read_only).map(Ttl::seconds);
    let bound = [
        &new.id.0 as _,
        &room_no as _,
        &new.name as _,
        &new.main as _,
        &created_by as _,
        &now.0 as _,
        &algorithm as _,
        &ms as _,
        &msgs as _,
        &verified_only as _,
        &message_ttl as _,
        &ends_at as _,
        &silence as _,
        &read_only as _,
    ];
    let no = one(txn, sql, &bound, |row| Ok(row.try_get(0)?)).await?;
    let no = no.ok_or(Denied::NotFound)?;
    txn.begin_log(no, new.id, encryption.is_some()).await?;
    Ok(no)
}

/// Opens a session; see [`crate::Sessions::create_session`].
pub(super) async fn create(
    txn: &mut Txn,
    new: &NewSession,
    now: Time,
    decide: DecideOpen,
) -> Result<Changed<Session>, StoreError> {
    let creator = person(txn, new.creator).await?.ok_or(Denied::NotFound)?;
    // One thing at a time is made by somebody, so that a key is used once.
    txn.lock_key(Space::Maker, creator.no).await?;
    if let Some(session) = earlier(txn, &creator, new).await? {
        return changed(txn, &creator, session, false).await;
    }
    let place = rooms::lock(txn, new.room).await?.ok_or(Denied::NotFound)?;
    let facts = rooms::facts(txn, &place, new.creator, &new.people).await?;
    let facts = facts.ok_or(Denied::NotFound)?;
    let visible = facts.room.kind.is_open() && !facts.actor.banned;
    if facts.actor.role.is_none() && !visible {
        return Err(Denied::NotFound.into());
    }
    let members = decide(&facts, open_sessions(txn, &place).await?)?;
    let opening = Opening {
        id: new.id,
        name: &new.name,
        main: false,
        encryption: new.encryption,
        message_ttl: new.message_ttl.unwrap_or(facts.room.rules.message_ttl),
        ending: new.ending,
    };
    let no = insert(txn, place.no, &opening, creator.no, now).await?;
    if let Some(key) = &new.key
        && !receipts::keep(txn, creator.no, key, (Made::Session, no), now).await?
    {
        // Something was said with it at this moment.
        return Err(StoreError::KeyReused);
    }
    fill(txn, &place, no, &creator, &members, now).await?;
    changed(txn, &creator, new.id, true).await
}

/// What an earlier request with the same key made.
async fn earlier(
    txn: &Txn,
    creator: &Person,
    new: &NewSession,
) -> Result<Option<SessionId>, StoreError> {
    let Some(key) = &new.key else { return Ok(None) };
    let Some(no) = receipts::earlier(txn, creator.no, key, Made::Session).await? else {
        return Ok(None);
    };
    let sql = "select id from sessions where no = $1";
    one(txn, sql, &[&no], |row| Ok(SessionId(uuid(row, 0)?))).await
}

async fn changed(
    txn: &mut Txn,
    creator: &Person,
    session: SessionId,
    fresh: bool,
) -> Result<Changed<Session>, StoreError> {
    let session = read::joined_now(txn, creator.id, session).await?;
    let value = session.ok_or(Denied::NotFound)?;
    Ok(Changed { value, fresh })
}

/// How many sessions of a room are open.
async fn open_sessions(txn: &Txn, place: &Place) -> Result<u64, StoreError> {
    let sql = "select count(*) from sessions where room_no = $1 and ended_at is null";
    let count: Option<i64> = one(txn, sql, &[&place.no], |row| Ok(row.try_get(0)?)).await?;
    Ok(count.unwrap_or(0).unsigned_abs())
}

/// Puts everybody into a new session, and tells them when all are there.
async fn fill(
    txn: &mut Txn,
    place: &Place,
    no: i64,
    creator: &Person,
    members: &[UserId],
    now: Time,
) -> Result<(), StoreError> {
    let known = people(txn, members).await?;
    let roles = roles(txn, place, members).await?;
    let mut newcomers = Vec::with_capacity(members.len());
    for user in members {
        let person = known.get(user).ok_or(Denied::NotFound)?;
        // Whoever decided: nobody is in a session without being in its room.
        let role = *roles.get(user).ok_or(Denied::NotFound)?;
        let by = (*user != creator.id).then_some(creator.id);
        newcomers.push(Newcomer { person, role, by });
    }
    let news = enter(txn, no, newcomers, now).await?;
    tell_added(txn, (place.id, no), &news, now).await
}

/// What people are in a room; those who are not in it are missing.
pub(super) async fn roles(
    txn: &Txn,
    place: &Place,
    users: &[UserId],
) -> Result<HashMap<UserId, Role>, StoreError> {
    let standings = rooms::standings(txn, place.no, None, users).await?;
    let member = |standing: parlor_domain::Standing| Some((standing.user, standing.role?));
    Ok(standings.into_iter().filter_map(member).collect())
}
