//! The schema of a database, brought up to date in one transaction with the note of it: whoever is
//! killed in the middle finds the database as it was before. Refuses a database that a newer
//! program has written.

use rusqlite::Connection;

use super::failed;
use super::rows::exists;
use crate::{StoreError, tables};

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// Where refinery notes which steps were made.
const HISTORY: &str = "select 1 from sqlite_master where name = 'refinery_schema_history'";

/// The number of the newest schema that this program knows.
pub(super) fn newest() -> i64 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(|step| i64::from(step.version())).max().unwrap_or(0)
}

/// The number of the database's schema; 0: it has none yet.
pub(super) fn version(conn: &Connection) -> Result<i64, StoreError> {
    if !exists(conn, HISTORY, [])? {
        return Ok(0);
    }
    let sql = "select coalesce(max(version), 0) from refinery_schema_history";
    conn.query_row(sql, [], |row| row.get(0)).map_err(failed)
}

/// Refuses a database of a newer program, and one whose rows are still being moved into it.
pub(super) fn is_ours(conn: &Connection) -> Result<(), StoreError> {
    let (version, newest) = (version(conn)?, newest());
    if version > newest {
        return Err(StoreError::Newer { version, newest });
    }
    if version > 0 && exists(conn, "select 1 from meta where key = ?", [tables::MOVING])? {
        return Err(StoreError::HalfMoved);
    }
    Ok(())
}

/// Brings the schema up to date.
///
/// # Errors
/// [`StoreError::Newer`] when a newer program has written the database, [`StoreError::HalfMoved`]
/// when a move into it is not finished, [`StoreError::Database`].
pub(super) fn bring_up(conn: &mut Connection) -> Result<(), StoreError> {
    is_ours(conn)?;
    carry_out(conn)
}

/// The steps that are missing.
pub(super) fn carry_out(conn: &mut Connection) -> Result<(), StoreError> {
    #[cfg(feature = "faults")]
    conn.progress_handler(1, Some(amid)).map_err(failed)?;
    // Step by step, refinery would commit a step and the note of it apart, and a database that was
    // left between the two would never open again.
    let runner = embedded::migrations::runner().set_abort_missing(true).set_grouped(true);
    let done = runner.run(conn);
    #[cfg(feature = "faults")]
    conn.progress_handler(1, None::<fn() -> bool>).map_err(failed)?;
    done.map(drop).map_err(|e| StoreError::Database(format!("migrate: {e}")))
}

/// Between any two steps of SQLite's machine: where the tests end the process.
#[cfg(feature = "faults")]
fn amid() -> bool {
    fail::fail_point!("store::schema::amid");
    false
}
