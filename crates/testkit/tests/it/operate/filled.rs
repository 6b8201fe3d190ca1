//! A database with many messages in it, made in seconds: as a server would have written them, but
//! by statements over all of them.

use std::path::Path;

use parlor_store::sqlite::SqliteStore;
use rusqlite::Connection;

/// People, each in each room.
const PEOPLE: i64 = 40;

/// Rooms, each with its main session.
const ROOMS: i64 = 25;

/// Makes the database at `path`, with so many messages, every tenth of which was reworded and
/// every hundredth taken back. They are of a later day, so that no server forgets their receipts.
pub(crate) fn fill(path: &Path, messages: i64) {
    // The schema, the epoch and the lobby.
    drop(SqliteStore::open_manual(path).unwrap());
    let conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "synchronous", "OFF").unwrap();
    conn.execute_batch("begin").unwrap();
    let counted = |sql: &str, count: i64| {
        let numbers =
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?1)";
        let (into, from) = sql.split_at(sql.find("select").unwrap());
        conn.execute(&format!("{into} {numbers} {from}"), [count]).unwrap();
    };
    counted(
        "insert into users (id, username, username_key, name, name_key, usable, password_hash, \
         created_at) select randomblob(16), 'user' || i, 'user' || i, 'Üser ' || i, 'üser ' || i, \
         1, 'hash', i from n",
        PEOPLE,
    );
    counted(
        "insert into rooms (no, id, name, kind, description, search_key, main_session_no, \
         created_at, member_count) select 1000 + i, randomblob(16), 'Room ' || i, 'public', '', \
         'room ' || i, 1000 + i, i, 40 from n",
        ROOMS,
    );
    counted(
        "insert into sessions (no, id, room_no, name, main, created_at, member_count) \
         select 1000 + i, randomblob(16), 1000 + i, '', 1, i, 40 from n",
        ROOMS,
    );
    conn.execute_batch(
        "insert into room_members select r.no, u.no, 'member', 1 from rooms r, users u \
         where r.no > 1000; \
         insert into session_members select s.no, u.no, 1, 0 from sessions s, users u \
         where s.no > 1000;",
    )
    .unwrap();
    counted(
        "insert into messages (no, id, session_no, number, seq, sender_no, client_id, content, \
         sent_at) select i, randomblob(16), 1001 + i % 25, 1 + (i - 1) / 25, 1 + (i - 1) / 25, \
         1 + i % 40, randomblob(16), 'message ' || i || ' of émile 😀 ' || hex(randomblob(i % 60)), \
         4000000000000000 + i * 1000 from n",
        messages / ROOMS * ROOMS,
    );
    conn.execute_batch(
        "insert into events (session_no, seq, kind, at, message_no) \
         select session_no, seq, 1, sent_at, no from messages; \
         insert into receipts select sender_no, client_id, 1, no, randomblob(16), 4000000000000000 \
         from messages; \
         insert into revisions (message_no, nth, content, written_at) \
         select no, 1, 'before ' || content, sent_at from messages where no % 10 = 0; \
         update messages set edited_at = sent_at + 1 where no % 10 = 0; \
         update messages set deleted_at = sent_at + 2, content = '' where no % 100 = 0; \
         insert into heads (session_no, seq, number) \
         select session_no, max(seq), max(number) from messages group by session_no; \
         commit",
    )
    .unwrap();
}
