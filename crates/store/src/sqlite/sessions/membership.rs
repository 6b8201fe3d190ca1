//! Coming into a session and going out of it: the row, the count, and who is told.

use parlor_domain::{EventKind, Gone, RoomId, SessionId, Time, UserEventKind, UserId};
use rusqlite::params;

use super::super::rows::Person;
use super::super::txn::Txn;
use super::super::{e2ee, rooms};
use super::read;
use crate::StoreError;

/// Puts somebody into a session, with everything said before as read; false when they are in it
/// already.
pub(in super::super) fn enter(
    txn: &mut Txn<'_>,
    session_no: i64,
    person: &Person,
    by: Option<UserId>,
    now: Time,
) -> Result<bool, StoreError> {
    let head = txn.head(session_no)?;
    let sql = "insert or ignore into session_members \
               (session_no, user_no, joined_at, read_number) values (?, ?, ?, ?)";
    if txn.execute(sql, params![session_no, person.no, now.0, head.number])? == 0 {
        return Ok(false);
    }
    let sql = "update sessions set member_count = member_count + 1 where no = ?";
    txn.execute(sql, [session_no])?;
    let kind = EventKind::Joined {
        user: person.id,
        username: person.username.clone(),
        name: person.name.clone(),
        by,
    };
    txn.log_membership(session_no, now, kind)?;
    if head.encrypted {
        e2ee::came(txn, person.no, session_no)?;
    }
    Ok(true)
}

/// Logs, in somebody's own log, that they are in a session now.
pub(in super::super) fn tell_added(
    txn: &mut Txn<'_>,
    (room, session): (RoomId, SessionId),
    person: &Person,
    by: Option<UserId>,
    now: Time,
) -> Result<(), StoreError> {
    let kind = UserEventKind::Added {
        room: rooms::joined(txn.conn, person.id, room)?.map(Box::new),
        session: read::joined_now(txn, person.id, session)?.map(Box::new),
        by,
    };
    txn.log_user(person.no, now, kind)
}

/// Somebody's going.
pub(in super::super) struct Leaving<'a> {
    pub(in super::super) person: &'a Person,
    /// Who sends them away; `None`: they go by themselves.
    pub(in super::super) by: Option<UserId>,
    pub(in super::super) reason: Gone,
    pub(in super::super) now: Time,
}

/// Takes somebody out of a session; what was decided with them in it does not hold any more.
pub(in super::super) fn leave(
    txn: &mut Txn<'_>,
    session_no: i64,
    leaving: &Leaving<'_>,
) -> Result<(), StoreError> {
    let sql = "delete from session_members where session_no = ? and user_no = ?";
    if txn.execute(sql, [session_no, leaving.person.no])? == 0 {
        return Ok(());
    }
    for sql in [
        "update followers set following = 0 where session_no = ? and user_no = ?",
        "delete from drafts where session_no = ? and user_no = ?",
    ] {
        txn.execute(sql, [session_no, leaving.person.no])?;
    }
    let sql = "update sessions set member_count = member_count - 1 where no = ?";
    txn.execute(sql, [session_no])?;
    let kind = EventKind::Left { user: leaving.person.id, by: leaving.by, reason: leaving.reason };
    txn.log_membership(session_no, leaving.now, kind)?;
    if txn.head(session_no)?.encrypted {
        e2ee::went(txn, leaving.person.no, session_no)?;
    }
    txn.bump_acl(session_no)
}

/// Logs, in somebody's own log, that they are not in a session any more.
pub(in super::super) fn tell_removed(
    txn: &mut Txn<'_>,
    session_no: i64,
    leaving: &Leaving<'_>,
    room: RoomId,
    whole_room: bool,
) -> Result<(), StoreError> {
    let session = txn.head(session_no)?.session;
    let kind = UserEventKind::Removed { room, session, whole_room, reason: leaving.reason };
    txn.log_user(leaving.person.no, leaving.now, kind)
}
