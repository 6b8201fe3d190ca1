//! Finding what was said: candidates from the index and from what is not in it yet, newest first,
//! each looked at before it is given out.

mod candidates;
mod index;
mod scope;

use std::collections::HashMap;

use async_trait::async_trait;
use parlor_domain::search::{Has, Query};
use parlor_domain::{Limits, Message, UserId, mention};

use super::readers::Db;
use super::rows::{MESSAGE, exists, many, message};
use super::{PostgresStore, extras};
use crate::StoreError;
use crate::search::{Asked, Found, Hit, Search};

use candidates::Candidates;
pub(super) use index::{Indexer, Said, remove, remove_room, reword};
use scope::Scope;

/// Names in one text that are looked up; a text with more names nobody.
const MENTIONS_MAX: u64 = 1_000;

/// Candidates that are looked at by the first question, and by one at most: more and more, the
/// longer nothing is found.
const TOGETHER: usize = 32;
const TOGETHER_MAX: usize = 512;

#[async_trait]
impl Search for PostgresStore {
    async fn search(&self, user: UserId, asked: Asked) -> Result<Found, StoreError> {
        find(&self.read().await?, user, &asked).await
    }
}

async fn find(db: &Db, user: UserId, asked: &Asked) -> Result<Found, StoreError> {
    let Some(scope) = Scope::of(db, user, &asked.query).await? else {
        return Ok(Found::default());
    };
    let mut candidates = Candidates::of(db, &scope, asked).await?;
    let mut found = Found::default();
    let (mut rows, mut bytes, mut together) = (0, 0, TOGETHER);
    loop {
        let next = candidates.take(db, together).await?;
        together = (together * 2).min(TOGETHER_MAX);
        if next.is_empty() {
            return Ok(found);
        }
        let mut messages = look(db, &next).await?;
        for no in next {
            rows += 1;
            if let Some(message) = messages.remove(&no) {
                bytes += message.content.len() as u64;
                found.hits.extend(fits(db, &scope, &asked.query, message).await?);
            }
            let full = found.hits.len() as u64 >= asked.limit;
            if full || rows >= asked.rows_max || bytes >= asked.text_bytes_max {
                found.next = Some(no);
                return Ok(found);
            }
        }
    }
}

async fn look(db: &Db, nos: &[i64]) -> Result<HashMap<i64, Message>, StoreError> {
    let messages = many(db, &format!("{MESSAGE} where m.no = any($1)"), &[&nos], message).await?;
    Ok(messages.into_iter().map(|message| (message.no, message)).collect())
}

/// The one gate: whatever a candidate came from, it is found only if the reader is in its session
/// and it matches as it reads now.
async fn fits(
    db: &Db,
    scope: &Scope,
    query: &Query,
    message: Message,
) -> Result<Option<Hit>, StoreError> {
    let Some(room) = scope.room_of(message.session) else {
        return Ok(None);
    };
    if !scope.is_author(message.sender) || !query.fits(&message) {
        return Ok(None);
    }
    if query.has.contains(&Has::Mention) && !names_somebody(db, &message).await? {
        return Ok(None);
    }
    let message = extras::filled(db, scope.user_no, message).await?;
    Ok(Some(Hit { message, room }))
}

/// Whether a name in the text is somebody's.
async fn names_somebody(db: &Db, message: &Message) -> Result<bool, StoreError> {
    // Whatever the limit was when it was said; a text that was reworded may name more than that.
    let limits = Limits { mentions_max: MENTIONS_MAX, ..Limits::default() };
    let keys = mention::mentioned(&message.content, &limits).unwrap_or_default();
    exists(db, "select 1 from users where username_key = any($1) limit 1", &[&keys]).await
}
