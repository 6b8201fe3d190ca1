//! Receipts: what a creating request with an idempotency key came to.

use parlor_domain::{ClientId, Time};
use rusqlite::{Connection, params};

use super::rows::{many, one};
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

/// Forgets what requests from before `before` came to; see [`crate::Messages::forget_receipts`].
pub(super) fn forget(txn: &Txn<'_>, before: Time, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from receipts where (user_no, key) in \
               (select user_no, key from receipts where kind <> 1 and at < ? limit ?)";
    let places = txn.execute(sql, params![before.0, limit])?;
    Ok(places as u64 + forget_messages(txn, before, limit)?)
}

/// Forgets the receipts of the next messages, which are older the smaller their small id is. So
/// they are found without an index by time, which every send would pay for, and each message is
/// looked at once: where the last time ended is remembered.
fn forget_messages(txn: &Txn<'_>, before: Time, limit: i64) -> Result<u64, StoreError> {
    let sql = "select no, sender_no, client_id, sent_at from messages where no > coalesce(( \
               select cast(value as integer) from meta where key = 'receipts_forgotten_to'), 0) \
               order by no limit ?";
    let next = many(txn.conn, sql, [limit], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, Time(row.get(3)?)))
    })?;
    let old = next.into_iter().take_while(|(.., sent_at)| *sent_at < before);
    let old: Vec<(i64, i64, [u8; 16], Time)> = old.collect();
    let Some((last, ..)) = old.last() else {
        return Ok(0);
    };
    let sql = "insert or replace into meta (key, value) values ('receipts_forgotten_to', ?)";
    txn.execute(sql, [last.to_string()])?;
    for (no, sender_no, key, _) in &old {
        // Of this message only: the key may have been used again.
        let sql = "delete from receipts where user_no = ? and key = ? and kind = 1 and made_no = ?";
        txn.execute(sql, params![sender_no, key, no])?;
    }
    Ok(old.len() as u64)
}
