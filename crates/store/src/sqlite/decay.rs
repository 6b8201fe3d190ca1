//! What has decayed goes: what is due is found by one index each, and done a batch at a time.

use async_trait::async_trait;
use parlor_domain::{Ending, EventKind, MessageId, SessionId, Time, Ttl};
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::messages::{Erased, strip};
use super::rows::{ending_at, many, maybe_time, maybe_ttl, most, one, uuid};
use super::search::{self, Gone};
use super::txn::Txn;
use super::{sealing, sessions};
use crate::StoreError;
use crate::decay::{Decay, Decayed, Due, is_soon, runs};

#[async_trait]
impl Decay for SqliteStore {
    async fn decay(&self, now: Time, limit: u64) -> Result<Decayed, StoreError> {
        let keys = self.keys.advance(now);
        let done = self.erase_what_is_due(now, limit).await;
        keys.and(done)
    }

    async fn erase_again(&self, now: Time) -> Result<u64, StoreError> {
        self.erase_listed(now).await
    }
}

impl SqliteStore {
    async fn erase_what_is_due(&self, now: Time, limit: u64) -> Result<Decayed, StoreError> {
        // Mostly nothing is due, and nobody who writes is to wait for that.
        let next = self.read(next_due).await?;
        if next.is_none_or(|next| next > now) {
            return Ok(Decayed { erased: 0, next });
        }
        let done = self.write(move |txn| {
            end_due(txn, now, most(limit))?;
            shorten(txn, most(limit))?;
            let due = erase_due(txn, now, most(limit))?;
            let rest = erase_ended(txn, now, most(limit))?;
            sealing::seal_rest(txn, most(limit))?;
            Ok(Decayed { erased: due + rest, next: next_due(txn.conn)? })
        });
        let done = done.await?;
        let keys_go = (done.erased > 0).then(|| self.keys.keys().erased(now));
        Ok(Decayed { next: [done.next, keys_go].into_iter().flatten().min(), ..done })
    }
}

/// When the next message or session is due; what is left of a session that has ended always is, and
/// what is to be kept for less time than it was.
fn next_due(conn: &Connection) -> Result<Option<Time>, StoreError> {
    let sql = "select min(at) from (select * from (select expires_at as at from messages \
               where expires_at is not null and deleted_at is null order by expires_at limit 1) \
               union all select * from (select ends_at from sessions \
               where ends_at is not null order by ends_at limit 1) \
               union all select * from (select 0 from sessions \
               where erasing_after is not null limit 1) \
               union all select * from (select 0 from sessions \
               where shortening_after is not null limit 1) \
               union all select * from (select 0 from sessions \
               where sealing_after is not null limit 1))";
    Ok(one(conn, sql, [], |row| maybe_time(row, 0))?.flatten())
}

/// Ends sessions whose end has come. What was said since it was written down has put it off where
/// silence ends it, which is noted instead.
fn end_due(txn: &mut Txn<'_>, now: Time, limit: i64) -> Result<(), StoreError> {
    let sql = "select s.no, s.ends_at, s.silence_s, s.read_only_s, (select m.sent_at \
               from messages m join heads h on h.session_no = m.session_no \
               and h.number = m.number where m.session_no = s.no) from sessions s \
               where s.ends_at <= ? order by s.ends_at limit ?";
    let read = |row: &Row<'_>| Ok((row.get(0)?, ending_at(row, 1)?, maybe_time(row, 4)?));
    let due: Vec<(i64, Option<Ending>, Option<Time>)> =
        many(txn.conn, sql, params![now.0, limit], read)?;
    for (no, ending, said_at) in due {
        let at = ending.map_or(now, |ending| ending.put_off(said_at).at);
        if at > now {
            txn.execute("update sessions set ends_at = ? where no = ?", [at.0, no])?;
        } else {
            sessions::end(txn, no, None, now)?;
        }
    }
    Ok(())
}

/// Brings nearer the ends of what was said in a session whose room keeps it no longer than that.
fn shorten(txn: &Txn<'_>, limit: i64) -> Result<(), StoreError> {
    let sql = "select s.no, s.shortening_after, r.retention_s from sessions s \
               join rooms r on r.no = s.room_no where s.shortening_after is not null limit 1";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, maybe_ttl(row, 2)?));
    let found: Option<(i64, i64, Option<Ttl>)> = one(txn.conn, sql, [], read)?;
    let Some((session_no, after, kept)) = found else { return Ok(()) };
    // Where it is kept for ever by now, nothing more is to be done.
    let limit = if kept.is_some() { limit } else { 0 };
    let sql = "select max(number) from (select number from messages \
               where session_no = ? and number > ? order by number limit ?)";
    let last: Option<i64> =
        one(txn.conn, sql, [session_no, after, limit], |row| row.get(0))?.flatten();
    let sql = "update messages set expires_at = sent_at + ?4 where session_no = ?1 \
               and number > ?2 and number <= ?3 and deleted_at is null \
               and (expires_at is null or expires_at > sent_at + ?4)";
    let (soon, kept) = (is_soon(kept), kept.map(|kept| kept.after(Time(0)).0));
    txn.execute(sql, params![session_no, after, last, kept])?;
    // What is to go soon is sealed, once all of it is known.
    let sql = "update sessions set shortening_after = ?1, \
               sealing_after = iif(?1 is null and ?3, 0, sealing_after) where no = ?2";
    txn.execute(sql, params![last, session_no, soon]).map(drop)
}

fn erase_due(txn: &mut Txn<'_>, now: Time, limit: i64) -> Result<u64, StoreError> {
    let sql = "select no, id, number, session_no, iif(extras & 64, '', content) from messages \
               where expires_at <= ? and deleted_at is null order by expires_at limit ?";
    let mut due = many(txn.conn, sql, params![now.0, limit], erased)?;
    due.sort_unstable_by_key(|due| (due.gone.session_no, due.number));
    let told: Vec<Due> =
        due.iter().map(|m| Due { session_no: m.gone.session_no, number: m.number }).collect();
    erase(txn, due, now)?;
    for (session_no, from, to) in runs(&told) {
        txn.log(session_no, now, None, EventKind::Decayed { from, to })?;
    }
    Ok(told.len() as u64)
}

/// Erases what was said in a session that has ended, of which nothing tells: its end did.
fn erase_ended(txn: &mut Txn<'_>, now: Time, limit: i64) -> Result<u64, StoreError> {
    let sql = "select no, erasing_after, id from sessions where erasing_after is not null limit 1";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, SessionId(uuid(row, 2)?)));
    let found = one(txn.conn, sql, [], read)?;
    let Some((session_no, after, session)): Option<(i64, i64, _)> = found else {
        return Ok(0);
    };
    // Mostly it went when the session ended.
    txn.keys.forget(session)?;
    let sql = "select no, id, number, session_no, iif(extras & 64, '', content) from messages \
               where session_no = ? and number > ? and deleted_at is null order by number limit ?";
    let left = many(txn.conn, sql, [session_no, after, limit], erased)?;
    let (count, last) = (left.len() as u64, left.last().map(|message| message.number));
    erase(txn, left, now)?;
    txn.execute("update sessions set erasing_after = ? where no = ?", params![last, session_no])?;
    Ok(count)
}

fn erased(row: &Row<'_>) -> rusqlite::Result<Erased> {
    let gone = Gone { no: row.get(0)?, session_no: row.get(3)?, text: row.get(4)? };
    Ok(Erased { id: MessageId(uuid(row, 1)?), number: row.get(2)?, gone })
}

fn erase(txn: &mut Txn<'_>, due: Vec<Erased>, now: Time) -> Result<(), StoreError> {
    for message in &due {
        strip(txn, message, now)?;
    }
    let mut gone: Vec<Gone> = due.into_iter().map(|message| message.gone).collect();
    gone.sort_unstable_by_key(|gone| gone.no);
    search::remove(txn, most(gone.len() as u64), gone.into_iter().map(Ok))
}
