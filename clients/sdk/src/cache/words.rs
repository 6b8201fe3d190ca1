//! The index of words: over everything that was opened, in memory only, since an index tells what
//! is in a text as the text itself does.
//!
//! What is kept from the last time is put into it in small steps beside everything else, so that
//! nobody waits for it at the start; a search does what is left first.

use rusqlite::{Connection, params};

use super::Cache;
use crate::{Error, Message};

/// Messages that one step puts into the index.
const STEP: usize = 200;

/// How far the index has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Indexed {
    /// Up to this place.
    UpTo(i64),
    /// Everything.
    Whole,
}

impl Cache {
    /// Makes the index, with nothing in it.
    pub(super) fn begin_index(&self) -> Result<(), Error> {
        Ok(self.file().execute_batch(
            "ATTACH ':memory:' AS words;
             CREATE VIRTUAL TABLE words.words USING fts5(
                 body, tokenize = \"unicode61 remove_diacritics 2\");",
        )?)
    }

    /// Puts some more of what is kept into the index; false when all of it is there.
    pub(crate) fn index_more(&self) -> Result<bool, Error> {
        let mut indexed = self.indexed.lock();
        let Indexed::UpTo(from) = *indexed else { return Ok(false) };
        let file = self.file();
        let mut asked = file.prepare_cached(
            "SELECT place, value FROM main.messages WHERE place > ?1 AND NOT locked
             ORDER BY place LIMIT ?2",
        )?;
        let mut rows = asked.query(params![from, super::rows(STEP)])?;
        let mut came = Indexed::Whole;
        while let Some(row) = rows.next()? {
            let kept: super::history::Kept = self.vault.read(&row.get::<_, Vec<u8>>(1)?)?;
            let place = row.get(0)?;
            index(&file, place, &kept.message.body)?;
            came = Indexed::UpTo(place);
        }
        *indexed = came;
        Ok(matches!(came, Indexed::UpTo(_)))
    }

    /// Messages with all of these words, the newest first.
    pub(crate) fn find(&self, query: &str, limit: usize) -> Result<Vec<Message>, Error> {
        let asked = phrase(query);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        while self.index_more()? {}
        let places: Vec<i64> = {
            let file = self.file();
            let mut found = file.prepare_cached(
                "SELECT rowid FROM words.words WHERE words MATCH ?1 ORDER BY rowid DESC LIMIT ?2",
            )?;
            let rows = found.query_map(params![asked, super::rows(limit)], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        let mut messages = Vec::with_capacity(places.len());
        for place in places {
            messages.extend(self.message_at(place)?);
        }
        messages.sort_by(|one, other| other.sent_at.cmp(&one.sent_at));
        Ok(messages)
    }
}

/// The words of a query as FTS5 takes them: each is text, never an operator; the last one may still
/// be being typed.
fn phrase(query: &str) -> String {
    let words: Vec<String> =
        query.split_whitespace().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
    if words.is_empty() { String::new() } else { format!("{}*", words.join(" ")) }
}

/// Puts a message's words in the index, or takes them out of it.
pub(super) fn index(file: &Connection, place: i64, body: &str) -> rusqlite::Result<()> {
    file.prepare_cached("DELETE FROM words.words WHERE rowid = ?1")?.execute([place])?;
    if !body.is_empty() {
        let mut put =
            file.prepare_cached("INSERT INTO words.words (rowid, body) VALUES (?1, ?2)")?;
        put.execute(params![place, body])?;
    }
    Ok(())
}

/// Takes the words of a session out.
pub(super) fn forget_session(file: &Connection, session_id: &str) -> rusqlite::Result<()> {
    file.execute(
        "DELETE FROM words.words
         WHERE rowid IN (SELECT place FROM main.messages WHERE session_id = ?1)",
        [session_id],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::phrase;

    #[test]
    fn what_is_asked_is_words_and_never_an_operator() {
        assert_eq!(phrase("red bu"), "\"red\" \"bu\"*");
        assert_eq!(phrase("a\" OR *"), "\"a\"\"\" \"OR\" \"*\"*");
        assert_eq!(phrase("  "), "");
    }
}
