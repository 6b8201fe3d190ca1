//! Keeping the index: filled behind the messages, in slices that the writer does when it has time;
//! what is deleted or reworded is taken out in the same commit.

use parlor_domain::search::words;
use rusqlite::{Connection, params};

use super::super::rows::one;
use super::super::txn::Txn;
use crate::StoreError;

/// Messages of one slice, and bytes of their texts: some milliseconds.
pub(in super::super) const SLICE: i64 = 512;
const SLICE_BYTES: usize = 128 * 1024;

/// Up to so many messages that go at once are taken out of the index word by word, which takes a
/// tenth of a millisecond each. Of more, the words are marked as gone, so that nothing finds them,
/// and the segments that hold them are written anew, without them, in slices.
const AT_ONCE: i64 = 256;

/// Pages of segments that one slice writes anew.
const PAGES: i64 = 64;

/// Fewer new messages than this are left as they are.
const SCATTERED_MIN: i64 = 4_096;

/// How far the index is, known to the writer alone.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Index {
    /// The small id of the last message that is in it.
    pub(in super::super) to: i64,
    /// The same when all of it was put into one segment.
    pub(in super::super) merged_to: i64,
    /// Whether segments hold words that are marked as gone.
    pub(in super::super) soiled: bool,
    /// Whether the last slice came to nothing; the next commit lets it be tried again.
    pub(in super::super) stuck: bool,
}

impl Index {
    /// As it is in the database.
    pub(in super::super) fn load(conn: &Connection) -> Result<Self, StoreError> {
        let soiled = noted(conn, SOILED)?.is_some();
        let merged_to = noted(conn, MERGED_TO)?.unwrap_or(0);
        Ok(Self { to: indexed_to(conn)?, merged_to, soiled, stuck: false })
    }

    /// Whether so much has come that all of it is to be put into one segment again. A search looks
    /// into every segment for every session; what is written for that is a few times what came.
    pub(in super::super) fn is_scattered(&self) -> bool {
        self.to - self.merged_to > (self.merged_to / 4).max(SCATTERED_MIN)
    }
}

const TO: &str = "search_indexed_to";
const MERGED_TO: &str = "search_merged_to";
const SOILED: &str = "search_soiled";

fn noted(conn: &Connection, key: &str) -> Result<Option<i64>, StoreError> {
    let sql = "select cast(value as integer) from meta where key = ?";
    one(conn, sql, [key], |row| row.get(0))
}

fn note(txn: &Txn<'_>, key: &str, value: i64) -> Result<(), StoreError> {
    let sql = "insert or replace into meta (key, value) values (?, ?)";
    txn.execute(sql, params![key, value.to_string()]).map(drop)
}

/// The small id of the last message in the index.
pub(in super::super) fn indexed_to(conn: &Connection) -> Result<i64, StoreError> {
    Ok(noted(conn, TO)?.unwrap_or(0))
}

/// Words as the index holds them: those of a session begin alike, and no word has a dot.
pub(super) fn stored<'a>(session_no: i64, words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&session_no.to_string());
        text.push('.');
        text.push_str(word);
    }
    text
}

fn stored_text(session_no: i64, text: &str) -> String {
    let words = words(text);
    stored(session_no, words.iter().map(|word| word.text.as_str()))
}

/// Does one slice of what is to be done, of up to `rows` messages.
pub(in super::super) fn extend(txn: &mut Txn<'_>, rows: i64) -> Result<(), StoreError> {
    txn.index.stuck = true;
    if txn.index.soiled {
        clean(txn)?;
    } else if txn.index.to < *txn.next_message_no - 1 {
        fill(txn, rows)?;
    } else if txn.index.is_scattered() {
        merge(txn)?;
    }
    txn.index.stuck = false;
    Ok(())
}

fn fill(txn: &mut Txn<'_>, rows: i64) -> Result<(), StoreError> {
    let sql = "select no, session_no, iif(extras & 64, '', content) from messages \
               where no > ? order by no limit ?";
    let mut statement = txn.conn.prepare_cached(sql).map_err(super::failed)?;
    let mut next = statement.query([txn.index.to, rows]).map_err(super::failed)?;
    // Nobody else writes: where the rows end, so do the messages.
    let mut to = *txn.next_message_no - 1;
    let (mut left, mut bytes) = (rows, 0);
    while let Some(row) = next.next().map_err(super::failed)? {
        let no: i64 = row.get(0).map_err(super::failed)?;
        let content = row.get_ref(2).and_then(|text| Ok(text.as_str()?)).map_err(super::failed)?;
        put(txn, no, &stored_text(row.get(1).map_err(super::failed)?, content))?;
        (left, bytes) = (left - 1, bytes + content.len());
        if left == 0 || bytes > SLICE_BYTES {
            to = no;
            break;
        }
    }
    note(txn, TO, to)?;
    txn.index.to = to;
    Ok(())
}

/// Writes some of the segments anew, without what is marked as gone.
fn clean(txn: &mut Txn<'_>) -> Result<(), StoreError> {
    txn.erase();
    if merge(txn)? {
        txn.execute("delete from meta where key = ?", [SOILED])?;
        txn.index.soiled = false;
    }
    Ok(())
}

/// Puts some of all segments into one; whether that is all there is now.
fn merge(txn: &mut Txn<'_>) -> Result<bool, StoreError> {
    let changes = |txn: &Txn<'_>| {
        let sql = "select total_changes()";
        Ok::<_, StoreError>(one(txn.conn, sql, [], |row| row.get::<_, i64>(0))?.unwrap_or(0))
    };
    let before = changes(txn)?;
    // A negative number: all of them into one segment.
    txn.execute("insert into search (search, rank) values ('merge', ?)", [-PAGES])?;
    // The statement itself is one change; a merge that had nothing to do makes no other.
    let done = changes(txn)? - before < 2;
    if done {
        note(txn, MERGED_TO, txn.index.to)?;
        txn.index.merged_to = txn.index.to;
    }
    Ok(done)
}

/// Puts a message's words in; a deleted message has none.
fn put(txn: &Txn<'_>, no: i64, words: &str) -> Result<(), StoreError> {
    if words.is_empty() {
        return Ok(());
    }
    txn.execute("insert into search (rowid, words) values (?, ?)", params![no, words]).map(drop)
}

fn take(txn: &Txn<'_>, no: i64, words: &str) -> Result<(), StoreError> {
    if words.is_empty() {
        return Ok(());
    }
    let sql = "insert into search (search, rowid, words) values ('delete', ?, ?)";
    txn.execute(sql, params![no, words]).map(drop)
}

/// A message whose text goes.
pub(in super::super) struct Gone {
    /// Its small id.
    pub(in super::super) no: i64,
    /// The small id of its session.
    pub(in super::super) session_no: i64,
    /// Its text until now.
    pub(in super::super) text: String,
}

/// Puts the new wording in place of the old one, if that is in the index.
pub(in super::super) fn reword(
    txn: &mut Txn<'_>,
    old: &Gone,
    content: &str,
) -> Result<(), StoreError> {
    if old.no > txn.index.to {
        return Ok(());
    }
    take(txn, old.no, &stored_text(old.session_no, &old.text))?;
    put(txn, old.no, &stored_text(old.session_no, content))?;
    txn.erase();
    Ok(())
}

/// Takes so many texts out of the index, which come in ascending order of their small ids.
pub(in super::super) fn remove(
    txn: &mut Txn<'_>,
    count: i64,
    gone: impl Iterator<Item = rusqlite::Result<Gone>>,
) -> Result<(), StoreError> {
    if count <= AT_ONCE {
        return take_all(txn, gone);
    }
    set_secure(txn, false)?;
    let taken = take_all(txn, gone).and_then(|()| {
        // What is taken must be written before the next line changes how.
        txn.execute("insert into search (search) values ('flush')", [])?;
        note(txn, SOILED, 1)
    });
    set_secure(txn, true)?;
    txn.index.soiled = true;
    taken
}

fn take_all(
    txn: &Txn<'_>,
    mut gone: impl Iterator<Item = rusqlite::Result<Gone>>,
) -> Result<(), StoreError> {
    gone.try_for_each(|gone| {
        let gone = gone.map_err(super::failed)?;
        match gone.no <= txn.index.to {
            true => take(txn, gone.no, &stored_text(gone.session_no, &gone.text)),
            false => Ok(()),
        }
    })
}

fn set_secure(txn: &Txn<'_>, secure: bool) -> Result<(), StoreError> {
    let sql = "insert into search (search, rank) values ('secure-delete', ?)";
    txn.execute(sql, [secure]).map(drop)
}
