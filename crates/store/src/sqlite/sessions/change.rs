//! What a decision about a session is made from, and carrying it out.

use parlor_domain::session::Settings;
use parlor_domain::{
    Denied, EventKind, SessionChange, SessionFacts, SessionId, Time, Ttl, UserId, View,
};
use rusqlite::{Row, params};

use super::super::rooms;
use super::super::rows::{Person, ending_at, maybe_ttl, one, person, view};
use super::super::txn::Txn;
use super::{Leaving, enter, leave, tell_added, tell_removed};
use crate::StoreError;
use crate::erasures::Erasure;

/// The facts for a decision of `user`; `None` when they are not in the session.
pub(super) fn facts(
    txn: &mut Txn<'_>,
    user: UserId,
    session: SessionId,
    people: &[UserId],
) -> Result<Option<SessionFacts>, StoreError> {
    let Some(view) = view(txn.conn, user, session)? else {
        return Ok(None);
    };
    let sql = "select room_no, member_count from sessions where no = ?";
    let found = one(txn.conn, sql, [view.session_no], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((room_no, member_count)) = found else {
        return Ok(None);
    };
    let mut known = Vec::with_capacity(people.len());
    for &person in people {
        known.extend(rooms::standing(txn.conn, room_no, Some(view.session_no), person)?);
    }
    let acl_version = txn.head(view.session_no)?.acl_version;
    Ok(Some(SessionFacts { view: View { acl_version, ..view }, people: known, member_count }))
}

/// Carries out one change.
pub(super) fn apply(
    txn: &mut Txn<'_>,
    view: &View,
    change: SessionChange,
    now: Time,
) -> Result<(), StoreError> {
    match change {
        SessionChange::Add(user) => add(txn, view, &known(txn, user)?, now),
        SessionChange::Remove(user, reason) => {
            let person = known(txn, user)?;
            let by = Some(view.user).filter(|&by| by != user);
            let leaving = Leaving { person: &person, by, reason, now };
            leave(txn, view.session_no, &leaving)?;
            tell_removed(txn, view.session_no, &leaving, view.room, false)
        }
        SessionChange::Settings(asked) => settings(txn, view, &asked, now),
        SessionChange::End => end(txn, view.session_no, Some(view.user), now),
    }
}

/// Ends a session: from now on nothing that was said in it is read, and it is still to be erased.
pub(in super::super) fn end(
    txn: &mut Txn<'_>,
    session_no: i64,
    by: Option<UserId>,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "update sessions set ended_at = ?2, ends_at = null, silence_s = null, \
               read_only_s = null, erasing_after = 0, sealing_after = null where no = ?1";
    txn.execute(sql, [session_no, now.0])?;
    txn.execute("delete from drafts where session_no = ?", [session_no])?;
    txn.erase();
    let session = txn.head(session_no)?.session;
    txn.erasures.push(Erasure::Session(session, by));
    txn.log(session_no, now, None, EventKind::Ended { by })?;
    txn.bump_acl(session_no)
}

fn settings(txn: &mut Txn<'_>, view: &View, asked: &Settings, now: Time) -> Result<(), StoreError> {
    let sql = "update sessions set name = coalesce(?2, name), \
               message_ttl_s = iif(?3, ?4, message_ttl_s), ends_at = iif(?5, ?6, ends_at), \
               silence_s = iif(?5, ?7, silence_s), read_only_s = iif(?5, ?8, read_only_s), \
               sealing_after = iif(?6 is not null and ends_at is null, 0, sealing_after) \
               where no = ?1 returning name, message_ttl_s, ends_at, silence_s, read_only_s";
    let ending = asked.ending.flatten();
    let bound = params![
        view.session_no,
        asked.name,
        asked.message_ttl.is_some(),
        asked.message_ttl.flatten().map(Ttl::seconds),
        asked.ending.is_some(),
        ending.map(|ending| ending.at.0),
        ending.and_then(|ending| ending.silence).map(Ttl::seconds),
        ending.and_then(|ending| ending.read_only).map(Ttl::seconds),
    ];
    let read = |row: &Row<'_>| Ok((row.get(0)?, maybe_ttl(row, 1)?, ending_at(row, 2)?));
    let (name, message_ttl, ending) = one(txn.conn, sql, bound, read)?.ok_or(Denied::NotFound)?;
    let kind = EventKind::SessionSettings { name, message_ttl, ending, by: view.user };
    txn.log(view.session_no, now, None, kind)?;
    let same = message_ttl == view.message_ttl && ending == view.ending;
    if same { Ok(()) } else { txn.bump_acl(view.session_no) }
}

fn known(txn: &Txn<'_>, user: UserId) -> Result<Person, StoreError> {
    person(txn.conn, user)?.ok_or(Denied::NotFound.into())
}

/// Adds a room member; whoever decided, nobody is in a session without being in its room.
fn add(txn: &mut Txn<'_>, view: &View, person: &Person, now: Time) -> Result<(), StoreError> {
    let place = rooms::place(txn.conn, view.room)?.ok_or(Denied::NotFound)?;
    let standing = rooms::standing(txn.conn, place.no, None, person.id)?;
    standing.and_then(|standing| standing.role).ok_or(Denied::NotFound)?;
    let by = Some(view.user).filter(|&by| by != person.id);
    if enter(txn, view.session_no, person, by, now)? {
        tell_added(txn, (view.room, view.session), person, by, now)?;
    }
    Ok(())
}
