//! An account goes for good: out of every room, with every proof of it, and then what it said.

use parlor_domain::{Denied, LoginId, MessageId, Time, UserId, room};
use tokio_postgres::Row;

use super::super::messages::{Erased, erase};
use super::super::rows::{exists, many, most, one, user_no, uuid};
use super::super::txn::Txn;
use super::super::{files, logins, reactions, rooms};
use crate::StoreError;
use crate::erasures::Erasure;

/// What is left of a person: a number that their messages' tombstones refer to. The key is one
/// that no handle can have.
const ANONYMISE: &str = "update users set username = 'deleted-' || no, username_key = '~' || no, \
    name = 'Deleted account', name_key = '', status = '', email = null, email_verified_at = null, \
    usable = false, password_hash = '', guest = false, shows_email = false, last_seen_at = null, \
    changed_at = $1, deleted_at = $1 where no = $2";

/// An account that is not deleted.
const IN_USE: &str = "deleted_at is null";

/// An account that was never proved.
const PENDING: &str = "deleted_at is null and not usable and email_verified_at is null";

/// Deletes an account; see [`crate::Accounts::delete_account`].
pub(in super::super) async fn delete(
    txn: &mut Txn,
    user: UserId,
    now: Time,
) -> Result<Vec<LoginId>, StoreError> {
    let no = user_no(txn, user).await?.ok_or(Denied::NotFound)?;
    delete_while(txn, (no, user), IN_USE, now).await?.ok_or(Denied::NotFound.into())
}

/// Deletes an account if it still is as `sql` says when nobody else is changing it.
async fn delete_while(
    txn: &mut Txn,
    (no, user): (i64, UserId),
    sql: &str,
    now: Time,
) -> Result<Option<Vec<LoginId>>, StoreError> {
    let places = rooms::lock_joined(txn, no).await?;
    if !exists(txn, &format!("select 1 from users where no = $1 and {sql}"), &[&no]).await? {
        return Ok(None);
    }
    for place in &places {
        rooms::change_locked(txn, place, user, &[], now, room::leave).await?;
    }
    let lock = format!("select 1 from users where no = $1 and {sql} for update");
    if !exists(txn, &lock, &[&no]).await? || is_anywhere(txn, no).await? {
        // Changed meanwhile: what was done so far is undone, and can be asked for again.
        return Err(StoreError::Busy);
    }
    files::leave(txn, no).await?;
    let revoked = logins::revoke_all(txn, no, None, now).await?;
    for sql in [
        "delete from codes where user_no = $1",
        "delete from user_events where user_no = $1",
        "delete from logins where user_no = $1",
        "delete from bans where user_no = $1",
        "delete from e2ee_signing_keys where user_no = $1",
        "delete from e2ee_signatures where user_no = $1",
        "delete from e2ee_signatures where signer_no = $1",
        "delete from e2ee_backup_keys where user_no = $1",
        "delete from e2ee_backups where user_no = $1",
        "delete from e2ee_account_data where user_no = $1",
    ] {
        txn.execute(sql, &[&no]).await?;
    }
    txn.forget_user(no);
    txn.execute(ANONYMISE, &[&now.0, &no]).await?;
    txn.erasures().push(Erasure::Account(user));
    Ok(Some(revoked))
}

/// Whether somebody is in any room.
async fn is_anywhere(txn: &Txn, no: i64) -> Result<bool, StoreError> {
    exists(txn, "select 1 from room_members where user_no = $1 limit 1", &[&no]).await
}

/// Takes an account away that was never proved, so that whoever proves the address gets another.
pub(super) async fn forget_pending(
    txn: &mut Txn,
    email: Option<&str>,
    now: Time,
) -> Result<(), StoreError> {
    let sql = format!("select no, id from users where email = $1 and {PENDING}");
    let pending = |row: &Row| Ok((row.try_get(0)?, UserId(uuid(row, 1)?)));
    match one(txn, &sql, &[&email], pending).await? {
        Some(pending) => delete_while(txn, pending, PENDING, now).await.map(drop),
        None => Ok(()),
    }
}

/// Erases what deleted accounts said, and how they reacted; see [`crate::Accounts::erase_deleted`].
pub(super) async fn erase_deleted(txn: &mut Txn, limit: u64, now: Time) -> Result<u64, StoreError> {
    let sql = "select no, id from users where deleted_at is not null and erased_at is null \
               order by no limit 1";
    let next = one(txn, sql, &[], |row| Ok((row.try_get(0)?, UserId(uuid(row, 1)?)))).await?;
    let Some((no, user)): Option<(i64, UserId)> = next else {
        return Ok(0);
    };
    let sql = "select no, session_no from messages where sender_no = $1 and deleted_at is null \
               order by no limit $2";
    let placed = |row: &Row| Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?));
    let doomed = many(txn, sql, &[&no, &most(limit)], placed).await?;
    let (doomed, mut sessions): (Vec<i64>, Vec<i64>) = doomed.into_iter().unzip();
    sessions.sort_unstable();
    sessions.dedup();
    txn.lock_heads(&sessions).await?;
    // Some may have been deleted while the locks were waited for.
    let sql = "select id, no, session_no, number from messages \
               where no = any($1) and deleted_at is null order by no";
    let left = many(txn, sql, &[&doomed], |row| {
        let (id, no) = (MessageId(uuid(row, 0)?), row.try_get(1)?);
        Ok(Erased { id, no, session_no: row.try_get(2)?, number: row.try_get(3)? })
    })
    .await?;
    erase(txn, left, user, now).await?;
    if doomed.is_empty() && reactions::withdraw(txn, (no, user), limit, now).await? == 0 {
        let sql = "update users set erased_at = $2 where no = $1 and erased_at is null";
        txn.execute(sql, &[&no, &now.0]).await?;
    }
    // There may be more of it, or another account to be erased.
    Ok(limit)
}
