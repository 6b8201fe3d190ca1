//! Copies of a database: made while a server writes to it, looked at, and made a history of their
//! own when they are restored.
//!
//! A copy is one state: a read transaction holds it while its pages are copied in short steps. The
//! writer goes on; its log grows until the copy is made. Refuses nothing that a server would open.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use parlor_domain::Time;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use uuid::Uuid;

use super::contents::{Database, note, noted};
use super::rows::{one, uuid};
use super::{BUSY_WAIT, failed, open_reading, schema};
use crate::moves::content;
use crate::state::{LAST_MESSAGE, LastMessage};
use crate::tables::EPOCH;
use crate::{Kept, State, StoreError};

/// Pages that one step copies: a megabyte.
const STEP: i32 = 256;

/// What the disk has to itself between two steps.
const PAUSE: Duration = Duration::from_millis(1);

/// After so many steps what was copied is synced, so that the writer never waits for all of it.
const STEPS_UNSYNCED_MAX: u32 = 32;

/// Copies the database at `from`, which may be in use, into the new file `to`, which is readable by
/// its owner alone. `heard` is told how many of how many bytes are copied.
///
/// # Errors
/// [`StoreError::Newer`] and [`StoreError::HalfMoved`] as when it is opened,
/// [`StoreError::Database`], [`StoreError::Full`].
pub fn copy(from: &Path, to: &Path, mut heard: impl FnMut(u64, u64)) -> Result<(), StoreError> {
    if !from.is_file() {
        return Err(StoreError::Database(format!("there is no database {}", from.display())));
    }
    let source = open_reading(from)?;
    schema::is_ours(&source)?;
    let page: u32 = source.query_row("pragma page_size", [], |row| row.get(0)).map_err(failed)?;
    source.execute_batch("begin").map_err(failed)?;
    // The first read holds the state.
    schema::version(&source)?;
    let made = File::options().read(true).write(true).create_new(true).mode(0o600).open(to);
    let made = made.map_err(|e| broken(to, &e))?;
    let mut target = Connection::open(to).map_err(failed)?;
    // Nobody trusts the file before it is synced and its checksum is written down.
    target.pragma_update(None, "journal_mode", "OFF").map_err(failed)?;
    target.pragma_update(None, "synchronous", "OFF").map_err(failed)?;
    let backup = Backup::new(&source, &mut target).map_err(failed)?;
    for step in 1.. {
        match backup.step(STEP).map_err(failed)? {
            StepResult::Done => break,
            StepResult::More => {}
            other => return Err(StoreError::Database(format!("failed to copy: {other:?}"))),
        }
        let progress = backup.progress();
        let pages = |count: i32| u64::try_from(count).unwrap_or(0) * u64::from(page);
        heard(pages(progress.pagecount - progress.remaining), pages(progress.pagecount));
        if step % STEPS_UNSYNCED_MAX == 0 {
            made.sync_data().map_err(|e| broken(to, &e))?;
        }
        thread::sleep(PAUSE);
    }
    drop(backup);
    source.execute_batch("commit").map_err(failed)?;
    // A file by itself, without a log beside it.
    target.pragma_update(None, "journal_mode", "DELETE").map_err(failed)?;
    target.close().map_err(|(_, e)| failed(e))?;
    made.sync_all().map_err(|e| broken(to, &e))
}

/// What is in the database at `path`, which nobody writes to, after its own check of itself.
///
/// # Errors
/// [`StoreError::Damaged`] with what is wrong, and as [`copy`].
pub async fn inspect(path: &Path) -> Result<State, StoreError> {
    let mut database = Database::read(path)?;
    let mut state = database
        .on(|conn| {
            is_sound(conn)?;
            schema::is_ours(conn)?;
            Ok(State {
                schema: schema::version(conn)?,
                epoch: noted(conn, EPOCH)?,
                last_message: last_message(conn)?,
                content: None,
            })
        })
        .await?;
    if state.schema == schema::newest() {
        state.content = Some(content(&mut database, &|_, _| {}).await?);
    }
    Ok(state)
}

/// SQLite's check of the whole file.
pub(super) fn is_sound(conn: &Connection) -> Result<(), StoreError> {
    let found: String =
        conn.query_row("pragma integrity_check", [], |row| row.get(0)).map_err(failed)?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Damaged(found)) }
}

fn last_message(conn: &Connection) -> Result<Option<LastMessage>, StoreError> {
    one(conn, LAST_MESSAGE, [], |row| {
        Ok(LastMessage {
            id: uuid(row, 0)?.to_string(),
            session: uuid(row, 1)?.to_string(),
            number: row.get(2)?,
            seq: row.get(3)?,
            sent_at: row.get(4)?,
        })
    })
}

/// Makes the copy at `path` a history of its own, and takes out of it what must not come back.
/// Returns the new epoch.
///
/// # Errors
/// As [`copy`].
pub fn renew(path: &Path, kept: Kept, now: Time) -> Result<String, StoreError> {
    let conn = Connection::open(path).map_err(failed)?;
    conn.busy_timeout(BUSY_WAIT).map_err(failed)?;
    schema::is_ours(&conn)?;
    conn.pragma_update(None, "secure_delete", "ON").map_err(failed)?;
    conn.execute_batch("begin immediate").map_err(failed)?;
    forget(&conn, kept, now)?;
    let epoch = Uuid::new_v4().simple().to_string();
    note(&conn, EPOCH, &epoch)?;
    conn.execute_batch("commit").map_err(failed)?;
    conn.close().map_err(|(_, e)| failed(e))?;
    File::open(path).and_then(|file| file.sync_all()).map_err(|e| broken(path, &e))?;
    Ok(epoch)
}

/// What was true when the backup was made and must not be true again: codes that may have been
/// used since, and logins that may have been revoked since. What else was erased after a backup
/// (messages that decayed) is to be erased here, from the list of it.
fn forget(conn: &Connection, kept: Kept, now: Time) -> Result<(), StoreError> {
    conn.execute("delete from codes", []).map_err(failed)?;
    if kept == Kept::Nobody {
        let sql = "update logins set revoked_at = ? where revoked_at is null";
        conn.execute(sql, [now.0]).map_err(failed)?;
    }
    Ok(())
}

fn broken(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Database(format!("{}: {error}", path.display()))
}
