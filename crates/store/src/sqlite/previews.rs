//! Previews: what is behind the links of messages. The row before the first says that a message is
//! to have none.

use async_trait::async_trait;
use parlor_domain::{Denied, EventKind, Extras, FileId, Message, MessageId, Preview, Time, UserId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::messages::seen;
use super::rows::{MESSAGE, exists, many, message, one};
use super::txn::Txn;
use super::{SqliteStore, extras, failed, files};
use crate::StoreError;
use crate::files::{Blob, Hash};
use crate::previews::{Brought, DecideBare, Linked, NewPreview, Previews};

#[async_trait]
impl Previews for SqliteStore {
    async fn linked(&self, id: MessageId) -> Result<Option<Linked>, StoreError> {
        self.read(move |conn| {
            let Some(found) = wanting(conn, id)? else { return Ok(None) };
            let previews = of_message(conn, found.no)?;
            Ok(Some(Linked { content: found.content, previews }))
        })
        .await
    }

    async fn bring_previews(
        &self,
        message: MessageId,
        content: String,
        previews: Vec<NewPreview>,
        now: Time,
    ) -> Result<Brought, StoreError> {
        self.write(move |txn| bring(txn, message, &content, previews, now)).await
    }

    async fn drop_previews(
        &self,
        user: UserId,
        id: MessageId,
        now: Time,
        decide: DecideBare,
    ) -> Result<(), StoreError> {
        self.write(move |txn| {
            let (view, message) = seen(txn.conn, user, id)?.ok_or(Denied::NotFound)?;
            decide(&view, &message)?;
            let sql = "insert or ignore into previews (message_no, nth, url, title, description, \
                       site) values (?, 0, '', '', '', '')";
            txn.execute(sql, [message.no])?;
            if of_message(txn.conn, message.no)?.is_empty() {
                return Ok(());
            }
            clear(txn, message.no)?;
            tell(txn, &message, vec![], now)
        })
        .await
    }

    async fn preview_image(&self, user: UserId, id: FileId) -> Result<Option<Blob>, StoreError> {
        self.read(move |conn| {
            let sql = "select b.hash, b.size from previews p join blobs b on b.hash = p.image \
                       join messages m on m.no = p.message_no and m.deleted_at is null \
                       join sessions s on s.no = m.session_no and s.ended_at is null \
                       join session_members sm on sm.session_no = m.session_no \
                       join users me on me.no = sm.user_no \
                       where p.image_id = ? and me.id = ?";
            let bound = params![id.0.as_bytes(), user.0.as_bytes()];
            one(conn, sql, bound, |row| Ok(Blob { hash: row.get(0)?, size: row.get(1)? }))
        })
        .await
    }
}

/// A message that is there and may have previews: what is sealed is to stand nowhere else.
fn wanting(conn: &Connection, id: MessageId) -> Result<Option<Message>, StoreError> {
    let sql = format!(
        "{MESSAGE} where m.id = ? and m.deleted_at is null and s.ended_at is null \
         and m.sealed is null and not exists \
         (select 1 from previews p where p.message_no = m.no and p.nth = 0)"
    );
    let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
    statement.query_row([id.0.as_bytes()], message).optional().map_err(failed)
}

fn bring(
    txn: &mut Txn<'_>,
    id: MessageId,
    content: &str,
    previews: Vec<NewPreview>,
    now: Time,
) -> Result<Brought, StoreError> {
    let Some(message) = wanting(txn.conn, id)? else { return Ok(Brought::Unwanted) };
    if message.content != content {
        return Ok(Brought::Reworded);
    }
    let told: Vec<Preview> = previews.iter().map(|new| new.preview.clone()).collect();
    if of_message(txn.conn, message.no)? == told {
        return Ok(Brought::Told);
    }
    // First those that come: a picture of both is never nobody's.
    for image in previews.iter().filter_map(|new| new.image) {
        files::refer(txn, image.hash, now)?;
    }
    clear(txn, message.no)?;
    for (nth, NewPreview { preview, image }) in (1_i64..).zip(previews) {
        let sql = "insert into previews (message_no, nth, url, title, description, site, \
                   image_id, image) values (?, ?, ?, ?, ?, ?, ?, ?)";
        let row = params![
            message.no,
            nth,
            preview.url,
            preview.title,
            preview.description,
            preview.site,
            preview.image.as_ref().map(|id| id.0.as_bytes()),
            image.map(|image| image.hash),
        ];
        txn.execute(sql, row)?;
    }
    if !told.is_empty() {
        extras::set(txn, message.no, Extras::PREVIEWS)?;
    }
    tell(txn, &message, told, now)?;
    Ok(Brought::Told)
}

fn tell(
    txn: &mut Txn<'_>,
    message: &Message,
    previews: Vec<Preview>,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "select session_no from messages where no = ?";
    let session_no = one(txn.conn, sql, [message.no], |row| row.get(0))?.ok_or(Denied::NotFound)?;
    let kind = EventKind::Previewed { message: message.id, number: message.number, previews };
    txn.log(session_no, now, Some(message.no), kind).map(drop)
}

/// Takes the previews of a message away, and their pictures.
fn clear(txn: &mut Txn<'_>, message_no: i64) -> Result<(), StoreError> {
    let sql = "delete from previews where message_no = ? and nth > 0 returning image";
    let images: Vec<Option<Hash>> = many(txn.conn, sql, [message_no], |row| row.get(0))?;
    for hash in images.into_iter().flatten() {
        files::unrefer(txn, hash)?;
    }
    txn.erase();
    extras::unset(txn, message_no, Extras::PREVIEWS)
}

/// Forgets all about the previews of a message that is deleted.
pub(super) fn release(txn: &mut Txn<'_>, message_no: i64) -> Result<(), StoreError> {
    let sql = "select 1 from previews where message_no = ?";
    if exists(txn.conn, sql, [message_no])? {
        clear(txn, message_no)?;
        txn.execute("delete from previews where message_no = ?", [message_no])?;
    }
    Ok(())
}

/// The previews of a message, in the order of its links.
pub(super) fn of_message(conn: &Connection, message_no: i64) -> Result<Vec<Preview>, StoreError> {
    let sql = "select url, title, description, site, image_id from previews \
               where message_no = ? and nth > 0 order by nth";
    many(conn, sql, [message_no], |row: &Row<'_>| {
        let image: Option<[u8; 16]> = row.get(4)?;
        Ok(Preview {
            url: row.get(0)?,
            title: row.get(1)?,
            description: row.get(2)?,
            site: row.get(3)?,
            image: image.map(|id| FileId(uuid::Uuid::from_bytes(id))),
        })
    })
}
