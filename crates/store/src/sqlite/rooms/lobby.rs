//! The lobby: the public room that exists from the first start.

use parlor_domain::{RoomId, SessionId, Time};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::super::failed;
use super::super::rows::{exists, one};
use super::super::txn::Txn;
use super::{PLACE, Place, place_row, search_key};
use crate::StoreError;

const NAME: &str = "Lobby";

/// Makes the lobby with the database, once: a second one would break the index on it.
pub(in super::super) fn found_lobby(conn: &mut Connection) -> Result<(), StoreError> {
    let txn = conn.transaction().map_err(failed)?;
    if !exists(&txn, "select 1 from rooms where lobby = 1", [])? {
        let (room, session) = (RoomId(Uuid::new_v4()), SessionId(Uuid::new_v4()));
        insert(&txn, room, session).map_err(failed)?;
    }
    txn.commit().map_err(failed)
}

fn insert(conn: &Connection, room: RoomId, session: SessionId) -> rusqlite::Result<()> {
    let sql = "insert into rooms (id, name, kind, description, search_key, main_session_no, \
               lobby, created_at, slug) values (?, ?, 'public', '', ?, 0, 1, 0, 'lobby')";
    conn.execute(sql, params![room.0.as_bytes(), NAME, search_key(NAME, "")])?;
    let room_no = conn.last_insert_rowid();
    let sql = "insert into sessions (id, room_no, name, main, created_at) values (?, ?, '', 1, 0)";
    conn.execute(sql, params![session.0.as_bytes(), room_no])?;
    let session_no = conn.last_insert_rowid();
    conn.execute("insert into heads (session_no) values (?)", [session_no])?;
    let sql = "update rooms set main_session_no = ? where no = ?";
    conn.execute(sql, [session_no, room_no])?;
    Ok(())
}

/// Where the lobby's rows are.
pub(in super::super) fn lobby(conn: &Connection) -> Result<Place, StoreError> {
    let found = one(conn, &format!("{PLACE} where r.lobby = 1"), [], place_row)?;
    found.ok_or_else(|| StoreError::Database("there is no lobby".to_owned()))
}

/// Dates the lobby when its first member comes: opening a database reads no clock.
pub(in super::super) fn date_lobby(
    txn: &Txn<'_>,
    lobby: &Place,
    now: Time,
) -> Result<(), StoreError> {
    for table in ["rooms", "sessions"] {
        let no = if table == "rooms" { lobby.no } else { lobby.main_no };
        let sql = format!("update {table} set created_at = ? where no = ? and created_at = 0");
        txn.execute(&sql, params![now.0, no])?;
    }
    Ok(())
}
