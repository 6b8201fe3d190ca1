//! What has decayed goes: what is due is found by one index, and erased a batch at a time.

use async_trait::async_trait;
use parlor_domain::{EventKind, MessageId, Time};
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::messages::{Erased, strip};
use super::rows::{many, most, one, uuid};
use super::search::{self, Gone};
use super::txn::Txn;
use crate::StoreError;
use crate::decay::{Decay, Decayed, Due, runs};

#[async_trait]
impl Decay for SqliteStore {
    async fn decay(&self, now: Time, limit: u64) -> Result<Decayed, StoreError> {
        // Mostly nothing is due, and nobody who writes is to wait for that.
        let next = self.read(next_due).await?;
        if next.is_none_or(|next| next > now) {
            return Ok(Decayed { erased: 0, next });
        }
        self.write(move |txn| {
            let erased = erase_due(txn, now, most(limit))?;
            Ok(Decayed { erased, next: next_due(txn.conn)? })
        })
        .await
    }
}

/// When the next message is due.
fn next_due(conn: &Connection) -> Result<Option<Time>, StoreError> {
    let sql = "select expires_at from messages where expires_at is not null \
               and deleted_at is null order by expires_at limit 1";
    one(conn, sql, [], |row| Ok(Time(row.get(0)?)))
}

fn erase_due(txn: &mut Txn<'_>, now: Time, limit: i64) -> Result<u64, StoreError> {
    let sql = "select no, id, number, session_no, iif(extras & 64, '', content) from messages \
               where expires_at <= ? and deleted_at is null order by expires_at limit ?";
    let mut due = many(txn.conn, sql, params![now.0, limit], |row| {
        let gone = Gone { no: row.get(0)?, session_no: row.get(3)?, text: row.get(4)? };
        Ok(Erased { id: MessageId(uuid(row, 1)?), number: row.get(2)?, gone })
    })?;
    due.sort_unstable_by_key(|due| (due.gone.session_no, due.number));
    for message in &due {
        strip(txn, message, now)?;
    }
    let count = due.len() as u64;
    let told: Vec<Due> =
        due.iter().map(|m| Due { session_no: m.gone.session_no, number: m.number }).collect();
    let mut gone: Vec<Gone> = due.into_iter().map(|message| message.gone).collect();
    gone.sort_unstable_by_key(|gone| gone.no);
    search::remove(txn, most(count), gone.into_iter().map(Ok))?;
    for (session_no, from, to) in runs(&told) {
        txn.log(session_no, now, None, EventKind::Decayed { from, to })?;
    }
    Ok(count)
}
