//! Mailed codes: kept as hashes, tried a few times, used once.

use parlor_domain::{Denied, Time, UserId};
use rusqlite::params;
use subtle::ConstantTimeEq;

use super::super::rows::{one, user_no, uuid};
use super::super::txn::Txn;
use super::tell_settings;
use crate::StoreError;
use crate::accounts::{CodeOutcome, Purpose};

/// Remembers a code in place of an earlier one.
pub(super) fn put(
    txn: &mut Txn<'_>,
    user: UserId,
    purpose: Purpose,
    hash: [u8; 32],
    expires: Time,
) -> Result<(), StoreError> {
    let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
    let sql = "insert or replace into codes (user_no, purpose, hash, expires_at) \
               values (?, ?, ?, ?)";
    txn.execute(sql, params![no, purpose.as_str(), hash, expires.0])?;
    Ok(())
}

/// Forgets a code.
pub(super) fn forget(txn: &Txn<'_>, user_no: i64, purpose: Purpose) -> Result<(), StoreError> {
    let sql = "delete from codes where user_no = ? and purpose = ?";
    txn.execute(sql, params![user_no, purpose.as_str()])?;
    Ok(())
}

/// A code that waits to be typed.
struct Waiting {
    user: UserId,
    user_no: i64,
    hash: [u8; 32],
    expires: Time,
    tries: i64,
}

/// Tries a code. A wrong one counts, which is why being wrong is no error: it has to be committed.
pub(super) fn attempt(
    txn: &mut Txn<'_>,
    email: &str,
    purpose: Purpose,
    hash: [u8; 32],
    tries_max: u64,
    now: Time,
) -> Result<CodeOutcome, StoreError> {
    let sql = "select u.id, u.no, c.hash, c.expires_at, c.tries from users u \
               join codes c on c.user_no = u.no and c.purpose = ?2 where u.email = ?1";
    let waiting = one(txn.conn, sql, params![email, purpose.as_str()], |row| {
        Ok(Waiting {
            user: UserId(uuid(row, 0)?),
            user_no: row.get(1)?,
            hash: row.get(2)?,
            expires: Time(row.get(3)?),
            tries: row.get(4)?,
        })
    })?;
    let Some(code) = waiting else {
        return Ok(CodeOutcome::Missing);
    };
    if code.expires <= now || code.tries.unsigned_abs() >= tries_max {
        return Ok(CodeOutcome::Over);
    }
    // The comparison's time must not tell how much of a guess was right.
    if !bool::from(code.hash.ct_eq(&hash)) {
        let sql = "update codes set tries = tries + 1 where user_no = ? and purpose = ?";
        txn.execute(sql, params![code.user_no, purpose.as_str()])?;
        return Ok(CodeOutcome::Wrong);
    }
    forget(txn, code.user_no, purpose)?;
    prove(txn, &code, now)?;
    Ok(CodeOutcome::Right(code.user))
}

/// Notes that somebody reads the mail sent to their address; whatever the code was for proves it.
fn prove(txn: &mut Txn<'_>, code: &Waiting, now: Time) -> Result<(), StoreError> {
    let sql = "update users set email_verified_at = ?, usable = 1 \
               where no = ? and (email_verified_at is null or usable = 0)";
    if txn.execute(sql, params![now.0, code.user_no])? > 0 {
        tell_settings(txn, code.user, code.user_no, now)?;
    }
    Ok(())
}
