//! What was erased is erased again, where the database has come out of a backup.

use parlor_domain::{Denied, MessageId, SessionId, Time, UserId};
use rusqlite::{Connection, Row, params};

use super::messages::{Erased, erase};
use super::rows::one;
use super::search::Gone;
use super::txn::Txn;
use super::{SqliteStore, accounts, failed, rooms, sessions};
use crate::StoreError;
use crate::erasures::{DONE, Erasure};

impl SqliteStore {
    /// See [`crate::Decay::erase_again`].
    pub(super) async fn erase_listed(&self, now: Time) -> Result<u64, StoreError> {
        let mut count = 0;
        loop {
            let after = self.read(done_to).await?;
            let listed = self.keys.listed(after)?;
            let Some(last) = listed.last().map(|entry| entry.nth) else { return Ok(count) };
            count += listed.len() as u64;
            self.write(move |txn| {
                let list = txn.erasures.len();
                for entry in &listed {
                    again(txn, entry.erasure, now)?;
                }
                // They stand on the list.
                txn.erasures.truncate(list);
                done(txn.conn, last)
            })
            .await?;
        }
    }
}

/// Up to which entry of the list all is done.
pub(super) fn done_to(conn: &Connection) -> Result<i64, StoreError> {
    let sql = "select cast(value as integer) from meta where key = ?";
    Ok(one(conn, sql, [DONE], |row| row.get(0))?.unwrap_or(0))
}

/// Notes it.
pub(super) fn done(conn: &Connection, nth: i64) -> Result<(), StoreError> {
    let sql = "insert or replace into meta (key, value) values (?, ?)";
    conn.execute(sql, params![DONE, nth.to_string()]).map(drop).map_err(failed)
}

fn again(txn: &mut Txn<'_>, erasure: Erasure, now: Time) -> Result<(), StoreError> {
    match erasure {
        Erasure::Message(id, by) => message(txn, id, by, now),
        Erasure::Session(id, by) => session(txn, id, by, now),
        Erasure::Room(id, by) => match rooms::place(txn.conn, id)? {
            Some(place) => rooms::delete(txn, &place, by, now),
            None => Ok(()),
        },
        Erasure::Account(id) => match accounts::delete(txn, id, now) {
            Ok(_) | Err(StoreError::Denied(Denied::NotFound)) => Ok(()),
            Err(error) => Err(error),
        },
    }
}

fn message(txn: &mut Txn<'_>, id: MessageId, by: UserId, now: Time) -> Result<(), StoreError> {
    let sql = "select m.no, m.number, m.session_no, iif(m.extras & 64, '', m.content) \
               from messages m join sessions s on s.no = m.session_no and s.ended_at is null \
               where m.id = ? and m.deleted_at is null";
    let read = |row: &Row<'_>| {
        let gone = Gone { no: row.get(0)?, session_no: row.get(2)?, text: row.get(3)? };
        Ok(Erased { id, number: row.get(1)?, gone })
    };
    match one(txn.conn, sql, [id.0.as_bytes()], read)? {
        Some(erased) => erase(txn, erased, by, now),
        None => Ok(()),
    }
}

fn session(
    txn: &mut Txn<'_>,
    id: SessionId,
    by: Option<UserId>,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "select no from sessions where id = ? and ended_at is null";
    match one(txn.conn, sql, [id.0.as_bytes()], |row| row.get(0))? {
        Some(no) => sessions::end(txn, no, by, now),
        None => Ok(()),
    }
}
