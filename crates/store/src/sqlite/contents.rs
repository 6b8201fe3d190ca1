//! A database that no server has open, as rows of any table: what is moved, hashed and looked at.
//! Knows no table by name but the counted ones and the notes of `meta`.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params, params_from_iter};

use super::rows::{exists, one};
use super::{caught, failed, open_writing, schema, writer};
use crate::StoreError;
use crate::moves::{Progress, Side, Standing, count_sql, rows_sql};
use crate::tables::{COUNTED, EPOCH, MOVING, NEXT_MESSAGE, Next, Row, Table, Value};

/// Pages in the write-ahead log after which a target's log is moved into its file.
const LOG_PAGES: i64 = 8_192;

/// A database in one file, by itself.
pub(crate) struct Database {
    conn: Arc<Mutex<Connection>>,
    /// No server opens the file while this is held.
    _lock: Option<File>,
}

impl Database {
    /// Opens a database to be moved from, or into. It is made when missing.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = writer::lock(path)?;
        let conn = open_writing(path)?;
        conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).map_err(failed)?;
        Ok(Self { conn: Arc::new(Mutex::new(conn)), _lock: Some(lock) })
    }

    /// Opens a copy that nobody else has, to be read.
    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        Ok(Self { conn: Arc::new(Mutex::new(conn.map_err(failed)?)), _lock: None })
    }

    /// Does something where it may take its time.
    pub(super) async fn on<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let conn = Arc::clone(&self.conn);
        let done = tokio::task::spawn_blocking(move || caught(|| work(&mut conn.lock())));
        done.await.map_err(|_| StoreError::Closed)?
    }
}

#[async_trait]
impl Side for Database {
    async fn standing(&mut self) -> Result<Standing, StoreError> {
        self.on(|conn| standing(conn)).await
    }

    async fn begin(&mut self, progress: &Progress) -> Result<(), StoreError> {
        let text = progress.text()?;
        self.on(move |conn| {
            schema::carry_out(conn)?;
            note(conn, MOVING, &text)
        })
        .await
    }

    async fn count(&mut self) -> Result<u64, StoreError> {
        self.on(|conn| count(conn)).await
    }

    async fn rows(
        &mut self,
        table: &'static Table,
        after: Option<Row>,
    ) -> Result<Vec<Row>, StoreError> {
        self.on(move |conn| rows(conn, table, after)).await
    }

    async fn put(
        &mut self,
        table: &'static Table,
        rows: Vec<Row>,
        progress: &Progress,
    ) -> Result<(), StoreError> {
        let text = progress.text()?;
        self.on(move |conn| {
            let txn = conn.transaction().map_err(failed)?;
            put(&txn, table, &rows)?;
            note(&txn, MOVING, &text)?;
            txn.commit().map_err(failed)
        })
        .await
    }

    async fn next(&mut self) -> Result<Next, StoreError> {
        self.on(|conn| next(conn)).await
    }

    async fn set_next(&mut self, next: Next) -> Result<(), StoreError> {
        self.on(move |conn| {
            let txn = conn.transaction().map_err(failed)?;
            set_next(&txn, next)?;
            txn.commit().map_err(failed)
        })
        .await
    }

    async fn end(&mut self, epoch: &str) -> Result<(), StoreError> {
        let epoch = epoch.to_owned();
        self.on(move |conn| {
            let txn = conn.transaction().map_err(failed)?;
            note(&txn, EPOCH, &epoch)?;
            txn.execute("delete from meta where key = ?", [MOVING]).map_err(failed)?;
            txn.commit().map_err(failed)?;
            let sql = "pragma wal_checkpoint(truncate)";
            conn.query_row(sql, [], |_| Ok(())).map_err(failed)
        })
        .await
    }
}

fn standing(conn: &Connection) -> Result<Standing, StoreError> {
    let version = schema::version(conn)?;
    if version == 0 {
        let occupied = exists(conn, "select 1 from sqlite_master", [])?;
        return Ok(Standing { occupied, ..Standing::default() });
    }
    let current = version == schema::newest();
    Ok(Standing {
        version,
        occupied: !current || count(conn)? > 0,
        epoch: noted(conn, EPOCH)?,
        moving: noted(conn, MOVING)?,
    })
}

fn count(conn: &Connection) -> Result<u64, StoreError> {
    let count: i64 = conn.query_row(&count_sql(), [], |row| row.get(0)).map_err(failed)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Value> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => Value::Null,
        ValueRef::Text(_) => Value::Text(row.get(column)?),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        // No column of ours is a fraction: that is an error here.
        ValueRef::Integer(_) | ValueRef::Real(_) => Value::Int(row.get(column)?),
    })
}

fn rows(conn: &Connection, table: &Table, after: Option<Row>) -> Result<Vec<Row>, StoreError> {
    let sql = rows_sql(table, after.is_some(), |_| "?".to_owned());
    let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
    let width = table.columns.len();
    let read = |row: &rusqlite::Row<'_>| (0..width).map(|column| value(row, column)).collect();
    let bound = params_from_iter(after.unwrap_or_default());
    let found = statement.query_map(bound, read).map_err(failed)?;
    found.collect::<Result<_, _>>().map_err(failed)
}

fn put(conn: &Connection, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
    let marks = vec!["?"; table.columns.len()].join(", ");
    let sql = format!("insert into {} ({}) values ({marks})", table.name, table.listed());
    let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
    for row in rows {
        statement.execute(params_from_iter(row)).map_err(failed)?;
    }
    Ok(())
}

/// `sqlite_sequence` knows of rows that are gone; of messages, a note does.
fn next(conn: &Connection) -> Result<Next, StoreError> {
    let mut all = [1; COUNTED.len()];
    for (next, table) in all.iter_mut().zip(COUNTED) {
        let sql = format!(
            "select 1 + max(coalesce((select max(no) from {table}), 0), \
             coalesce((select seq from sqlite_sequence where name = '{table}'), 0))"
        );
        *next = conn.query_row(&sql, [], |row| row.get(0)).map_err(failed)?;
        if table == "messages" {
            let noted = noted(conn, NEXT_MESSAGE)?.and_then(|next| next.parse().ok());
            *next = noted.map_or(*next, |noted: i64| noted.max(*next));
        }
    }
    Ok(all)
}

fn set_next(conn: &Connection, next: Next) -> Result<(), StoreError> {
    for (next, table) in next.into_iter().zip(COUNTED) {
        if table == "messages" {
            note(conn, NEXT_MESSAGE, &next.to_string())?;
            continue;
        }
        conn.execute("delete from sqlite_sequence where name = ?", [table]).map_err(failed)?;
        let sql = "insert into sqlite_sequence (name, seq) values (?, ?)";
        conn.execute(sql, params![table, next - 1]).map_err(failed)?;
    }
    Ok(())
}

/// A note of `meta`.
pub(super) fn noted(conn: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    one(conn, "select value from meta where key = ?", [key], |row| row.get(0))
}

/// Writes a note into `meta`.
pub(super) fn note(conn: &Connection, key: &str, value: &str) -> Result<(), StoreError> {
    let sql = "insert or replace into meta (key, value) values (?, ?)";
    conn.execute(sql, [key, value]).map(drop).map_err(failed)
}
