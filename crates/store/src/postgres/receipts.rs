//! Receipts: what a creating request with an idempotency key came to.

use parlor_domain::{ClientId, Time};

use super::readers::Db;
use super::rows::{many, one};
use super::txn::Txn;
use crate::StoreError;

/// What a request made, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    Room = 2,
    Session = 3,
}

/// A key, and the digest of the request that it came with.
pub(super) type Key = (ClientId, [u8; 16]);

/// The small id of what an earlier request with this key made. A key is used for one thing only,
/// over everything that its user makes.
pub(super) async fn earlier(
    db: &Db,
    user_no: i64,
    (key, digest): &Key,
    made: Made,
) -> Result<Option<i64>, StoreError> {
    let sql = "select kind, digest, made_no from receipts where user_no = $1 and key = $2";
    let found = one(db, sql, &[&user_no, &key.0], |row| {
        let first: &[u8] = row.try_get(1)?;
        Ok((row.try_get::<_, i64>(0)?, first == digest, row.try_get(2)?))
    })
    .await?;
    match found {
        None => Ok(None),
        Some((kind, true, no)) if kind == made as i64 => Ok(Some(no)),
        Some(_) => Err(StoreError::KeyReused),
    }
}

/// Remembers what a request made; says whether it was the first with this key. Waits for whoever
/// is just doing the same.
pub(super) async fn keep(
    txn: &Txn,
    user_no: i64,
    (key, digest): &Key,
    (made, made_no): (Made, i64),
    now: Time,
) -> Result<bool, StoreError> {
    let sql = "insert into receipts (user_no, key, kind, made_no, digest, at) \
               values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
    let (kind, digest) = (made as i64, digest.as_slice());
    let kept = txn.execute(sql, &[&user_no, &key.0, &kind, &made_no, &digest, &now.0]).await?;
    Ok(kept == 1)
}

/// Forgets what requests from before `before` came to; see [`crate::Messages::forget_receipts`].
pub(super) async fn forget(txn: &Txn, before: Time, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from receipts where (user_no, key) in \
               (select user_no, key from receipts where kind <> 1 and at < $1 limit $2)";
    let places = txn.execute(sql, &[&before.0, &limit]).await?;
    Ok(places + forget_messages(txn, before, limit).await?)
}

/// Forgets the receipts of the next messages, which are older the smaller their small id is. So
/// they are found without an index by time, which every send would pay for, and each message is
/// looked at once: where the last time ended is remembered. (A small id that is given while this
/// goes by is days too young for it.)
async fn forget_messages(txn: &Txn, before: Time, limit: i64) -> Result<u64, StoreError> {
    let sql = "select no, sender_no, client_id, sent_at from messages where no > coalesce(( \
               select value::bigint from meta where key = 'receipts_forgotten_to'), 0) \
               order by no limit $1";
    let next = many(txn, sql, &[&limit], |row| {
        let time = Time(row.try_get(3)?);
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, time))
    })
    .await?;
    let old = next.into_iter().take_while(|(.., sent_at)| *sent_at < before);
    let old: Vec<(i64, i64, uuid::Uuid, Time)> = old.collect();
    let Some((last, ..)) = old.last() else {
        return Ok(0);
    };
    let sql = "insert into meta (key, value) values ('receipts_forgotten_to', $1::bigint::text) \
               on conflict (key) do update set value = \
               greatest(meta.value::bigint, excluded.value::bigint)::text";
    txn.execute(sql, &[last]).await?;
    let nos: Vec<i64> = old.iter().map(|(no, ..)| *no).collect();
    let users: Vec<i64> = old.iter().map(|(_, user_no, ..)| *user_no).collect();
    let keys: Vec<uuid::Uuid> = old.iter().map(|(_, _, key, _)| *key).collect();
    // Of these messages only: a key may have been used again.
    let sql = "delete from receipts r using unnest($1::bigint[], $2::uuid[], $3::bigint[]) \
               o (user_no, key, no) where r.user_no = o.user_no and r.key = o.key \
               and r.kind = 1 and r.made_no = o.no";
    txn.execute(sql, &[&users, &keys, &nos]).await?;
    Ok(old.len() as u64)
}
