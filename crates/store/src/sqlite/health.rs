//! How a database in a file is.

use std::path::Path;

use rusqlite::Connection;

use super::contents::noted;
use super::rows::exists;
use super::{backup, failed, open_reading, schema, search};
use crate::tables::MOVING;
use crate::{Health, StoreError};

/// Looks at a database that a server may have open. Reads all of it.
///
/// # Errors
/// [`StoreError::Database`] when it cannot be opened or read.
pub fn examine(path: &Path) -> Result<Health, StoreError> {
    let conn = open_reading(path)?;
    let (schema, newest) = (schema::version(&conn)?, schema::newest());
    let damage = match backup::is_sound(&conn) {
        Err(StoreError::Damaged(found)) => Some(found),
        other => other.map(|()| None)?,
    };
    let mut health = Health {
        schema,
        newest,
        half_moved: schema > 0 && noted(&conn, MOVING)?.is_some(),
        damage,
        unsafe_setting: None,
        unindexed: 0,
        last_sent_at: None,
        clock: None,
    };
    if schema > 0 {
        let sql =
            "select max(sent_at) from (select sent_at from messages order by no desc limit 1)";
        health.last_sent_at = conn.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
    }
    if exists(&conn, "select 1 from sqlite_master where name = 'search'", [])? {
        health.unindexed = unindexed(&conn)?;
    }
    Ok(health)
}

fn unindexed(conn: &Connection) -> Result<i64, StoreError> {
    let sql = "select count(*) from messages where no > ?";
    conn.query_row(sql, [search::indexed_to(conn)?], |row| row.get(0)).map_err(failed)
}
