//! What devices keep for their person: backups of keys, and notes.

use async_trait::async_trait;
use parlor_domain::{Denied, SessionId, UserId};
use tokio_postgres::Row;

use super::super::PostgresStore;
use super::super::readers::Db;
use super::super::rows::{many, most, one, user_no, uuid};
use super::super::txn::{Space, Txn};
use crate::StoreError;
use crate::e2ee::{BACKUP_FULL, BackedUp, Backup, Backups, TOO_MANY_NOTES, WhichKeys};

#[async_trait]
impl Backups for PostgresStore {
    async fn begin_backup(
        &self,
        user: UserId,
        algorithm: String,
        auth_data: String,
    ) -> Result<i64, StoreError> {
        let (txn, no) = self.keeping(user).await?;
        let sql = "insert into e2ee_backups (user_no, version, algorithm, auth_data) \
                   select $1, coalesce(max(version), 0) + 1, $2, $3 from e2ee_backups \
                   where user_no = $1 returning version";
        let bound = [&no as _, &algorithm as _, &auth_data as _];
        let version = one(&txn, sql, &bound, |row| Ok(row.try_get(0)?)).await?;
        txn.commit().await?;
        version.ok_or(Denied::NotFound.into())
    }

    async fn backup(
        &self,
        user: UserId,
        version: Option<i64>,
    ) -> Result<Option<Backup>, StoreError> {
        let db = self.one().await?;
        match user_no(&db, user).await? {
            Some(no) => find(&db, no, version).await,
            None => Ok(None),
        }
    }

    async fn change_backup(
        &self,
        user: UserId,
        version: i64,
        auth_data: String,
    ) -> Result<(), StoreError> {
        let (txn, no) = self.keeping(user).await?;
        let sql = "update e2ee_backups set auth_data = $3 where user_no = $1 and version = $2 \
                   and not gone";
        if txn.execute(sql, &[&no, &version, &auth_data]).await? == 0 {
            return Err(Denied::NotFound.into());
        }
        txn.commit().await
    }

    async fn delete_backup(&self, user: UserId, version: i64) -> Result<(), StoreError> {
        let (txn, no) = self.keeping(user).await?;
        let sql = "update e2ee_backups set gone = true, auth_data = '' where user_no = $1 \
                   and version = $2";
        txn.execute(sql, &[&no, &version]).await?;
        let sql = "delete from e2ee_backup_keys where user_no = $1 and version = $2";
        txn.execute(sql, &[&no, &version]).await?;
        txn.commit().await
    }

    async fn back_up(
        &self,
        user: UserId,
        version: i64,
        keys: Vec<BackedUp>,
        most: u64,
    ) -> Result<Backup, StoreError> {
        let (txn, no) = self.keeping(user).await?;
        let backup = keep(&txn, no, version, &keys, most).await?;
        txn.commit().await?;
        Ok(backup)
    }

    async fn backed_up(
        &self,
        user: UserId,
        version: i64,
        which: WhichKeys,
    ) -> Result<Vec<BackedUp>, StoreError> {
        let db = self.one().await?;
        let no = user_no(&db, user).await?.ok_or(Denied::NotFound)?;
        find(&db, no, Some(version)).await?.ok_or(Denied::NotFound)?;
        let sql = format!("{KEY} and ({WHICH}) order by session_id, key_session");
        let session = which.session.map(|id| id.0);
        many(&db, &sql, &[&no, &version, &session, &which.key_session], key_row).await
    }

    async fn forget_backed_up(
        &self,
        user: UserId,
        version: i64,
        which: WhichKeys,
    ) -> Result<Backup, StoreError> {
        let (txn, no) = self.keeping(user).await?;
        let sql = format!(
            "delete from e2ee_backup_keys where user_no = $1 and version = $2 and ({WHICH})"
        );
        let session = which.session.map(|id| id.0);
        if txn.execute(&sql, &[&no, &version, &session, &which.key_session]).await? > 0 {
            changed(&txn, no, version).await?;
        }
        let backup = find(&txn, no, Some(version)).await?.ok_or(Denied::NotFound)?;
        txn.commit().await?;
        Ok(backup)
    }

    async fn account_data(&self, user: UserId, kind: String) -> Result<Option<String>, StoreError> {
        let sql = "select a.content from e2ee_account_data a join users u on u.no = a.user_no \
                   where u.id = $1 and a.type = $2";
        let db = self.one().await?;
        one(&db, sql, &[&user.0, &kind], |row| Ok(row.try_get(0)?)).await
    }

    async fn set_account_data(
        &self,
        user: UserId,
        kind: String,
        content: String,
        most: u64,
    ) -> Result<(), StoreError> {
        let (txn, no) = self.keeping(user).await?;
        let others = "select count(*) from e2ee_account_data where user_no = $1 and type <> $2";
        let others = one(&txn, others, &[&no, &kind], |row| Ok(row.try_get(0)?)).await?;
        if others.unwrap_or(0_i64).unsigned_abs() >= most {
            return Err(TOO_MANY_NOTES.into());
        }
        let sql = "insert into e2ee_account_data (user_no, type, content) values ($1, $2, $3) \
                   on conflict (user_no, type) do update set content = excluded.content";
        txn.execute(sql, &[&no, &kind, &content]).await?;
        txn.commit().await
    }
}

impl PostgresStore {
    /// A change of what somebody keeps: one at a time.
    async fn keeping(&self, user: UserId) -> Result<(Txn, i64), StoreError> {
        let txn = self.begin().await?;
        let no = user_no(&txn, user).await?.ok_or(Denied::NotFound)?;
        txn.lock_key(Space::Keeper, no).await?;
        Ok((txn, no))
    }
}

const KEY: &str = "select session_id, key_session, first_index, forwarded, verified, data \
    from e2ee_backup_keys where user_no = $1 and version = $2";

const WHICH: &str = "session_id = coalesce($3, session_id) \
    and key_session = coalesce($4, key_session)";

fn key_row(row: &Row) -> Result<BackedUp, StoreError> {
    Ok(BackedUp {
        session: SessionId(uuid(row, 0)?),
        key_session: row.try_get(1)?,
        first_index: row.try_get(2)?,
        forwarded: row.try_get(3)?,
        verified: row.try_get(4)?,
        data: row.try_get(5)?,
    })
}

/// A backup that is not gone: of this version, or the newest.
async fn find(db: &Db, user_no: i64, version: Option<i64>) -> Result<Option<Backup>, StoreError> {
    let sql = "select b.version, b.algorithm, b.auth_data, b.etag, (select count(*) \
               from e2ee_backup_keys k where k.user_no = b.user_no and k.version = b.version) \
               from e2ee_backups b where b.user_no = $1 and not b.gone \
               and b.version = coalesce($2, b.version) order by b.version desc limit 1";
    one(db, sql, &[&user_no, &version], |row| {
        let (version, algorithm) = (row.try_get(0)?, row.try_get(1)?);
        let (auth_data, etag, count) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        Ok(Backup { version, algorithm, auth_data, count, etag })
    })
    .await
}

async fn changed(txn: &Txn, user_no: i64, version: i64) -> Result<(), StoreError> {
    let sql = "update e2ee_backups set etag = etag + 1 where user_no = $1 and version = $2";
    txn.execute(sql, &[&user_no, &version]).await.map(drop)
}

async fn keep(
    txn: &Txn,
    no: i64,
    version: i64,
    keys: &[BackedUp],
    keys_max: u64,
) -> Result<Backup, StoreError> {
    let newest = find(txn, no, None).await?.filter(|backup| backup.version == version);
    let mut count = newest.ok_or(Denied::NotFound)?.count;
    let mut any = false;
    for key in keys {
        let known = format!("{KEY} and session_id = $3 and key_session = $4");
        let at = [&no as _, &version as _, &key.session.0 as _, &key.key_session as _];
        let known = one(txn, &known, &at, key_row).await?;
        if known.as_ref().is_some_and(|known| known.rank() >= key.rank()) {
            continue;
        }
        count += i64::from(known.is_none());
        if count > most(keys_max) {
            return Err(BACKUP_FULL.into());
        }
        write(txn, no, version, key).await?;
        any = true;
    }
    if any {
        changed(txn, no, version).await?;
    }
    find(txn, no, Some(version)).await?.ok_or(Denied::NotFound.into())
}

async fn write(txn: &Txn, no: i64, version: i64, key: &BackedUp) -> Result<(), StoreError> {
    let sql = "insert into e2ee_backup_keys (user_no, version, session_id, key_session, \
               first_index, forwarded, verified, data) values ($1, $2, $3, $4, $5, $6, $7, $8) \
               on conflict (user_no, version, session_id, key_session) do update set \
               first_index = excluded.first_index, forwarded = excluded.forwarded, \
               verified = excluded.verified, data = excluded.data";
    let bound = [
        &no as _,
        &version as _,
        &key.session.0 as _,
        &key.key_session as _,
        &key.first_index as _,
        &key.forwarded as _,
        &key.verified as _,
        &key.data as _,
    ];
    txn.execute(sql, &bound).await.map(drop)
}
