//! Mailed codes: kept as hashes, tried a few times, used once. Somebody's codes are tried under
//! the lock of their row: a guess counts, whichever node it comes to.

use parlor_domain::{Denied, Time, UserId};
use subtle::ConstantTimeEq;
use tokio_postgres::Row;

use super::super::handles::is_text;
use super::super::logins::hash as hash_at;
use super::super::readers::Db;
use super::super::rows::{one, time, uuid};
use super::super::txn::Txn;
use super::tell_settings;
use crate::StoreError;
use crate::accounts::{CodeOutcome, Purpose};

/// Remembers a code in place of an earlier one.
pub(super) async fn put(
    db: &Db,
    user: UserId,
    purpose: Purpose,
    hash: [u8; 32],
    expires: Time,
) -> Result<(), StoreError> {
    let sql = "insert into codes (user_no, purpose, hash, expires_at) \
               select no, $2, $3, $4 from users where id = $1 \
               on conflict (user_no, purpose) do update \
               set hash = excluded.hash, expires_at = excluded.expires_at, tries = 0";
    let bound = [&user.0 as _, &purpose.as_str() as _, &&hash[..] as _, &expires.0 as _];
    match db.execute(sql, &bound).await? {
        0 => Err(Denied::NotFound.into()),
        _ => Ok(()),
    }
}

/// Forgets a code.
pub(super) async fn forget(db: &Db, user_no: i64, purpose: Purpose) -> Result<(), StoreError> {
    let sql = "delete from codes where user_no = $1 and purpose = $2";
    db.execute(sql, &[&user_no, &purpose.as_str()]).await.map(drop)
}

/// A code that waits to be typed.
struct Waiting {
    hash: [u8; 32],
    expires: Time,
    tries: i64,
}

/// Tries a code. A wrong one counts, which is why being wrong is no error: it has to be committed.
pub(super) async fn attempt(
    txn: &mut Txn,
    email: &str,
    purpose: Purpose,
    hash: [u8; 32],
    tries_max: u64,
    now: Time,
) -> Result<CodeOutcome, StoreError> {
    if !is_text(email) {
        return Ok(CodeOutcome::Missing);
    }
    let sql = "select no, id from users where email = $1 for no key update";
    let person = |row: &Row| Ok((row.try_get(0)?, UserId(uuid(row, 1)?)));
    let Some((user_no, user)) = one(txn, sql, &[&email], person).await? else {
        return Ok(CodeOutcome::Missing);
    };
    let sql = "select hash, expires_at, tries from codes where user_no = $1 and purpose = $2";
    let waiting = one(txn, sql, &[&user_no, &purpose.as_str()], |row| {
        Ok(Waiting { hash: hash_at(row, 0)?, expires: time(row, 1)?, tries: row.try_get(2)? })
    })
    .await?;
    let Some(code) = waiting else {
        return Ok(CodeOutcome::Missing);
    };
    if code.expires <= now || code.tries.unsigned_abs() >= tries_max {
        return Ok(CodeOutcome::Over);
    }
    // The comparison's time must not tell how much of a guess was right.
    if !bool::from(code.hash.ct_eq(&hash)) {
        let sql = "update codes set tries = tries + 1 where user_no = $1 and purpose = $2";
        txn.execute(sql, &[&user_no, &purpose.as_str()]).await?;
        return Ok(CodeOutcome::Wrong);
    }
    forget(txn, user_no, purpose).await?;
    prove(txn, (user_no, user), now).await?;
    Ok(CodeOutcome::Right(user))
}

/// Notes that somebody reads the mail sent to their address; whatever the code was for proves it.
async fn prove(txn: &mut Txn, (user_no, user): (i64, UserId), now: Time) -> Result<(), StoreError> {
    let sql = "update users set email_verified_at = $2, usable = true \
               where no = $1 and (email_verified_at is null or not usable)";
    if txn.execute(sql, &[&user_no, &now.0]).await? > 0 {
        tell_settings(txn, user, now).await?;
    }
    Ok(())
}
