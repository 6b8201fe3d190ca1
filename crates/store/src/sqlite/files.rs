//! Files: the books of what is coming and what is here.

mod blobs;
mod carried;
mod pictures;
mod sealed;
mod uploads;

pub(super) use blobs::{refer, release as unrefer};
pub(super) use carried::{carry, may_carry, of_messages, release};

use async_trait::async_trait;
use parlor_domain::{Denied, File, FileId, Profile, Time, UserId};
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::rows::{exists, many, most, one, user_no, uuid};
use super::txn::Txn;
use crate::StoreError;
use crate::files::{Blob, Files, Found, Hash, Made, NewPicture, NewUpload, Room, Sealed, Upload};

#[async_trait]
impl Files for SqliteStore {
    async fn begin_upload(
        &self,
        new: NewUpload,
        room: Room,
        now: Time,
    ) -> Result<Upload, StoreError> {
        self.write(move |txn| uploads::begin(txn, new, room, now)).await
    }

    async fn upload(&self, user: UserId, id: FileId) -> Result<Option<Upload>, StoreError> {
        self.read(move |conn| uploads::find(conn, user, id)).await
    }

    async fn take_turn(
        &self,
        user: UserId,
        id: FileId,
        expires: Time,
    ) -> Result<Option<Upload>, StoreError> {
        self.write(move |txn| {
            let sql = "update uploads set turn = turn + 1, expires_at = max(expires_at, ?2) \
                       where id = ?1 and doomed = 0";
            let Some(_) = uploads::find(txn.conn, user, id)? else { return Ok(None) };
            txn.execute(sql, params![id.0.as_bytes(), expires.0])?;
            uploads::find(txn.conn, user, id)
        })
        .await
    }

    async fn advance(
        &self,
        id: FileId,
        turn: i64,
        received: i64,
        expires: Time,
    ) -> Result<bool, StoreError> {
        self.write(move |txn| {
            let sql = "update uploads set received = ?3, expires_at = max(expires_at, ?4) \
                       where id = ?1 and turn = ?2 and doomed = 0";
            Ok(txn.execute(sql, params![id.0.as_bytes(), turn, received, expires.0])? == 1)
        })
        .await
    }

    async fn expect_blob(&self, blob: Blob, now: Time) -> Result<(), StoreError> {
        self.write(move |txn| blobs::expect(txn, blob, now)).await
    }

    async fn finish_upload(
        &self,
        user: UserId,
        id: FileId,
        made: Made,
        now: Time,
    ) -> Result<Option<File>, StoreError> {
        self.write(move |txn| uploads::finish(txn, user, id, &made, now)).await
    }

    async fn drop_upload(&self, user: UserId, id: FileId) -> Result<(), StoreError> {
        self.write(move |txn| {
            uploads::find(txn.conn, user, id)?.ok_or(Denied::NotFound)?;
            uploads::doom(txn, id)
        })
        .await
    }

    async fn doomed_uploads(&self, now: Time, limit: u64) -> Result<Vec<FileId>, StoreError> {
        let any = "select 1 from uploads where expires_at <= ? or doomed = 1";
        if !self.read(move |conn| exists(conn, any, [now.0])).await? {
            return Ok(vec![]);
        }
        self.write(move |txn| {
            let sql = "select id from uploads where expires_at <= ? and doomed = 0 limit ?";
            let bound = params![now.0, most(limit)];
            let over = many(txn.conn, sql, bound, |row| Ok(FileId(uuid(row, 0)?)))?;
            over.into_iter().try_for_each(|id| uploads::doom(txn, id))?;
            let sql = "select id from uploads where doomed = 1 limit ?";
            many(txn.conn, sql, [most(limit)], |row| Ok(FileId(uuid(row, 0)?)))
        })
        .await
    }

    async fn forget_upload(&self, id: FileId) -> Result<(), StoreError> {
        self.write(move |txn| uploads::forget(txn, id)).await
    }

    async fn file(&self, user: UserId, id: FileId) -> Result<Option<Found>, StoreError> {
        self.read(move |conn| visible(conn, user, id, None)).await
    }

    async fn any_file(&self, id: FileId) -> Result<Option<Found>, StoreError> {
        self.read(move |conn| file(conn, id)).await
    }

    async fn delete_file(&self, user: UserId, id: FileId) -> Result<(), StoreError> {
        self.write(move |txn| {
            let sql = "select f.carried from files f join users u on u.no = f.user_no \
                       where f.id = ? and u.id = ?";
            let bound = params![id.0.as_bytes(), user.0.as_bytes()];
            match one(txn.conn, sql, bound, |row| row.get::<_, i64>(0))? {
                None => Err(Denied::NotFound.into()),
                Some(0) => delete(txn, id),
                Some(_) => Err(CARRIED.into()),
            }
        })
        .await
    }

    async fn delete_unsent(&self, before: Time, limit: u64) -> Result<u64, StoreError> {
        let any = "select 1 from files where carried = 0 and created_at < ?";
        if !self.read(move |conn| exists(conn, any, [before.0])).await? {
            return Ok(0);
        }
        self.write(move |txn| {
            let sql = "select id from files where carried = 0 and created_at < ? limit ?";
            let bound = params![before.0, most(limit)];
            let unsent = many(txn.conn, sql, bound, |row| Ok(FileId(uuid(row, 0)?)))?;
            unsent.iter().try_for_each(|id| delete(txn, *id))?;
            Ok(unsent.len() as u64)
        })
        .await
    }

    async fn file_to_seal(&self, id: FileId) -> Result<Option<Found>, StoreError> {
        self.read(move |conn| sealed::to_seal(conn, id)).await
    }

    async fn seal_file(
        &self,
        id: FileId,
        sealed: Option<Sealed>,
        now: Time,
    ) -> Result<bool, StoreError> {
        self.write(move |txn| sealed::seal(txn, id, sealed.as_ref(), now)).await
    }

    async fn set_thumbnail(
        &self,
        id: FileId,
        thumbnail: Blob,
        sealed: bool,
        now: Time,
    ) -> Result<bool, StoreError> {
        self.write(move |txn| {
            let sql = "select 1 from files where id = ? and thumbnail is null and sealed = ?";
            if !exists(txn.conn, sql, params![id.0.as_bytes(), sealed])? {
                blobs::expect_no_more(txn, thumbnail.hash)?;
                return Ok(false);
            }
            blobs::refer(txn, thumbnail.hash, now)?;
            let sql = "update files set thumbnail = ? where id = ?";
            txn.execute(sql, params![thumbnail.hash, id.0.as_bytes()])?;
            Ok(true)
        })
        .await
    }

    async fn set_picture(
        &self,
        user: UserId,
        picture: Option<NewPicture>,
        room: Room,
        now: Time,
    ) -> Result<Profile, StoreError> {
        self.write(move |txn| pictures::set(txn, user, picture.as_ref(), room, now)).await
    }

    async fn doomed_blobs(&self, before: Time, limit: u64) -> Result<Vec<Hash>, StoreError> {
        // Mostly there is nothing to be done: the writer is not asked for that.
        let any = "select 1 from blobs where refs = 0 and (doomed = 1 or touched_at < ?)";
        if !self.read(move |conn| exists(conn, any, [before.0])).await? {
            return Ok(vec![]);
        }
        self.write(move |txn| {
            let sql = "update blobs set doomed = 1 where refs = 0 and touched_at < ?";
            txn.execute(sql, [before.0])?;
            let sql = "select hash from blobs where refs = 0 and doomed = 1 limit ?";
            many(txn.conn, sql, [most(limit)], |row| row.get(0))
        })
        .await
    }

    async fn forget_blob(&self, hash: Hash) -> Result<(), StoreError> {
        let sql = "delete from blobs where hash = ? and doomed = 1";
        self.write(move |txn| txn.execute(sql, [hash]).map(drop)).await
    }

    async fn bytes_of(&self, user: UserId) -> Result<i64, StoreError> {
        self.read(move |conn| {
            let sql = "select b.bytes from file_bytes b join users u on u.no = b.user_no \
                       where u.id = ?";
            Ok(one(conn, sql, [user.0.as_bytes()], |row| row.get(0))?.unwrap_or(0))
        })
        .await
    }
}

/// Nobody loses what they were shown before the message goes, or the profile changes.
const CARRIED: Denied = Denied::Conflict("a message or a profile carries the file");

/// Selects files `f` of users `u`, to be read by [`found`]. Any message that carries a file which
/// is kept sealed has its key, as long as it can be read itself.
const FILE: &str = "select f.id, u.id, f.name, f.media_type, f.size, f.width, f.height, \
    f.created_at, f.encrypted, f.hash, f.length, t.hash, t.size, f.thumbnail is not null or \
    (f.width is not null and exists (select 1 from jobs j where j.kind = 'thumbnail' \
    and j.about = f.id and j.given_up = 0)), f.sealed, case when f.sealed then (select text from \
    (select coalesce(a.opened, unsealed(a.sealed, s.id, m.id)) as text from attachments a \
    join messages m on m.no = a.message_no join sessions s on s.no = m.session_no \
    where a.file_id = f.id) where text is not null limit 1) end from files f \
    join users u on u.no = f.user_no left join blobs t on t.hash = f.thumbnail";

/// Reads a row of [`FILE`].
fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    let thumbnail: Option<Hash> = row.get(11)?;
    let size: Option<i64> = row.get(12)?;
    let (key, name) = sealed::read(row.get::<_, Option<String>>(15)?.as_deref()).unzip();
    let file = File {
        id: FileId(uuid(row, 0)?),
        owner: UserId(uuid(row, 1)?),
        name: name.map_or_else(|| row.get(2), Ok)?,
        media_type: row.get(3)?,
        size: row.get(4)?,
        width: row.get(5)?,
        height: row.get(6)?,
        thumbnail: row.get(13)?,
        created_at: Time(row.get(7)?),
        encrypted: row.get(8)?,
    };
    let thumbnail = thumbnail.zip(size).map(|(hash, size)| Blob { hash, size });
    Ok(Found { file, hash: row.get(9)?, length: row.get(10)?, thumbnail, key })
}

/// A file, whoever asks; one whose key is gone is gone.
fn file(conn: &Connection, id: FileId) -> Result<Option<Found>, StoreError> {
    let sql = format!("{FILE} where f.id = ?");
    Ok(one(conn, &sql, [id.0.as_bytes()], readable)?.flatten())
}

/// Reads a row of [`FILE`], if its bytes can be.
fn readable(row: &Row<'_>) -> rusqlite::Result<Option<Found>> {
    let found = found(row)?;
    let sealed: bool = row.get(14)?;
    Ok((!sealed || found.key.is_some()).then_some(found))
}

/// A file that somebody may have, to be carried in this session until this moment where they are to
/// send it again.
fn visible(
    conn: &Connection,
    user: UserId,
    id: FileId,
    again: Option<(i64, Time)>,
) -> Result<Option<Found>, StoreError> {
    let (session_no, until) = again.unwrap_or((0, Time(i64::MIN)));
    let sql = format!(
        "{FILE} where f.id = ?1 and ((f.carried = 0 and u.id = ?2) or u.picture = f.id \
         or exists (select 1 \
         from attachments a join messages m on m.no = a.message_no \
         join sessions s on s.no = m.session_no and s.ended_at is null \
         join session_members sm on sm.session_no = m.session_no \
         join users me on me.no = sm.user_no \
         where a.file_id = f.id and me.id = ?2 and m.deleted_at is null \
         and (m.expires_at is null or m.expires_at >= ?3) \
         and (s.ends_at is null or s.ends_at >= ?3 or s.no = ?4)))"
    );
    let bound = params![id.0.as_bytes(), user.0.as_bytes(), until.0, session_no];
    Ok(one(conn, &sql, bound, readable)?.flatten())
}

/// Deletes a file's row. Its bytes go when nothing else refers to them.
fn delete(txn: &mut Txn<'_>, id: FileId) -> Result<(), StoreError> {
    let sql = "select user_no, size, hash, thumbnail from files where id = ?";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let row = one(txn.conn, sql, [id.0.as_bytes()], read)?;
    let Some((user_no, size, hash, thumbnail)): Option<(i64, i64, Hash, Option<Hash>)> = row else {
        return Ok(());
    };
    txn.execute("delete from files where id = ?", [id.0.as_bytes()])?;
    blobs::release(txn, hash)?;
    if let Some(thumbnail) = thumbnail {
        blobs::release(txn, thumbnail)?;
    }
    txn.erase();
    count(txn, user_no, -size)
}

/// Gives up what a user is sending, and deletes what nobody was shown of what they have sent, and
/// what they looked like.
pub(super) fn leave(txn: &mut Txn<'_>, user_no: i64) -> Result<(), StoreError> {
    pictures::remove(txn, user_no)?;
    for (sql, go) in [
        (
            "select id from uploads where user_no = ?",
            uploads::doom as fn(&mut Txn<'_>, FileId) -> _,
        ),
        ("select id from files where user_no = ? and carried = 0", delete),
    ] {
        let ids = many(txn.conn, sql, [user_no], |row| Ok(FileId(uuid(row, 0)?)))?;
        ids.into_iter().try_for_each(|id| go(txn, id))?;
    }
    Ok(())
}

/// Adds to the bytes of somebody, and of all.
fn count(txn: &Txn<'_>, user_no: i64, bytes: i64) -> Result<(), StoreError> {
    let sql = "insert into file_bytes (user_no, bytes) values (?1, ?2) \
               on conflict (user_no) do update set bytes = bytes + ?2";
    for whose in [ALL, user_no] {
        txn.execute(sql, params![whose, bytes])?;
    }
    Ok(())
}

/// In whose row everybody's bytes are counted.
const ALL: i64 = 0;

fn bytes(conn: &Connection, user_no: i64) -> Result<i64, StoreError> {
    let sql = "select bytes from file_bytes where user_no = ?";
    Ok(one(conn, sql, [user_no], |row| row.get(0))?.unwrap_or(0))
}

fn no_of(txn: &Txn<'_>, user: UserId) -> Result<i64, StoreError> {
    user_no(txn.conn, user)?.ok_or(Denied::NotFound.into())
}
