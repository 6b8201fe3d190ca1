//! Of whom devices are to ask for keys again: noted once, and looked at by each device when it
//! asks.

use parlor_domain::UserId;
use rusqlite::{Connection, params};

use super::super::rows::{many, one, uuid};
use super::super::txn::Txn;
use crate::StoreError;
use crate::e2ee::{CAME, CHANGES, KEYS, SIGNED, WENT};

/// Notes that somebody's keys have changed.
pub(super) fn keys(txn: &Txn<'_>, user_no: i64) -> Result<(), StoreError> {
    note(txn, KEYS, user_no, 0)
}

/// Notes that somebody has signed keys: of their own, or of another person, which only they see.
pub(super) fn signed(txn: &Txn<'_>, user_no: i64, signer_no: i64) -> Result<(), StoreError> {
    if user_no == signer_no { keys(txn, user_no) } else { note(txn, SIGNED, user_no, signer_no) }
}

/// Notes that somebody came into an encrypted session.
pub(in super::super) fn came(
    txn: &Txn<'_>,
    user_no: i64,
    session_no: i64,
) -> Result<(), StoreError> {
    note(txn, CAME, user_no, session_no)
}

/// Notes that somebody went out of it.
pub(in super::super) fn went(
    txn: &Txn<'_>,
    user_no: i64,
    session_no: i64,
) -> Result<(), StoreError> {
    note(txn, WENT, user_no, session_no)
}

fn note(txn: &Txn<'_>, kind: i64, user_no: i64, session_no: i64) -> Result<(), StoreError> {
    let sql = "insert into meta (key, value) values (?, '1') on conflict (key) \
               do update set value = cast(value as integer) + 1";
    txn.execute(sql, [CHANGES])?;
    let pos = newest(txn.conn)?;
    let sql = "insert or replace into e2ee_changes (kind, user_no, session_no, pos) \
               values (?, ?, ?, ?)";
    txn.execute(sql, [kind, user_no, session_no, pos]).map(drop)
}

/// How far the changes are.
pub(super) fn newest(conn: &Connection) -> Result<i64, StoreError> {
    let sql = "select cast(value as integer) from meta where key = ?";
    Ok(one(conn, sql, [CHANGES], |row| row.get(0))?.unwrap_or(0))
}

/// Whether `?1` and the user in the column share an encrypted session.
const SHARED: &str = "exists (select 1 from session_members a \
    join sessions s on s.no = a.session_no and s.algorithm is not null \
    join session_members b on b.session_no = a.session_no and b.user_no = x.user_no \
    where a.user_no = ?1)";

/// Whose keys the user is to ask for again since then, and with whom they share nothing any more:
/// by their small ids, and whether it is the former.
pub(super) fn since(
    conn: &Connection,
    user_no: i64,
    pos: i64,
) -> Result<Vec<(i64, bool)>, StoreError> {
    let sql = format!(
        "select x.user_no, max(x.fresh) from ( \
         select x.user_no, 1 as fresh from e2ee_changes x \
         where x.pos > ?2 and x.kind = {KEYS} and (x.user_no = ?1 or {SHARED}) \
         union all select x.user_no, 1 from e2ee_changes x \
         where x.pos > ?2 and x.kind = {SIGNED} and x.session_no = ?1 and {SHARED} \
         union all select x.user_no, 1 from e2ee_changes x \
         join session_members a on a.session_no = x.session_no and a.user_no = ?1 \
         where x.pos > ?2 and x.kind = {CAME} and x.user_no <> ?1 and {SHARED} \
         union all select x.user_no, 1 from e2ee_changes c \
         join session_members x on x.session_no = c.session_no and x.user_no <> ?1 \
         where c.pos > ?2 and c.kind = {CAME} and c.user_no = ?1 and {SHARED} \
         union all select x.user_no, 0 from e2ee_changes x \
         join session_members a on a.session_no = x.session_no and a.user_no = ?1 \
         where x.pos > ?2 and x.kind = {WENT} and x.user_no <> ?1 and not {SHARED} \
         union all select x.user_no, 0 from e2ee_changes c \
         join session_members x on x.session_no = c.session_no and x.user_no <> ?1 \
         where c.pos > ?2 and c.kind = {WENT} and c.user_no = ?1 and not {SHARED} \
         ) x group by x.user_no order by x.user_no"
    );
    many(conn, &sql, params![user_no, pos], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The user, and those with whom they share an encrypted session.
pub(super) fn sharers(conn: &Connection, user_no: i64) -> Result<Vec<UserId>, StoreError> {
    let sql = "select id from users where no = ?1 union select u.id from session_members a \
               join sessions s on s.no = a.session_no and s.algorithm is not null \
               join session_members b on b.session_no = a.session_no \
               join users u on u.no = b.user_no where a.user_no = ?1";
    many(conn, sql, [user_no], |row| Ok(UserId(uuid(row, 0)?)))
}
