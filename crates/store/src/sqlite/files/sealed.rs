//! Files whose bytes are kept sealed, and the keys of these with the messages that carry them.

use parlor_domain::{FileId, MessageId, SessionId, Time};
use parlor_seal::FileKey;
use rusqlite::{Connection, Row, params};

use super::super::rows::{many, one, uuid};
use super::super::txn::Txn;
use super::{FILE, blobs, file, found};
use crate::StoreError;
use crate::files::{Found, Keyless, Sealed};

/// Of a file `f` of a user `u`: it is to be kept sealed and is not.
const TO_SEAL: &str = "f.sealed = 0 and f.encrypted = 0 and f.carried > 0 \
    and (u.picture is null or u.picture <> f.id) and not exists (select 1 from attachments a \
    join messages m on m.no = a.message_no where a.file_id = f.id and m.sealed is null)";

/// See [`crate::Files::file_to_seal`].
pub(super) fn to_seal(conn: &Connection, id: FileId) -> Result<Option<Found>, StoreError> {
    one(conn, &format!("{FILE} where f.id = ? and {TO_SEAL}"), [id.0.as_bytes()], found)
}

/// See [`crate::Files::seal_file`].
pub(super) fn seal(
    txn: &mut Txn<'_>,
    id: FileId,
    sealed: Option<&Sealed>,
    now: Time,
) -> Result<bool, StoreError> {
    if let Some(sealed) = sealed {
        return replace(txn, id, sealed, now);
    }
    if let Some(Found { key: Some(key), file: carried, .. }) = file(txn.conn, id)? {
        wrap(txn, id, &key.to_text(&carried.name))?;
    }
    Ok(true)
}

fn replace(txn: &mut Txn<'_>, id: FileId, sealed: &Sealed, now: Time) -> Result<bool, StoreError> {
    let small = sealed.thumbnail.map(|(_, small)| small);
    let now_there = to_seal(txn.conn, id)?.filter(|found| {
        let thumbnail = found.thumbnail.map(|small| small.hash);
        found.hash == sealed.of && thumbnail == sealed.thumbnail.map(|(of, _)| of)
    });
    let Some(before) = now_there else {
        for blob in [Some(sealed.blob), small].into_iter().flatten() {
            blobs::expect_no_more(txn, blob.hash)?;
        }
        return Ok(false);
    };
    for blob in [Some(sealed.blob), small].into_iter().flatten() {
        blobs::refer(txn, blob.hash, now)?;
    }
    let sql = "update files set sealed = 1, name = '', hash = ?, thumbnail = ? where id = ?";
    txn.execute(sql, params![sealed.blob.hash, small.map(|small| small.hash), id.0.as_bytes()])?;
    let old = [Some(before.hash), before.thumbnail.map(|small| small.hash)];
    old.into_iter().flatten().try_for_each(|hash| blobs::release(txn, hash))?;
    txn.erase();
    wrap(txn, id, &sealed.key.to_text(&before.file.name))?;
    Ok(true)
}

/// Puts the text of a file's key with the messages that do not have it, as each of them is kept.
fn wrap(txn: &Txn<'_>, id: FileId, text: &str) -> Result<(), StoreError> {
    let sql = "select a.message_no, a.nth, m.id, s.id, m.sealed from attachments a \
               join messages m on m.no = a.message_no join sessions s on s.no = m.session_no \
               where a.file_id = ? and a.sealed is null and a.opened is null";
    let read = |row: &Row<'_>| {
        let (message, session) = (MessageId(uuid(row, 2)?), SessionId(uuid(row, 3)?));
        let (message_no, nth, sealed) = (row.get(0)?, row.get(1)?, row.get(4)?);
        Ok(Keyless { message_no, nth, message, session, sealed })
    };
    for keyless in many(txn.conn, sql, [id.0.as_bytes()], read)? {
        let Keyless { message_no, nth, message, session, sealed } = keyless;
        let keys = txn.keys.keys();
        let again = |before: Vec<u8>| keys.seal_again(session, message, &before, text);
        let sealed = sealed.map(again).transpose()?;
        let opened = sealed.is_none().then_some(text);
        let sql = "update attachments set sealed = ?, opened = ? where message_no = ? and nth = ?";
        txn.execute(sql, params![sealed, opened, message_no, nth])?;
    }
    Ok(())
}

/// A key and what its file is called, where that can be read.
pub(super) fn read(text: Option<&str>) -> Option<(FileKey, String)> {
    let (key, name) = FileKey::of_text(text?)?;
    Some((key, name.to_owned()))
}
