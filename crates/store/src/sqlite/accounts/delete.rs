//! An account goes for good: out of every room, with every proof of it, and then what it said.

use parlor_domain::{Denied, LoginId, MessageId, RoomId, Time, UserId, room};
use rusqlite::params;

use super::super::messages::{Erased, erase};
use super::super::rows::{exists, many, most, one, user_no, uuid};
use super::super::search::Gone;
use super::super::txn::Txn;
use super::super::{files, logins, reactions, rooms};
use crate::StoreError;
use crate::erasures::Erasure;

/// What is left of a person: a number that their messages' tombstones refer to. The key is one
/// that no handle can have.
const ANONYMISE: &str = "update users set username = 'deleted-' || no, username_key = '~' || no, \
    name = 'Deleted account', name_key = '', status = '', email = null, email_verified_at = null, \
    usable = 0, password_hash = '', guest = 0, shows_email = 0, last_seen_at = null, \
    changed_at = ?1, deleted_at = ?1 where no = ?2";

/// Deletes an account; see [`crate::Accounts::delete_account`].
pub(in super::super) fn delete(
    txn: &mut Txn<'_>,
    user: UserId,
    now: Time,
) -> Result<Vec<LoginId>, StoreError> {
    let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
    if exists(txn.conn, "select 1 from users where no = ? and deleted_at is not null", [no])? {
        return Err(Denied::NotFound.into());
    }
    leave_all(txn, user, no, now)?;
    files::leave(txn, no)?;
    let revoked = logins::revoke_all(txn, no, None, now)?;
    for sql in [
        "delete from codes where user_no = ?",
        "delete from user_events where user_no = ?",
        "delete from logins where user_no = ?",
        "delete from bans where user_no = ?",
        "delete from e2ee_signing_keys where user_no = ?",
        "delete from e2ee_signatures where user_no = ?",
        "delete from e2ee_signatures where signer_no = ?",
        "delete from e2ee_backup_keys where user_no = ?",
        "delete from e2ee_backups where user_no = ?",
        "delete from e2ee_account_data where user_no = ?",
    ] {
        txn.execute(sql, [no])?;
    }
    txn.execute(ANONYMISE, params![now.0, no])?;
    txn.erase();
    txn.erasures.push(Erasure::Account(user));
    Ok(revoked)
}

fn leave_all(txn: &mut Txn<'_>, user: UserId, no: i64, now: Time) -> Result<(), StoreError> {
    let sql = "select r.id from room_members rm join rooms r on r.no = rm.room_no \
               where rm.user_no = ?";
    let joined: Vec<RoomId> = many(txn.conn, sql, [no], |row| Ok(RoomId(uuid(row, 0)?)))?;
    joined.into_iter().try_for_each(|id| rooms::change_by(txn, user, id, &[], now, room::leave))
}

/// Takes an account away that was never proved, so that whoever proves the address gets another.
pub(super) fn forget_pending(
    txn: &mut Txn<'_>,
    email: Option<&str>,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "select id from users where email = ? and usable = 0 and email_verified_at is null";
    match one(txn.conn, sql, [email], |row| Ok(UserId(uuid(row, 0)?)))? {
        Some(pending) => delete(txn, pending, now).map(drop),
        None => Ok(()),
    }
}

/// Erases what deleted accounts said, and how they reacted; see [`crate::Accounts::erase_deleted`].
pub(super) fn erase_deleted(txn: &mut Txn<'_>, limit: u64, now: Time) -> Result<u64, StoreError> {
    let sql = "select no, id from users where deleted_at is not null and erased_at is null limit 1";
    let next = one(txn.conn, sql, [], |row| Ok((row.get::<_, i64>(0)?, UserId(uuid(row, 1)?))))?;
    let Some((no, user)) = next else {
        return Ok(0);
    };
    let sql = "select no, id, number, session_no, iif(extras & 64, '', content) from messages \
               where sender_no = ? and deleted_at is null order by no limit ?";
    let doomed = many(txn.conn, sql, params![no, most(limit)], |row| {
        let gone = Gone { no: row.get(0)?, session_no: row.get(3)?, text: row.get(4)? };
        Ok(Erased { id: MessageId(uuid(row, 1)?), number: row.get(2)?, gone })
    })?;
    let erased = doomed.len();
    for doomed in doomed {
        erase(txn, doomed, user, now)?;
    }
    if erased == 0 && reactions::withdraw(txn, (no, user), limit, now)? == 0 {
        txn.execute("update users set erased_at = ? where no = ?", [now.0, no])?;
    }
    // There may be more of it, or another account to be erased.
    Ok(limit)
}
