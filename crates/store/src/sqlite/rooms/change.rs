//! Carrying out what was decided about a room.

use parlor_domain::room::Settings;
use parlor_domain::{Denied, EventKind, Gone, Role, RoomChange, Time, UserId};
use rusqlite::params;

use super::super::rows::{Person, many, person, user_no};
use super::super::sessions::{self, Leaving};
use super::super::txn::Txn;
use super::{Place, admit, delete, read, search_key, tell_added, tell_settings};
use crate::StoreError;
use crate::rooms::columns;

/// Carries out one change.
pub(super) fn apply(
    txn: &mut Txn<'_>,
    place: &Place,
    actor: UserId,
    change: RoomChange,
    now: Time,
) -> Result<(), StoreError> {
    match change {
        RoomChange::Join { user, role, by } => {
            let newcomer = known(txn, user)?;
            let by = by.filter(|&by| by != user);
            if admit(txn, place, &newcomer, role, by, now)? {
                tell_added(txn, place, &newcomer, by, now)?;
            }
            Ok(())
        }
        RoomChange::Remove { user, reason } => {
            let person = known(txn, user)?;
            remove(txn, place, &person, actor, reason, now)
        }
        RoomChange::SetRole { user, role } => set_role(txn, place, user, role, actor, now),
        RoomChange::Ban { user, reason } => {
            let (target, by) = (known(txn, user)?, user_no(txn.conn, actor)?);
            let sql = "insert or replace into bans (room_no, user_no, by_no, reason, banned_at) \
                       values (?, ?, ?, ?, ?)";
            txn.execute(sql, params![place.no, target.no, by, reason, now.0]).map(|_| ())
        }
        RoomChange::Unban(user) => {
            let target = known(txn, user)?;
            let sql = "delete from bans where room_no = ? and user_no = ?";
            txn.execute(sql, [place.no, target.no]).map(|_| ())
        }
        RoomChange::Settings(asked) => settings(txn, place, &asked, actor, now),
        RoomChange::Delete => delete::delete(txn, place, actor, now),
    }
}

fn known(txn: &Txn<'_>, user: UserId) -> Result<Person, StoreError> {
    person(txn.conn, user)?.ok_or(Denied::NotFound.into())
}

/// Takes somebody out of a room and of every session of it, also of those that have ended: an
/// ex-member reads nothing.
fn remove(
    txn: &mut Txn<'_>,
    place: &Place,
    person: &Person,
    actor: UserId,
    reason: Gone,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "delete from room_members where room_no = ? and user_no = ?";
    if txn.execute(sql, [place.no, person.no])? == 0 {
        return Ok(());
    }
    let sql = "update rooms set member_count = member_count - 1 where no = ?";
    txn.execute(sql, [place.no])?;
    let leaving = Leaving { person, by: Some(actor).filter(|&by| by != person.id), reason, now };
    for session in sessions_of(txn, place, person.no)? {
        sessions::leave(txn, session, &leaving)?;
        let whole_room = session == place.main_no;
        sessions::tell_removed(txn, session, &leaving, place.id, whole_room)?;
    }
    Ok(())
}

/// The sessions of a room that somebody is in, the main one last.
fn sessions_of(txn: &Txn<'_>, place: &Place, user_no: i64) -> Result<Vec<i64>, StoreError> {
    let sql = "select s.no from session_members sm join sessions s on s.no = sm.session_no \
               where sm.user_no = ? and s.room_no = ? order by s.main, s.no";
    many(txn.conn, sql, [user_no, place.no], |row| row.get(0))
}

fn set_role(
    txn: &mut Txn<'_>,
    place: &Place,
    user: UserId,
    role: Role,
    by: UserId,
    now: Time,
) -> Result<(), StoreError> {
    let target = known(txn, user)?;
    let sql = "update room_members set role = ? where room_no = ? and user_no = ?";
    if txn.execute(sql, params![role.as_str(), place.no, target.no])? == 0 {
        return Err(Denied::NotFound.into());
    }
    txn.log(place.main_no, now, None, EventKind::RoleChanged { user, role, by })?;
    for session in sessions_of(txn, place, target.no)? {
        txn.bump_acl(session)?;
    }
    Ok(())
}

fn settings(
    txn: &mut Txn<'_>,
    place: &Place,
    asked: &Settings,
    by: UserId,
    now: Time,
) -> Result<(), StoreError> {
    let old = read::find(txn.conn, 0, place.id)?.ok_or(Denied::NotFound)?;
    let name = asked.name.as_ref().unwrap_or(&old.name);
    let description = asked.description.as_ref().unwrap_or(&old.description);
    let kind = asked.kind.unwrap_or(old.kind);
    let archived_at = match asked.archived {
        None => old.archived_at,
        Some(true) => old.archived_at.or(Some(now)),
        Some(false) => None,
    };
    let rules = old.rules.with(asked.rules);
    let (message_ttl, retention, sessions_max) = columns(&rules);
    let sql = "update rooms set name = ?, description = ?, search_key = ?, kind = ?, \
               archived_at = ?, changed_at = ?, message_ttl_s = ?, retention_s = ?, \
               sessions_max = ? where no = ?";
    let row = params![
        name,
        description,
        search_key(name, description),
        kind.as_str(),
        archived_at.map(|at| at.0),
        now.0,
        message_ttl,
        retention,
        sessions_max,
        place.no,
    ];
    txn.execute(sql, row)?;
    if rules.shortens(&old.rules) {
        let sql = "update sessions set shortening_after = 0 \
                   where room_no = ? and ended_at is null";
        txn.execute(sql, [place.no])?;
    }
    if let Some(hash) = &asked.password_hash {
        let sql = "update rooms set password_hash = ? where no = ?";
        txn.execute(sql, params![hash, place.no])?;
    }
    tell_settings(txn, place, by, now)?;
    let decides = (kind, archived_at, rules.retention);
    if decides != (old.kind, old.archived_at, old.rules.retention) {
        bump_all(txn, place)?;
    }
    Ok(())
}

/// Notes that who may do what has changed in every session of a room.
fn bump_all(txn: &mut Txn<'_>, place: &Place) -> Result<(), StoreError> {
    let sql = "select no from sessions where room_no = ?";
    let sessions: Vec<i64> = many(txn.conn, sql, [place.no], |row| row.get(0))?;
    sessions.into_iter().try_for_each(|no| txn.bump_acl(no))
}
