//! Sealing what was said before it was to disappear: in a session that was given an end, or in a
//! room that keeps nothing for longer than a few days from now on.

use parlor_domain::{MessageId, Seal, SessionId, Time};
use rusqlite::{Row, params};

use super::jobs;
use super::previews;
use super::rows::{many, maybe_time, one, uuid};
use super::search::{self, Gone};
use super::txn::Txn;
use crate::StoreError;
use crate::jobs::Kind;

/// Seals some of what was said in a session and is to be, and takes it out of the index.
pub(super) fn seal_rest(txn: &mut Txn<'_>, limit: i64) -> Result<(), StoreError> {
    let sql = "select no, id, sealing_after, ends_at is not null from sessions \
               where sealing_after is not null limit 1";
    let read =
        |row: &Row<'_>| Ok((row.get(0)?, SessionId(uuid(row, 1)?), row.get(2)?, row.get(3)?));
    let found: Option<(i64, SessionId, i64, bool)> = one(txn.conn, sql, [], read)?;
    let Some((session_no, session, after, ends)) = found else { return Ok(()) };
    txn.keys.prepare(session)?;
    let sql = "select number, no, id, content, extras & 64, sent_at, expires_at from messages \
               where session_no = ? and number > ? and sealed is null and deleted_at is null \
               order by number limit ?";
    let left = many(txn.conn, sql, [session_no, after, limit], plain)?;
    let last = left.last().map(|message| message.number);
    let mut gone = Vec::with_capacity(left.len());
    for message in left {
        let Some(how) = Seal::of(message.sent_at, message.expires_at, ends) else { continue };
        seal(txn, session, &message, how)?;
        let text = if message.encrypted { String::new() } else { message.content };
        gone.push(Gone { no: message.no, session_no, text });
    }
    gone.sort_unstable_by_key(|gone| gone.no);
    search::remove(txn, limit, gone.into_iter().map(Ok))?;
    txn.execute("update sessions set sealing_after = ? where no = ?", params![last, session_no])?;
    Ok(())
}

/// A message that is not sealed.
struct Plain {
    number: i64,
    no: i64,
    id: MessageId,
    content: String,
    encrypted: bool,
    sent_at: Time,
    expires_at: Option<Time>,
}

fn plain(row: &Row<'_>) -> rusqlite::Result<Plain> {
    Ok(Plain {
        number: row.get(0)?,
        no: row.get(1)?,
        id: MessageId(uuid(row, 2)?),
        content: row.get(3)?,
        encrypted: row.get(4)?,
        sent_at: Time(row.get(5)?),
        expires_at: maybe_time(row, 6)?,
    })
}

/// Seals a message with its earlier wordings; what is behind its links goes.
fn seal(
    txn: &mut Txn<'_>,
    session: SessionId,
    message: &Plain,
    seal: Seal,
) -> Result<(), StoreError> {
    let keys = txn.keys;
    let closed = |text: &str| keys.keys().seal(session, message.id, seal, text);
    let sql = "update messages set content = '', sealed = ?, extras = extras | 128 where no = ?";
    txn.execute(sql, params![closed(&message.content)?, message.no])?;
    let sql = "select nth, content from revisions where message_no = ?";
    let earlier: Vec<(i64, String)> =
        many(txn.conn, sql, [message.no], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (nth, content) in earlier {
        let sql = "update revisions set content = '', sealed = ? where message_no = ? and nth = ?";
        txn.execute(sql, params![closed(&content)?, message.no, nth])?;
    }
    previews::release(txn, message.no)?;
    let sql = "select f.id from attachments a join files f on f.id = a.file_id \
               where a.message_no = ? and f.encrypted = 0";
    for file in many(txn.conn, sql, [message.no], |row| uuid(row, 0))? {
        jobs::ask(txn, Kind::Seal, file, message.sent_at)?;
    }
    txn.erase();
    Ok(())
}
