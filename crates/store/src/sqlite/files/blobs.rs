//! How often each blob is referred to, and which are to go.

use parlor_domain::{Denied, Time};
use rusqlite::params;

use super::super::rows::one;
use super::super::txn::Txn;
use crate::StoreError;
use crate::files::{Blob, Hash};

/// Notes that a blob is about to be made; see [`crate::Files::expect_blob`].
pub(super) fn expect(txn: &Txn<'_>, blob: Blob, now: Time) -> Result<(), StoreError> {
    let sql = "select doomed from blobs where hash = ?";
    if one(txn.conn, sql, [blob.hash], |row| row.get(0))?.unwrap_or(false) {
        return Err(StoreError::Busy);
    }
    let sql = "insert into blobs (hash, size, touched_at) values (?1, ?2, ?3) \
               on conflict (hash) do update set touched_at = max(touched_at, ?3)";
    txn.execute(sql, params![blob.hash, blob.size, now.0]).map(drop)
}

/// One more refers to a blob that is expected.
pub(in super::super) fn refer(txn: &Txn<'_>, hash: Hash, now: Time) -> Result<(), StoreError> {
    let sql = "update blobs set refs = refs + 1, touched_at = max(touched_at, ?2) \
               where hash = ?1 and doomed = 0";
    if txn.execute(sql, params![hash, now.0])? == 1 {
        return Ok(());
    }
    Err(Denied::Conflict("the file took too long to be finished").into())
}

/// Nobody needs a blob that was expected: it goes at once. Who else expects it comes anew.
pub(super) fn expect_no_more(txn: &Txn<'_>, hash: Hash) -> Result<(), StoreError> {
    let sql = "update blobs set doomed = 1 where hash = ? and refs = 0";
    txn.execute(sql, [hash]).map(drop)
}

/// One less does. The last one dooms it: from now on nobody uses it.
pub(in super::super) fn release(txn: &Txn<'_>, hash: Hash) -> Result<(), StoreError> {
    let sql = "update blobs set refs = refs - 1, doomed = (refs = 1) where hash = ?";
    txn.execute(sql, [hash]).map(drop)
}
