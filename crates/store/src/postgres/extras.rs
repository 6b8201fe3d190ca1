//! What else there is of messages: read where a message says that there is something, and erased
//! with it.

use std::collections::HashMap;

use parlor_domain::{Extras, Forwarded, Message, Reaction, Time, UserId};
use tokio_postgres::Row;

use super::files;
use super::previews;
use super::readers::Db;
use super::rows::{many, time, uuid};
use super::{sealing, threads};
use crate::StoreError;

/// Nobody's small id: for what is told to everybody alike.
pub(super) const NOBODY: i64 = 0;

/// Reads what else there is of messages, as the user with this small id sees it; opens what is
/// sealed.
pub(super) async fn fill(
    db: &Db,
    reader_no: i64,
    messages: &mut [&mut Message],
) -> Result<(), StoreError> {
    sealing::open(db, messages).await?;
    let nos = with(messages, Extras::REACTIONS);
    if !nos.is_empty() {
        let mut reactions = reactions(db, &nos, reader_no).await?;
        each(messages, |no, extras| extras.reactions = reactions.remove(&no).unwrap_or_default());
    }
    let nos = with(messages, Extras::FILES);
    if !nos.is_empty() {
        let mut files = files::of_messages(db, &nos).await?;
        each(messages, |no, extras| extras.files = files.remove(&no).unwrap_or_default());
    }
    let nos = with(messages, Extras::PREVIEWS);
    if !nos.is_empty() {
        let mut previews = previews::of_messages(db, &nos).await?;
        each(messages, |no, extras| extras.previews = previews.remove(&no).unwrap_or_default());
    }
    let nos = with(messages, Extras::THREAD);
    if !nos.is_empty() {
        let mut threads = threads::of(db, &nos, reader_no).await?;
        each(messages, |no, extras| extras.thread = threads.remove(&no));
    }
    let nos = with(messages, Extras::PINNED);
    if !nos.is_empty() {
        let mut pins = pins(db, &nos).await?;
        each(messages, |no, extras| extras.pinned_at = pins.remove(&no));
    }
    let nos = with(messages, Extras::FORWARDED);
    if !nos.is_empty() {
        let mut forwarded = forwarded(db, &nos).await?;
        each(messages, |no, extras| extras.forwarded = forwarded.remove(&no));
    }
    Ok(())
}

/// The same for messages that stand in a row.
pub(super) async fn fill_all(
    db: &Db,
    reader_no: i64,
    messages: &mut [Message],
) -> Result<(), StoreError> {
    fill(db, reader_no, &mut messages.iter_mut().collect::<Vec<_>>()).await
}

/// A message with what else there is of it.
pub(super) async fn filled(
    db: &Db,
    reader_no: i64,
    mut message: Message,
) -> Result<Message, StoreError> {
    fill(db, reader_no, &mut [&mut message]).await?;
    Ok(message)
}

/// The small ids of the messages of which there is this.
pub(super) fn with(messages: &[&mut Message], bit: i64) -> Vec<i64> {
    let has = |message: &&&mut Message| message.extras.as_ref().is_some_and(|e| e.has(bit));
    messages.iter().filter(has).map(|message| message.no).collect()
}

fn each(messages: &mut [&mut Message], mut set: impl FnMut(i64, &mut Extras)) {
    for message in messages {
        let no = message.no;
        if let Some(extras) = &mut message.extras {
            set(no, extras);
        }
    }
}

/// Each emoji in the order in which it came first, with those who came first by it.
const REACTIONS: &str = "select r.message_no, r.emoji, r.count, r.mine, u.id from \
    (select message_no, emoji, user_no, \
    row_number() over (partition by message_no, emoji order by at, user_no) as nth, \
    count(*) over (partition by message_no, emoji) as count, \
    bool_or(user_no = $2) over (partition by message_no, emoji) as mine, \
    min(at) over (partition by message_no, emoji) as first from reactions \
    where message_no = any($1)) r join users u on u.no = r.user_no where r.nth <= $3 \
    order by r.message_no, r.first, r.emoji, r.nth";

async fn reactions(
    db: &Db,
    nos: &[i64],
    reader_no: i64,
) -> Result<HashMap<i64, Vec<Reaction>>, StoreError> {
    let shown = Reaction::SHOWN as i64;
    let mut found: HashMap<i64, Vec<Reaction>> = HashMap::new();
    for row in db.query(REACTIONS, &[&nos, &reader_no, &shown]).await? {
        let reactions = found.entry(row.try_get(0)?).or_default();
        let (emoji, user): (&str, _) = (row.try_get(1)?, UserId(uuid(&row, 4)?));
        match reactions.last_mut().filter(|last| last.emoji == emoji) {
            Some(last) => last.users.push(user),
            None => reactions.push(reaction(&row, emoji, user)?),
        }
    }
    Ok(found)
}

fn reaction(row: &Row, emoji: &str, user: UserId) -> Result<Reaction, StoreError> {
    let (count, mine) = (row.try_get(2)?, row.try_get(3)?);
    Ok(Reaction { emoji: emoji.to_owned(), count, users: vec![user], mine })
}

async fn pins(db: &Db, nos: &[i64]) -> Result<HashMap<i64, Time>, StoreError> {
    let sql = "select p.message_no, p.at from messages m join pins p \
               on p.session_no = m.session_no and p.message_no = m.no where m.no = any($1)";
    let pin = |row: &Row| Ok((row.try_get(0)?, time(row, 1)?));
    Ok(many(db, sql, &[&nos], pin).await?.into_iter().collect())
}

async fn forwarded(db: &Db, nos: &[i64]) -> Result<HashMap<i64, Forwarded>, StoreError> {
    let sql = "select f.message_no, u.id, f.sent_at from forwards f \
               join users u on u.no = f.sender_no where f.message_no = any($1)";
    let passed = |row: &Row| {
        let forwarded = Forwarded { sender: UserId(uuid(row, 1)?), sent_at: time(row, 2)? };
        Ok((row.try_get(0)?, forwarded))
    };
    Ok(many(db, sql, &[&nos], passed).await?.into_iter().collect())
}

/// Notes that there is something of a message now.
pub(super) async fn set(db: &Db, message_no: i64, bit: i64) -> Result<(), StoreError> {
    let sql = "update messages set extras = extras | $2 where no = $1 and extras & $2 = 0";
    db.execute(sql, &[&message_no, &bit]).await.map(drop)
}

/// Notes that there is nothing of it any more.
pub(super) async fn unset(db: &Db, message_no: i64, bit: i64) -> Result<(), StoreError> {
    let sql = "update messages set extras = extras & ~$2::bigint where no = $1";
    db.execute(sql, &[&message_no, &bit]).await.map(drop)
}

/// Erases what people did with messages that are deleted, in what was told of it, too.
pub(super) async fn erase(db: &Db, nos: &[i64]) -> Result<(), StoreError> {
    for sql in [
        "delete from reactions where message_no = any($1)",
        "delete from forwards where message_no = any($1)",
        "delete from pins p using messages m where m.no = any($1) \
         and p.session_no = m.session_no and p.message_no = m.no",
        // The number stands here, so that the index is used, which is of this kind alone.
        "update events set data = (data::jsonb - 'emoji')::text \
         where message_no = any($1) and kind = 5",
        // A thread goes on without what began it.
        "update messages set extras = extras & 2 where no = any($1) and extras <> 0",
    ] {
        db.execute(sql, &[&nos]).await?;
    }
    Ok(())
}
