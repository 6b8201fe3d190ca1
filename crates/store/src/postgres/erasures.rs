//! What was erased is erased again, where the database has come out of a backup.

use parlor_domain::{Denied, MessageId, SessionId, Time, UserId};
use tokio_postgres::Row;

use super::messages::{Erased, erase};
use super::readers::Db;
use super::rows::one;
use super::txn::Txn;
use super::{PostgresStore, accounts, rooms, sessions};
use crate::StoreError;
use crate::erasures::{DONE, Erasure};

impl PostgresStore {
    /// See [`crate::Decay::erase_again`]. Each entry is a transaction of its own, as others that
    /// change rooms and sessions are.
    pub(super) async fn erase_listed(&self, now: Time) -> Result<u64, StoreError> {
        let mut count = 0;
        self.keys.begin_list_after(done_to(&self.one().await?).await?).await?;
        loop {
            let after = done_to(&self.one().await?).await?;
            let listed = self.keys.listed(after).await?;
            let Some(last) = listed.last().map(|entry| entry.nth) else { return Ok(count) };
            count += listed.len() as u64;
            for entry in &listed {
                let mut txn = self.begin().await?;
                again(&mut txn, entry.erasure, now).await?;
                // It stands on the list.
                txn.erasures().clear();
                txn.commit().await?;
            }
            done(&self.one().await?, last).await?;
        }
    }
}

/// Up to which entry of the list all is done.
async fn done_to(db: &Db) -> Result<i64, StoreError> {
    let sql = "select value::bigint from meta where key = $1";
    Ok(one(db, sql, &[&DONE], |row| Ok(row.try_get(0)?)).await?.unwrap_or(0))
}

/// Notes it.
pub(super) async fn done(db: &Db, nth: i64) -> Result<(), StoreError> {
    let sql = "insert into meta (key, value) values ($1, $2::bigint::text) \
               on conflict (key) do update set value = \
               greatest(meta.value::bigint, excluded.value::bigint)::text";
    db.execute(sql, &[&DONE, &nth]).await.map(drop)
}

async fn again(txn: &mut Txn, erasure: Erasure, now: Time) -> Result<(), StoreError> {
    match erasure {
        Erasure::Message(id, by) => message(txn, id, by, now).await,
        Erasure::Session(id, by) => session(txn, id, by, now).await,
        Erasure::Room(id, by) => rooms::delete_again(txn, id, by, now).await,
        Erasure::Account(id) => match accounts::delete(txn, id, now).await {
            Ok(_) | Err(StoreError::Denied(Denied::NotFound)) => Ok(()),
            Err(error) => Err(error),
        },
    }
}

async fn message(txn: &mut Txn, id: MessageId, by: UserId, now: Time) -> Result<(), StoreError> {
    let session = "select session_no from messages where id = $1";
    let read = |row: &Row| Ok(row.try_get::<_, i64>(0)?);
    let Some(session_no) = one(txn, session, &[&id.0], read).await? else { return Ok(()) };
    txn.lock_heads(&[session_no]).await?;
    let sql = "select m.no, m.number from messages m \
               join sessions s on s.no = m.session_no and s.ended_at is null \
               where m.id = $1 and m.deleted_at is null";
    let read =
        |row: &Row| Ok(Erased { id, no: row.try_get(0)?, session_no, number: row.try_get(1)? });
    match one(txn, sql, &[&id.0], read).await? {
        Some(erased) => erase(txn, vec![erased], by, now).await,
        None => Ok(()),
    }
}

async fn session(
    txn: &mut Txn,
    id: SessionId,
    by: Option<UserId>,
    now: Time,
) -> Result<(), StoreError> {
    if rooms::lock_of(txn, id).await?.is_none() {
        return Ok(());
    }
    let sql = "select no from sessions where id = $1 and ended_at is null";
    match one(txn, sql, &[&id.0], |row| Ok(row.try_get(0)?)).await? {
        Some(no) => sessions::end(txn, no, by, now).await,
        None => Ok(()),
    }
}
