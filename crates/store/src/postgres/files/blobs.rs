//! How often each blob is referred to, and which are to go.

use parlor_domain::{Denied, Time};

use super::super::readers::Db;
use super::super::txn::Txn;
use crate::StoreError;
use crate::files::{Blob, Hash};

/// Notes that a blob is about to be made; see [`crate::Files::expect_blob`].
pub(super) async fn expect(db: &Db, blob: Blob, now: Time) -> Result<(), StoreError> {
    let sql = "insert into blobs (hash, size, touched_at) values ($1, $2, $3) \
               on conflict (hash) do update set \
               touched_at = greatest(blobs.touched_at, excluded.touched_at) \
               where not blobs.doomed";
    match db.execute(sql, &[&&blob.hash[..], &blob.size, &now.0]).await? {
        0 => Err(StoreError::Busy),
        _ => Ok(()),
    }
}

/// One more refers to a blob that is expected.
pub(in super::super) async fn refer(txn: &Txn, hash: Hash, now: Time) -> Result<(), StoreError> {
    let sql = "update blobs set refs = refs + 1, touched_at = greatest(touched_at, $2) \
               where hash = $1 and not doomed";
    if txn.execute(sql, &[&&hash[..], &now.0]).await? == 1 {
        return Ok(());
    }
    Err(Denied::Conflict("the file took too long to be finished").into())
}

/// Nobody needs a blob that was expected: it goes at once. Who else expects it comes anew.
pub(super) async fn expect_no_more(db: &Db, hash: Hash) -> Result<(), StoreError> {
    let sql = "update blobs set doomed = true where hash = $1 and refs = 0";
    db.execute(sql, &[&&hash[..]]).await.map(drop)
}

/// One less does for each that is named. The last one dooms it: from now on nobody uses it.
pub(in super::super) async fn release(
    txn: &Txn,
    mut hashes: Vec<Vec<u8>>,
) -> Result<(), StoreError> {
    hashes.sort_unstable();
    let sql = "update blobs set refs = refs - 1, doomed = (refs = 1) where hash = $1";
    for hash in hashes {
        txn.execute(sql, &[&hash]).await?;
    }
    Ok(())
}
