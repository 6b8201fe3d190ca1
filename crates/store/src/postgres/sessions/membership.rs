//! Coming into a session and going out of it: the row, the count, and who is told. The session's
//! room is locked.

use std::collections::{HashMap, HashSet};

use parlor_domain::{Denied, EventKind, Gone, Role, Room, RoomId, Time, UserEventKind, UserId};
use uuid::Uuid;

use super::super::readers::Db;
use super::super::rooms;
use super::super::rows::{Person, many, uuid};
use super::super::txn::Txn;
use super::read;
use crate::StoreError;

/// Somebody who comes in.
pub(in super::super) struct Newcomer<'a> {
    pub(in super::super) person: &'a Person,
    /// What they are in the room.
    pub(in super::super) role: Role,
    /// Who adds them; `None`: they come by themselves.
    pub(in super::super) by: Option<UserId>,
}

/// The people with these ids; those without an account are missing.
pub(in super::super) async fn people(
    db: &Db,
    users: &[UserId],
) -> Result<HashMap<UserId, Person>, StoreError> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let sql = "select no, id, username, name from users where id = any($1) \
               and deleted_at is null";
    let found = many(db, sql, &[&ids], |row| {
        let (no, id) = (row.try_get(0)?, UserId(uuid(row, 1)?));
        Ok((id, Person { no, id, username: row.try_get(2)?, name: row.try_get(3)? }))
    })
    .await?;
    Ok(found.into_iter().collect())
}

/// Puts people into a session, all at once, with everything said before as read; returns those who
/// were not in it yet.
pub(in super::super) async fn enter<'a>(
    txn: &mut Txn,
    session_no: i64,
    newcomers: Vec<Newcomer<'a>>,
    now: Time,
) -> Result<Vec<Newcomer<'a>>, StoreError> {
    let head = txn.head(session_no).await?;
    let nos: Vec<i64> = newcomers.iter().map(|newcomer| newcomer.person.no).collect();
    let sql = "insert into session_members (session_no, user_no, joined_at, read_number) \
               select $1::bigint, n.no, $3::bigint, $4::bigint from unnest($2::bigint[]) n (no) \
               on conflict do nothing returning user_no";
    let bound = [&session_no as _, &nos as _, &now.0 as _, &head.number as _];
    let new = many(txn, sql, &bound, |row| Ok(row.try_get(0)?)).await?;
    if new.is_empty() {
        return Ok(vec![]);
    }
    let sql = "update sessions set member_count = member_count + $2 where no = $1";
    txn.execute(sql, &[&session_no, &(new.len() as i64)]).await?;
    let mut new: HashSet<i64> = new.into_iter().collect();
    let entered = newcomers.into_iter().filter(|newcomer| new.remove(&newcomer.person.no));
    let entered: Vec<Newcomer<'a>> = entered.collect();
    for Newcomer { person, by, .. } in &entered {
        let kind = EventKind::Joined {
            user: person.id,
            username: person.username.clone(),
            name: person.name.clone(),
            by: *by,
        };
        txn.log_membership(session_no, now, kind).await?;
        if head.encrypted {
            txn.changes().came(person.no, session_no);
        }
    }
    Ok(entered)
}

/// Logs, in the own logs of people who came in, that they are in a session now, when all are
/// there. It looks the same to each of them, but for their role: there is nothing unread.
pub(in super::super) async fn tell_added(
    txn: &mut Txn,
    (room, session_no): (RoomId, i64),
    news: &[Newcomer<'_>],
    now: Time,
) -> Result<(), StoreError> {
    let Some(first) = news.first() else {
        return Ok(());
    };
    let room = rooms::joined(txn, first.person.id, room).await?.ok_or(Denied::NotFound)?;
    let session = read::entered(txn, session_no).await?;
    for Newcomer { person, role, by } in news {
        let room = Room { my_role: Some(*role), ..room.clone() };
        let kind = UserEventKind::Added {
            room: Some(Box::new(room)),
            session: Some(Box::new(session.clone())),
            by: *by,
        };
        txn.log_user(person.no, now, kind);
    }
    Ok(())
}

/// Somebody's going.
pub(in super::super) struct Leaving<'a> {
    pub(in super::super) person: &'a Person,
    /// Who sends them away; `None`: they go by themselves.
    pub(in super::super) by: Option<UserId>,
    pub(in super::super) reason: Gone,
    pub(in super::super) now: Time,
}

/// Takes somebody out of sessions; what was decided with them in these does not hold any more.
pub(in super::super) async fn leave(
    txn: &mut Txn,
    sessions: &[i64],
    leaving: &Leaving<'_>,
) -> Result<(), StoreError> {
    let sql = "delete from session_members where session_no = any($1) and user_no = $2 \
               returning session_no";
    let bound = [&sessions as _, &leaving.person.no as _];
    let left: Vec<i64> = many(txn, sql, &bound, |row| Ok(row.try_get(0)?)).await?;
    for sql in [
        "update followers set following = false where session_no = any($1) and user_no = $2",
        "delete from drafts where session_no = any($1) and user_no = $2",
    ] {
        txn.execute(sql, &[&left, &leaving.person.no]).await?;
    }
    let sql = "update sessions set member_count = member_count - 1 where no = any($1)";
    txn.execute(sql, &[&left]).await?;
    for &session in sessions.iter().filter(|session| left.contains(session)) {
        let (user, by) = (leaving.person.id, leaving.by);
        let kind = EventKind::Left { user, by, reason: leaving.reason };
        txn.log_membership(session, leaving.now, kind).await?;
        txn.bump_acl(session).await?;
        if txn.head(session).await?.encrypted {
            txn.changes().went(leaving.person.no, session);
        }
    }
    Ok(())
}

/// Logs, in somebody's own log, that they are not in a session any more.
pub(in super::super) async fn tell_removed(
    txn: &mut Txn,
    session_no: i64,
    leaving: &Leaving<'_>,
    room: RoomId,
    whole_room: bool,
) -> Result<(), StoreError> {
    let session = txn.head(session_no).await?.session;
    let kind = UserEventKind::Removed { room, session, whole_room, reason: leaving.reason };
    txn.log_user(leaving.person.no, leaving.now, kind);
    Ok(())
}
