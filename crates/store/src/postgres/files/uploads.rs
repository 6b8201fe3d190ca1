//! Uploads: what is still coming.

use parlor_domain::{File, FileId, Time, UserId};
use tokio_postgres::Row;

use super::super::jobs;
use super::super::readers::Db;
use super::super::rows::{one, time, uuid};
use super::super::txn::Txn;
use super::{blobs, count, file, no_of};
use crate::StoreError;
use crate::files::{Made, NewUpload, Room, Upload};
use crate::jobs::Kind;

const UPLOAD: &str = "select up.id, up.length, up.received, up.turn, up.name, up.encrypted, \
    up.sha256, up.expires_at from uploads up join users u on u.no = up.user_no";

fn read(row: &Row) -> Result<Upload, StoreError> {
    let sha256: Option<&[u8]> = row.try_get(6)?;
    Ok(Upload {
        id: FileId(uuid(row, 0)?),
        length: row.try_get(1)?,
        received: row.try_get(2)?,
        turn: row.try_get(3)?,
        name: row.try_get(4)?,
        encrypted: row.try_get(5)?,
        sha256: sha256.and_then(|bytes| bytes.try_into().ok()),
        expires: time(row, 7)?,
    })
}

/// An upload of somebody's that is under way.
pub(super) async fn find(db: &Db, user: UserId, id: FileId) -> Result<Option<Upload>, StoreError> {
    let sql = format!("{UPLOAD} where up.id = $1 and u.id = $2 and not up.doomed");
    one(db, &sql, &[&id.0, &user.0], read).await
}

/// Begins an upload; see [`crate::Files::begin_upload`]. It is counted first, which has everybody
/// wait who does the same: what is refused is undone with it.
pub(super) async fn begin(
    txn: &Txn,
    new: NewUpload,
    room: Room,
    now: Time,
) -> Result<Upload, StoreError> {
    let user_no = no_of(txn, new.user).await?;
    let (all, theirs) = count(txn, user_no, new.length).await?;
    let sql = "select count(*) from uploads where user_no = $1 and not doomed";
    let open = one(txn, sql, &[&user_no], |row| Ok(row.try_get(0)?)).await?.unwrap_or(0);
    room.admit(open, theirs - new.length, all - new.length, new.length)?;
    let sql = "insert into uploads (id, user_no, length, name, encrypted, sha256, created_at, \
               expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)";
    txn.execute(
        sql,
        &[
            &new.id.0,
            &user_no,
            &new.length,
            &new.name,
            &new.encrypted,
            &new.sha256.as_ref().map(|hash| &hash[..]),
            &now.0,
            &new.expires.0,
        ],
    )
    .await?;
    Ok(new.begun())
}

/// Makes a file of an upload; see [`crate::Files::finish_upload`].
pub(super) async fn finish(
    txn: &Txn,
    user: UserId,
    id: FileId,
    made: &Made,
    now: Time,
) -> Result<Option<File>, StoreError> {
    let sql = "select 1 from uploads where id = $1 for update";
    txn.query(sql, &[&id.0]).await?;
    let Some(upload) = find(txn, user, id).await? else {
        return Ok(None);
    };
    let user_no = no_of(txn, user).await?;
    blobs::refer(txn, made.blob.hash, now).await?;
    let sql = "insert into files (id, user_no, name, media_type, size, width, height, hash, \
               encrypted, length, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
               $11)";
    txn.execute(
        sql,
        &[
            &id.0,
            &user_no,
            &upload.name,
            &made.media_type,
            &made.blob.size,
            &made.pixels.map(|(width, _)| width),
            &made.pixels.map(|(_, height)| height),
            &&made.blob.hash[..],
            &upload.encrypted,
            &upload.length,
            &now.0,
        ],
    )
    .await?;
    if made.pixels.is_some() {
        jobs::ask(txn, Kind::Thumbnail, id.0, now).await?;
    }
    count(txn, user_no, made.blob.size).await?;
    doom(txn, id).await?;
    Ok(file(txn, id).await?.map(|found| found.file))
}

/// Gives an upload up: it counts no more, and its bytes can be deleted.
pub(super) async fn doom(txn: &Txn, id: FileId) -> Result<(), StoreError> {
    let sql = "update uploads set doomed = true where id = $1 and not doomed \
               returning user_no, length";
    let read = |row: &Row| Ok((row.try_get(0)?, row.try_get::<_, i64>(1)?));
    match one(txn, sql, &[&id.0], read).await? {
        Some((user_no, length)) => count(txn, user_no, -length).await.map(drop),
        None => Ok(()),
    }
}
