//! What is to be sent: written down before anything is tried, crossed out when it is done.

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::Cache;
use crate::Error;
use crate::outbox::Draft;

/// A line of the outbox.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The id by which the server knows it again.
    pub(crate) client_id: String,
    /// What is to be said, and where.
    pub(crate) draft: Draft,
    /// What went to the server, or was about to.
    pub(crate) attempt: Option<Attempt>,
}

/// What was tried. The same id with other bytes is a conflict, so a ciphertext is written down
/// before it goes out, and goes out again as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) sealed: parlor_e2ee::Sealed,
    pub(crate) membership_version: i64,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    draft: Draft,
    attempt: Option<Attempt>,
}

impl Cache {
    /// Writes down what is to be said.
    pub(crate) fn hand_over(&self, client_id: &str, draft: &Draft) -> Result<(), Error> {
        let value = self.vault.close(&Kept { draft: draft.clone(), attempt: None })?;
        self.file().execute(
            "INSERT INTO outbox (client_id, session_id, value) VALUES (?1, ?2, ?3)",
            params![client_id, draft.session_id, value],
        )?;
        Ok(())
    }

    /// Writes down what is about to go out.
    pub(crate) fn note_attempt(&self, row: &Row) -> Result<(), Error> {
        let value = Kept { draft: row.draft.clone(), attempt: row.attempt.clone() };
        let value = self.vault.close(&value)?;
        self.file().execute(
            "UPDATE outbox SET value = ?2 WHERE client_id = ?1",
            params![row.client_id, value],
        )?;
        Ok(())
    }

    /// What is to be sent next.
    pub(crate) fn next_to_send(&self) -> Result<Option<Row>, Error> {
        let found: Option<(String, Vec<u8>)> = {
            let file = self.file();
            let mut asked = file.prepare_cached(
                "SELECT client_id, value FROM outbox WHERE failure IS NULL ORDER BY place LIMIT 1",
            )?;
            asked.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?
        };
        found.map(|(client_id, value)| self.row(client_id, &value)).transpose()
    }

    fn row(&self, client_id: String, value: &[u8]) -> Result<Row, Error> {
        let Kept { draft, attempt } = self.vault.read(value)?;
        Ok(Row { client_id, draft, attempt })
    }

    /// It is sent, or is not to be any more.
    pub(crate) fn cross_out(&self, client_id: &str) -> Result<bool, Error> {
        let gone = self.file().execute("DELETE FROM outbox WHERE client_id = ?1", [client_id])?;
        Ok(gone > 0)
    }

    /// It was refused: it stays until somebody decides.
    pub(crate) fn note_failure(&self, client_id: &str, failure: &str) -> Result<(), Error> {
        self.file().execute(
            "UPDATE outbox SET failure = ?2 WHERE client_id = ?1",
            params![client_id, failure],
        )?;
        Ok(())
    }

    /// Tries it again.
    pub(crate) fn try_again(&self, client_id: &str) -> Result<bool, Error> {
        let sql = "UPDATE outbox SET failure = NULL WHERE client_id = ?1";
        Ok(self.file().execute(sql, [client_id])? > 0)
    }

    /// Everything that is to be sent, with what was refused and why.
    pub(crate) fn unsent(&self) -> Result<Vec<(Row, Option<String>)>, Error> {
        let found: Vec<(String, Vec<u8>, Option<String>)> = {
            let file = self.file();
            let mut asked =
                file.prepare_cached("SELECT client_id, value, failure FROM outbox ORDER BY place")?;
            let rows = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        let rows = found.into_iter();
        rows.map(|(id, value, failure)| Ok((self.row(id, &value)?, failure))).collect()
    }
}
