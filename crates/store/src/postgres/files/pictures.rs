//! What people look like: files that are carried by a profile, as others are by a message.

use parlor_domain::{Denied, FileId, Profile, Time, UserId};

use super::super::accounts;
use super::super::rows::{maybe_file, one, uuid};
use super::super::txn::Txn;
use super::{blobs, count, delete};
use crate::StoreError;
use crate::files::{NewPicture, Room};

/// What a picture is called that nobody gave a name.
const NAME: &str = "picture";

/// Changes a person's picture; see [`crate::Files::set_picture`].
pub(super) async fn set(
    txn: &mut Txn,
    user: UserId,
    picture: Option<&NewPicture>,
    room: Room,
    now: Time,
) -> Result<Profile, StoreError> {
    let sql = "update users set changed_at = $2 where id = $1 and deleted_at is null returning no";
    let no = one(txn, sql, &[&user.0, &now.0], |row| Ok(row.try_get(0)?)).await?;
    let no: i64 = no.ok_or(Denied::NotFound)?;
    let before = remove(txn, no).await?;
    if let Some(picture) = picture {
        // Both blobs at once, by their hash.
        let sql = "select 1 from blobs where hash = $1 or hash = (select hash from files \
                   where id = $2) order by hash for update";
        txn.query(sql, &[&&picture.blob.hash[..], &before.map(|id| id.0)]).await?;
        blobs::refer(txn, picture.blob.hash, now).await?;
    }
    delete(txn, before.as_slice()).await?;
    if let Some(picture) = picture {
        add(txn, no, picture, room, now).await?;
    }
    accounts::tell_settings(txn, user, now).await
}

/// Adds a picture whose blob is referred to already.
async fn add(
    txn: &Txn,
    no: i64,
    picture: &NewPicture,
    room: Room,
    now: Time,
) -> Result<(), StoreError> {
    let size = picture.blob.size;
    let sql = "insert into files (id, user_no, name, media_type, size, width, height, hash, \
               encrypted, length, created_at, carried) \
               values ($1, $2, $3, $4, $5, $6, $6, $7, false, $5, $8, 1)";
    txn.execute(
        sql,
        &[
            &picture.id.0,
            &no,
            &NAME,
            &picture.media_type,
            &size,
            &picture.side,
            &&picture.blob.hash[..],
            &now.0,
        ],
    )
    .await?;
    let (all, theirs) = count(txn, no, size).await?;
    room.admit(0, theirs - size, all - size, size)?;
    let sql = "update users set picture = $2 where no = $1";
    txn.execute(sql, &[&no, &picture.id.0]).await.map(drop)
}

/// Takes a person's picture away, if they have one, and returns it when nothing carries it any
/// more. Their row is locked.
pub(super) async fn remove(txn: &Txn, no: i64) -> Result<Option<FileId>, StoreError> {
    let sql = "select picture from users where no = $1 and picture is not null";
    let before = one(txn, sql, &[&no], |row| maybe_file(row, 0)).await?.flatten();
    let Some(before) = before else { return Ok(None) };
    txn.execute("update users set picture = null where no = $1", &[&no]).await?;
    let sql = "update files set carried = carried - 1 where id = $1 returning id, carried";
    let left =
        one(txn, sql, &[&before.0], |row| Ok((FileId(uuid(row, 0)?), row.try_get::<_, i64>(1)?)))
            .await?;
    Ok(left.filter(|(_, carried)| *carried == 0).map(|(id, _)| id))
}
