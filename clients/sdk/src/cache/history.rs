//! The messages that are kept, and how an event changes them: event and cursor in one transaction,
//! so that nothing is taken in twice or left out.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use parlor_e2ee::Sealed;

use super::{Cache, words};
use crate::message::Relation;
use crate::{Error, Message};

/// A message as it is kept: with its ciphertext as long as it is locked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) message: Message,
    pub(crate) sealed: Option<Sealed>,
}

/// What becomes of a message.
pub(crate) enum Change {
    /// It is this now.
    Put(Box<Message>, Option<Sealed>),
    /// It says something about another one, and is itself nothing to read.
    Relate { id: String, session_id: String, relation: Relation },
    /// It was deleted, in this session.
    Erase { id: String, session_id: String, at: String },
    /// Somebody reacts to it in this session, or does so no more.
    React { id: String, session_id: String, emoji: String, user_id: String, on: bool },
    /// The time of those with these numbers was over, in this session.
    Decay { session_id: String, from: i64, to: i64 },
    /// Nothing.
    Nothing,
}

impl Change {
    /// Nothing is left of a session.
    pub(crate) fn all_of(session_id: &str) -> Self {
        Self::Decay { session_id: session_id.to_owned(), from: 0, to: i64::MAX }
    }
}

/// Where an event stands.
pub(crate) struct Step<'a> {
    pub(crate) session_id: &'a str,
    pub(crate) seq: i64,
}

impl Cache {
    /// Takes in what an event changes, and that it was taken in.
    pub(crate) fn apply(&self, step: Option<&Step<'_>>, changes: &[Change]) -> Result<(), Error> {
        let mut file = self.file();
        let transaction = file.transaction()?;
        for change in changes {
            self.change(&transaction, change)?;
        }
        if let Some(step) = step {
            transaction
                .prepare_cached("UPDATE sessions SET seq = ?2 WHERE id = ?1")?
                .execute(params![step.session_id, step.seq])?;
        }
        Ok(transaction.commit()?)
    }

    fn change(&self, file: &Connection, change: &Change) -> Result<(), Error> {
        match change {
            Change::Put(message, sealed) => {
                let kept = Kept { message: (**message).clone(), sealed: sealed.clone() };
                self.put(file, &kept)
            }
            Change::Relate { id, session_id, relation } => {
                self.forget_message(file, id, session_id)?;
                let value = self.vault.close(relation)?;
                file.prepare_cached(
                    "INSERT OR REPLACE INTO relations VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    id,
                    session_id,
                    relation.target,
                    relation.number,
                    value
                ])?;
                Ok(())
            }
            Change::Erase { id, session_id, at } => {
                file.prepare_cached(
                    "DELETE FROM relations WHERE (target = ?1 OR id = ?1) AND session_id = ?2",
                )?
                .execute([id, session_id])?;
                self.alter(file, (id, session_id), |message| message.erase(at.clone()))
            }
            Change::React { id, session_id, emoji, user_id, on } => {
                let place = (id.as_str(), session_id.as_str());
                self.alter(file, place, |message| message.react(emoji, user_id, *on))
            }
            Change::Decay { session_id, from, to } => {
                for id in Self::numbered_in(file, session_id, *from, *to)? {
                    self.forget_decayed(file, &id, session_id)?;
                }
                file.prepare_cached(
                    "DELETE FROM relations WHERE session_id = ?1 AND number BETWEEN ?2 AND ?3",
                )?
                .execute(params![session_id, from, to])?;
                Ok(())
            }
            Change::Nothing => Ok(()),
        }
    }

    /// Keeps a message. One that says that it is of another session than the one of this id that
    /// is here already is not believed.
    fn put(&self, file: &Connection, kept: &Kept) -> Result<(), Error> {
        let message = &kept.message;
        let value = self.vault.close(kept)?;
        let place: Option<i64> = file
            .prepare_cached(
                "INSERT INTO messages (id, session_id, number, locked, expires_at, value)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET
                     locked = excluded.locked, expires_at = excluded.expires_at,
                     value = excluded.value
                 WHERE session_id = excluded.session_id
                 RETURNING place",
            )?
            .query_row(
                params![
                    message.id,
                    message.session_id,
                    message.number,
                    message.is_locked(),
                    message.expires_at,
                    value
                ],
                |row| row.get(0),
            )
            .optional()?;
        place.map_or(Ok(()), |place| Ok(words::index(file, place, &message.body)?))
    }

    fn alter(
        &self,
        file: &Connection,
        (id, session_id): (&str, &str),
        how: impl FnOnce(&mut Message),
    ) -> Result<(), Error> {
        let kept = self.kept(file, id)?.filter(|kept| kept.message.session_id == session_id);
        let Some(mut kept) = kept else { return Ok(()) };
        how(&mut kept.message);
        if kept.message.deleted_at.is_some() {
            kept.sealed = None;
        }
        self.put(file, &kept)
    }

    /// The ids of the messages of a session with numbers from `from` to `to`.
    pub(crate) fn numbered(
        &self,
        session_id: &str,
        from: i64,
        to: i64,
    ) -> Result<Vec<String>, Error> {
        Self::numbered_in(&self.file(), session_id, from, to)
    }

    fn numbered_in(
        file: &Connection,
        session_id: &str,
        from: i64,
        to: i64,
    ) -> Result<Vec<String>, Error> {
        let mut asked = file.prepare_cached(
            "SELECT id FROM messages WHERE session_id = ?1 AND number BETWEEN ?2 AND ?3",
        )?;
        let rows = asked.query_map(params![session_id, from, to], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets a message, and what was said about it.
    fn forget_decayed(&self, file: &Connection, id: &str, session_id: &str) -> Result<(), Error> {
        self.forget_message(file, id, session_id)?;
        file.prepare_cached("DELETE FROM relations WHERE target = ?1 AND session_id = ?2")?
            .execute([id, session_id])?;
        Ok(())
    }

    fn forget_message(&self, file: &Connection, id: &str, session_id: &str) -> Result<(), Error> {
        file.execute(
            "DELETE FROM words.words WHERE rowid IN
             (SELECT place FROM main.messages WHERE id = ?1 AND session_id = ?2)",
            [id, session_id],
        )?;
        file.execute("DELETE FROM messages WHERE id = ?1 AND session_id = ?2", [id, session_id])?;
        Ok(())
    }

    fn kept(&self, file: &Connection, id: &str) -> Result<Option<Kept>, Error> {
        let mut asked = file.prepare_cached("SELECT value FROM messages WHERE id = ?1")?;
        let bytes: Option<Vec<u8>> = asked.query_row([id], |row| row.get(0)).optional()?;
        bytes.map(|bytes| self.vault.read(&bytes)).transpose()
    }

    /// A message, with what was said about it.
    pub(crate) fn message(&self, id: &str) -> Result<Option<Message>, Error> {
        let file = self.file();
        let kept = self.kept(&file, id)?;
        kept.map(|kept| self.related(&file, kept.message)).transpose()
    }

    pub(super) fn message_at(&self, place: i64) -> Result<Option<Message>, Error> {
        let file = self.file();
        let mut asked = file.prepare_cached("SELECT value FROM messages WHERE place = ?1")?;
        let bytes: Option<Vec<u8>> = asked.query_row([place], |row| row.get(0)).optional()?;
        let Some(bytes) = bytes else { return Ok(None) };
        let kept: Kept = self.vault.read(&bytes)?;
        self.related(&file, kept.message).map(Some)
    }

    fn related(&self, file: &Connection, mut message: Message) -> Result<Message, Error> {
        let mut asked = file.prepare_cached(
            "SELECT value FROM relations WHERE target = ?1 AND session_id = ?2 ORDER BY number",
        )?;
        let place = [&message.id, &message.session_id];
        let rows = asked.query_map(place, |row| row.get::<_, Vec<u8>>(0))?;
        let relations: Vec<Relation> =
            rows.map(|bytes| self.vault.read(&bytes?)).collect::<Result<_, Error>>()?;
        message.relate(&relations);
        Ok(message)
    }

    /// The newest messages of a session with a lower number than `before`, ascending.
    pub(crate) fn timeline(
        &self,
        session_id: &str,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Message>, Error> {
        let file = self.file();
        let mut asked = file.prepare_cached(
            "SELECT value FROM messages WHERE session_id = ?1 AND number < ?2
             ORDER BY number DESC LIMIT ?3",
        )?;
        let before = before.unwrap_or(i64::MAX);
        let rows = asked.query_map(params![session_id, before, super::rows(limit)], |row| {
            row.get::<_, Vec<u8>>(0)
        })?;
        let mut messages = Vec::new();
        for bytes in rows {
            let kept: Kept = self.vault.read(&bytes?)?;
            messages.push(self.related(&file, kept.message)?);
        }
        messages.reverse();
        Ok(messages)
    }

    /// What is locked in a session, or anywhere, and may open later.
    pub(crate) fn locked(&self, session_id: Option<&str>) -> Result<Vec<(Message, Sealed)>, Error> {
        let file = self.file();
        let mut asked = file.prepare_cached(
            "SELECT value FROM messages WHERE locked AND (?1 IS NULL OR session_id = ?1)
             ORDER BY number",
        )?;
        let rows = asked.query_map([session_id], |row| row.get::<_, Vec<u8>>(0))?;
        let mut locked = Vec::new();
        for bytes in rows {
            let kept: Kept = self.vault.read(&bytes?)?;
            locked.extend(kept.sealed.map(|sealed| (kept.message, sealed)));
        }
        Ok(locked)
    }

    /// Forgets what has decayed by now, and says of which sessions that was.
    pub(crate) fn decay(&self, now: &str) -> Result<Vec<(String, String)>, Error> {
        let mut file = self.file();
        let transaction = file.transaction()?;
        let gone: Vec<(String, String)> = {
            let mut asked = transaction.prepare_cached(
                "SELECT id, session_id FROM messages
                 WHERE expires_at NOT NULL AND expires_at <= ?1",
            )?;
            let rows = asked.query_map([now], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        for (id, session_id) in &gone {
            self.forget_decayed(&transaction, id, session_id)?;
        }
        transaction.commit()?;
        Ok(gone)
    }
}
