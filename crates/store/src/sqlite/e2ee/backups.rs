//! What devices keep for their person: backups of keys, and notes.

use async_trait::async_trait;
use parlor_domain::{Denied, SessionId, UserId};
use rusqlite::{Connection, Row, params};

use super::super::SqliteStore;
use super::super::rows::{many, most, one, user_no, uuid};
use super::super::txn::Txn;
use crate::StoreError;
use crate::e2ee::{BACKUP_FULL, BackedUp, Backup, Backups, TOO_MANY_NOTES, WhichKeys};

#[async_trait]
impl Backups for SqliteStore {
    async fn begin_backup(
        &self,
        user: UserId,
        algorithm: String,
        auth_data: String,
    ) -> Result<i64, StoreError> {
        self.write(move |txn| {
            let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
            let sql = "insert into e2ee_backups (user_no, version, algorithm, auth_data) \
                       select ?1, coalesce(max(version), 0) + 1, ?2, ?3 from e2ee_backups \
                       where user_no = ?1 returning version";
            let version = one(txn.conn, sql, params![no, algorithm, auth_data], |row| row.get(0))?;
            version.ok_or(Denied::NotFound.into())
        })
        .await
    }

    async fn backup(
        &self,
        user: UserId,
        version: Option<i64>,
    ) -> Result<Option<Backup>, StoreError> {
        self.read(move |conn| match user_no(conn, user)? {
            Some(no) => find(conn, no, version),
            None => Ok(None),
        })
        .await
    }

    async fn change_backup(
        &self,
        user: UserId,
        version: i64,
        auth_data: String,
    ) -> Result<(), StoreError> {
        self.write(move |txn| {
            let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
            let sql = "update e2ee_backups set auth_data = ? where user_no = ? and version = ? \
                       and gone = 0";
            match txn.execute(sql, params![auth_data, no, version])? {
                0 => Err(Denied::NotFound.into()),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn delete_backup(&self, user: UserId, version: i64) -> Result<(), StoreError> {
        self.write(move |txn| {
            let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
            let sql = "update e2ee_backups set gone = 1, auth_data = '' where user_no = ? \
                       and version = ?";
            txn.execute(sql, [no, version])?;
            let sql = "delete from e2ee_backup_keys where user_no = ? and version = ?";
            txn.execute(sql, [no, version])?;
            txn.erase();
            Ok(())
        })
        .await
    }

    async fn back_up(
        &self,
        user: UserId,
        version: i64,
        keys: Vec<BackedUp>,
        most: u64,
    ) -> Result<Backup, StoreError> {
        self.write(move |txn| keep(txn, user, version, &keys, most)).await
    }

    async fn backed_up(
        &self,
        user: UserId,
        version: i64,
        which: WhichKeys,
    ) -> Result<Vec<BackedUp>, StoreError> {
        self.read(move |conn| {
            let no = user_no(conn, user)?.ok_or(Denied::NotFound)?;
            find(conn, no, Some(version))?.ok_or(Denied::NotFound)?;
            let sql = format!("{KEY} and ({WHICH}) order by session_id, key_session");
            let (session, key_session) = bound(&which);
            many(conn, &sql, params![no, version, session, key_session], key_row)
        })
        .await
    }

    async fn forget_backed_up(
        &self,
        user: UserId,
        version: i64,
        which: WhichKeys,
    ) -> Result<Backup, StoreError> {
        self.write(move |txn| {
            let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
            let sql = format!(
                "delete from e2ee_backup_keys where user_no = ?1 and version = ?2 and ({WHICH})"
            );
            let (session, key_session) = bound(&which);
            if txn.execute(&sql, params![no, version, session, key_session])? > 0 {
                changed(txn, no, version)?;
                txn.erase();
            }
            find(txn.conn, no, Some(version))?.ok_or(Denied::NotFound.into())
        })
        .await
    }

    async fn account_data(&self, user: UserId, kind: String) -> Result<Option<String>, StoreError> {
        self.read(move |conn| {
            let sql = "select a.content from e2ee_account_data a join users u on u.no = a.user_no \
                       where u.id = ? and a.type = ?";
            one(conn, sql, params![user.0.as_bytes(), kind], |row| row.get(0))
        })
        .await
    }

    async fn set_account_data(
        &self,
        user: UserId,
        kind: String,
        content: String,
        most: u64,
    ) -> Result<(), StoreError> {
        self.write(move |txn| {
            let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
            let others = "select count(*) from e2ee_account_data where user_no = ? and type <> ?";
            let others = one(txn.conn, others, params![no, kind], |row| row.get(0))?;
            if others.unwrap_or(0_i64).unsigned_abs() >= most {
                return Err(TOO_MANY_NOTES.into());
            }
            let sql = "insert or replace into e2ee_account_data (user_no, type, content) \
                       values (?, ?, ?)";
            txn.execute(sql, params![no, kind, content]).map(drop)
        })
        .await
    }
}

const KEY: &str = "select session_id, key_session, first_index, forwarded, verified, data \
    from e2ee_backup_keys where user_no = ?1 and version = ?2";

const WHICH: &str = "(?3 is null or session_id = ?3) and (?4 is null or key_session = ?4)";

fn bound(which: &WhichKeys) -> (Option<[u8; 16]>, Option<&String>) {
    (which.session.map(|id| id.0.into_bytes()), which.key_session.as_ref())
}

fn key_row(row: &Row<'_>) -> rusqlite::Result<BackedUp> {
    Ok(BackedUp {
        session: SessionId(uuid(row, 0)?),
        key_session: row.get(1)?,
        first_index: row.get(2)?,
        forwarded: row.get(3)?,
        verified: row.get(4)?,
        data: row.get(5)?,
    })
}

/// A backup that is not gone: of this version, or the newest.
fn find(
    conn: &Connection,
    user_no: i64,
    version: Option<i64>,
) -> Result<Option<Backup>, StoreError> {
    let sql = "select b.version, b.algorithm, b.auth_data, b.etag, (select count(*) \
               from e2ee_backup_keys k where k.user_no = b.user_no and k.version = b.version) \
               from e2ee_backups b where b.user_no = ?1 and b.gone = 0 \
               and b.version = coalesce(?2, b.version) order by b.version desc limit 1";
    one(conn, sql, params![user_no, version], |row| {
        let (version, algorithm, auth_data) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Backup { version, algorithm, auth_data, etag: row.get(3)?, count: row.get(4)? })
    })
}

fn changed(txn: &Txn<'_>, user_no: i64, version: i64) -> Result<(), StoreError> {
    let sql = "update e2ee_backups set etag = etag + 1 where user_no = ? and version = ?";
    txn.execute(sql, [user_no, version]).map(drop)
}

fn keep(
    txn: &Txn<'_>,
    user: UserId,
    version: i64,
    keys: &[BackedUp],
    keys_max: u64,
) -> Result<Backup, StoreError> {
    let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
    let newest = find(txn.conn, no, None)?.filter(|backup| backup.version == version);
    let mut count = newest.ok_or(Denied::NotFound)?.count;
    let mut any = false;
    for key in keys {
        let known = format!("{KEY} and session_id = ?3 and key_session = ?4");
        let at = params![no, version, key.session.0.as_bytes(), key.key_session];
        let known = one(txn.conn, &known, at, key_row)?;
        if known.as_ref().is_some_and(|known| known.rank() >= key.rank()) {
            continue;
        }
        count += i64::from(known.is_none());
        if count > most(keys_max) {
            return Err(BACKUP_FULL.into());
        }
        let sql = "insert or replace into e2ee_backup_keys (user_no, version, session_id, \
                   key_session, first_index, forwarded, verified, data) \
                   values (?, ?, ?, ?, ?, ?, ?, ?)";
        let session = key.session.0.as_bytes();
        let (first, data) = (key.first_index, &key.data);
        let (forwarded, verified) = (key.forwarded, key.verified);
        let row = params![no, version, session, key.key_session, first, forwarded, verified, data];
        txn.execute(sql, row)?;
        any = true;
    }
    if any {
        changed(txn, no, version)?;
    }
    find(txn.conn, no, Some(version))?.ok_or(Denied::NotFound.into())
}
