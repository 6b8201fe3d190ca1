//! Reactions: by whom, to which message, by which emoji.

use async_trait::async_trait;
use parlor_domain::reaction::ReactionFacts;
use parlor_domain::{Denied, EventKind, Extras, MessageId, Time, User, UserId};
use rusqlite::{Connection, params};

use super::messages::seen;
use super::rows::{USER, exists, many, most, one, user_at, uuid};
use super::txn::Txn;
use super::{SqliteStore, extras};
use crate::StoreError;
use crate::reactions::{DecideReaction, Reacting, Reactions};

#[async_trait]
impl Reactions for SqliteStore {
    async fn react(
        &self,
        reacting: Reacting,
        now: Time,
        decide: DecideReaction,
    ) -> Result<(), StoreError> {
        self.write(move |txn| react(txn, reacting, now, decide)).await
    }

    async fn reactors(
        &self,
        user: UserId,
        message: MessageId,
        emoji: String,
        after: i64,
        limit: u64,
    ) -> Result<Option<Vec<User>>, StoreError> {
        self.read(move |conn| {
            let Some((_, message)) = seen(conn, user, message)? else {
                return Ok(None);
            };
            let sql = format!(
                "select {USER} from reactions r join users u on u.no = r.user_no \
                 where r.message_no = ? and r.emoji = ? and r.user_no > ? \
                 order by r.user_no limit ?"
            );
            let bound = params![message.no, emoji, after, most(limit)];
            many(conn, &sql, bound, |row| user_at(row, 0)).map(Some)
        })
        .await
    }
}

fn react(
    txn: &mut Txn<'_>,
    reacting: Reacting,
    now: Time,
    decide: DecideReaction,
) -> Result<(), StoreError> {
    let Reacting { user, message, emoji, on } = reacting;
    let (view, message) = seen(txn.conn, user, message)?.ok_or(Denied::NotFound)?;
    let facts = facts(txn.conn, message.no, view.user_no, &emoji)?;
    decide(&view, &message, &facts)?;
    if on == facts.mine {
        return Ok(());
    }
    let to = To { id: message.id, no: message.no, number: message.number };
    let to = (view.session_no, to);
    change(txn, to, (view.user_no, user), (emoji, on), now)
}

/// The message that is reacted to.
struct To {
    id: MessageId,
    no: i64,
    number: i64,
}

/// Writes and logs that somebody reacts to a message, or no more.
fn change(
    txn: &mut Txn<'_>,
    (session_no, to): (i64, To),
    (user_no, user): (i64, UserId),
    (emoji, on): (String, bool),
    now: Time,
) -> Result<(), StoreError> {
    if on {
        let sql = "insert into reactions (message_no, emoji, user_no, at) values (?, ?, ?, ?)";
        txn.execute(sql, params![to.no, emoji, user_no, now.0])?;
        extras::set(txn, to.no, Extras::REACTIONS)?;
    } else {
        let sql = "delete from reactions where message_no = ? and emoji = ? and user_no = ?";
        txn.execute(sql, params![to.no, emoji, user_no])?;
        let left = "select 1 from reactions where message_no = ?";
        if !exists(txn.conn, left, [to.no])? {
            extras::unset(txn, to.no, Extras::REACTIONS)?;
        }
    }
    let sql = "select count(*) from reactions where message_no = ? and emoji = ?";
    let count = one(txn.conn, sql, params![to.no, emoji], |row| row.get(0))?.unwrap_or(0);
    let (message, number) = (to.id, to.number);
    let kind = EventKind::Reacted { message, number, user, emoji, on, count };
    txn.log(session_no, now, Some(to.no), kind).map(drop)
}

/// Takes back reactions of an account that is deleted, up to `limit` of them; how many there were.
pub(super) fn withdraw(
    txn: &mut Txn<'_>,
    person: (i64, UserId),
    limit: u64,
    now: Time,
) -> Result<u64, StoreError> {
    let sql = "select m.session_no, m.id, m.no, m.number, r.emoji from reactions r \
               join messages m on m.no = r.message_no where r.user_no = ? limit ?";
    let found = many(txn.conn, sql, params![person.0, most(limit)], |row| {
        let to = To { id: MessageId(uuid(row, 1)?), no: row.get(2)?, number: row.get(3)? };
        Ok(((row.get(0)?, to), row.get(4)?))
    })?;
    let count = found.len() as u64;
    for (to, emoji) in found {
        change(txn, to, person, (emoji, false), now)?;
    }
    Ok(count)
}

fn facts(
    conn: &Connection,
    message_no: i64,
    user_no: i64,
    emoji: &str,
) -> Result<ReactionFacts, StoreError> {
    let sql = "select coalesce(sum(emoji = ?2 and user_no = ?3), 0), \
               coalesce(max(emoji = ?2), 0), count(distinct emoji), \
               coalesce(sum(user_no = ?3), 0) from reactions where message_no = ?1";
    let found = one(conn, sql, params![message_no, emoji, user_no], |row| {
        let (mine, there): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (different, own): (i64, i64) = (row.get(2)?, row.get(3)?);
        Ok(ReactionFacts {
            mine: mine > 0,
            there: there > 0,
            different: different.unsigned_abs(),
            own: own.unsigned_abs(),
        })
    })?;
    Ok(found.unwrap_or_default())
}
