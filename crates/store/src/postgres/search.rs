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
use super::{PostgresStore, extras, sealing};
use crate::StoreError;
use crate::search::{Asked, Found, Hit, Search};

use candidates::Candidates;
pub(super) use index::{Indexer, Said, remove, remove_room, reword};
use scope::Scope;

/// Names in one text that are looked up; a text with more names nobody.
const MENTIONS_MAX: u64 = 1_000;

/// Candidates that are looked at by one question, at least and at most: as many as promise to fill
/// the page, going by those before.
const TOGETHER_MIN: u64 = 16;
const TOGETHER_MAX: u64 = 512;

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
    let (mut found, mut looked) = (Found::default(), Looked::default());
    while found.next.is_none() {
        let nos = candidates.take(db, looked.promising(asked, &found)).await?;
        if nos.is_empty() {
            break;
        }
        let mut texts = look(db, &asked.query, &nos).await?;
        for no in nos {
            looked.rows += 1;
            if let Some(text) = texts.remove(&no) {
                looked.bytes += text.bytes;
                if let Some(message) = text.message {
                    found.hits.extend(fits(db, &scope, &asked.query, message).await?);
                }
            }
            let full = found.hits.len() as u64 >= asked.limit;
            if full || looked.rows >= asked.rows_max || looked.bytes >= asked.text_bytes_max {
                found.next = Some(no);
                break;
            }
        }
    }
    let mut messages: Vec<_> = found.hits.iter_mut().map(|hit| &mut hit.message).collect();
    extras::fill(db, scope.user_no, &mut messages).await?;
    Ok(found)
}

/// What a search has looked at.
#[derive(Default)]
struct Looked {
    rows: u64,
    bytes: u64,
}

impl Looked {
    /// How many candidates to look at next.
    fn promising(&self, asked: &Asked, found: &Found) -> usize {
        let hits = found.hits.len() as u64;
        let each = self.rows.max(1).div_ceil(hits.max(1));
        let count = asked.limit.saturating_sub(hits).saturating_mul(each);
        usize::try_from(count.clamp(TOGETHER_MIN, TOGETHER_MAX)).unwrap_or_default()
    }
}

/// A candidate that was looked at.
struct Text {
    /// Of its text.
    bytes: u64,
    /// `None`: its text does not fit.
    message: Option<Message>,
}

/// Looks at candidates. Where the index cannot know, their texts are read first: of a phrase of
/// common words, few have it.
async fn look(db: &Db, query: &Query, nos: &[i64]) -> Result<HashMap<i64, Text>, StoreError> {
    let phrased = query.wanted.iter().any(|phrase| phrase.words.len() > 1);
    let mut texts = HashMap::new();
    let fitting;
    let nos = if phrased || !query.unwanted.is_empty() {
        fitting = fitting_texts(db, query, nos, &mut texts).await?;
        &fitting
    } else {
        nos
    };
    let sql = format!("{MESSAGE} where m.no = any($1)");
    let mut messages = many(db, &sql, &[&nos], message).await?;
    sealing::open(db, &mut messages.iter_mut().collect::<Vec<_>>()).await?;
    for message in messages {
        let bytes = message.content.len() as u64;
        texts.insert(message.no, Text { bytes, message: Some(message) });
    }
    Ok(texts)
}

/// Those whose texts fit.
async fn fitting_texts(
    db: &Db,
    query: &Query,
    nos: &[i64],
    texts: &mut HashMap<i64, Text>,
) -> Result<Vec<i64>, StoreError> {
    let mut fitting = Vec::new();
    // What is sealed is opened with the rest of it.
    let sql = "select no, content, sealed is not null from messages where no = any($1)";
    for row in db.query(sql, &[&nos]).await? {
        let (no, text): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
        texts.insert(no, Text { bytes: text.len() as u64, message: None });
        if row.try_get(2)? || query.fits_text(text) {
            fitting.push(no);
        }
    }
    Ok(fitting)
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
    Ok(Some(Hit { message, room }))
}

/// Whether a name in the text is somebody's.
async fn names_somebody(db: &Db, message: &Message) -> Result<bool, StoreError> {
    // Whatever the limit was when it was said; a text that was reworded may name more than that.
    let limits = Limits { mentions_max: MENTIONS_MAX, ..Limits::default() };
    let keys = mention::mentioned(&message.content, &limits).unwrap_or_default();
    exists(db, "select 1 from users where username_key = any($1) limit 1", &[&keys]).await
}
