//! What SQLite promises of its search index: it is filled behind the messages, survives crashes,
//! holds exactly the words that there are, and nothing of what is gone.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use parlor_domain::search::words;
use parlor_domain::{RoomKind, room};
use parlor_store::sqlite::Manual;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::random::{Both, Op, op};
use crate::sqlite::{by_hand, close, drive, holds, vanishes, world_in};
use crate::world::World;

/// The words of each message, by its small id and in order.
type Words = BTreeMap<i64, Vec<String>>;

/// What the index holds.
fn held(path: &Path) -> Words {
    let conn = Connection::open(path).unwrap();
    let sql = "create virtual table temp.held using fts5vocab (main, search, instance)";
    conn.execute_batch(sql).unwrap();
    let sql = "select doc, term from held order by doc, \"offset\"";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let mut held = Words::new();
    for (no, word) in rows.map(Result::unwrap) {
        held.entry(no).or_default().push(word);
    }
    held
}

/// What the index should hold.
fn said(path: &Path) -> Words {
    let conn = Connection::open(path).unwrap();
    let sql = "select no, session_no, content from messages where deleted_at is null and no <= \
               coalesce((select cast(value as integer) from meta \
               where key = 'search_indexed_to'), 0)";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let (no, session, text): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let words = words(&text).into_iter().map(|word| format!("{session}.{}", word.text));
        Ok((no, words.collect()))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Does all that there is to do.
fn catch_up(manual: &mut Manual) {
    while manual.index(512) {}
}

fn home() -> (TempDir, std::path::PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    (home, path)
}

#[test]
fn random_operations_and_slices_agree_with_a_model() {
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ops = prop::collection::vec((op(), 0..6_i64), 1..80);
    TestRunner::new(config)
        .run(&ops, |ops| {
            runtime.block_on(async {
                let (home, path) = home();
                let (w, mut manual) = by_hand(&home);
                let mut both = drive(&mut manual, Both::new(w)).await;
                for (n, (op, rows)) in ops.into_iter().enumerate() {
                    drive(&mut manual, both.try_out(n, op)).await?;
                    if rows > 0 {
                        manual.index(rows);
                    }
                }
                prop_assert_eq!(held(&path), said(&path));
                catch_up(&mut manual);
                prop_assert_eq!(held(&path), said(&path));
                for n in 0..28 {
                    let search = Op::Search(n / 7, n % 7);
                    drive(&mut manual, both.try_out(0, search)).await?;
                }
                Ok(())
            })
        })
        .unwrap();
}

#[tokio::test]
async fn a_crash_leaves_an_index_that_goes_on() {
    let (home, path) = home();
    let (w, mut manual) = by_hand(&home);
    let ana = drive(&mut manual, w.account("ana")).await;
    let main = w.lobby(ana).await.main_session;
    for n in 0..10 {
        drive(&mut manual, w.say(ana, main, &format!("message {n}"))).await;
    }
    assert!(manual.index(4));
    assert_eq!(held(&path).len(), 4);
    // Nothing is said to the store: what is not committed is lost, as in a crash.
    drop((w, manual));
    let (w, mut manual) = by_hand(&home);
    assert_eq!(w.find(ana, "message ").await.len(), 10);
    assert!(manual.index(4) && manual.index(4));
    assert!(!manual.index(4));
    assert_eq!(held(&path), said(&path));
    assert_eq!(held(&path).len(), 10);
}

#[tokio::test]
async fn a_slice_that_fails_keeps_nobody_from_sending() {
    let (home, path) = home();
    let (w, mut manual) = by_hand(&home);
    let ana = drive(&mut manual, w.account("ana")).await;
    let main = w.lobby(ana).await.main_session;
    drive(&mut manual, w.say(ana, main, "first")).await;
    let saboteur = Connection::open(&path).unwrap();
    let trap = "create trigger trap before insert on meta when new.key = 'search_indexed_to' \
                begin select raise(abort, 'boom'); end";
    saboteur.execute_batch(trap).unwrap();
    assert!(manual.index(9), "it is tried");
    assert!(!manual.index(9), "and not again before something was committed");
    drive(&mut manual, w.say(ana, main, "second")).await;
    assert!(manual.index(9));
    assert!(held(&path).is_empty(), "what the slice had done is undone");
    assert_eq!(w.find(ana, "first").await, ["first"]);
    saboteur.execute_batch("drop trigger trap").unwrap();
    drive(&mut manual, w.say(ana, main, "third")).await;
    catch_up(&mut manual);
    assert_eq!(held(&path).len(), 3);
}

/// Waits until the index holds so many messages.
async fn indexed(path: &Path, messages: usize) {
    let mut pulse = tokio::time::interval(Duration::from_millis(10));
    let filled = async {
        while held(path).len() != messages {
            pulse.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), filled).await.expect("it is indexed in time");
}

#[tokio::test]
async fn an_older_database_is_indexed_in_the_background() {
    let (_home, path) = home();
    let w = world_in(&path, Box::new(()));
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    for n in 0..1_500 {
        w.say(ana, main, &format!("message {n}")).await;
    }
    close(w).await;
    let older = "drop table search; delete from meta where key like 'search%'; \
                 drop table reactions; drop table pins; drop table forwards; drop table threads; \
                 drop table followers; drop table drafts; drop table attachments; \
                 drop table previews; drop table jobs; drop table uploads; \
                 drop table file_bytes; drop table files; drop table blobs; \
                 drop table e2ee_devices; drop table e2ee_one_time_keys; \
                 drop table e2ee_signing_keys; drop table e2ee_signatures; \
                 drop table e2ee_queue; drop table e2ee_sent; drop table e2ee_changes; \
                 drop table e2ee_backups; drop table e2ee_backup_keys; \
                 drop table e2ee_account_data; drop table e2ee_statements; \
                 alter table sessions drop column algorithm; \
                 alter table sessions drop column rotation_period_ms; \
                 alter table sessions drop column rotation_period_msgs; \
                 alter table sessions drop column verified_only; \
                 alter table sessions drop column message_ttl_s; \
                 drop index sessions_by_end; drop index sessions_to_erase; \
                 alter table sessions drop column ends_at; \
                 alter table sessions drop column silence_s; \
                 alter table sessions drop column read_only_s; \
                 alter table sessions drop column erasing_after; \
                 drop index sessions_to_shorten; \
                 alter table sessions drop column shortening_after; \
                 alter table rooms drop column message_ttl_s; \
                 alter table rooms drop column retention_s; \
                 alter table rooms drop column sessions_max; \
                 drop index sessions_to_seal; drop index messages_sealed; \
                 alter table sessions drop column sealing_after; \
                 alter table messages drop column sealed; \
                 alter table revisions drop column sealed; \
                 drop index messages_by_end; drop index mentions_by_message; \
                 alter table messages drop column expires_at; \
                 alter table heads drop column membership_version; \
                 alter table users drop column picture; \
                 drop index events_of_reactions; \
                 drop index messages_in_threads; drop index messages_by_sender; \
                 create index messages_by_sender on messages (sender_no, no); \
                 alter table messages drop column extras; \
                 alter table messages drop column thread_id; \
                 alter table messages drop column threaded; \
                 alter table heads drop column threaded; \
                 alter table mentions drop column root_no; \
                 delete from refinery_schema_history where version >= 5";
    Connection::open(&path).unwrap().execute_batch(older).unwrap();
    let w = world_in(&path, Box::new(()));
    assert_eq!(w.find(ana, "message 7 ").await, ["message 7"]);
    indexed(&path, 1_500).await;
    assert_eq!(w.find(ana, "message 7 ").await, ["message 7"]);
    close(w).await;
    assert_eq!(held(&path), said(&path));
}

#[tokio::test]
async fn what_is_gone_is_gone_from_the_index_and_its_files() {
    let (home, path) = home();
    let w = world_in(&path, Box::new(()));
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    w.say(ana, main, "OTHER WORDS").await;
    let said = w.say(ana, main, "QZMARKERQZ FIRST").await;
    indexed(&path, 2).await;
    // Only the index has it in lower case.
    assert!(holds(home.path(), "qzmarkerqz"));
    w.reword(ana, said.id, "YXMARKERYX SECOND").await.unwrap();
    vanishes(home.path(), "qzmarkerqz").await;
    assert!(holds(home.path(), "yxmarkeryx"));
    w.unsay(ana, said.id).await.unwrap();
    vanishes(home.path(), "yxmarkeryx").await;
    vanishes(home.path(), "MARKER").await;
    assert_eq!(held(&path).len(), 1);
    close(w).await;
}

/// A store by hand with a room of so many messages, all indexed, and one message elsewhere.
async fn crowded(home: &TempDir, messages: usize) -> (World, Manual, parlor_domain::UserId) {
    let (w, mut manual) = by_hand(home);
    let ana = drive(&mut manual, w.account("ana")).await;
    let main = w.lobby(ana).await.main_session;
    let den = drive(&mut manual, w.room(ana, RoomKind::Private, &[])).await;
    for n in 0..messages {
        let text = format!("QZMARKERQZ NUMBER {n}");
        drive(&mut manual, w.say(ana, den.main_session, &text)).await;
        if n % 10 == 9 {
            catch_up(&mut manual);
        }
    }
    drive(&mut manual, w.say(ana, main, "ANOTHER NUMBER")).await;
    catch_up(&mut manual);
    drive(&mut manual, w.change(ana, den.id, &[], room::delete)).await.unwrap();
    (w, manual, ana)
}

#[tokio::test]
async fn a_small_room_is_gone_from_the_index_with_its_rows() {
    let (home, path) = home();
    let (w, mut manual, ana) = crowded(&home, 100).await;
    assert!(!manual.index(512), "there is nothing left to do");
    assert_eq!(held(&path), said(&path));
    assert_eq!(w.find(ana, "number").await, ["ANOTHER NUMBER"]);
    drop((w, manual));
    close(world_in(&path, Box::new(()))).await;
    assert!(!holds(home.path(), "qzmarkerqz"));
}

#[tokio::test]
async fn a_large_room_is_gone_from_the_index_soon_even_after_a_crash() {
    let (home, path) = home();
    let (w, manual, ana) = crowded(&home, 600).await;
    assert_eq!(held(&path), said(&path));
    assert_eq!(w.find(ana, "number").await, ["ANOTHER NUMBER"]);
    assert!(holds(home.path(), "qzmarkerqz"), "its segments are yet to be written anew");
    drop((w, manual));
    let (w, mut manual) = by_hand(&home);
    let main = w.lobby(ana).await.main_session;
    drive(&mut manual, w.say(ana, main, "YET ANOTHER NUMBER")).await;
    assert!(manual.index(512));
    catch_up(&mut manual);
    assert_eq!(held(&path), said(&path));
    assert_eq!(w.find(ana, "number").await, ["YET ANOTHER NUMBER", "ANOTHER NUMBER"]);
    drop((w, manual));
    close(world_in(&path, Box::new(()))).await;
    assert!(!holds(home.path(), "qzmarkerqz"));
    assert!(holds(home.path(), "another"));
}
