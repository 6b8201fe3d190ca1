//! Files: the books of what is coming and what is here. Rows are locked in this order: users,
//! uploads, files, blobs by their hash, then the counts: everybody's first.

mod blobs;
mod carried;
mod pictures;
mod sealed;
mod uploads;

pub(super) use blobs::{refer, release as unrefer};
pub(super) use carried::{of_messages, release};

use async_trait::async_trait;
use parlor_domain::{Denied, File, FileId, Profile, Time, UserId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::logins::hash;
use super::readers::{Bound, Db};
use super::rows::{exists, many, most, one, time, user_no, uuid};
use super::txn::Txn;
use crate::StoreError;
use crate::files::{Blob, Files, Found, Hash, Made, NewPicture, NewUpload, Room, Sealed, Upload};

#[async_trait]
impl Files for PostgresStore {
    async fn begin_upload(
        &self,
        new: NewUpload,
        room: Room,
        now: Time,
    ) -> Result<Upload, StoreError> {
        let txn = self.begin().await?;
        let begun = uploads::begin(&txn, new, room, now).await?;
        txn.commit().await?;
        Ok(begun)
    }

    async fn upload(&self, user: UserId, id: FileId) -> Result<Option<Upload>, StoreError> {
        uploads::find(&self.one().await?, user, id).await
    }

    async fn take_turn(
        &self,
        user: UserId,
        id: FileId,
        expires: Time,
    ) -> Result<Option<Upload>, StoreError> {
        let db = self.one().await?;
        let sql = "update uploads set turn = turn + 1, expires_at = greatest(expires_at, $3) \
                   where id = $1 and not doomed \
                   and user_no = (select no from users where id = $2)";
        if db.execute(sql, &[&id.0, &user.0, &expires.0]).await? == 0 {
            return Ok(None);
        }
        uploads::find(&db, user, id).await
    }

    async fn advance(
        &self,
        id: FileId,
        turn: i64,
        received: i64,
        expires: Time,
    ) -> Result<bool, StoreError> {
        let sql = "update uploads set received = $3, expires_at = greatest(expires_at, $4) \
                   where id = $1 and turn = $2 and not doomed";
        Ok(self.one().await?.execute(sql, &[&id.0, &turn, &received, &expires.0]).await? == 1)
    }

    async fn expect_blob(&self, blob: Blob, now: Time) -> Result<(), StoreError> {
        blobs::expect(&self.one().await?, blob, now).await
    }

    async fn finish_upload(
        &self,
        user: UserId,
        id: FileId,
        made: Made,
        now: Time,
    ) -> Result<Option<File>, StoreError> {
        let txn = self.begin().await?;
        let file = uploads::finish(&txn, user, id, &made, now).await?;
        txn.commit().await?;
        Ok(file)
    }

    async fn drop_upload(&self, user: UserId, id: FileId) -> Result<(), StoreError> {
        let txn = self.begin().await?;
        uploads::find(&txn, user, id).await?.ok_or(Denied::NotFound)?;
        uploads::doom(&txn, id).await?;
        txn.commit().await
    }

    async fn doomed_uploads(&self, now: Time, limit: u64) -> Result<Vec<FileId>, StoreError> {
        let txn = self.begin().await?;
        let sql = "select id from uploads where expires_at <= $1 and not doomed \
                   order by id limit $2 for update skip locked";
        let id = |row: &Row| Ok(FileId(uuid(row, 0)?));
        for over in many(&txn, sql, &[&now.0, &most(limit)], id).await? {
            uploads::doom(&txn, over).await?;
        }
        let sql = "select id from uploads where doomed limit $1";
        let doomed = many(&txn, sql, &[&most(limit)], id).await?;
        txn.commit().await?;
        Ok(doomed)
    }

    async fn forget_upload(&self, id: FileId) -> Result<(), StoreError> {
        let sql = "delete from uploads where id = $1 and doomed";
        self.one().await?.execute(sql, &[&id.0]).await.map(drop)
    }

    async fn file(&self, user: UserId, id: FileId) -> Result<Option<Found>, StoreError> {
        visible(&self.one().await?, user, id).await
    }

    async fn any_file(&self, id: FileId) -> Result<Option<Found>, StoreError> {
        file(&self.one().await?, id).await
    }

    async fn delete_file(&self, user: UserId, id: FileId) -> Result<(), StoreError> {
        let txn = self.begin().await?;
        let sql = "select f.carried from files f where f.id = $1 \
                   and f.user_no = (select no from users where id = $2) for update";
        match one(&txn, sql, &[&id.0, &user.0], |row| Ok(row.try_get::<_, i64>(0)?)).await? {
            None => return Err(Denied::NotFound.into()),
            Some(0) => delete(&txn, &[id]).await?,
            Some(_) => return Err(CARRIED.into()),
        }
        txn.commit().await
    }

    async fn delete_unsent(&self, before: Time, limit: u64) -> Result<u64, StoreError> {
        let txn = self.begin().await?;
        let sql = "select id from files where carried = 0 and created_at < $1 \
                   order by id limit $2 for update skip locked";
        let bound = [&before.0 as _, &most(limit) as _];
        let unsent = many(&txn, sql, &bound, |row| Ok(FileId(uuid(row, 0)?))).await?;
        if !unsent.is_empty() {
            delete(&txn, &unsent).await?;
            txn.commit().await?;
        }
        Ok(unsent.len() as u64)
    }

    async fn file_to_seal(&self, id: FileId) -> Result<Option<Found>, StoreError> {
        sealed::to_seal(&self.one().await?, id).await
    }

    async fn seal_file(
        &self,
        id: FileId,
        sealed: Option<Sealed>,
        now: Time,
    ) -> Result<bool, StoreError> {
        let mut txn = self.begin().await?;
        let done = sealed::seal(&mut txn, id, sealed.as_ref(), now).await?;
        txn.commit().await?;
        Ok(done)
    }

    async fn set_thumbnail(
        &self,
        id: FileId,
        thumbnail: Blob,
        sealed: bool,
        now: Time,
    ) -> Result<bool, StoreError> {
        let txn = self.begin().await?;
        let sql = "update files set thumbnail = $2 where id = $1 and thumbnail is null \
                   and sealed = $3";
        let set = txn.execute(sql, &[&id.0, &&thumbnail.hash[..], &sealed]).await? == 1;
        if set {
            blobs::refer(&txn, thumbnail.hash, now).await?;
        } else {
            blobs::expect_no_more(&txn, thumbnail.hash).await?;
        }
        txn.commit().await?;
        Ok(set)
    }

    async fn set_picture(
        &self,
        user: UserId,
        picture: Option<NewPicture>,
        room: Room,
        now: Time,
    ) -> Result<Profile, StoreError> {
        let mut txn = self.begin().await?;
        let profile = pictures::set(&mut txn, user, picture.as_ref(), room, now).await?;
        txn.commit().await?;
        Ok(profile)
    }

    async fn doomed_blobs(&self, before: Time, limit: u64) -> Result<Vec<Hash>, StoreError> {
        let db = self.one().await?;
        let any = "select 1 from blobs where refs = 0 and (doomed or touched_at < $1) limit 1";
        if !exists(&db, any, &[&before.0]).await? {
            return Ok(vec![]);
        }
        let sql = "update blobs set doomed = true where hash in (select hash from blobs \
                   where refs = 0 and touched_at < $1 and not doomed order by hash \
                   limit $2 for update skip locked)";
        db.execute(sql, &[&before.0, &most(limit)]).await?;
        let sql = "select hash from blobs where refs = 0 and doomed limit $1";
        many(&db, sql, &[&most(limit)], |row| hash(row, 0)).await
    }

    async fn forget_blob(&self, hash: Hash) -> Result<(), StoreError> {
        let sql = "delete from blobs where hash = $1 and doomed";
        self.one().await?.execute(sql, &[&&hash[..]]).await.map(drop)
    }

    async fn bytes_of(&self, user: UserId) -> Result<i64, StoreError> {
        let sql = "select b.bytes from file_bytes b join users u on u.no = b.user_no \
                   where u.id = $1";
        let found = one(&self.one().await?, sql, &[&user.0], |row| Ok(row.try_get(0)?)).await?;
        Ok(found.unwrap_or(0))
    }
}

/// Nobody loses what they were shown before the message goes, or the profile changes.
const CARRIED: Denied = Denied::Conflict("a message or a profile carries the file");

/// Selects files `f` of users `u`, to be read by [`found`].
const FILE: &str = "select f.id, u.id, f.name, f.media_type, f.size, f.width, f.height, \
    f.created_at, f.encrypted, f.hash, f.length, t.hash, t.size, f.thumbnail is not null or \
    (f.width is not null and exists (select 1 from jobs j where j.kind = 'thumbnail' \
    and j.about = f.id and not j.given_up)), f.sealed from files f \
    join users u on u.no = f.user_no left join blobs t on t.hash = f.thumbnail";

/// Reads the columns of [`FILE`] that begin at `at`.
fn found(row: &Row, at: usize) -> Result<Found, StoreError> {
    let thumbnail = match row.try_get::<_, Option<i64>>(at + 12)? {
        Some(size) => Some(Blob { hash: hash(row, at + 11)?, size }),
        None => None,
    };
    let file = File {
        id: FileId(uuid(row, at)?),
        owner: UserId(uuid(row, at + 1)?),
        name: row.try_get(at + 2)?,
        media_type: row.try_get(at + 3)?,
        size: row.try_get(at + 4)?,
        width: row.try_get(at + 5)?,
        height: row.try_get(at + 6)?,
        thumbnail: row.try_get(at + 13)?,
        created_at: time(row, at + 7)?,
        encrypted: row.try_get(at + 8)?,
    };
    let (hash, length) = (hash(row, at + 9)?, row.try_get(at + 10)?);
    Ok(Found { file, hash, length, thumbnail, key: None })
}

/// Whether a row of [`FILE`] is of a file that is kept sealed.
fn is_sealed(row: &Row, at: usize) -> Result<bool, StoreError> {
    Ok(row.try_get(at + 14)?)
}

/// A file that a statement finds, if its bytes can be read.
async fn readable(db: &Db, sql: &str, bound: Bound<'_>) -> Result<Option<Found>, StoreError> {
    let read = |row: &Row| Ok((found(row, 0)?, is_sealed(row, 0)?));
    match one(db, sql, bound, read).await? {
        Some((found, true)) => sealed::opened(db, found).await,
        found => Ok(found.map(|(found, _)| found)),
    }
}

/// A file, whoever asks; one whose key is gone is gone.
async fn file(db: &Db, id: FileId) -> Result<Option<Found>, StoreError> {
    readable(db, &format!("{FILE} where f.id = $1"), &[&id.0]).await
}

/// A file that somebody may have.
async fn visible(db: &Db, user: UserId, id: FileId) -> Result<Option<Found>, StoreError> {
    let sql = format!(
        "{FILE} where f.id = $1 and ((f.carried = 0 and u.id = $2) or u.picture = f.id \
         or exists (select 1 \
         from attachments a join messages m on m.no = a.message_no \
         join sessions s on s.no = m.session_no and s.ended_at is null \
         join session_members sm on sm.session_no = m.session_no \
         and sm.user_no = (select no from users where id = $2) \
         where a.file_id = f.id and m.deleted_at is null))"
    );
    readable(db, &sql, &[&id.0, &user.0]).await
}

/// Deletes rows of files. Their bytes go when nothing else refers to them.
async fn delete(txn: &Txn, ids: &[FileId]) -> Result<(), StoreError> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    let sql = "delete from files where id = any($1) returning user_no, size, hash, thumbnail";
    let (mut blobs, mut owners): (Vec<Vec<u8>>, Vec<(i64, i64)>) = (Vec::new(), Vec::new());
    for row in txn.query(sql, &[&ids]).await? {
        let size: i64 = row.try_get(1)?;
        owners.push((row.try_get(0)?, -size));
        blobs.extend([Some(row.try_get(2)?), row.try_get(3)?].into_iter().flatten());
    }
    blobs::release(txn, blobs).await?;
    owners.sort_unstable();
    for (user_no, bytes) in owners {
        count(txn, user_no, bytes).await?;
    }
    Ok(())
}

/// Gives up what a user is sending, and deletes what nobody was shown of what they have sent, and
/// what they looked like. Their row is locked.
pub(super) async fn leave(txn: &Txn, user_no: i64) -> Result<(), StoreError> {
    let id = |row: &Row| Ok(FileId(uuid(row, 0)?));
    let sql = "select id from uploads where user_no = $1 order by id for update";
    for upload in many(txn, sql, &[&user_no], id).await? {
        uploads::doom(txn, upload).await?;
    }
    let sql = "select id from files where user_no = $1 and carried = 0 order by id for update";
    let mut gone = many(txn, sql, &[&user_no], id).await?;
    gone.extend(pictures::remove(txn, user_no).await?);
    delete(txn, &gone).await
}

/// Adds to the bytes of all and of somebody, and returns both: until the end of the change nobody
/// else does.
async fn count(txn: &Txn, user_no: i64, bytes: i64) -> Result<(i64, i64), StoreError> {
    let sql = "insert into file_bytes (user_no, bytes) values ($1, $2) \
               on conflict (user_no) do update set bytes = file_bytes.bytes + $2 \
               returning bytes";
    let mut counts = [0; 2];
    for (count, whose) in counts.iter_mut().zip([ALL, user_no]) {
        let counted = one(txn, sql, &[&whose, &bytes], |row| Ok(row.try_get(0)?)).await?;
        *count = counted.unwrap_or_default();
    }
    Ok((counts[0], counts[1]))
}

/// In whose row everybody's bytes are counted.
const ALL: i64 = 0;

async fn no_of(txn: &Txn, user: UserId) -> Result<i64, StoreError> {
    user_no(txn, user).await?.ok_or(Denied::NotFound.into())
}
