//! What SQLite promises besides: one writer, one file, recovery, and that deleted means gone.

use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use parlor_domain::{Draft, EventKind, Limits, RoomKind, room};
use parlor_store::StoreError;
use parlor_store::sqlite::{Manual, SqliteConfig, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::world::World;

/// A fresh database with threads of its own.
pub(crate) async fn fresh() -> World {
    let home = tempfile::tempdir().unwrap();
    world_in(&home.path().join("parlor.db"), Box::new(home))
}

pub(crate) fn world_in(path: &Path, home: Box<dyn std::any::Any + Send + Sync>) -> World {
    let (sink, heard) = mpsc::channel(65_536);
    let config = SqliteConfig { path: path.to_owned(), readers: 2 };
    World::new(Arc::new(SqliteStore::open(&config, sink).unwrap()), heard, home)
}

/// Closes a store, and waits until its writer has ended.
pub(crate) async fn close(mut w: World) {
    drop(std::mem::replace(&mut w.store, Arc::new(closed())));
    while w.heard.recv().await.is_some() {}
}

/// A store that stands in for one that is being closed.
fn closed() -> SqliteStore {
    let home = tempfile::tempdir().unwrap();
    SqliteStore::open_manual(&home.path().join("none.db")).unwrap().0
}

/// Runs something on a store without threads, committing whatever waits.
pub(crate) async fn drive<T>(manual: &mut Manual, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::task::yield_now() => drop(manual.step(512)),
        }
    }
}

/// A world whose commits are made by hand.
pub(crate) fn by_hand(home: &TempDir) -> (World, Manual) {
    let (store, manual) = SqliteStore::open_manual(&home.path().join("parlor.db")).unwrap();
    let (_, heard) = mpsc::channel(1);
    (World::new(Arc::new(store), heard, Box::new(())), manual)
}

/// Whether any file of the database holds this text.
pub(crate) fn holds(home: &Path, text: &str) -> bool {
    let mut files: Vec<_> = fs::read_dir(home).unwrap().map(|e| e.unwrap().path()).collect();
    // The write-ahead log before the database that it is moved into while this reads.
    files.sort_by(|a, b| b.cmp(a));
    files.iter().any(|path| {
        let bytes = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains(text)
    })
}

/// Waits until no file of the database holds this text.
pub(crate) async fn vanishes(home: &Path, text: &str) {
    let mut pulse = tokio::time::interval(Duration::from_millis(50));
    let gone = async {
        while holds(home, text) {
            pulse.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it is gone in time");
}

#[tokio::test]
async fn an_empty_database_gets_its_schema_and_one_lobby() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    for _ in 0..3 {
        close(world_in(&path, Box::new(()))).await;
    }
    let conn = Connection::open(&path).unwrap();
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("select count(*) from rooms where lobby = 1"), 1);
    assert_eq!(count("select count(*) from sessions"), 1);
    assert_eq!(count("select count(*) from heads"), 1);
}

#[tokio::test]
async fn reopening_keeps_the_epoch_and_the_heads() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    let w = world_in(&path, Box::new(()));
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let first = w.say(ana, room.main_session, "before").await;
    let late = w.draft(ana, room.main_session, "decided before").await;
    let (epoch, log) = (w.store.epoch().to_owned(), w.log(room.main_session).await);
    close(w).await;

    let w = world_in(&path, Box::new(()));
    assert_eq!(w.store.epoch(), epoch);
    assert_eq!(w.log(room.main_session).await, log);
    let second = w.append(late).await.unwrap();
    assert_eq!((second.number, second.seq), (first.number + 1, first.seq + 1));
    assert!(second.no > first.no);
    close(w).await;
}

#[tokio::test]
async fn a_database_has_one_writer() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    let w = world_in(&path, Box::new(()));
    let (sink, _heard) = mpsc::channel(1);
    let config = SqliteConfig { path: path.clone(), readers: 1 };
    let second = SqliteStore::open(&config, sink);
    assert!(matches!(second, Err(StoreError::Database(_))));
    assert!(SqliteStore::open_manual(&path).is_err());
    w.account("ana").await;
    close(w).await;
    SqliteStore::open_manual(&path).unwrap();
}

#[tokio::test]
async fn a_removal_waits_its_turn_behind_what_was_queued_before() {
    let w = fresh().await;
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[bo]).await;
    let early = w.draft(bo, room.main_session, "early").await;
    let late = w.draft(bo, room.main_session, "late").await;
    let (early, kicked, late) =
        tokio::join!(w.append(early), w.kick(ana, room.id, bo), w.append(late));
    kicked.unwrap();
    let left = w.log(room.main_session).await.pop().unwrap();
    assert_eq!(left.takes_out(), Some(bo));
    assert_eq!(early.unwrap().seq, left.seq - 1);
    assert!(matches!(late, Err(StoreError::Stale(_))));
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    close(world_in(&path, Box::new(()))).await;
    let conn = Connection::open(&path).unwrap();
    let sql = "insert into refinery_schema_history (version, name, applied_on, checksum) \
               select 99, 'later', applied_on, checksum from refinery_schema_history limit 1";
    conn.execute(sql, []).unwrap();
    drop(conn);
    assert!(matches!(SqliteStore::open_manual(&path), Err(StoreError::Newer { version: 99, .. })));
}

#[tokio::test]
async fn a_failing_change_in_a_group_undoes_only_itself() {
    let home = tempfile::tempdir().unwrap();
    let (w, mut manual) = by_hand(&home);
    let (ana, bo) =
        drive(&mut manual, async { (w.account("ana").await, w.account("bo").await) }).await;
    let room = drive(&mut manual, w.room(ana, RoomKind::Public, &[])).await;
    let before = drive(&mut manual, w.draft(ana, room.main_session, "before")).await;
    let after = drive(&mut manual, w.draft(ana, room.main_session, "after")).await;
    let mut group = pin!(async {
        tokio::join!(
            w.append(before),
            // Joins, and then fails.
            w.change(bo, room.id, &[], |facts| {
                let mut changes = room::join(facts, None)?;
                let user = parlor_domain::UserId(crate::world::id());
                changes.push(parlor_domain::RoomChange::Unban(user));
                Ok(changes)
            }),
            w.append(after),
            w.account("cy"),
        )
    });
    let batch = tokio::select! {
        biased;
        _ = &mut group => panic!("nothing is answered before the commit"),
        () = tokio::task::yield_now() => manual.step(512).unwrap(),
    };
    let (first, failed, second, cy) = group.await;
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(matches!(failed, Err(StoreError::Denied(_))));
    assert_eq!((first.seq, second.seq), (2, 3), "the undone joining left no hole");
    assert!(w.store.user(cy).await.unwrap().is_some());
    let told = batch.events.iter().filter(|event| event.session == room.main_session);
    let told: Vec<_> = told.cloned().collect();
    assert_eq!(told, w.log(room.main_session).await[1..]);
    assert_eq!(w.store.room(bo, room.id).await.unwrap().unwrap().my_role, None);
}

/// Breaks the database from outside by a trigger on messages with this text.
fn sabotage(home: &TempDir, body: &str) -> Connection {
    let conn = Connection::open(home.path().join("parlor.db")).unwrap();
    let trigger = format!(
        "create table trap (x references users (no) deferrable initially deferred); \
         create trigger spring after insert on messages when new.content = 'boom' \
         begin {body}; end"
    );
    conn.execute_batch(&trigger).unwrap();
    conn
}

/// Queues a room, a draft, the draft that fails, and another room and draft; all must be refused,
/// nothing may be stored, and the next commit must work.
async fn assert_whole_group_fails(body: &str) {
    let home = tempfile::tempdir().unwrap();
    let (w, mut manual) = by_hand(&home);
    let ana = drive(&mut manual, w.account("ana")).await;
    let main = w.lobby(ana).await.main_session;
    let saboteur = sabotage(&home, body);
    let draft = async |text: &'static str| -> Draft { w.draft(ana, main, text).await };
    let (first, bad, last) = (draft("first").await, draft("boom").await, draft("last").await);
    let room = || w.create(w.draft_room(ana, RoomKind::Private, "den", &[]));
    let group = async {
        tokio::join!(room(), w.store.append(first.clone()), w.store.append(bad), room(), async {
            w.store.append(last).await
        })
    };
    let (one, first_answer, bad, two, last) = drive(&mut manual, group).await;
    assert!(one.is_err() && two.is_err());
    for answer in [first_answer, bad, last] {
        let answer = drive(&mut manual, answer.unwrap()).await;
        assert!(!matches!(answer, Ok(Ok(_))), "{answer:?}");
    }
    assert_eq!(w.log(main).await.len(), 1);
    assert_eq!(w.store.rooms_of(ana).await.unwrap().len(), 1);
    saboteur.execute_batch("drop trigger spring; drop table trap").unwrap();
    drive(&mut manual, w.store.check()).await.unwrap();
    let posted = drive(&mut manual, w.append(first)).await.unwrap();
    assert_eq!((posted.number, posted.seq, posted.fresh), (1, 2, true));
}

#[tokio::test]
async fn a_failed_commit_answers_everybody_with_an_error() {
    assert_whole_group_fails("insert into trap values (-1)").await;
}

#[tokio::test]
async fn a_failure_amid_a_draft_fails_its_whole_group() {
    assert_whole_group_fails("select raise(abort, 'boom')").await;
}

#[tokio::test]
async fn a_deleted_message_is_gone_from_every_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    let w = world_in(&path, Box::new(()));
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    // The second one is longer than a page of the database.
    for text in ["marker-short", &format!("{}marker-long", "x".repeat(9_000))] {
        let said = w.say(ana, main, text).await;
        w.reword(ana, said.id, &format!("{text} marker-again")).await.unwrap();
        assert!(holds(home.path(), "marker-"));
        w.unsay(ana, said.id).await.unwrap();
        vanishes(home.path(), "marker-").await;
    }
    close(w).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_message_is_gone_even_when_the_writer_never_rests() {
    let home = tempfile::tempdir().unwrap();
    let w = world_in(&home.path().join("parlor.db"), Box::new(()));
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    let said = w.say(ana, main, "marker-text").await;
    w.unsay(ana, said.id).await.unwrap();
    let mut loading = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let store = Arc::clone(&w.store);
        // Empty changes keep the writer awake, and do not wear the write-ahead log out.
        loading.spawn(async move { while store.touch_users(vec![]).await.is_ok() {} });
    }
    vanishes(home.path(), "marker-").await;
    loading.shutdown().await;
    close(w).await;
}

#[tokio::test]
async fn a_deleted_room_leaves_no_row_behind() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    let w = world_in(&path, Box::new(()));
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let cy = w.account("cy").await;
    let rows = rows(&path);
    let mut draft = w.draft_room(ana, RoomKind::Private, "marker-room", &[bo]);
    draft.key = Some(crate::world::key(1));
    draft.password_hash = Some("marker-hash".to_owned());
    let room = w.create(draft).await.unwrap().value;
    let mut corner = w.draft_session(ana, room.id, &[bo]);
    corner.name = "marker-session".to_owned();
    corner.key = Some(crate::world::key(2));
    let corner = w.open(corner).await.unwrap().value;
    let mut newest = 0;
    for session in [room.main_session, corner.id] {
        let said = w.say(bo, session, "marker-text for @ana").await;
        newest = w.say(ana, session, "marker-other").await.no;
        w.reword(bo, said.id, "marker-reworded").await.unwrap();
    }
    let ban = |facts: &parlor_domain::RoomFacts| room::ban(facts, "marker-ban", &Limits::default());
    w.change(ana, room.id, &[cy], ban).await.unwrap();
    assert!(holds(home.path(), "marker-"));
    w.change(ana, room.id, &[], room::delete).await.unwrap();
    assert_eq!(self::rows(&path), rows);
    vanishes(home.path(), "marker-").await;
    close(w).await;
    let w = world_in(&path, Box::new(()));
    let next = w.say(ana, w.lobby(ana).await.main_session, "next").await;
    assert!(next.no > newest, "small ids are not given twice");
    let log = w.log(w.lobby(ana).await.main_session).await;
    assert!(matches!(log.last().unwrap().kind, EventKind::Posted(_)));
    close(w).await;
}

/// How many rows each table has that can hold anything of a room.
fn rows(path: &Path) -> Vec<(String, i64)> {
    let conn = Connection::open(path).unwrap();
    let sql = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' \
               and name not in ('user_events', 'meta') and name not glob 'search*'";
    let mut statement = conn.prepare(sql).unwrap();
    let tables = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let count = |table: String| {
        let sql = format!("select count(*) from {table}");
        let count = conn.query_row(&sql, [], |row| row.get(0)).unwrap();
        (table, count)
    };
    tables.map(|table| count(table.unwrap())).collect()
}

#[tokio::test]
async fn a_store_without_threads_commits_when_told() {
    let home = tempfile::tempdir().unwrap();
    let (w, mut manual) = by_hand(&home);
    assert!(manual.step(512).is_none());
    let ana = drive(&mut manual, w.account("ana")).await;
    let main = w.lobby(ana).await.main_session;
    let mut answers = Vec::new();
    for n in 0..3 {
        let draft = w.draft(ana, main, &n.to_string()).await;
        answers.push(w.store.append(draft).await.unwrap());
    }
    assert_eq!(w.log(main).await.len(), 1, "nothing is stored before the commit");
    let batch = manual.step(2).unwrap();
    assert_eq!(batch.events.len(), 2);
    assert!(answers[2].try_recv().is_err());
    assert!(answers[0].try_recv().unwrap().is_ok());
    assert_eq!(manual.step(512).unwrap().events.len(), 1);
    assert!(manual.step(512).is_none());
    drop(manual);
    assert!(matches!(w.store.check().await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_draft_whose_storing_panics_fails_and_the_next_is_stored() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    let w = world_in(&path, Box::new(()));
    let ana = w.account("ana").await;
    let [full, other] = [w.room(ana, RoomKind::Private, &[]).await, w.lobby(ana).await];
    close(w).await;
    // The number after the last one there is: counting on panics.
    let sql = "update heads set number = ? where session_no = \
               (select no from sessions where id = ?)";
    let bound = rusqlite::params![i64::MAX, full.main_session.0.as_bytes()];
    assert_eq!(Connection::open(&path).unwrap().execute(sql, bound).unwrap(), 1);
    let w = world_in(&path, Box::new(()));
    let before = w.log(full.main_session).await;
    for _ in 0..2 {
        let draft = w.draft(ana, full.main_session, "one too many").await;
        let failed = w.append(draft).await;
        assert!(matches!(failed, Err(StoreError::Database(_))), "{failed:?}");
        w.say(ana, other.main_session, "hello").await;
    }
    assert_eq!(w.log(full.main_session).await, before);
    close(w).await;
}
