//! What durable writing costs by itself: the rows of a send, appended to a bare SQLite file in
//! groups, each group durable before the next. No server, no socket, no check.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, params};

use super::dialect::content;

/// The most rows in one group, as in the server.
pub(super) const ROWS_MOST: usize = 512;
const SESSIONS: i64 = 25;

/// The tables that a send writes to, with their indexes.
const TABLES: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
CREATE TABLE messages (
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    session_no INTEGER NOT NULL,
    number INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    sender_no INTEGER NOT NULL,
    client_id BLOB NOT NULL,
    content TEXT NOT NULL,
    sent_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX messages_by_id ON messages (id);
CREATE UNIQUE INDEX messages_by_number ON messages (session_no, number);
CREATE INDEX messages_by_sender ON messages (sender_no, no);
CREATE TABLE events (
    session_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    at INTEGER NOT NULL,
    message_no INTEGER,
    PRIMARY KEY (session_no, seq)
) WITHOUT ROWID;
CREATE TABLE receipts (
    user_no INTEGER NOT NULL,
    key BLOB NOT NULL,
    made_no INTEGER NOT NULL,
    digest BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user_no, key)
) WITHOUT ROWID;
";

/// Appends groups of `rows` for so many seconds.
pub(super) fn rows_per_second(data: &Path, rows: usize, seconds: f64) -> anyhow::Result<f64> {
    let mut database = Connection::open(data.join("bare.db"))?;
    database.execute_batch(TABLES)?;
    let mut random = 0x9e37_79b9_7f4a_7c15_u128;
    let (start, mut written) = (Instant::now(), 0);
    while start.elapsed().as_secs_f64() < seconds {
        let group = database.transaction()?;
        for _ in 0..rows {
            // Ids without an order, as clients make them.
            random = random.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(1);
            append(&group, written, random)?;
            written += 1;
        }
        group.commit()?;
    }
    Ok(written as f64 / start.elapsed().as_secs_f64())
}

fn append(group: &rusqlite::Transaction, written: i64, random: u128) -> anyhow::Result<()> {
    const MESSAGE: &str = "INSERT INTO messages VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)";
    const EVENT: &str = "INSERT INTO events VALUES (?, ?, 1, ?, ?)";
    const RECEIPT: &str = "INSERT INTO receipts VALUES (?, ?, ?, ?, ?)";
    let (session, number) = (written % SESSIONS, written / SESSIONS);
    // Ids of a server rise with time; those of clients have no order.
    let (id, client_id) = (u128::from(written.cast_unsigned()).to_be_bytes(), random.to_be_bytes());
    let text = content(written.cast_unsigned());
    let row = params![id, session, number, number, session, client_id, text, written];
    group.prepare_cached(MESSAGE)?.execute(row)?;
    let row = params![session, number, written, written];
    group.prepare_cached(EVENT)?.execute(row)?;
    let row = params![session, client_id, written, [0_u8; 32], written];
    group.prepare_cached(RECEIPT)?.execute(row)?;
    Ok(())
}
