//! Receipts: what a creating request with an idempotency key came to.

use parlor_domain::{ClientId, Time};
use rusqlite::{Connection, params};

use super::rows::one;
use super::txn::Txn;
use crate::StoreError;

/// What a request made, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    Message = 1,
    Room = 2,
    Session = 3,
}

/// A key, and the digest of the request that it came with.
pub(super) type Key = (ClientId, [u8; 16]);

/// The small id of what an earlier request with this key made. A key is used for one thing only,
/// over everything that its user makes.
pub(super) fn earlier(
    conn: &Connection,
    user_no: i64,
    (key, digest): &Key,
    made: Made,
) -> Result<Option<i64>, StoreError> {
    let sql = "select kind, digest, made_no from receipts where user_no = ? and key = ?";
    let found = one(conn, sql, params![user_no, key.0.as_bytes()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 16]>(1)?, row.get(2)?))
    })?;
    match found {
        None => Ok(None),
        Some((kind, first, no)) if kind == made as i64 && first == *digest => Ok(Some(no)),
        Some(_) => Err(StoreError::KeyReused),
    }
}

/// Remembers what a request made; says whether it was the first with this key.
pub(super) fn keep(
    txn: &Txn<'_>,
    user_no: i64,
    (key, digest): &Key,
    made: (Made, i64),
    now: Time,
) -> Result<bool, StoreError> {
    fail::fail_point!("store::receipts::forget", |_| Ok(true));
    let sql = "insert into receipts (user_no, key, kind, made_no, digest, at) \
               values (?, ?, ?, ?, ?, ?) on conflict do nothing";
    let (kind, made_no) = (made.0 as i64, made.1);
    let row = params![user_no, key.0.as_bytes(), kind, made_no, digest, now.0];
    Ok(txn.execute(sql, row)? == 1)
}
