//! Previews: what is behind the links of messages. The row before the first says that a message is
//! to have none. Who changes them holds the lock on the head of the session's log.

use std::collections::HashMap;

use async_trait::async_trait;
use parlor_domain::{EventKind, Extras, FileId, Message, MessageId, Preview, Time, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::logins::hash;
use super::messages::held;
use super::readers::Db;
use super::rows::{MESSAGE, many, message, one};
use super::txn::Txn;
use super::{PostgresStore, extras, files};
use crate::StoreError;
use crate::files::Blob;
use crate::previews::{Brought, DecideBare, Linked, NewPreview, Previews};

#[async_trait]
impl Previews for PostgresStore {
    async fn linked(&self, id: MessageId) -> Result<Option<Linked>, StoreError> {
        let db = self.read().await?;
        let Some(found) = wanting(&db, id).await? else { return Ok(None) };
        let previews = of_message(&db, found.no).await?;
        Ok(Some(Linked { content: found.content, previews }))
    }

    async fn bring_previews(
        &self,
        id: MessageId,
        content: String,
        previews: Vec<NewPreview>,
        now: Time,
    ) -> Result<Brought, StoreError> {
        let mut txn = self.begin().await?;
        let Some(session_no) = lock(&mut txn, id).await? else { return Ok(Brought::Unwanted) };
        let Some(message) = wanting(&txn, id).await? else { return Ok(Brought::Unwanted) };
        if message.content != content {
            return Ok(Brought::Reworded);
        }
        let told: Vec<Preview> = previews.iter().map(|new| new.preview.clone()).collect();
        if of_message(&txn, message.no).await? == told {
            return Ok(Brought::Told);
        }
        put(&txn, message.no, previews, now).await?;
        let kind = EventKind::Previewed { message: id, number: message.number, previews: told };
        txn.log(session_no, now, Some(message.no), kind).await?;
        txn.commit().await?;
        Ok(Brought::Told)
    }

    async fn drop_previews(
        &self,
        user: UserId,
        id: MessageId,
        now: Time,
        decide: DecideBare,
    ) -> Result<(), StoreError> {
        let mut txn = self.begin().await?;
        let (view, message) = held(&mut txn, user, id).await?;
        decide(&view, &message)?;
        let sql = "insert into previews (message_no, nth, url, title, description, site) \
                   values ($1, 0, '', '', '', '') on conflict do nothing";
        txn.execute(sql, &[&message.no]).await?;
        if !of_message(&txn, message.no).await?.is_empty() {
            clear(&txn, &[message.no]).await?;
            extras::unset(&txn, message.no, Extras::PREVIEWS).await?;
            let (number, previews) = (message.number, vec![]);
            let kind = EventKind::Previewed { message: id, number, previews };
            txn.log(view.session_no, now, Some(message.no), kind).await?;
        }
        txn.commit().await
    }

    async fn preview_image(&self, user: UserId, id: FileId) -> Result<Option<Blob>, StoreError> {
        let sql = "select b.hash, b.size from previews p join blobs b on b.hash = p.image \
                   join messages m on m.no = p.message_no and m.deleted_at is null \
                   join sessions s on s.no = m.session_no and s.ended_at is null \
                   join session_members sm on sm.session_no = m.session_no \
                   join users me on me.no = sm.user_no where p.image_id = $1 and me.id = $2";
        let read = |row: &Row| Ok(Blob { hash: hash(row, 0)?, size: row.try_get(1)? });
        one(&self.one().await?, sql, &[&id.0, &user.0], read).await
    }
}

/// Holds the log that a message is in.
async fn lock(txn: &mut Txn, id: MessageId) -> Result<Option<i64>, StoreError> {
    let sql = "select session_no from messages where id = $1";
    let session_no = one(txn, sql, &[&id.0], |row| Ok(row.try_get(0)?)).await?;
    if let Some(session_no) = session_no {
        txn.lock_heads(&[session_no]).await?;
    }
    Ok(session_no)
}

/// A message that is there and may have previews: what is sealed is to stand nowhere else.
async fn wanting(db: &Db, id: MessageId) -> Result<Option<Message>, StoreError> {
    let sql = format!(
        "{MESSAGE} where m.id = $1 and m.deleted_at is null and s.ended_at is null \
         and m.sealed is null and not exists \
         (select 1 from previews p where p.message_no = m.no and p.nth = 0)"
    );
    one(db, &sql, &[&id.0], message).await
}

/// Puts previews in place of those that a message has.
async fn put(
    txn: &Txn,
    message_no: i64,
    previews: Vec<NewPreview>,
    now: Time,
) -> Result<(), StoreError> {
    // Those that come and those that go at once, by their hash, as everybody locks them.
    let images: Vec<Blob> = previews.iter().filter_map(|new| new.image).collect();
    let hashes: Vec<&[u8]> = images.iter().map(|image| &image.hash[..]).collect();
    let sql = "select 1 from blobs where hash = any($1) or hash in (select image from previews \
               where message_no = $2) order by hash for update";
    txn.query(sql, &[&hashes, &message_no]).await?;
    // First those that come: a picture of both is never nobody's.
    for image in &images {
        files::refer(txn, image.hash, now).await?;
    }
    clear(txn, &[message_no]).await?;
    match previews.is_empty() {
        true => extras::unset(txn, message_no, Extras::PREVIEWS).await?,
        false => extras::set(txn, message_no, Extras::PREVIEWS).await?,
    }
    for (nth, NewPreview { preview, image }) in (1_i64..).zip(previews) {
        let sql = "insert into previews (message_no, nth, url, title, description, site, \
                   image_id, image) values ($1, $2, $3, $4, $5, $6, $7, $8)";
        let Preview { url, title, description, site, image: id } = preview;
        let (id, image) = (id.map(|id| id.0), image.map(|image| image.hash.to_vec()));
        let row: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
            [&message_no, &nth, &url, &title, &description, &site, &id, &image];
        txn.execute(sql, &row).await?;
    }
    Ok(())
}

/// Takes the previews of messages away, and their pictures.
async fn clear(txn: &Txn, nos: &[i64]) -> Result<(), StoreError> {
    let sql = "delete from previews where message_no = any($1) and nth > 0 returning image";
    let images: Vec<Option<Vec<u8>>> = many(txn, sql, &[&nos], |row| Ok(row.try_get(0)?)).await?;
    files::unrefer(txn, images.into_iter().flatten().collect()).await
}

/// Forgets all about the previews of messages that are deleted.
pub(super) async fn release(txn: &Txn, nos: &[i64]) -> Result<(), StoreError> {
    clear(txn, nos).await?;
    txn.execute("delete from previews where message_no = any($1)", &[&nos]).await.map(drop)
}

/// The previews of a message, in the order of its links.
async fn of_message(db: &Db, message_no: i64) -> Result<Vec<Preview>, StoreError> {
    Ok(of_messages(db, &[message_no]).await?.remove(&message_no).unwrap_or_default())
}

/// The previews of messages, in the order of their links.
pub(super) async fn of_messages(
    db: &Db,
    nos: &[i64],
) -> Result<HashMap<i64, Vec<Preview>>, StoreError> {
    let sql = "select message_no, url, title, description, site, image_id from previews \
               where message_no = any($1) and nth > 0 order by message_no, nth";
    let mut found: HashMap<i64, Vec<Preview>> = HashMap::new();
    for row in db.query(sql, &[&nos]).await? {
        let image: Option<Uuid> = row.try_get(5)?;
        found.entry(row.try_get(0)?).or_default().push(Preview {
            url: row.try_get(1)?,
            title: row.try_get(2)?,
            description: row.try_get(3)?,
            site: row.try_get(4)?,
            image: image.map(FileId),
        });
    }
    Ok(found)
}
