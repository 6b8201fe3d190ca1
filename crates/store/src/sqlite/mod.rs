//! SQLite: one writer thread with group commit, a pool of read-only connections.
//!
//! Owns one database file, which one process has open for writing. Everything is durable
//! (`synchronous=FULL`) before anybody is answered; what is deleted is overwritten
//! (`secure_delete`).

mod accounts;
pub mod backup;
mod checkpoint;
pub(crate) mod contents;
mod decay;
mod drafts;
mod e2ee;
mod erasures;
mod extras;
mod files;
mod handles;
pub mod health;
pub mod jobs;
mod keyring;
mod log;
mod logins;
mod messages;
mod pins;
mod previews;
mod reactions;
mod readers;
mod receipts;
mod rooms;
mod rows;
mod schema;
mod sealing;
mod search;
mod sessions;
mod threads;
mod txn;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use crate::{Batch, StoreError};

use keyring::KeyFile;
pub(crate) use keyring::{beside as keys_beside, read_keys, write_keys};
use readers::Readers;
use txn::Txn;
pub use writer::Committer;
use writer::Op;

/// The oldest SQLite that we open a database with: earlier ones can corrupt a write-ahead log when
/// one connection commits while another checkpoints.
const SQLITE_MIN: i32 = 3_051_003;

/// How long a statement waits for another connection's lock.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Drafts and changes that may wait for the writer; more make the senders wait.
const QUEUE_MAX: usize = 8192;

/// How the database is opened.
#[derive(Debug, Clone)]
pub struct SqliteConfig {
    /// The database file; it is made when missing. The keys to what is sealed are in the folder
    /// `keys` beside it, which is in no copy of it.
    pub path: PathBuf,
    /// Read-only connections, each on its own thread.
    pub readers: usize,
}

/// A database in one file.
pub struct SqliteStore {
    ops: mpsc::Sender<Op>,
    readers: Readers,
    keys: Arc<KeyFile>,
    epoch: String,
}

impl SqliteStore {
    /// Opens the database, brings its schema up to date, and starts its threads. `sink` receives
    /// what each commit made durable, in commit order; a full sink makes the writer wait.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file cannot be opened, is newer than this program, or is
    /// open in another process.
    pub fn open(config: &SqliteConfig, sink: mpsc::Sender<Batch>) -> Result<Self, StoreError> {
        let committer = Committer::open(&config.path)?;
        let epoch = committer.epoch()?;
        let keys = Arc::clone(committer.keys());
        let readers = Readers::start(&config.path, config.readers, &keys)?;
        let (ops, queue) = mpsc::channel(QUEUE_MAX);
        writer::start(committer, queue, sink)?;
        Ok(Self { ops, readers, keys, epoch })
    }

    /// Opens the database without threads, for tests that decide themselves when something is
    /// committed: drain the returned queue into [`Committer::commit`]. Reads run on the calling
    /// thread.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_manual(path: &Path) -> Result<(Self, Manual), StoreError> {
        let committer = Committer::open(path)?;
        let epoch = committer.epoch()?;
        let keys = Arc::clone(committer.keys());
        let readers = Readers::inline(path, &keys)?;
        let (ops, queue) = mpsc::channel(QUEUE_MAX);
        Ok((Self { ops, readers, keys, epoch }, Manual { committer, queue }))
    }

    /// Runs a change in the next group commit, and answers when it is durable. When `work` fails,
    /// nothing of it is done, and others in the same commit are not affected.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Txn<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let op = Op::run(work, answer);
        self.ops.send(op).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Reads on a read-only connection, from one state of the database.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.read(work).await
    }
}

/// The committing half of a store without threads.
pub struct Manual {
    committer: Committer,
    queue: mpsc::Receiver<Op>,
}

impl Manual {
    /// Commits up to `max` of what is queued as one group, answers it, and returns what became
    /// durable; `None` when nothing was queued.
    pub fn step(&mut self, max: usize) -> Option<Batch> {
        let mut ops = Vec::new();
        while ops.len() < max
            && let Ok(op) = self.queue.try_recv()
        {
            ops.push(op);
        }
        (!ops.is_empty()).then(|| self.committer.commit(ops))
    }

    /// Does one slice of the work on the search index, of up to `rows` messages, in a commit of its
    /// own; false when there was nothing to do.
    pub fn index(&mut self, rows: i64) -> bool {
        let behind = self.committer.is_behind();
        if behind {
            self.committer.commit(vec![Op::index(rows)]);
        }
        behind
    }
}

/// The number of the newest schema that this program knows; it is the same for every database.
pub(crate) fn newest_schema() -> i64 {
    schema::newest()
}

/// The writer's page cache. A large group of messages for many sessions must fit, or pages are
/// written before the commit, and then again.
const CACHE_KIB: i64 = 16 * 1024;

/// Opens a connection for reading and writing, set up as everywhere.
fn open_writing(path: &Path) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < SQLITE_MIN {
        return Err(StoreError::Database("SQLite is older than 3.51.3".to_owned()));
    }
    let conn = Connection::open(path).map_err(failed)?;
    conn.pragma_update(None, "locking_mode", "NORMAL").map_err(failed)?;
    conn.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    conn.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    conn.pragma_update(None, "secure_delete", "ON").map_err(failed)?;
    // The writer checkpoints itself, when it has time.
    conn.pragma_update(None, "wal_autocheckpoint", 0).map_err(failed)?;
    conn.pragma_update(None, "foreign_keys", "ON").map_err(failed)?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB).map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(256);
    conn.busy_timeout(BUSY_WAIT).map_err(failed)?;
    keep_plans(&conn)?;
    Ok(conn)
}

/// Opens a connection that can only read.
fn open_reading(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(256);
    conn.busy_timeout(BUSY_WAIT).map_err(failed)?;
    keep_plans(&conn)?;
    Ok(conn)
}

/// Keeps the plans of prepared statements. SQLite would otherwise look at the value of each
/// `limit ?` when it plans, and so plan a statement anew whenever another value is bound.
fn keep_plans(conn: &Connection) -> Result<(), StoreError> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ()).map_err(failed)
}

/// A failure of the database in the store's words.
fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::Database(error.to_string()),
    }
}

/// Runs a request's part and makes its panic the failure of that request alone: the thread serves
/// everybody. What was left half done is for the caller to undo.
fn caught<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(StoreError::Panicked(text.unwrap_or_else(|| "without a word".to_owned())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(txn: &Txn<'_>, key: &str) -> Result<(), StoreError> {
        txn.execute("insert into meta (key, value) values (?, '')", [key]).map(drop)
    }

    async fn notes(store: &SqliteStore) -> Vec<String> {
        let sql = "select key from meta where key like 'note %' order by key";
        store.read(move |conn| rows::many(conn, sql, [], |row| row.get(0))).await.unwrap()
    }

    fn is_panic<T>(result: Result<T, StoreError>) -> bool {
        matches!(result, Err(StoreError::Panicked(text)) if text == "on purpose")
    }

    #[tokio::test]
    async fn a_change_that_panics_is_undone_alone() {
        let home = tempfile::tempdir().unwrap();
        let (store, mut manual) = SqliteStore::open_manual(&home.path().join("db")).unwrap();
        let before = store.write(|txn| note(txn, "note 1"));
        let bad = store.write(|txn| -> Result<(), StoreError> {
            note(txn, "note 2")?;
            panic!("on purpose")
        });
        let after = store.write(|txn| note(txn, "note 3"));
        let commit = async { manual.step(512) };
        let (before, bad, after, batch) = tokio::join!(before, bad, after, commit);
        assert!(before.is_ok() && after.is_ok() && batch.is_some());
        assert!(is_panic(bad));
        assert_eq!(notes(&store).await, ["note 1", "note 3"]);
    }

    #[tokio::test]
    async fn the_threads_outlive_a_panic() {
        let home = tempfile::tempdir().unwrap();
        let (sink, _commits) = mpsc::channel(1);
        let config = SqliteConfig { path: home.path().join("db"), readers: 1 };
        let store = SqliteStore::open(&config, sink).unwrap();
        assert!(is_panic(store.write(|_| -> Result<(), _> { panic!("on purpose") }).await));
        assert!(is_panic(store.read(|_| -> Result<(), _> { panic!("on purpose") }).await));
        store.write(|txn| note(txn, "note 1")).await.unwrap();
        assert_eq!(notes(&store).await, ["note 1"]);
    }
}
