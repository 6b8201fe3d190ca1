//! Opening what is sealed, and sealing what was said before it was to disappear: in a session that
//! was given an end, or in a room that keeps nothing for longer than a few days from now on.

use std::collections::HashMap;

use parlor_domain::{Extras, Message, MessageId, Seal, SessionId, Time};
use tokio_postgres::Row;

use super::readers::Db;
use super::rows::{many, maybe_time, one, time, uuid};
use super::txn::Txn;
use super::{extras, jobs, previews, search};
use crate::StoreError;
use crate::jobs::Kind;

/// Opens the texts of messages that are sealed. One whose key is gone is like a deleted one.
pub(super) async fn open(db: &Db, messages: &mut [&mut Message]) -> Result<(), StoreError> {
    let nos = extras::with(messages, Extras::SEALED);
    if nos.is_empty() {
        return Ok(());
    }
    let sql = "select no, sealed from messages where no = any($1) and sealed is not null";
    let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let sealed: HashMap<i64, Vec<u8>> = many(db, sql, &[&nos], read).await?.into_iter().collect();
    for message in messages {
        let Some(sealed) = sealed.get(&message.no) else { continue };
        match db.keys().open_text(message.session, message.id, sealed).await? {
            Some(text) => message.content = text,
            None => **message = message.clone().veiled(Some(message.sent_at)),
        }
    }
    Ok(())
}

/// Another wording as it is kept, where the one before was sealed.
pub(super) async fn again(
    db: &Db,
    old: &Message,
    content: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    if !old.is_sealed() {
        return Ok(None);
    }
    let sql = "select sealed from messages where no = $1 and sealed is not null";
    let before: Option<Vec<u8>> = one(db, sql, &[&old.no], |row| Ok(row.try_get(0)?)).await?;
    let keys = db.keys();
    keys.prepare(old.session).await?;
    let again = |before: Vec<u8>| keys.keys().seal_again(old.session, old.id, &before, content);
    Ok(before.map(again).transpose()?)
}

/// Seals some of what was said in a session and is to be, and takes it out of the index.
pub(super) async fn seal_rest(txn: &mut Txn, limit: i64) -> Result<(), StoreError> {
    let sql = "select no from sessions where sealing_after is not null limit 1";
    let found = one(txn, sql, &[], |row| Ok(row.try_get(0)?)).await?;
    let Some(session_no): Option<i64> = found else { return Ok(()) };
    txn.lock_heads(&[session_no]).await?;
    let sql = "select id, sealing_after, ends_at is not null from sessions where no = $1";
    let read = |row: &Row| Ok((SessionId(uuid(row, 0)?), row.try_get(1)?, row.try_get(2)?));
    let found: Option<(_, Option<i64>, bool)> = one(txn, sql, &[&session_no], read).await?;
    let Some((session, Some(after), ends)) = found else { return Ok(()) };
    txn.keys().prepare(session).await?;
    let sql = "select number, no, id, content, sent_at, expires_at from messages \
               where session_no = $1 and number > $2 and sealed is null and deleted_at is null \
               order by number limit $3";
    let left = many(txn, sql, &[&session_no, &after, &limit], plain).await?;
    let last = left.last().map(|message| message.number);
    let how = |message: Plain| {
        Seal::of(message.sent_at, message.expires_at, ends).map(|seal| (message, seal))
    };
    let left: Vec<(Plain, Seal)> = left.into_iter().filter_map(how).collect();
    seal(txn, session, &left).await?;
    let sql = "update sessions set sealing_after = $2 where no = $1";
    txn.execute(sql, &[&session_no, &last]).await.map(drop)
}

/// A message that is not sealed.
struct Plain {
    number: i64,
    no: i64,
    id: MessageId,
    content: String,
    sent_at: Time,
    expires_at: Option<Time>,
}

fn plain(row: &Row) -> Result<Plain, StoreError> {
    Ok(Plain {
        number: row.try_get(0)?,
        no: row.try_get(1)?,
        id: MessageId(uuid(row, 2)?),
        content: row.try_get(3)?,
        sent_at: time(row, 4)?,
        expires_at: maybe_time(row, 5)?,
    })
}

/// Seals messages with their earlier wordings; what is behind their links goes.
async fn seal(
    txn: &mut Txn,
    session: SessionId,
    messages: &[(Plain, Seal)],
) -> Result<(), StoreError> {
    let nos: Vec<i64> = messages.iter().map(|(message, _)| message.no).collect();
    let keys = txn.keys().keys();
    let closed =
        |(message, seal): &(Plain, Seal), text: &str| keys.seal(session, message.id, *seal, text);
    let texts = messages.iter().map(|message| closed(message, &message.0.content));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    let sql = "update messages m set content = '', sealed = s.sealed, \
               extras = (m.extras | 128) & ~32::bigint \
               from unnest($1::bigint[], $2::bytea[]) s (no, sealed) where m.no = s.no";
    txn.execute(sql, &[&nos, &texts]).await?;
    let sql = "select message_no, nth, content from revisions where message_no = any($1)";
    let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    let earlier: Vec<(i64, i64, String)> = many(txn, sql, &[&nos], read).await?;
    for (no, nth, content) in earlier {
        let Some(message) = messages.iter().find(|message| message.0.no == no) else { continue };
        let sql = "update revisions set content = '', sealed = $3 \
                   where message_no = $1 and nth = $2";
        txn.execute(sql, &[&no, &nth, &closed(message, &content)?]).await?;
    }
    previews::release(txn, &nos).await?;
    let sql = "select distinct f.id from attachments a join files f on f.id = a.file_id \
               where a.message_no = any($1) and not f.encrypted";
    let at = messages.iter().map(|(message, _)| message.sent_at).max().unwrap_or_default();
    for file in many(txn, sql, &[&nos], |row| uuid(row, 0)).await? {
        jobs::ask(txn, Kind::Seal, file, at).await?;
    }
    search::remove(txn, &nos).await
}
