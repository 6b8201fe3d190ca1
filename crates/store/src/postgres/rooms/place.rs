//! Where a room's rows are, found while it is locked.

use parlor_domain::{RoomId, SessionId, Time};
use tokio_postgres::Row;

use super::super::readers::Db;
use super::super::rows::{many, one, uuid};
use super::super::txn::Txn;
use crate::StoreError;

/// Where a room's rows are.
pub(in super::super) struct Place {
    pub(in super::super) no: i64,
    pub(in super::super) id: RoomId,
    pub(in super::super) main_no: i64,
}

/// Selects rooms, to be read by [`place_row`].
const PLACE: &str = "select no, id, main_session_no from rooms";

fn place_row(row: &Row) -> Result<Place, StoreError> {
    Ok(Place { no: row.try_get(0)?, id: RoomId(uuid(row, 1)?), main_no: row.try_get(2)? })
}

/// Holds the rooms that are selected to the end of the transaction.
const LOCK: &str = "for no key update";

/// Locks the room with this id; `None` when there is none.
pub(in super::super) async fn lock(txn: &Txn, room: RoomId) -> Result<Option<Place>, StoreError> {
    one(txn, &format!("{PLACE} where id = $1 {LOCK}"), &[&room.0], place_row).await
}

/// Locks the room of this session; `None` when there is none.
pub(in super::super) async fn lock_of(
    txn: &Txn,
    session: SessionId,
) -> Result<Option<Place>, StoreError> {
    let sql = format!("{PLACE} where no = (select room_no from sessions where id = $1) {LOCK}");
    one(txn, &sql, &[&session.0], place_row).await
}

/// Locks the direct room of this set of people; `None` when there is none.
pub(super) async fn lock_direct(txn: &Txn, key: &[u8]) -> Result<Option<Place>, StoreError> {
    one(txn, &format!("{PLACE} where direct_key = $1 {LOCK}"), &[&key], place_row).await
}

/// Locks the lobby.
pub(in super::super) async fn lock_lobby(txn: &Txn) -> Result<Place, StoreError> {
    let found = one(txn, &format!("{PLACE} where lobby {LOCK}"), &[], place_row).await?;
    found.ok_or_else(|| StoreError::Database("there is no lobby".to_owned()))
}

/// Locks the rooms that somebody is in, and the logs that their leaving writes to: where they own
/// the room, those of its heir too.
pub(in super::super) async fn lock_joined(
    txn: &mut Txn,
    user_no: i64,
) -> Result<Vec<Place>, StoreError> {
    let sql = format!(
        "{PLACE} where no in (select room_no from room_members where user_no = $1) \
         order by no {LOCK}"
    );
    let mut places = many(txn, &sql, &[&user_no], place_row).await?;
    // Some of them may have been left while the locks were waited for.
    let sql = "select room_no from room_members where user_no = $1";
    let joined: Vec<i64> = many(txn, sql, &[&user_no], |row| Ok(row.try_get(0)?)).await?;
    places.retain(|place| joined.contains(&place.no));
    let nos: Vec<i64> = places.iter().map(|place| place.no).collect();
    let sql = "select s.no from sessions s \
               join room_members rm on rm.room_no = s.room_no and rm.user_no = $1 \
               where s.room_no = any($2) and (s.main or rm.role = 'owner' or exists \
               (select 1 from session_members sm where sm.session_no = s.no and sm.user_no = $1))";
    let logs: Vec<i64> = many(txn, sql, &[&user_no, &nos], |row| Ok(row.try_get(0)?)).await?;
    txn.lock_heads(&logs).await?;
    Ok(places)
}

/// Dates the lobby when its first member comes: opening a database reads no clock.
pub(in super::super) async fn date_lobby(
    db: &Db,
    lobby: &Place,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "update rooms set created_at = $2 where no = $1 and created_at = 0";
    db.execute(sql, &[&lobby.no, &now.0]).await?;
    let sql = "update sessions set created_at = $2 where no = $1 and created_at = 0";
    db.execute(sql, &[&lobby.main_no, &now.0]).await.map(drop)
}

/// A name of a kind as a key that can be locked. Two names with the same key only wait for each
/// other.
pub(in super::super) fn hashed(kind: &str, name: &str) -> i64 {
    let mut hash = blake3::Hasher::new_derive_key(kind);
    hash.update(name.as_bytes());
    let mut key = [0; 8];
    hash.finalize_xof().fill(&mut key);
    i64::from_le_bytes(key)
}
