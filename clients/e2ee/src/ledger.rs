//! Which message a ciphertext was first seen under, and since when this device has a key.
//!
//! Owns its own file beside the key store. Refuses a second place for the same ciphertext: the
//! server could otherwise say again, under a new id, what somebody said once.

use std::path::Path;

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::Error;

/// The name of its file.
const FILE: &str = "parlor-ledger.sqlite3";

/// What was opened before, and where.
pub(crate) struct Ledger {
    file: Mutex<Connection>,
}

impl Ledger {
    /// Opens the ledger in this folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let file = Connection::open(folder.join(FILE))?;
        file.pragma_update(None, "journal_mode", "WAL")?;
        file.pragma_update(None, "synchronous", "NORMAL")?;
        Self::prepare(file)
    }

    /// A ledger that is forgotten with the program.
    pub(crate) fn in_memory() -> Result<Self, Error> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(file: Connection) -> Result<Self, Error> {
        file.execute_batch(
            "CREATE TABLE IF NOT EXISTS seen (
                 megolm_session TEXT NOT NULL,
                 message_index INTEGER NOT NULL,
                 message_id TEXT NOT NULL,
                 PRIMARY KEY (megolm_session, message_index)
             ) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS own_keys (
                 megolm_session TEXT PRIMARY KEY,
                 began_ms INTEGER NOT NULL
             ) WITHOUT ROWID",
        )?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Notes that a ciphertext stands under this message. Gives the message that it stood under
    /// before, if that is another one.
    pub(crate) fn note(
        &self,
        megolm_session: &str,
        message_index: u32,
        message_id: &str,
    ) -> Result<Option<String>, Error> {
        let file = self.file.lock();
        file.prepare_cached("INSERT OR IGNORE INTO seen VALUES (?1, ?2, ?3)")?.execute(params![
            megolm_session,
            message_index,
            message_id
        ])?;
        let first: Option<String> = file
            .prepare_cached(
                "SELECT message_id FROM seen WHERE megolm_session = ?1 AND message_index = ?2",
            )?
            .query_row(params![megolm_session, message_index], |row| row.get(0))
            .optional()?;
        Ok(first.filter(|first| first != message_id))
    }

    /// Notes when a key of this device began, in milliseconds since 1970. The first time counts.
    pub(crate) fn began(&self, megolm_session: &str, now_ms: u64) -> Result<(), Error> {
        let sql = "INSERT OR IGNORE INTO own_keys VALUES (?1, ?2)";
        let now_ms = i64::try_from(now_ms).map_err(Error::library)?;
        self.file.lock().prepare_cached(sql)?.execute(params![megolm_session, now_ms])?;
        Ok(())
    }

    /// When a key of this device began, if that was noted.
    pub(crate) fn beginning(&self, megolm_session: &str) -> Result<Option<u64>, Error> {
        let sql = "SELECT began_ms FROM own_keys WHERE megolm_session = ?1";
        let file = self.file.lock();
        let mut statement = file.prepare_cached(sql)?;
        let began = statement.query_row([megolm_session], |row| row.get::<_, i64>(0)).optional()?;
        Ok(began.and_then(|began| u64::try_from(began).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_holds_and_is_asked_for_again_as_often_as_one_likes() {
        let ledger = Ledger::in_memory().unwrap();
        for _ in 0..2 {
            assert_eq!(ledger.note("s", 0, "m1").unwrap(), None);
        }
        assert_eq!(ledger.note("s", 0, "m2").unwrap().as_deref(), Some("m1"));
        assert_eq!(ledger.note("s", 1, "m2").unwrap(), None);
        assert_eq!(ledger.note("t", 0, "m3").unwrap(), None);
    }

    #[test]
    fn it_remembers_after_the_program_was_started_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Ledger::open(folder.path()).unwrap().note("s", 0, "m1").unwrap(), None);
        let again = Ledger::open(folder.path()).unwrap();
        assert_eq!(again.note("s", 0, "m2").unwrap().as_deref(), Some("m1"));
    }
}
