//! What is kept on this machine: who is signed in, rooms and sessions, messages, what is to be
//! sent.
//!
//! Owns one SQLite file, whose contents are closed by the [`Vault`], and an index of words that is
//! in memory only. Refuses two programs at once.

mod history;
mod outbox;
mod words;

use std::path::Path;

use parking_lot::{Mutex, MutexGuard};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use history::{Change, Step};
pub(crate) use outbox::{Attempt, Row};

use crate::Error;
use crate::vault::Vault;

const FILE: &str = "parlor.sqlite3";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rooms (id TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, seq INTEGER, value BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    locked INTEGER NOT NULL,
    expires_at TEXT,
    value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_in_order ON messages (session_id, number);
CREATE INDEX IF NOT EXISTS messages_locked ON messages (session_id) WHERE locked;
CREATE INDEX IF NOT EXISTS messages_decaying ON messages (expires_at) WHERE expires_at NOT NULL;
CREATE TABLE IF NOT EXISTS relations (
    id TEXT PRIMARY KEY, session_id TEXT NOT NULL, target TEXT NOT NULL, number INTEGER NOT NULL,
    value BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS relations_of ON relations (target, number);
CREATE TABLE IF NOT EXISTS outbox (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL,
    failure TEXT,
    value BLOB NOT NULL
);
";

/// The file.
pub(crate) struct Cache {
    file: Mutex<Connection>,
    vault: Vault,
    indexed: Mutex<words::Indexed>,
}

impl Cache {
    /// Opens the cache in this folder, or makes it; with a passphrase everything in it is closed.
    pub(crate) fn open(folder: &Path, passphrase: Option<&str>) -> Result<Self, Error> {
        std::fs::create_dir_all(folder)?;
        let file = Connection::open(folder.join(FILE))?;
        file.pragma_update(None, "journal_mode", "WAL")?;
        // What was handed over must be there after a power cut.
        file.pragma_update(None, "synchronous", "FULL")?;
        file.pragma_update(None, "secure_delete", "ON")?;
        Self::prepare(file, passphrase)
    }

    /// A cache that is forgotten with the program.
    pub(crate) fn in_memory() -> Result<Self, Error> {
        Self::prepare(Connection::open_in_memory()?, None)
    }

    fn prepare(file: Connection, passphrase: Option<&str>) -> Result<Self, Error> {
        file.execute_batch(SCHEMA)?;
        let vault = vault(&file, passphrase)?;
        let indexed = Mutex::new(words::Indexed::UpTo(i64::MIN));
        let cache = Self { file: Mutex::new(file), vault, indexed };
        cache.begin_index()?;
        Ok(cache)
    }

    fn file(&self) -> MutexGuard<'_, Connection> {
        self.file.lock()
    }

    /// A value by its name.
    pub(crate) fn note<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let file = self.file();
        let mut asked = file.prepare_cached("SELECT value FROM notes WHERE name = ?1")?;
        let bytes: Option<Vec<u8>> = asked.query_row([name], |row| row.get(0)).optional()?;
        bytes.map(|bytes| self.vault.read(&bytes)).transpose()
    }

    /// Keeps a value under a name.
    pub(crate) fn keep<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Error> {
        let bytes = self.vault.close(value)?;
        let file = self.file();
        file.execute("INSERT OR REPLACE INTO notes VALUES (?1, ?2)", params![name, bytes])?;
        Ok(())
    }

    /// Keeps a room's or session's description as the server says it.
    pub(crate) fn keep_thing<T: Serialize>(
        &self,
        kind: Thing,
        id: &str,
        value: &T,
    ) -> Result<(), Error> {
        let bytes = self.vault.close(value)?;
        self.file().execute(
            match kind {
                Thing::Room => {
                    "INSERT INTO rooms VALUES (?1, ?2)
                     ON CONFLICT (id) DO UPDATE SET value = excluded.value"
                }
                Thing::Session => {
                    "INSERT INTO sessions (id, value) VALUES (?1, ?2)
                     ON CONFLICT (id) DO UPDATE SET value = excluded.value"
                }
            },
            params![id, bytes],
        )?;
        Ok(())
    }

    /// A room or session.
    pub(crate) fn thing<T: DeserializeOwned>(
        &self,
        kind: Thing,
        id: &str,
    ) -> Result<Option<T>, Error> {
        let file = self.file();
        let sql = match kind {
            Thing::Room => "SELECT value FROM rooms WHERE id = ?1",
            Thing::Session => "SELECT value FROM sessions WHERE id = ?1",
        };
        let bytes: Option<Vec<u8>> = file.query_row(sql, [id], |row| row.get(0)).optional()?;
        bytes.map(|bytes| self.vault.read(&bytes)).transpose()
    }

    /// Every room, or every session.
    pub(crate) fn things<T: DeserializeOwned>(&self, kind: Thing) -> Result<Vec<T>, Error> {
        let file = self.file();
        let sql = match kind {
            Thing::Room => "SELECT value FROM rooms",
            Thing::Session => "SELECT value FROM sessions",
        };
        let mut asked = file.prepare_cached(sql)?;
        let rows = asked.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
        rows.map(|bytes| self.vault.read(&bytes?)).collect()
    }

    /// Forgets a room, or a session with everything in it.
    pub(crate) fn forget_thing(&self, kind: Thing, id: &str) -> Result<(), Error> {
        let file = self.file();
        match kind {
            Thing::Room => drop(file.execute("DELETE FROM rooms WHERE id = ?1", [id])?),
            Thing::Session => {
                words::forget_session(&file, id)?;
                for table in ["messages", "relations", "outbox"] {
                    file.execute(&format!("DELETE FROM {table} WHERE session_id = ?1"), [id])?;
                }
                file.execute("DELETE FROM sessions WHERE id = ?1", [id])?;
            }
        }
        Ok(())
    }

    /// The last event of a session that was taken in.
    pub(crate) fn cursor(&self, session_id: &str) -> Result<Option<i64>, Error> {
        let file = self.file();
        let mut asked = file.prepare_cached("SELECT seq FROM sessions WHERE id = ?1")?;
        Ok(asked.query_row([session_id], |row| row.get(0)).optional()?.flatten())
    }

    /// Another history begins: cursors and messages of the old one mean nothing. What is to be sent
    /// stays.
    pub(crate) fn forget_history(&self) -> Result<(), Error> {
        self.file().execute_batch(
            "DELETE FROM main.messages; DELETE FROM main.relations; DELETE FROM main.sessions;
             DELETE FROM main.rooms; DELETE FROM words.words;",
        )?;
        Ok(())
    }
}

/// What is described.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Thing {
    Room,
    Session,
}

/// A limit as SQLite counts.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The name under which the vault's own key is kept; the one value that the vault does not close.
const VAULT: &str = "vault";

fn vault(file: &Connection, passphrase: Option<&str>) -> Result<Vault, Error> {
    let sql = "SELECT value FROM notes WHERE name = ?1";
    let kept: Option<Vec<u8>> = file.query_row(sql, [VAULT], |row| row.get(0)).optional()?;
    let Some(passphrase) = passphrase else {
        return if kept.is_some() { Err(Error::Passphrase) } else { Ok(Vault::Plain) };
    };
    if let Some(kept) = kept {
        return Vault::open(passphrase, &kept);
    }
    let used: i64 = file.query_row("SELECT count(*) FROM notes", [], |row| row.get(0))?;
    if used > 0 {
        // It was made without one, and is readable: a passphrase now would be a false comfort.
        return Err(Error::Passphrase);
    }
    let (vault, kept) = Vault::make(passphrase)?;
    file.execute("INSERT INTO notes VALUES (?1, ?2)", params![VAULT, kept])?;
    Ok(vault)
}
