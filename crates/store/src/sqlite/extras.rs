//! What else there is of messages: read where a message says that there is something, and erased
//! with it.

use parlor_domain::{Extras, Forwarded, Message, Reaction, Time, UserId};
use rusqlite::{Connection, params};

use super::rows::{many, one, uuid};
use super::txn::Txn;
use super::{files, previews, threads};
use crate::StoreError;

/// Nobody's small id: for what is told to everybody alike.
pub(super) const NOBODY: i64 = 0;

/// Reads what else there is of messages, as the user with this small id sees it.
pub(super) fn fill<'a>(
    conn: &Connection,
    reader_no: i64,
    messages: impl IntoIterator<Item = &'a mut Message>,
) -> Result<(), StoreError> {
    for message in messages {
        let Some(extras) = &mut message.extras else { continue };
        if extras.has(Extras::REACTIONS) {
            extras.reactions = reactions(conn, message.no, reader_no)?;
        }
        if extras.has(Extras::FILES) {
            extras.files = files::of_messages(conn, message.no)?;
        }
        if extras.has(Extras::PREVIEWS) {
            extras.previews = previews::of_message(conn, message.no)?;
        }
        if extras.has(Extras::THREAD) {
            extras.thread = threads::of(conn, message.no, reader_no)?;
        }
        if extras.has(Extras::PINNED) {
            let sql = "select p.at from messages m join pins p on p.session_no = m.session_no \
                       and p.message_no = m.no where m.no = ?";
            extras.pinned_at = one(conn, sql, [message.no], |row| Ok(Time(row.get(0)?)))?;
        }
        if extras.has(Extras::FORWARDED) {
            extras.forwarded = forwarded(conn, message.no)?;
        }
    }
    Ok(())
}

/// A message with what else there is of it.
pub(super) fn filled(
    conn: &Connection,
    reader_no: i64,
    mut message: Message,
) -> Result<Message, StoreError> {
    fill(conn, reader_no, [&mut message])?;
    Ok(message)
}

/// Each emoji in the order in which it came first, with those who came first by it.
fn reactions(
    conn: &Connection,
    message_no: i64,
    reader_no: i64,
) -> Result<Vec<Reaction>, StoreError> {
    let sql = "select r.emoji, r.count, r.mine, u.id from (select emoji, user_no, \
               row_number() over (partition by emoji order by at, user_no) as nth, \
               count(*) over (partition by emoji) as count, \
               max(user_no = ?2) over (partition by emoji) as mine, \
               min(at) over (partition by emoji) as first from reactions \
               where message_no = ?1) r join users u on u.no = r.user_no where r.nth <= ?3 \
               order by r.first, r.emoji, r.nth";
    let shown = Reaction::SHOWN as i64;
    let rows = many(conn, sql, params![message_no, reader_no, shown], |row| {
        let (emoji, count, mine) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Reaction { emoji, count, mine, users: vec![UserId(uuid(row, 3)?)] })
    })?;
    Ok(gathered(rows))
}

fn forwarded(conn: &Connection, message_no: i64) -> Result<Option<Forwarded>, StoreError> {
    let sql = "select u.id, f.sent_at from forwards f join users u on u.no = f.sender_no \
               where f.message_no = ?";
    one(conn, sql, [message_no], |row| {
        Ok(Forwarded { sender: UserId(uuid(row, 0)?), sent_at: Time(row.get(1)?) })
    })
}

/// Writes whose words a new message passes on.
pub(super) fn keep_forwarded(
    txn: &Txn<'_>,
    message_no: i64,
    forwarded: &Forwarded,
) -> Result<(), StoreError> {
    let sql = "insert into forwards (message_no, sender_no, sent_at) \
               select ?1, no, ?3 from users where id = ?2";
    let bound = params![message_no, forwarded.sender.0.as_bytes(), forwarded.sent_at.0];
    txn.execute(sql, bound).map(drop)
}

/// Puts the people of one emoji together.
fn gathered(rows: Vec<Reaction>) -> Vec<Reaction> {
    let mut reactions: Vec<Reaction> = Vec::new();
    for row in rows {
        match reactions.last_mut().filter(|last| last.emoji == row.emoji) {
            Some(last) => last.users.extend(row.users),
            None => reactions.push(row),
        }
    }
    reactions
}

/// Notes that there is something of a message now.
pub(super) fn set(txn: &Txn<'_>, message_no: i64, bit: i64) -> Result<(), StoreError> {
    let sql = "update messages set extras = extras | ?2 where no = ?1 and extras & ?2 = 0";
    txn.execute(sql, [message_no, bit]).map(drop)
}

/// Notes that there is nothing of it any more.
pub(super) fn unset(txn: &Txn<'_>, message_no: i64, bit: i64) -> Result<(), StoreError> {
    let sql = "update messages set extras = extras & ~?2 where no = ?1";
    txn.execute(sql, [message_no, bit]).map(drop)
}

/// Erases what people did with a message that is deleted, in what was told of it, too.
pub(super) fn erase(txn: &Txn<'_>, message_no: i64) -> Result<(), StoreError> {
    for sql in [
        "delete from reactions where message_no = ?",
        "delete from forwards where message_no = ?",
        "delete from pins where message_no = ?1 and session_no = \
         (select session_no from messages where no = ?1)",
        // The number stands here, so that the index is used, which is of this kind alone.
        "update events set data = json_remove(data, '$.emoji') where message_no = ? and kind = 5",
        // A thread goes on without what began it.
        "update messages set extras = extras & 2 where no = ? and extras <> 0",
    ] {
        txn.execute(sql, [message_no])?;
    }
    Ok(())
}
