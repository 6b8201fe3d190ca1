//! The index of words: over everything that was opened, in memory only, since an index tells what
//! is in a text as the text itself does.

use rusqlite::{Connection, params};

use super::Cache;
use crate::{Error, Message};

impl Cache {
    /// Builds the index from what is kept.
    pub(super) fn index_words(&self) -> Result<(), Error> {
        let file = self.file();
        file.execute_batch(
            "ATTACH ':memory:' AS words;
             CREATE VIRTUAL TABLE words.words USING fts5(
                 body, tokenize = \"unicode61 remove_diacritics 2\");",
        )?;
        let mut asked = file.prepare("SELECT place, value FROM messages WHERE NOT locked")?;
        let mut rows = asked.query([])?;
        while let Some(row) = rows.next()? {
            let kept: super::history::Kept = self.vault.read(&row.get::<_, Vec<u8>>(1)?)?;
            index(&file, row.get(0)?, &kept.message.body)?;
        }
        Ok(())
    }

    /// Messages with all of these words, the newest first.
    pub(crate) fn find(&self, query: &str, limit: usize) -> Result<Vec<Message>, Error> {
        let asked = phrase(query);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
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
