//! Moving an installation from one database to another, table by table: the rows, the small ids
//! that come next, and the epoch, so that nobody notices. What a database makes of the rows for
//! itself (the search index) is not moved.
//!
//! How far a move is stands in the target, in the same transaction as the rows: whoever is killed
//! goes on from there. No server can open the target before both sides have the same hash. Refuses
//! a target that holds anything else, and a source that somebody writes to.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::content::{Content, Sum};
use crate::keys::{self, KeyPlace};
use crate::tables::{BATCH, Next, Row, TABLES, Table};
use crate::{StoreError, postgres, sqlite};

/// Where an installation is, or shall be.
#[derive(Clone)]
pub enum Place {
    /// The database's file.
    Sqlite(PathBuf),
    /// The URL of the database, with its password.
    Postgres(String),
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(***)"),
        }
    }
}

/// Why an installation cannot be moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// There is nothing to move.
    #[error("there is no installation in the source")]
    Nothing,
    /// Nobody can say what is missing in an old schema.
    #[error(
        "the source has schema {version}, and this program moves schema {newest}: start this \
         version of the server on the source once"
    )]
    Older {
        /// The source's schema.
        version: i64,
        /// This program's.
        newest: i64,
    },
    /// The target is no empty database.
    #[error("the target holds data already: move into an empty database")]
    Occupied,
    /// It was moved before.
    #[error("the target holds this very installation already: it was moved before")]
    Already,
    /// The two sides are not equal. No server opens the target.
    #[error("the copy differs from its source in {0}: empty the target and begin anew")]
    Unequal(String),
    /// A database failed, or is in use.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is done now.
    pub what: What,
    /// The table.
    pub table: &'static str,
    /// Rows that are done, of all tables.
    pub done: u64,
    /// Rows that there are; of both sides, when they are compared.
    pub total: u64,
}

/// What is done in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Rows are copied.
    Copying,
    /// Rows of both sides are read and added up.
    Comparing,
}

/// Hears how far a move is.
pub type Heard<'a> = &'a (dyn Fn(Step) + Sync);

/// A move that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The installation's epoch, which is kept.
    pub epoch: String,
    /// What both sides hold.
    pub content: Content,
    /// Rows that an earlier attempt had moved.
    pub found: u64,
}

/// One of the two databases, held against every server.
#[async_trait]
pub(crate) trait Side: Send {
    /// What it is.
    async fn standing(&mut self) -> Result<Standing, StoreError>;
    /// Makes the tables of an empty target, and notes that a move into it has begun.
    async fn begin(&mut self, progress: &Progress) -> Result<(), StoreError>;
    /// Rows in all tables.
    async fn count(&mut self) -> Result<u64, StoreError>;
    /// Up to [`BATCH`] rows after a key, or from the first on.
    async fn rows(
        &mut self,
        table: &'static Table,
        after: Option<Row>,
    ) -> Result<Vec<Row>, StoreError>;
    /// Writes rows, and how far the move is, as one.
    async fn put(
        &mut self,
        table: &'static Table,
        rows: Vec<Row>,
        progress: &Progress,
    ) -> Result<(), StoreError>;
    /// The small ids that come next.
    async fn next(&mut self) -> Result<Next, StoreError>;
    /// Sets them.
    async fn set_next(&mut self, next: Next) -> Result<(), StoreError>;
    /// Gives the target its epoch, and notes that the move is done.
    async fn end(&mut self, epoch: &str) -> Result<(), StoreError>;
}

/// What a database is.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// The number of its schema; 0: it has none.
    pub(crate) version: i64,
    /// Whether it holds anything.
    pub(crate) occupied: bool,
    /// Its epoch.
    pub(crate) epoch: Option<String>,
    /// How far a move into it is.
    pub(crate) moving: Option<String>,
}

/// How far a move is, as it stands in the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The epoch of what is moved.
    epoch: String,
    /// The table whose rows are moved now.
    table: String,
    /// The key of the last row that was.
    after: Option<Row>,
}

impl Progress {
    /// As it is written down.
    pub(crate) fn text(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|e| StoreError::Database(e.to_string()))
    }

    fn read(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text)
            .map_err(|e| StoreError::Database(format!("how far the move was cannot be read: {e}")))
    }
}

/// Moves an installation with the keys to what is kept sealed, or goes on with a move that was
/// interrupted.
///
/// # Errors
/// [`MoveError`].
pub async fn move_all(
    from: &Place,
    to: &Place,
    (keys_from, keys_to): (&KeyPlace, &KeyPlace),
    heard: Heard<'_>,
) -> Result<Moved, MoveError> {
    let mut source = open(from, true).await?;
    let epoch = source_epoch(source.as_mut()).await?;
    let mut target = open(to, false).await?;
    let (progress, found) = resume(target.as_mut(), &epoch).await?;
    copy(source.as_mut(), target.as_mut(), progress, found, heard).await?;
    let next = source.next().await?;
    target.set_next(next).await?;
    let content = compare(source.as_mut(), target.as_mut(), heard).await?;
    // Before anybody can open the target: what is said there later has keys of its own.
    keys::copy(keys_from, keys_to).await?;
    target.end(&epoch).await?;
    Ok(Moved { epoch, content, found })
}

/// The hash of an installation that no server has open.
///
/// # Errors
/// [`MoveError`].
pub async fn content_of(place: &Place) -> Result<Content, MoveError> {
    let mut side = open(place, true).await?;
    source_epoch(side.as_mut()).await?;
    Ok(content(side.as_mut(), &|_, _| {}).await?)
}

async fn open(place: &Place, exists: bool) -> Result<Box<dyn Side>, MoveError> {
    Ok(match place {
        Place::Sqlite(path) if exists && !path.is_file() => return Err(MoveError::Nothing),
        Place::Sqlite(path) => Box::new(sqlite::contents::Database::open(path)?),
        Place::Postgres(url) => Box::new(postgres::contents::Database::open(url).await?),
    })
}

/// The epoch of an installation that can be moved.
async fn source_epoch(source: &mut dyn Side) -> Result<String, MoveError> {
    let (standing, newest) = (source.standing().await?, sqlite::newest_schema());
    if standing.version > newest {
        return Err(StoreError::Newer { version: standing.version, newest }.into());
    }
    if standing.moving.is_some() {
        return Err(StoreError::HalfMoved.into());
    }
    if standing.version > 0 && standing.version < newest {
        return Err(MoveError::Older { version: standing.version, newest });
    }
    standing.epoch.ok_or(MoveError::Nothing)
}

/// Where the move begins, and how many rows are there already.
async fn resume(target: &mut dyn Side, epoch: &str) -> Result<(Progress, u64), MoveError> {
    let standing = target.standing().await?;
    if let Some(moving) = &standing.moving {
        let progress = Progress::read(moving)?;
        if progress.epoch != epoch {
            return Err(MoveError::Occupied);
        }
        return Ok((progress, target.count().await?));
    }
    if standing.epoch.as_deref() == Some(epoch) {
        return Err(MoveError::Already);
    }
    if standing.occupied || standing.epoch.is_some() {
        return Err(MoveError::Occupied);
    }
    let progress =
        Progress { epoch: epoch.to_owned(), table: TABLES[0].name.to_owned(), after: None };
    target.begin(&progress).await?;
    Ok((progress, 0))
}

/// Copies what is missing. The next rows are read while the last ones are written.
async fn copy(
    source: &mut dyn Side,
    target: &mut dyn Side,
    mut progress: Progress,
    mut done: u64,
    heard: Heard<'_>,
) -> Result<(), StoreError> {
    let total = source.count().await?;
    let first = TABLES.iter().position(|table| table.name == progress.table).unwrap_or(0);
    for table in &TABLES[first..] {
        if progress.table != table.name {
            progress = Progress { table: table.name.to_owned(), after: None, ..progress };
        }
        let mut batch = source.rows(table, progress.after.clone()).await?;
        while let Some(last) = batch.last() {
            progress.after = Some(table.key_of(last));
            done += batch.len() as u64;
            let more = source.rows(table, progress.after.clone());
            let (put, more) = tokio::join!(target.put(table, batch, &progress), more);
            put.map_err(|error| in_table(table, error))?;
            batch = more?;
            heard(Step { what: What::Copying, table: table.name, done, total });
        }
    }
    Ok(())
}

fn in_table(table: &Table, error: StoreError) -> StoreError {
    match error {
        StoreError::Database(text) => StoreError::Database(format!("table {}: {text}", table.name)),
        other => other,
    }
}

/// Adds up both sides at the same time.
async fn compare(
    source: &mut dyn Side,
    target: &mut dyn Side,
    heard: Heard<'_>,
) -> Result<Content, MoveError> {
    let total = source.count().await? * 2;
    let done = AtomicU64::new(0);
    let count = |table, rows| {
        let done = done.fetch_add(rows, Ordering::Relaxed) + rows;
        heard(Step { what: What::Comparing, table, done, total });
    };
    let (one, other) = tokio::try_join!(content(source, &count), content(target, &count))?;
    match one.differs(&other) {
        None => Ok(one),
        Some(table) => Err(MoveError::Unequal(table)),
    }
}

/// The hash of everything in a database. `heard` is told of each batch of rows.
pub(crate) async fn content(
    side: &mut dyn Side,
    heard: &(dyn Fn(&'static str, u64) + Sync),
) -> Result<Content, StoreError> {
    let mut content = Content::default();
    for table in TABLES {
        let (mut sum, mut after) = (Sum::of(table), None);
        loop {
            let batch = side.rows(table, after).await?;
            batch.iter().for_each(|row| sum.add(row));
            heard(table.name, batch.len() as u64);
            after = batch.last().map(|row| table.key_of(row));
            if batch.len() < BATCH {
                break;
            }
        }
        content.tables.push(sum.end());
    }
    content.count(side.next().await?);
    Ok(content)
}

/// The columns of a table that is moved; `None`: it is not.
pub fn columns(table: &str) -> Option<Vec<&'static str>> {
    TABLES.iter().find(|known| known.name == table).map(|known| known.columns.to_vec())
}

/// A query for up to [`BATCH`] rows of a table, after a key or from the first on. `mark` names the
/// n-th value, counted from one.
pub(crate) fn rows_sql(table: &Table, after: bool, mark: impl Fn(usize) -> String) -> String {
    let keys = table.keys().join(", ");
    let marks = (1..=table.key).map(mark).collect::<Vec<_>>().join(", ");
    let beyond = format!("({keys}) > ({marks})");
    let only = match (table.only, after) {
        ("", false) => String::new(),
        ("", true) => format!("where {beyond} "),
        (only, false) => format!("where {only} "),
        (only, true) => format!("where {only} and {beyond} "),
    };
    let (columns, name) = (table.listed(), table.name);
    format!("select {columns} from {name} {only}order by {keys} limit {BATCH}")
}

/// A query for the number of rows in all tables.
pub(crate) fn count_sql() -> String {
    let of = |table: &Table| match table.only {
        "" => format!("(select count(*) from {})", table.name),
        only => format!("(select count(*) from {} where {only})", table.name),
    };
    format!("select {}", TABLES.iter().map(of).collect::<Vec<_>>().join(" + "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Value;

    #[test]
    fn how_far_a_move_is_can_be_written_down() {
        let after = vec![Value::Int(7), Value::Text("a \"b\"".into()), Value::Bytes(vec![0, 255])];
        let progress = Progress { epoch: "e".into(), table: "codes".into(), after: Some(after) };
        assert_eq!(Progress::read(&progress.text().unwrap()).unwrap(), progress);
        assert!(Progress::read("{").is_err());
    }

    #[test]
    fn a_query_begins_after_the_whole_key() {
        let codes = TABLES.iter().find(|table| table.name == "codes").unwrap();
        let sql = rows_sql(codes, true, |n| format!("${n}"));
        assert!(sql.contains("where (user_no, purpose) > ($1, $2) order by user_no, purpose"));
        let meta = rows_sql(&TABLES[0], true, |_| "?".to_owned());
        assert!(meta.contains("like 'search%' and (key) > (?) order by key"));
    }
}
