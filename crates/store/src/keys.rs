//! The keys to what is kept sealed, as a whole: they are in no backup, and are copied apart.
//!
//! A copy of them opens, with a copy of the database, what was to be gone since the copy was made:
//! it is to be overwritten by the next one, within a day.

use std::fmt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::erasures::Entry;
use crate::{StoreError, postgres, sqlite};

/// The schema of PostgreSQL that they are in.
pub const SCHEMA: &str = "parlor_keyring";

/// Where keys are.
#[derive(Clone)]
pub enum KeyPlace {
    /// A file of keys.
    File(PathBuf),
    /// PostgreSQL, by its URL, with its password.
    Postgres(String),
}

impl KeyPlace {
    /// Those beside a SQLite database.
    pub fn beside(database: &Path) -> Self {
        Self::File(sqlite::keys_beside(database))
    }
}

impl fmt::Debug for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(***)"),
        }
    }
}

/// All keys of an installation.
pub(crate) struct KeySet {
    /// Those of the seconds to come, as [`parlor_seal::TimeKeys::to_bytes`] has them.
    pub(crate) time: Vec<u8>,
    /// Those of sessions.
    pub(crate) sessions: Vec<(Uuid, [u8; 32])>,
    /// What is to be erased again in a database that was copied before.
    pub(crate) erasures: Vec<Entry>,
}

/// Copies keys to a place, where they take the place of all that is there. Says how many sessions
/// have one; `None`: there are no keys to be copied, and nothing was done.
///
/// # Errors
/// [`StoreError`] when either place cannot be read or written; what is there is then as it was.
pub async fn copy(from: &KeyPlace, to: &KeyPlace) -> Result<Option<usize>, StoreError> {
    let keys = match from.clone() {
        KeyPlace::File(path) => off(move || sqlite::read_keys(&path)).await?,
        KeyPlace::Postgres(url) => postgres::read_keys(&url).await?,
    };
    let Some(keys) = keys else { return Ok(None) };
    let sessions = keys.sessions.len();
    match to.clone() {
        KeyPlace::File(path) => off(move || sqlite::write_keys(&path, &keys)).await?,
        KeyPlace::Postgres(url) => postgres::write_keys(&url, &keys).await?,
    }
    Ok(Some(sessions))
}

/// Does something where it may take its time.
async fn off<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Closed)?
}
