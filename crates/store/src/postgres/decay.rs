//! What has decayed goes: what is due is found by one index each, and done a batch at a time, by
//! whichever node looks first.

use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use parlor_domain::{Ending, EventKind, MessageId, SessionId, Time, Ttl};
use tokio_postgres::Row;

use super::messages::{Erased, strip};
use super::readers::Db;
use super::rows::{ending_at, many, maybe_time, maybe_ttl, most, one, uuid};
use super::txn::Txn;
use super::{PostgresStore, rooms, sealing, sessions};
use crate::StoreError;
use crate::decay::{Decay, Decayed, Due, is_soon, runs};

#[async_trait]
impl Decay for PostgresStore {
    async fn decay(&self, now: Time, limit: u64) -> Result<Decayed, StoreError> {
        let keys = self.keys.advance(now).await;
        let done = self.erase_what_is_due(now, limit).await;
        if self.dust.is_due(done.as_ref().is_ok_and(|done| done.erased > 0), now) {
            self.sweep().await;
        }
        keys.and(done)
    }

    async fn erase_again(&self, now: Time) -> Result<u64, StoreError> {
        self.erase_listed(now).await
    }
}

/// How long rows that are dead may stay in their pages.
const SWEPT: Duration = Duration::from_secs(30);

/// The tables that hold what people said and did.
const SWEPT_TABLES: &str =
    "messages, revisions, reactions, mentions, forwards, pins, drafts, previews, search";

/// Whether there are rows that are dead, and when they are next taken out of their pages.
#[derive(Default)]
pub(super) struct Dust(Mutex<(bool, Time)>);

impl Dust {
    /// Whether they are due, where there may be more of them now; they are no more, then.
    fn is_due(&self, more: bool, now: Time) -> bool {
        let mut dust = self.0.lock();
        dust.0 |= more;
        let due = dust.0 && dust.1 <= now;
        if due {
            *dust = (false, now + SWEPT);
        }
        due
    }
}

impl PostgresStore {
    /// Has PostgreSQL take rows that are dead out of their pages, beside everything else.
    async fn sweep(&self) {
        let db = self.one().await;
        self.tasks.spawn(async move {
            let swept = match db {
                Ok(db) => db.vacuum(SWEPT_TABLES).await,
                Err(error) => Err(error),
            };
            if let Err(error) = swept {
                tracing::warn!(%error, "failed to vacuum what has decayed");
            }
        });
    }

    async fn erase_what_is_due(&self, now: Time, limit: u64) -> Result<Decayed, StoreError> {
        let next = next_due(&self.one().await?).await?;
        if next.is_none_or(|next| next > now) {
            return Ok(Decayed { erased: 0, next });
        }
        let limit = most(limit);
        self.end_due(now, limit).await?;
        let mut txn = self.begin().await?;
        shorten(&mut txn, limit).await?;
        txn.commit().await?;
        let mut txn = self.begin().await?;
        let due = erase_due(&mut txn, now, limit).await?;
        txn.commit().await?;
        let mut txn = self.begin().await?;
        let rest = erase_ended(&mut txn, now, limit).await?;
        txn.commit().await?;
        let mut txn = self.begin().await?;
        sealing::seal_rest(&mut txn, limit).await?;
        txn.commit().await?;
        let next = next_due(&self.one().await?).await?;
        let keys_go = (due + rest > 0).then(|| self.keys.keys().erased(now));
        let next = [next, keys_go].into_iter().flatten().min();
        Ok(Decayed { erased: due + rest, next })
    }
}

/// When the next message or session is due; what is left of a session that has ended always is, and
/// what is to be kept for less time than it was.
async fn next_due(db: &Db) -> Result<Option<Time>, StoreError> {
    let sql = "select least((select expires_at from messages where expires_at is not null \
               and deleted_at is null order by expires_at limit 1), \
               (select ends_at from sessions where ends_at is not null order by ends_at limit 1), \
               (select 0 from sessions where erasing_after is not null limit 1), \
               (select 0 from sessions where shortening_after is not null limit 1), \
               (select 0 from sessions where sealing_after is not null limit 1))";
    Ok(one(db, sql, &[], |row| maybe_time(row, 0)).await?.flatten())
}

impl PostgresStore {
    /// Ends sessions whose end has come, each in a transaction of its own, as others that change
    /// them do.
    async fn end_due(&self, now: Time, limit: i64) -> Result<(), StoreError> {
        let sql = "select id from sessions where ends_at <= $1 order by ends_at limit $2";
        let read = |row: &Row| Ok(SessionId(uuid(row, 0)?));
        let due = many(&self.one().await?, sql, &[&now.0, &limit], read).await?;
        for session in due {
            let mut txn = self.begin().await?;
            end(&mut txn, session, now).await?;
            txn.commit().await?;
        }
        Ok(())
    }
}

/// Ends a session if its end has come. What was said since it was written down has put it off where
/// silence ends it, which is noted instead.
async fn end(txn: &mut Txn, session: SessionId, now: Time) -> Result<(), StoreError> {
    if rooms::lock_of(txn, session).await?.is_none() {
        return Ok(());
    }
    let sql = "select no from sessions where id = $1 and ends_at <= $2";
    let no = one(txn, sql, &[&session.0, &now.0], |row| Ok(row.try_get(0)?)).await?;
    let Some(no): Option<i64> = no else { return Ok(()) };
    // What is being said at this moment counts.
    txn.lock_heads(&[no]).await?;
    let sql = "select s.ends_at, s.silence_s, s.read_only_s, (select m.sent_at \
               from messages m join heads h on h.session_no = m.session_no \
               and h.number = m.number where m.session_no = s.no) from sessions s where s.no = $1";
    let read = |row: &Row| Ok((ending_at(row, 0)?, maybe_time(row, 3)?));
    let found: Option<(Option<Ending>, Option<Time>)> = one(txn, sql, &[&no], read).await?;
    let Some((Some(ending), said_at)) = found else { return Ok(()) };
    let at = ending.put_off(said_at).at;
    if at > now {
        let sql = "update sessions set ends_at = $2 where no = $1";
        return txn.execute(sql, &[&no, &at.0]).await.map(drop);
    }
    sessions::end(txn, no, None, now).await
}

/// Brings nearer the ends of what was said in a session whose room keeps it no longer than that.
async fn shorten(txn: &mut Txn, limit: i64) -> Result<(), StoreError> {
    let sql = "select no from sessions where shortening_after is not null limit 1";
    let found = one(txn, sql, &[], |row| Ok(row.try_get(0)?)).await?;
    let Some(session_no): Option<i64> = found else { return Ok(()) };
    txn.lock_heads(&[session_no]).await?;
    let sql = "select s.shortening_after, r.retention_s from sessions s \
               join rooms r on r.no = s.room_no where s.no = $1 and s.shortening_after is not null";
    let read = |row: &Row| Ok((row.try_get(0)?, maybe_ttl(row, 1)?));
    let found: Option<(i64, Option<Ttl>)> = one(txn, sql, &[&session_no], read).await?;
    let Some((after, kept)) = found else { return Ok(()) };
    // Where it is kept for ever by now, nothing more is to be done.
    let limit = if kept.is_some() { limit } else { 0 };
    let sql = "select max(number) from (select number from messages \
               where session_no = $1 and number > $2 order by number limit $3) batch";
    let last = one(txn, sql, &[&session_no, &after, &limit], |row| Ok(row.try_get(0)?)).await?;
    let last: Option<i64> = last.flatten();
    let sql = "update messages set expires_at = sent_at + $4 where session_no = $1 \
               and number > $2 and number <= $3 and deleted_at is null \
               and (expires_at is null or expires_at > sent_at + $4)";
    let (soon, kept) = (is_soon(kept), kept.map(|kept| kept.after(Time(0)).0));
    txn.execute(sql, &[&session_no, &after, &last, &kept]).await?;
    // What is to go soon is sealed, once all of it is known.
    let sql = "update sessions set shortening_after = $2, sealing_after = \
               case when $2::bigint is null and $3 then 0 else sealing_after end where no = $1";
    txn.execute(sql, &[&session_no, &last, &soon]).await.map(drop)
}

async fn erase_due(txn: &mut Txn, now: Time, limit: i64) -> Result<u64, StoreError> {
    let sql = "select no, session_no from messages where expires_at <= $1 \
               and deleted_at is null order by expires_at limit $2";
    let due = many(txn, sql, &[&now.0, &limit], placed).await?;
    let left = erase(txn, &due, now).await?;
    let told: Vec<Due> =
        left.iter().map(|m| Due { session_no: m.session_no, number: m.number }).collect();
    for (session_no, from, to) in runs(&told) {
        txn.log(session_no, now, None, EventKind::Decayed { from, to }).await?;
    }
    Ok(left.len() as u64)
}

/// Erases what was said in a session that has ended, of which nothing tells: its end did.
async fn erase_ended(txn: &mut Txn, now: Time, limit: i64) -> Result<u64, StoreError> {
    let sql = "select no from sessions where erasing_after is not null limit 1";
    let found = one(txn, sql, &[], |row| Ok(row.try_get(0)?)).await?;
    let Some(session_no): Option<i64> = found else { return Ok(0) };
    txn.lock_heads(&[session_no]).await?;
    let sql = "select erasing_after, id from sessions where no = $1";
    let read = |row: &Row| Ok((row.try_get(0)?, SessionId(uuid(row, 1)?)));
    let found: Option<(Option<i64>, _)> = one(txn, sql, &[&session_no], read).await?;
    let Some((Some(after), session)) = found else { return Ok(0) };
    // Mostly it went when the session ended.
    txn.keys().forget(session).await?;
    let sql = "select no, session_no from messages where session_no = $1 and number > $2 \
               and deleted_at is null order by number limit $3";
    let left = many(txn, sql, &[&session_no, &after, &limit], placed).await?;
    let erased = erase(txn, &left, now).await?;
    let last = erased.last().map(|message| message.number);
    let sql = "update sessions set erasing_after = $2 where no = $1";
    txn.execute(sql, &[&session_no, &last]).await?;
    Ok(erased.len() as u64)
}

/// The small ids of a message and of its session.
fn placed(row: &Row) -> Result<(i64, i64), StoreError> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Erases those of these messages that nobody has erased meanwhile, and returns them in order.
async fn erase(txn: &mut Txn, due: &[(i64, i64)], now: Time) -> Result<Vec<Erased>, StoreError> {
    let (nos, mut sessions): (Vec<i64>, Vec<i64>) = due.iter().copied().unzip();
    sessions.sort_unstable();
    sessions.dedup();
    txn.lock_heads(&sessions).await?;
    let sql = "select id, no, session_no, number from messages \
               where no = any($1) and deleted_at is null order by session_no, number";
    let left = many(txn, sql, &[&nos], |row| {
        let (id, no) = (MessageId(uuid(row, 0)?), row.try_get(1)?);
        Ok(Erased { id, no, session_no: row.try_get(2)?, number: row.try_get(3)? })
    })
    .await?;
    if !left.is_empty() {
        strip(txn, &left, now).await?;
    }
    Ok(left)
}
