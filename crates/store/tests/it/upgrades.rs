//! An old database is brought up to date, whatever happens meanwhile; a newer one is refused.

use std::path::Path;

use parlor_store::StoreError;
use parlor_store::sqlite::SqliteStore;
use rusqlite::Connection;

/// Every step, as it was released: its number and its text. A step that was released is never
/// edited.
const STEPS: [(i64, &str); 18] = [
    (1, include_str!("../../migrations/sqlite/V1__first.sql")),
    (2, include_str!("../../migrations/sqlite/V2__said.sql")),
    (3, include_str!("../../migrations/sqlite/V3__ends.sql")),
    (4, include_str!("../../migrations/sqlite/V4__facades.sql")),
    (5, include_str!("../../migrations/sqlite/V5__search.sql")),
    (6, include_str!("../../migrations/sqlite/V6__talk.sql")),
    (7, include_str!("../../migrations/sqlite/V7__files.sql")),
    (8, include_str!("../../migrations/sqlite/V8__jobs.sql")),
    (9, include_str!("../../migrations/sqlite/V9__previews.sql")),
    (10, include_str!("../../migrations/sqlite/V10__encryption.sql")),
    (11, include_str!("../../migrations/sqlite/V11__stretches.sql")),
    (12, include_str!("../../migrations/sqlite/V12__verified.sql")),
    (13, include_str!("../../migrations/sqlite/V13__statements.sql")),
    (14, include_str!("../../migrations/sqlite/V14__decay.sql")),
    (15, include_str!("../../migrations/sqlite/V15__endings.sql")),
    (16, include_str!("../../migrations/sqlite/V16__room_settings.sql")),
    (17, include_str!("../../migrations/sqlite/V17__sealed.sql")),
    (18, include_str!("../../migrations/sqlite/V18__sealed_files.sql")),
];

/// Rows of the old database, of each kind.
const ROWS: i64 = 500;

/// The number of a database's schema.
fn version(conn: &Connection) -> i64 {
    let made = "select 1 from sqlite_master where name = 'refinery_schema_history'";
    if !conn.prepare(made).unwrap().exists([]).unwrap() {
        return 0;
    }
    let sql = "select coalesce(max(version), 0) from refinery_schema_history";
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A database of schema `version` with people and messages in it.
fn old(path: &Path, version: i64) {
    // The history's rows are taken from a database of today: they hold checksums.
    let today = path.with_extension("today");
    drop(SqliteStore::open_manual(&today).unwrap());
    let conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    if version == 0 {
        return;
    }
    for (_, step) in STEPS.iter().filter(|(number, _)| *number <= version) {
        conn.execute_batch(step).unwrap();
    }
    let today = today.to_str().unwrap();
    conn.execute("attach ? as today", [today]).unwrap();
    let sql = "select sql from today.sqlite_master where name = 'refinery_schema_history'";
    let made: String = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    conn.execute_batch(&made).unwrap();
    let sql = "insert into main.refinery_schema_history \
               select * from today.refinery_schema_history where version <= ?";
    conn.execute(sql, [version]).unwrap();
    fill(&conn);
}

/// What V1 has room for.
fn fill(conn: &Connection) {
    let numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?1) ";
    let rows = [
        "insert into users (id, username, username_key, name, name_key, usable, password_hash, \
         created_at) select randomblob(16), 'user' || i, 'user' || i, 'User ' || i, 'user ' || i, \
         1, 'hash', i from n",
        "insert into logins (id, user_no, device_id, device_name, refresh_hash, cookie_hash, \
         created_at, last_used_at, expires_at) select randomblob(16), i, randomblob(16), 'web', \
         randomblob(32), randomblob(32), i, i, i from n",
        "insert into rooms (id, name, kind, description, search_key, main_session_no, created_at) \
         select randomblob(16), 'Room ' || i, 'public', '', 'room ' || i, i, i from n",
        "insert into sessions (id, room_no, name, main, created_at) \
         select randomblob(16), i, '', 1, i from n",
        "insert into heads (session_no, seq, number) select i, 1, 1 from n",
        "insert into messages (id, session_no, number, seq, sender_no, client_id, content, \
         sent_at) select randomblob(16), i, 1, 1, i, randomblob(16), 'said by ' || i, i from n",
    ];
    for sql in rows {
        let (into, from) = sql.split_at(sql.find("select").unwrap());
        conn.execute(&format!("{into}{numbers}{from}"), [ROWS]).unwrap();
    }
}

/// Whether the database opens, is up to date, sound, and has everything that it had.
fn is_whole(path: &Path, had: i64) {
    drop(SqliteStore::open_manual(path).unwrap());
    let conn = Connection::open(path).unwrap();
    assert_eq!(version(&conn), STEPS[STEPS.len() - 1].0);
    let sound: String = conn.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let messages: i64 =
        conn.query_row("select count(*) from messages", [], |row| row.get(0)).unwrap();
    assert_eq!(messages, had);
}

#[test]
fn a_database_of_every_earlier_schema_is_brought_up_to_date() {
    for (version, _) in STEPS {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("db");
        old(&path, version);
        is_whole(&path, ROWS);
    }
}

#[test]
fn pictures_from_before_are_to_be_drawn() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("db");
    old(&path, 7);
    let conn = Connection::open(&path).unwrap();
    conn.execute("insert into blobs (hash, size, refs, touched_at) values (x'00', 1, 3, 1)", [])
        .unwrap();
    for (n, width, encrypted) in [(1_u8, Some(9), 0), (2, None, 0), (3, Some(9), 1)] {
        let sql = "insert into files (id, user_no, name, media_type, size, width, height, hash, \
                   encrypted, length, created_at) \
                   values (?1, 1, 'x', 'image/png', 1, ?2, ?2, x'00', ?3, 1, 5)";
        let row = rusqlite::params![[n; 16], width, encrypted];
        conn.execute(sql, row).unwrap();
    }
    drop(conn);
    is_whole(&path, ROWS);
    let conn = Connection::open(&path).unwrap();
    let sql = "select group_concat(hex(substr(about, 1, 1))), count(distinct id) from jobs";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let (about, jobs): (String, i64) = conn.query_row(sql, [], read).unwrap();
    assert_eq!((about.as_str(), jobs), ("01", 1));
}

#[test]
fn a_database_of_a_newer_program_is_refused_in_clear_words() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("db");
    drop(SqliteStore::open_manual(&path).unwrap());
    let conn = Connection::open(&path).unwrap();
    let sql = "insert into refinery_schema_history (version, name, applied_on, checksum) \
               select version + 1, 'later', applied_on, checksum from refinery_schema_history \
               order by version desc limit 1";
    conn.execute(sql, []).unwrap();
    let refused = SqliteStore::open_manual(&path).err().expect("it is refused");
    let last = STEPS[STEPS.len() - 1].0;
    let newer = |version, newest| version == last + 1 && newest == last;
    let clear = matches!(refused, StoreError::Newer { version, newest } if newer(version, newest));
    assert!(clear, "{refused}");
    assert!(refused.to_string().contains("use the version of Parlor that wrote it last"));
}

#[cfg(feature = "faults")]
mod killed {
    use std::process::Command;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    /// What tells the child which database to open, and after how many steps of SQLite's machine
    /// it ends.
    const DATABASE: &str = "PARLOR_UPGRADE_DATABASE";
    const MOMENT: &str = "PARLOR_UPGRADE_MOMENT";

    /// Kills in each step.
    const KILLS: u64 = 5;

    /// The child; by itself it does nothing.
    #[test]
    fn child() {
        let Some(path) = std::env::var_os(DATABASE) else { return };
        let moment: u64 = std::env::var(MOMENT).unwrap().parse().unwrap();
        static HITS: AtomicU64 = AtomicU64::new(0);
        fail::cfg_callback("store::schema::amid", move || {
            if HITS.fetch_add(1, Ordering::Relaxed) + 1 == moment {
                kill_process(getpid(), Signal::KILL).unwrap();
            }
        })
        .unwrap();
        drop(SqliteStore::open_manual(Path::new(&path)).unwrap());
        println!("hits {}", HITS.load(Ordering::Relaxed));
    }

    /// Opens the database in a process of its own that kills itself at a moment, if that comes;
    /// else, how many moments there were.
    fn open(path: &Path, moment: u64) -> Option<u64> {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "upgrades::killed::child", "--nocapture"]);
        let output = child.env(DATABASE, path).env(MOMENT, moment.to_string()).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let hits = out.lines().find_map(|line| line.split("hits ").nth(1)?.trim().parse().ok());
        assert_eq!(hits.is_some(), output.status.success(), "{output:?}");
        hits
    }

    /// Moments that it takes to bring a database of this schema up to date.
    fn moments(version: i64) -> u64 {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("db");
        old(&path, version);
        open(&path, 0).expect("nobody killed it")
    }

    /// Kills whoever brings a database of schema `from` up to date, at a moment; which schema it
    /// has then. It opens afterwards, and is whole.
    fn kill(from: i64, moment: u64) -> i64 {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("db");
        old(&path, from);
        assert_eq!(open(&path, moment), None, "it was killed");
        let found = version(&Connection::open(&path).unwrap());
        is_whole(&path, if from == 0 { 0 } else { ROWS });
        found
    }

    #[test]
    fn kill_9_in_the_middle_of_every_step_leaves_a_database_that_opens() {
        for (number, _) in STEPS {
            let from = number - 1;
            // A step's moments are those of all that are missing, less those of what is behind
            // it; what is behind the first, which makes the tables, is little.
            let rest = if from == 0 { 0 } else { moments(number) };
            let step = moments(from) - rest;
            for nth in 1..=KILLS {
                assert_eq!(kill(from, step * nth / (KILLS + 1)), from, "in step {number}");
            }
        }
    }
}
