//! What was acknowledged, and whether it is in the database afterwards: exactly once, under the
//! number that was given. A figure whose ledger does not add up is no figure.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;

use anyhow::{Context, bail};
use parlor_parts::Postgres;
use rusqlite::{Connection, OpenFlags};

use super::dialect::versioned;

/// The writes of one run, by a counter; each counter value is a `client_id` of its own.
#[derive(Default)]
pub(super) struct Ledger {
    tag: u64,
    acknowledged: Vec<(u64, i64)>,
}

impl Ledger {
    /// An empty one, whose ids nobody else has.
    pub(super) fn new() -> Self {
        let tag = std::hash::RandomState::new().build_hasher().finish();
        Self { tag, acknowledged: Vec::new() }
    }

    /// The `client_id` of a write.
    pub(super) fn client_id(&self, write: u64) -> u128 {
        (u128::from(self.tag) << 64) | u128::from(write)
    }

    /// A write was acknowledged, under this number in its room.
    pub(super) fn acknowledge(&mut self, write: u64, number: u64) {
        self.acknowledged.push((write, number.cast_signed()));
    }

    /// How many were.
    pub(super) fn len(&self) -> usize {
        self.acknowledged.len()
    }

    /// Compares with a PostgreSQL, whose `messages` have the client's id and, in the column
    /// `number`, what was acknowledged.
    pub(super) fn audit_postgres(&self, postgres: &Postgres, number: &str) -> anyhow::Result<()> {
        let answer = postgres.ask(&format!("SELECT client_id, {number} FROM messages"))?;
        let mut rows = HashMap::new();
        for line in answer.lines() {
            let (id, number) = line.split_once(',').context("no row of two")?;
            let id = u128::from_str_radix(&id.replace('-', ""), 16)?;
            let entry = rows.entry(id).or_insert((0, 0));
            *entry = (entry.0 + 1, number.parse()?);
        }
        self.compare(&rows)
    }

    /// Compares with the database in `data`.
    pub(super) fn audit(&self, data: &Path) -> anyhow::Result<()> {
        let file = database(data)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(&file, flags)?;
        self.compare(&rows(&database)?)?;
        check_dense(&database)
    }

    fn compare(&self, rows: &HashMap<u128, (u64, i64)>) -> anyhow::Result<()> {
        for (write, number) in &self.acknowledged {
            match rows.get(&versioned(self.client_id(*write))) {
                Some((1, stored)) if stored == number => {}
                found => bail!(
                    "write {write} was acknowledged as number {number}; the database has it as \
                     (times, number) = {found:?}"
                ),
            }
        }
        Ok(())
    }
}

/// Each `client_id` with how often it is there, and its number.
fn rows(database: &Connection) -> anyhow::Result<HashMap<u128, (u64, i64)>> {
    let mut found = HashMap::new();
    let mut query = database.prepare("SELECT client_id, number FROM messages")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let id: [u8; 16] = row.get(0)?;
        let entry = found.entry(u128::from_be_bytes(id)).or_insert((0, 0));
        *entry = (entry.0 + 1, row.get(1)?);
    }
    Ok(found)
}

fn check_dense(database: &Connection) -> anyhow::Result<()> {
    const HOLES: &str = "SELECT count(*) FROM (SELECT 1 FROM messages GROUP BY session_no \
                         HAVING min(number) <> 1 OR max(number) <> count(*) \
                         OR count(*) <> count(DISTINCT number))";
    let holes: i64 = database.query_row(HOLES, [], |row| row.get(0))?;
    if holes > 0 {
        bail!("{holes} sessions have numbers missing or twice");
    }
    Ok(())
}

/// The SQLite file in a data folder, whatever its name.
fn database(data: &Path) -> anyhow::Result<std::path::PathBuf> {
    let is_database = |path: &std::path::PathBuf| {
        std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3"))
    };
    let mut files = std::fs::read_dir(data)?.filter_map(|entry| Some(entry.ok()?.path()));
    files.find(is_database).context("there is no database in the data folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(rows: &[(u128, i64)]) -> Connection {
        let database = Connection::open_in_memory().unwrap();
        let table = "CREATE TABLE messages (session_no, number, client_id BLOB)";
        database.execute(table, []).unwrap();
        for (id, number) in rows {
            let insert = "INSERT INTO messages VALUES (1, ?, ?)";
            database.execute(insert, (number, versioned(*id).to_be_bytes())).unwrap();
        }
        database
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::new();
        ledger.acknowledge(10, 1);
        ledger.acknowledge(11, 2);
        ledger
    }

    #[test]
    fn what_was_acknowledged_must_be_there_once_and_under_its_number() {
        let ledger = ledger();
        let (a, b) = (ledger.client_id(10), ledger.client_id(11));
        let fits = |all: &[(u128, i64)]| ledger.compare(&rows(&database(all)).unwrap()).is_ok();
        assert!(fits(&[(a, 1), (b, 2), (7, 3)]));
        assert!(!fits(&[(a, 1)]), "lost");
        assert!(!fits(&[(a, 1), (b, 2), (b, 3)]), "twice");
        assert!(!fits(&[(a, 2), (b, 1)]), "under another number");
    }

    #[test]
    fn numbers_must_have_no_hole() {
        assert!(check_dense(&database(&[(1, 1), (2, 2)])).is_ok());
        assert!(check_dense(&database(&[(1, 1), (2, 3)])).is_err());
        assert!(check_dense(&database(&[(1, 1), (2, 1)])).is_err());
    }
}
