//! Where the keys to what is sealed are kept: a small database of their own, in the folder `keys`
//! beside the database, which no backup copies. What is deleted in it is overwritten, and its
//! write-ahead log is emptied after each change.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use parlor_domain::{MessageId, SessionId, Time};
use parlor_seal::{Secret, TimeKeys};
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, Row, params};
use uuid::Uuid;

use super::rows::{exists, many, one, uuid};
use super::{BUSY_WAIT, failed};
use crate::StoreError;
use crate::erasures::{AT_ONCE, Entry, Erasure};
use crate::keyring::Keyring;
use crate::keys::KeySet;

/// The folder of the keys, beside the database.
const FOLDER: &str = "keys";

/// `time_keys` has one row.
const TABLES: &str = "create table if not exists time_keys (one integer primary key, \
    keys blob not null); create table if not exists session_keys (session_id blob primary key, \
    secret blob not null) without rowid; create table if not exists erasures \
    (nth integer primary key, kind integer not null, id blob not null, by_id blob)";

/// The keys of one database, and the file that they are in.
pub(crate) struct KeyFile {
    keys: Keyring,
    file: Mutex<Connection>,
}

impl KeyFile {
    /// Opens the keys of the database at `database`; they are made when missing.
    pub(super) fn open(database: &Path) -> Result<Arc<Self>, StoreError> {
        let conn = open_file(&beside(database))?;
        let kept: Option<Vec<u8>> = one(&conn, "select keys from time_keys", [], |row| row.get(0))?;
        let time = match kept {
            Some(bytes) => TimeKeys::from_bytes(&bytes).map_err(damaged)?,
            None => {
                let time = TimeKeys::new(Secret::random().map_err(damaged)?);
                keep_time(&conn, &time.to_bytes())?;
                time
            }
        };
        let keys = Keyring::new(time);
        for (session, secret) in secrets(&conn)? {
            keys.learn(SessionId(session), Secret::of(secret));
        }
        Ok(Arc::new(Self { keys, file: Mutex::new(conn) }))
    }

    /// The keys.
    pub(super) fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// Makes the secret of a session, unless there is one. It is durable before it is used.
    pub(super) fn prepare(&self, session: SessionId) -> Result<(), StoreError> {
        let file = self.file.lock();
        if self.keys.knows(session) {
            return Ok(());
        }
        let secret = Secret::random().map_err(damaged)?;
        let sql = "insert into session_keys (session_id, secret) values (?, ?)";
        file.execute(sql, params![session.0.as_bytes(), secret.bytes()]).map_err(failed)?;
        empty_log(&file)?;
        self.keys.learn(session, secret);
        Ok(())
    }

    /// Destroys the secret of a session, in which nothing opens any more then.
    pub(super) fn forget(&self, session: SessionId) -> Result<(), StoreError> {
        let file = self.file.lock();
        self.keys.forget(session);
        let sql = "delete from session_keys where session_id = ?";
        if file.execute(sql, [session.0.as_bytes()]).map_err(failed)? > 0 {
            empty_log(&file)?;
        }
        Ok(())
    }

    /// Puts on the list what is about to be erased, after an entry of it; the last one's number.
    /// It is durable afterwards.
    pub(super) fn list(&self, erasures: &[Erasure], after: i64) -> Result<i64, StoreError> {
        let file = self.file.lock();
        let txn = file.unchecked_transaction().map_err(failed)?;
        let last = "select max(nth) from erasures";
        let last: Option<i64> = one(&txn, last, [], |row| row.get(0))?.flatten();
        let first = last.unwrap_or(0).max(after) + 1;
        let entry = |(nth, erasure): (i64, &Erasure)| Entry { nth, erasure: *erasure };
        let entries: Vec<Entry> = (first..).zip(erasures).map(entry).collect();
        write_list(&txn, &entries)?;
        txn.commit().map_err(failed)?;
        Ok(entries.last().map_or(after, |entry| entry.nth))
    }

    /// Some of what stands on the list after an entry.
    pub(super) fn listed(&self, after: i64) -> Result<Vec<Entry>, StoreError> {
        read_list(&self.file.lock(), after, AT_ONCE)
    }

    /// Destroys the keys of seconds that are over.
    pub(super) fn advance(&self, now: Time) -> Result<(), StoreError> {
        if let Some(time) = self.keys.advance(now) {
            keep_time(&self.file.lock(), &time)?;
            self.keys.settled(now);
        }
        Ok(())
    }
}

/// Lets statements of a connection open what is sealed: `unsealed(sealed, session id, message id)`
/// is its text, or null when its key is gone.
pub(super) fn teach(conn: &Connection, keys: &Arc<KeyFile>) -> Result<(), StoreError> {
    let keys = Arc::clone(keys);
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    conn.create_scalar_function("unsealed", 3, flags, move |given| {
        let id = |n| given.get::<[u8; 16]>(n).map(Uuid::from_bytes);
        let (session, message) = (SessionId(id(1)?), MessageId(id(2)?));
        let sealed = given.get_raw(0).as_blob().unwrap_or_default();
        // All secrets of this database are in memory: what is not there is gone.
        Ok(keys.keys.open(session, message, sealed).unwrap_or_default())
    })
    .map_err(failed)
}

/// Where the keys of a database are.
pub(crate) fn beside(database: &Path) -> PathBuf {
    let name = database.file_name().unwrap_or_default();
    database.with_file_name(FOLDER).join(name)
}

fn open_file(path: &Path) -> Result<Connection, StoreError> {
    let broken = |error| StoreError::Database(format!("{}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        DirBuilder::new().mode(0o700).create(folder).map_err(broken)?;
        // Where a folder is made, the one above has to remember it.
        let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
        let above = above.unwrap_or(Path::new("."));
        File::open(above).and_then(|above| above.sync_all()).map_err(broken)?;
    }
    let mut made = File::options();
    made.write(true).create(true).truncate(false).mode(0o600).open(path).map_err(broken)?;
    let conn = Connection::open(path).map_err(failed)?;
    conn.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    conn.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    conn.pragma_update(None, "secure_delete", "ON").map_err(failed)?;
    conn.busy_timeout(BUSY_WAIT).map_err(failed)?;
    conn.execute_batch(TABLES).map_err(failed)?;
    Ok(conn)
}

/// The secrets of sessions.
fn secrets(file: &Connection) -> Result<Vec<(Uuid, [u8; 32])>, StoreError> {
    let read = |row: &Row<'_>| Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?));
    many(file, "select session_id, secret from session_keys", [], read)
}

/// What stands on the list after an entry.
fn read_list(file: &Connection, after: i64, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let sql = "select nth, kind, id, by_id from erasures where nth > ? order by nth limit ?";
    let read = |row: &Row<'_>| {
        let by: Option<[u8; 16]> = row.get(3)?;
        let erasure = Erasure::of_row(row.get(1)?, uuid(row, 2)?, by.map(Uuid::from_bytes));
        erasure.map(|erasure| Ok(Entry { nth: row.get(0)?, erasure })).transpose()
    };
    Ok(many(file, sql, [after, limit], read)?.into_iter().flatten().collect())
}

fn write_list(file: &Connection, entries: &[Entry]) -> Result<(), StoreError> {
    let sql = "insert into erasures (nth, kind, id, by_id) values (?, ?, ?, ?)";
    let mut statement = file.prepare_cached(sql).map_err(failed)?;
    for Entry { nth, erasure } in entries {
        let (kind, id, by) = erasure.to_row();
        let by = by.map(Uuid::into_bytes);
        statement.execute(params![nth, kind, id.as_bytes(), by]).map_err(failed)?;
    }
    Ok(())
}

/// All keys in a file, which a server may have open; `None`: there is no such file.
pub(crate) fn read_keys(path: &Path) -> Result<Option<KeySet>, StoreError> {
    if !path.is_file() {
        return Ok(None);
    }
    let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let file = file.map_err(failed)?;
    file.busy_timeout(BUSY_WAIT).map_err(failed)?;
    let file = file.unchecked_transaction().map_err(failed)?;
    let time = one(&file, "select keys from time_keys", [], |row| row.get(0))?;
    let Some(time): Option<Vec<u8>> = time else { return Ok(None) };
    TimeKeys::from_bytes(&time).map_err(damaged)?;
    let there = "select 1 from sqlite_schema where name = 'erasures'";
    let erasures = match exists(&file, there, [])? {
        true => read_list(&file, 0, i64::MAX)?,
        false => Vec::new(),
    };
    Ok(Some(KeySet { time, sessions: secrets(&file)?, erasures }))
}

/// Writes keys into a file, in the place of all that is in it; it is made when missing.
pub(crate) fn write_keys(path: &Path, keys: &KeySet) -> Result<(), StoreError> {
    let file = open_file(path)?;
    let txn = file.unchecked_transaction().map_err(failed)?;
    let all = "delete from time_keys; delete from session_keys; delete from erasures";
    txn.execute_batch(all).map_err(failed)?;
    txn.execute("insert into time_keys (one, keys) values (1, ?)", [&keys.time]).map_err(failed)?;
    let sql = "insert into session_keys (session_id, secret) values (?, ?)";
    for (session, secret) in &keys.sessions {
        txn.execute(sql, params![session.as_bytes(), secret]).map_err(failed)?;
    }
    write_list(&txn, &keys.erasures)?;
    txn.commit().map_err(failed)?;
    empty_log(&file)?;
    // A file by itself, which can be read where nothing can be written.
    file.pragma_update(None, "journal_mode", "DELETE").map_err(failed)
}

fn keep_time(file: &Connection, keys: &[u8]) -> Result<(), StoreError> {
    let sql = "insert or replace into time_keys (one, keys) values (1, ?)";
    file.execute(sql, [keys]).map_err(failed)?;
    empty_log(file)
}

/// Leaves nothing of what was overwritten in the log.
fn empty_log(file: &Connection) -> Result<(), StoreError> {
    file.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).map_err(failed)
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("the keys of what is sealed: {error}"))
}
