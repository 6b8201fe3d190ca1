//! Uploads: what is still coming.

use parlor_domain::{File, FileId, Time, UserId};
use rusqlite::{Connection, Row, params};

use super::super::jobs;
use super::super::rows::{one, uuid};
use super::super::txn::Txn;
use super::{ALL, blobs, bytes, count, file, no_of};
use crate::StoreError;
use crate::files::{Made, NewUpload, Room, Upload};
use crate::jobs::Kind;

const UPLOAD: &str = "select up.id, up.length, up.received, up.turn, up.name, up.encrypted, \
    up.sha256, up.expires_at from uploads up join users u on u.no = up.user_no";

fn read(row: &Row<'_>) -> rusqlite::Result<Upload> {
    Ok(Upload {
        id: FileId(uuid(row, 0)?),
        length: row.get(1)?,
        received: row.get(2)?,
        turn: row.get(3)?,
        name: row.get(4)?,
        encrypted: row.get(5)?,
        sha256: row.get(6)?,
        expires: Time(row.get(7)?),
    })
}

/// An upload of somebody's that is under way.
pub(super) fn find(
    conn: &Connection,
    user: UserId,
    id: FileId,
) -> Result<Option<Upload>, StoreError> {
    let sql = format!("{UPLOAD} where up.id = ? and u.id = ? and up.doomed = 0");
    one(conn, &sql, params![id.0.as_bytes(), user.0.as_bytes()], read)
}

/// Begins an upload; see [`crate::Files::begin_upload`].
pub(super) fn begin(
    txn: &mut Txn<'_>,
    new: NewUpload,
    room: Room,
    now: Time,
) -> Result<Upload, StoreError> {
    let user_no = no_of(txn, new.user)?;
    let sql = "select count(*) from uploads where user_no = ? and doomed = 0";
    let open: i64 = one(txn.conn, sql, [user_no], |row| row.get(0))?.unwrap_or(0);
    room.admit(open, bytes(txn.conn, user_no)?, bytes(txn.conn, ALL)?, new.length)?;
    count(txn, user_no, new.length)?;
    let sql = "insert into uploads (id, user_no, length, name, encrypted, sha256, created_at, \
               expires_at) values (?, ?, ?, ?, ?, ?, ?, ?)";
    let row = params![
        new.id.0.as_bytes(),
        user_no,
        new.length,
        new.name,
        new.encrypted,
        new.sha256,
        now.0,
        new.expires.0,
    ];
    txn.execute(sql, row)?;
    Ok(new.begun())
}

/// Makes a file of an upload; see [`crate::Files::finish_upload`].
pub(super) fn finish(
    txn: &mut Txn<'_>,
    user: UserId,
    id: FileId,
    made: &Made,
    now: Time,
) -> Result<Option<File>, StoreError> {
    let Some(upload) = find(txn.conn, user, id)? else {
        return Ok(None);
    };
    let user_no = no_of(txn, user)?;
    blobs::refer(txn, made.blob.hash, now)?;
    let sql = "insert into files (id, user_no, name, media_type, size, width, height, hash, \
               encrypted, length, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let row = params![
        id.0.as_bytes(),
        user_no,
        upload.name,
        made.media_type,
        made.blob.size,
        made.pixels.map(|(width, _)| width),
        made.pixels.map(|(_, height)| height),
        made.blob.hash,
        upload.encrypted,
        upload.length,
        now.0,
    ];
    txn.execute(sql, row)?;
    if made.pixels.is_some() {
        jobs::ask(txn, Kind::Thumbnail, id.0, now)?;
    }
    count(txn, user_no, made.blob.size)?;
    doom(txn, id)?;
    Ok(file(txn.conn, id)?.map(|found| found.file))
}

/// Gives an upload up: it counts no more, and its bytes can be deleted.
pub(super) fn doom(txn: &mut Txn<'_>, id: FileId) -> Result<(), StoreError> {
    let sql = "update uploads set doomed = 1 where id = ? and doomed = 0 \
               returning user_no, length";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?));
    match one(txn.conn, sql, [id.0.as_bytes()], read)? {
        Some((user_no, length)) => count(txn, user_no, -length),
        None => Ok(()),
    }
}

/// Forgets an upload whose bytes are deleted.
pub(super) fn forget(txn: &Txn<'_>, id: FileId) -> Result<(), StoreError> {
    txn.execute("delete from uploads where id = ? and doomed = 1", [id.0.as_bytes()]).map(drop)
}
