//! Finding what was said: candidates from the index and from what is not in it yet, newest first,
//! each looked at before it is given out.

mod candidates;
mod index;
mod scope;

use async_trait::async_trait;
use parlor_domain::search::{Has, Query};
use parlor_domain::{Limits, Message, UserId, mention};
use rusqlite::Connection;

use super::rows::{MESSAGE, exists, message, one};
use super::{SqliteStore, extras, failed};
use crate::StoreError;
use crate::search::{Asked, Found, Hit, Search};

use candidates::Candidates;
pub(super) use index::{Gone, Index, SLICE, extend, indexed_to, remove, reword};
use scope::Scope;

/// Names in one text that are looked up; a text with more names nobody.
const MENTIONS_MAX: u64 = 1_000;

#[async_trait]
impl Search for SqliteStore {
    async fn search(&self, user: UserId, asked: Asked) -> Result<Found, StoreError> {
        self.read(move |conn| find(conn, user, &asked)).await
    }
}

fn find(conn: &Connection, user: UserId, asked: &Asked) -> Result<Found, StoreError> {
    let Some(scope) = Scope::of(conn, user, &asked.query)? else {
        return Ok(Found::default());
    };
    let mut candidates = Candidates::of(conn, &scope, asked)?;
    let mut found = Found::default();
    let (mut rows, mut bytes) = (0, 0);
    while let Some((no, candidate)) = candidates.next(conn)? {
        rows += 1;
        if candidate && let Some(message) = look(conn, no)? {
            bytes += message.content.len() as u64;
            found.hits.extend(fits(conn, &scope, &asked.query, message)?);
        }
        let full = found.hits.len() as u64 >= asked.limit;
        if full || rows >= asked.rows_max || bytes >= asked.text_bytes_max {
            found.next = Some(no);
            break;
        }
    }
    Ok(found)
}

fn look(conn: &Connection, no: i64) -> Result<Option<Message>, StoreError> {
    one(conn, &format!("{MESSAGE} where m.no = ?"), [no], message)
}

/// The one gate: whatever a candidate came from, it is found only if the reader is in its session
/// and it matches as it reads now.
fn fits(
    conn: &Connection,
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
    if query.has.contains(&Has::Mention) && !names_somebody(conn, &message)? {
        return Ok(None);
    }
    let message = extras::filled(conn, scope.user_no, message)?;
    Ok(Some(Hit { message, room }))
}

/// Whether a name in the text is somebody's.
fn names_somebody(conn: &Connection, message: &Message) -> Result<bool, StoreError> {
    // Whatever the limit was when it was said; a text that was reworded may name more than that.
    let limits = Limits { mentions_max: MENTIONS_MAX, ..Limits::default() };
    let keys = mention::mentioned(&message.content, &limits);
    for key in keys.unwrap_or_default() {
        if exists(conn, "select 1 from users where username_key = ?", [key])? {
            return Ok(true);
        }
    }
    Ok(false)
}
