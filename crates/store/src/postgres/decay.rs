//! What has decayed goes: what is due is found by one index, and erased a batch at a time, by
//! whichever node looks first.

use async_trait::async_trait;
use parlor_domain::{EventKind, MessageId, Time};

use super::PostgresStore;
use super::messages::{Erased, strip};
use super::readers::Db;
use super::rows::{many, most, one, time, uuid};
use super::txn::Txn;
use crate::StoreError;
use crate::decay::{Decay, Decayed, Due, runs};

#[async_trait]
impl Decay for PostgresStore {
    async fn decay(&self, now: Time, limit: u64) -> Result<Decayed, StoreError> {
        let next = next_due(&self.one().await?).await?;
        if next.is_none_or(|next| next > now) {
            return Ok(Decayed { erased: 0, next });
        }
        let mut txn = self.begin().await?;
        let erased = erase_due(&mut txn, now, most(limit)).await?;
        txn.commit().await?;
        Ok(Decayed { erased, next: next_due(&self.one().await?).await? })
    }
}

/// When the next message is due.
async fn next_due(db: &Db) -> Result<Option<Time>, StoreError> {
    let sql = "select expires_at from messages where expires_at is not null \
               and deleted_at is null order by expires_at limit 1";
    one(db, sql, &[], |row| time(row, 0)).await
}

/// How many were looked at: another node may have erased them meanwhile.
async fn erase_due(txn: &mut Txn, now: Time, limit: i64) -> Result<u64, StoreError> {
    let sql = "select no, session_no from messages where expires_at <= $1 \
               and deleted_at is null order by expires_at limit $2";
    let placed = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let due: Vec<(i64, i64)> = many(txn, sql, &[&now.0, &limit], placed).await?;
    let looked_at = due.len() as u64;
    let (nos, mut sessions): (Vec<i64>, Vec<i64>) = due.into_iter().unzip();
    sessions.sort_unstable();
    sessions.dedup();
    txn.lock_heads(&sessions).await?;
    let sql = "select id, no, session_no, number from messages \
               where no = any($1) and deleted_at is null order by session_no, number";
    let left = many(txn, sql, &[&nos], |row| {
        let (id, no) = (MessageId(uuid(row, 0)?), row.try_get(1)?);
        Ok(Erased { id, no, session_no: row.try_get(2)?, number: row.try_get(3)? })
    })
    .await?;
    strip(txn, &left, now).await?;
    let told: Vec<Due> =
        left.iter().map(|m| Due { session_no: m.session_no, number: m.number }).collect();
    for (session_no, from, to) in runs(&told) {
        txn.log(session_no, now, None, EventKind::Decayed { from, to }).await?;
    }
    Ok(looked_at)
}
