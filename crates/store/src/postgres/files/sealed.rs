//! Files whose bytes are kept sealed, and the keys of these with the messages that carry them.

use parlor_domain::{FileId, MessageId, SessionId, Time};
use parlor_seal::FileKey;
use tokio_postgres::Row;

use super::super::readers::Db;
use super::super::rows::{many, one, uuid};
use super::super::txn::Txn;
use super::{FILE, blobs, file, found};
use crate::StoreError;
use crate::files::{Found, Keyless, Sealed};

/// Of a file `f` of a user `u`: it is to be kept sealed and is not.
const TO_SEAL: &str = "not f.sealed and not f.encrypted and f.carried > 0 \
    and u.picture is distinct from f.id and not exists (select 1 from attachments a \
    join messages m on m.no = a.message_no where a.file_id = f.id and m.sealed is null)";

/// See [`crate::Files::file_to_seal`].
pub(super) async fn to_seal(db: &Db, id: FileId) -> Result<Option<Found>, StoreError> {
    let sql = format!("{FILE} where f.id = $1 and {TO_SEAL}");
    one(db, &sql, &[&id.0], |row| found(row, 0)).await
}

/// See [`crate::Files::seal_file`].
pub(super) async fn seal(
    txn: &mut Txn,
    id: FileId,
    sealed: Option<&Sealed>,
    now: Time,
) -> Result<bool, StoreError> {
    txn.query("select 1 from files where id = $1 for update", &[&id.0]).await?;
    if let Some(sealed) = sealed {
        return replace(txn, id, sealed, now).await;
    }
    if let Some(Found { key: Some(key), file: carried, .. }) = file(txn, id).await? {
        wrap(txn, id, &key.to_text(&carried.name)).await?;
    }
    Ok(true)
}

async fn replace(
    txn: &mut Txn,
    id: FileId,
    sealed: &Sealed,
    now: Time,
) -> Result<bool, StoreError> {
    let small = sealed.thumbnail.map(|(_, small)| small);
    let now_there = to_seal(txn, id).await?.filter(|found| {
        let thumbnail = found.thumbnail.map(|small| small.hash);
        found.hash == sealed.of && thumbnail == sealed.thumbnail.map(|(of, _)| of)
    });
    let new = [Some(sealed.blob), small].into_iter().flatten();
    let Some(before) = now_there else {
        for blob in new {
            blobs::expect_no_more(txn, blob.hash).await?;
        }
        return Ok(false);
    };
    for blob in new {
        blobs::refer(txn, blob.hash, now).await?;
    }
    let sql = "update files set sealed = true, name = '', hash = $2, thumbnail = $3 where id = $1";
    let thumbnail = small.map(|small| small.hash.to_vec());
    txn.execute(sql, &[&id.0, &&sealed.blob.hash[..], &thumbnail]).await?;
    let old = [Some(before.hash), before.thumbnail.map(|small| small.hash)];
    blobs::release(txn, old.into_iter().flatten().map(|hash| hash.to_vec()).collect()).await?;
    wrap(txn, id, &sealed.key.to_text(&before.file.name)).await?;
    Ok(true)
}

/// Puts the text of a file's key with the messages that do not have it, as each of them is kept.
async fn wrap(txn: &Txn, id: FileId, text: &str) -> Result<(), StoreError> {
    let sql = "select a.message_no, a.nth, m.id, s.id, m.sealed from attachments a \
               join messages m on m.no = a.message_no join sessions s on s.no = m.session_no \
               where a.file_id = $1 and a.sealed is null and a.opened is null";
    let read = |row: &Row| {
        let (message, session) = (MessageId(uuid(row, 2)?), SessionId(uuid(row, 3)?));
        let (message_no, nth, sealed) = (row.try_get(0)?, row.try_get(1)?, row.try_get(4)?);
        Ok(Keyless { message_no, nth, message, session, sealed })
    };
    for keyless in many(txn, sql, &[&id.0], read).await? {
        let Keyless { message_no, nth, message, session, sealed } = keyless;
        let sealed = match sealed {
            Some(before) => {
                txn.keys().prepare(session).await?;
                Some(txn.keys().keys().seal_again(session, message, &before, text)?)
            }
            None => None,
        };
        let opened = sealed.is_none().then_some(text);
        let sql = "update attachments set sealed = $3, opened = $4 \
                   where message_no = $1 and nth = $2";
        txn.execute(sql, &[&message_no, &nth, &sealed, &opened]).await?;
    }
    Ok(())
}

/// A file with its key and its name, where it is kept sealed; `None`: its key is gone. Any message
/// that carries it has the key, as long as it can be read itself.
pub(super) async fn opened(db: &Db, mut found: Found) -> Result<Option<Found>, StoreError> {
    let sql = "select a.opened, a.sealed, m.id, s.id from attachments a \
               join messages m on m.no = a.message_no join sessions s on s.no = m.session_no \
               where a.file_id = $1 and (a.opened is not null or a.sealed is not null)";
    for row in db.query(sql, &[&found.file.id.0]).await? {
        let text = match row.try_get(0)? {
            Some(text) => Some(text),
            None => {
                let (message, session) = (MessageId(uuid(&row, 2)?), SessionId(uuid(&row, 3)?));
                db.keys().open_text(session, message, row.try_get(1)?).await?
            }
        };
        let text: String = text.unwrap_or_default();
        if let Some((key, name)) = FileKey::of_text(&text) {
            (found.key, found.file.name) = (Some(key), name.to_owned());
            return Ok(Some(found));
        }
    }
    Ok(None)
}
