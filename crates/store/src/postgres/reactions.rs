//! Reactions: by whom, to which message, by which emoji. Who changes them holds the lock on the
//! head of the session's log.

use async_trait::async_trait;
use parlor_domain::reaction::ReactionFacts;
use parlor_domain::{EventKind, Extras, MessageId, Time, User, UserId};

use super::messages::{held, seen};
use super::readers::Db;
use super::rows::{USER, exists, many, most, one, user_at, uuid};
use super::txn::Txn;
use super::{PostgresStore, extras};
use crate::StoreError;
use crate::reactions::{DecideReaction, Reacting, Reactions};

#[async_trait]
impl Reactions for PostgresStore {
    async fn react(
        &self,
        reacting: Reacting,
        now: Time,
        decide: DecideReaction,
    ) -> Result<(), StoreError> {
        let Reacting { user, message, emoji, on } = reacting;
        let mut txn = self.begin().await?;
        let (view, message) = held(&mut txn, user, message).await?;
        let (no, user_no) = (message.no, view.user_no);
        let facts = facts(&txn, no, user_no, &emoji).await?;
        decide(&view, &message, &facts)?;
        if on == facts.mine {
            return Ok(());
        }
        let to = To { id: message.id, no, number: message.number };
        change(&mut txn, (view.session_no, to), (user_no, user), (emoji, on), now).await?;
        txn.commit().await
    }

    async fn reactors(
        &self,
        user: UserId,
        message: MessageId,
        emoji: String,
        after: i64,
        limit: u64,
    ) -> Result<Option<Vec<User>>, StoreError> {
        let db = self.read().await?;
        let Some((_, message)) = seen(&db, user, message).await? else {
            return Ok(None);
        };
        let sql = format!(
            "select {USER} from reactions r join users u on u.no = r.user_no \
             where r.message_no = $1 and r.emoji = $2 and r.user_no > $3 \
             order by r.user_no limit $4"
        );
        let bound = [&message.no as _, &emoji as _, &after as _, &most(limit) as _];
        many(&db, &sql, &bound, |row| user_at(row, 0)).await.map(Some)
    }
}

/// The message that is reacted to.
struct To {
    id: MessageId,
    no: i64,
    number: i64,
}

/// Writes and logs that somebody reacts to a message, or no more.
async fn change(
    txn: &mut Txn,
    (session_no, to): (i64, To),
    (user_no, user): (i64, UserId),
    (emoji, on): (String, bool),
    now: Time,
) -> Result<(), StoreError> {
    if on {
        let sql = "insert into reactions (message_no, emoji, user_no, at) values ($1, $2, $3, $4)";
        txn.execute(sql, &[&to.no, &emoji, &user_no, &now.0]).await?;
        extras::set(txn, to.no, Extras::REACTIONS).await?;
    } else {
        let sql = "delete from reactions where message_no = $1 and emoji = $2 and user_no = $3";
        txn.execute(sql, &[&to.no, &emoji, &user_no]).await?;
        let left = "select 1 from reactions where message_no = $1 limit 1";
        if !exists(txn, left, &[&to.no]).await? {
            extras::unset(txn, to.no, Extras::REACTIONS).await?;
        }
    }
    let sql = "select count(*) from reactions where message_no = $1 and emoji = $2";
    let count = one(txn, sql, &[&to.no, &emoji], |row| Ok(row.try_get(0)?)).await?.unwrap_or(0);
    let (message, number) = (to.id, to.number);
    let kind = EventKind::Reacted { message, number, user, emoji, on, count };
    txn.log(session_no, now, Some(to.no), kind).await.map(drop)
}

/// Takes back reactions of an account that is deleted, up to `limit` of them; how many there were.
pub(super) async fn withdraw(
    txn: &mut Txn,
    person: (i64, UserId),
    limit: u64,
    now: Time,
) -> Result<u64, StoreError> {
    let sql = "select m.session_no, m.id, m.no, m.number, r.emoji from reactions r \
               join messages m on m.no = r.message_no where r.user_no = $1 \
               order by m.session_no, m.no, r.emoji limit $2";
    let found = many(txn, sql, &[&person.0, &most(limit)], |row| {
        let to = To { id: MessageId(uuid(row, 1)?), no: row.try_get(2)?, number: row.try_get(3)? };
        Ok(((row.try_get(0)?, to), row.try_get(4)?))
    })
    .await?;
    let sessions: Vec<i64> = found.iter().map(|((session_no, _), _)| *session_no).collect();
    txn.lock_heads(&sessions).await?;
    let count = found.len() as u64;
    for (to, emoji) in found {
        change(txn, to, person, (emoji, false), now).await?;
    }
    Ok(count)
}

async fn facts(
    db: &Db,
    message_no: i64,
    user_no: i64,
    emoji: &str,
) -> Result<ReactionFacts, StoreError> {
    let sql = "select count(*) filter (where emoji = $2 and user_no = $3), \
               count(*) filter (where emoji = $2), count(distinct emoji), \
               count(*) filter (where user_no = $3) from reactions where message_no = $1";
    let found = one(db, sql, &[&message_no, &emoji, &user_no], |row| {
        let (mine, there): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let (different, own): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        Ok(ReactionFacts {
            mine: mine > 0,
            there: there > 0,
            different: different.unsigned_abs(),
            own: own.unsigned_abs(),
        })
    })
    .await?;
    Ok(found.unwrap_or_default())
}
