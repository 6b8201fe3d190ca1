//! What people look like: files that are carried by a profile, as others are by a message.

use parlor_domain::{Denied, FileId, Profile, Time, UserId};
use rusqlite::params;

use super::super::accounts;
use super::super::rows::{maybe_file, one, person};
use super::super::txn::Txn;
use super::carried::put_down;
use super::{ALL, blobs, bytes, count};
use crate::StoreError;
use crate::files::{NewPicture, Room};

/// What a picture is called that nobody gave a name.
const NAME: &str = "picture";

/// Changes a person's picture; see [`crate::Files::set_picture`].
pub(super) fn set(
    txn: &mut Txn<'_>,
    user: UserId,
    picture: Option<&NewPicture>,
    room: Room,
    now: Time,
) -> Result<Profile, StoreError> {
    let no = person(txn.conn, user)?.ok_or(Denied::NotFound)?.no;
    remove(txn, no)?;
    if let Some(picture) = picture {
        add(txn, no, picture, room, now)?;
    }
    txn.execute("update users set changed_at = ? where no = ?", [now.0, no])?;
    accounts::tell_settings(txn, user, no, now)
}

fn add(
    txn: &Txn<'_>,
    no: i64,
    picture: &NewPicture,
    room: Room,
    now: Time,
) -> Result<(), StoreError> {
    room.admit(0, bytes(txn.conn, no)?, bytes(txn.conn, ALL)?, picture.blob.size)?;
    blobs::refer(txn, picture.blob.hash, now)?;
    let sql = "insert into files (id, user_no, name, media_type, size, width, height, hash, \
               encrypted, length, created_at, carried) \
               values (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, 0, ?5, ?8, 1)";
    let row = params![
        picture.id.0.as_bytes(),
        no,
        NAME,
        picture.media_type,
        picture.blob.size,
        picture.side,
        picture.blob.hash,
        now.0,
    ];
    txn.execute(sql, row)?;
    count(txn, no, picture.blob.size)?;
    let sql = "update users set picture = ? where no = ?";
    txn.execute(sql, params![picture.id.0.as_bytes(), no]).map(drop)
}

/// Takes a person's picture away, if they have one.
pub(super) fn remove(txn: &mut Txn<'_>, no: i64) -> Result<(), StoreError> {
    let sql = "select picture from users where no = ?";
    let before: Option<FileId> = one(txn.conn, sql, [no], |row| maybe_file(row, 0))?.flatten();
    let Some(before) = before else { return Ok(()) };
    txn.execute("update users set picture = null where no = ?", [no])?;
    put_down(txn, before)
}
