//! An installation is moved to the other database and back, and is the same; copies of it are.

use std::path::Path;

use parlor_domain::{Draft, Forwarded, RoomKind, SessionId, Time, UserId, room};
use parlor_parts::Database;
use parlor_store::keys::KeyPlace;
use parlor_store::moves::{MoveError, Moved, Place, content_of, move_all};
use parlor_store::sqlite::{SqliteStore, backup};
use parlor_store::{Content, Kept, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio_postgres::NoTls;
use tokio_util::task::TaskTracker;

use crate::logins::new_login;
use crate::sqlite::{close, world_in};
use crate::world::World;

fn sqlite(path: &Path) -> Place {
    Place::Sqlite(path.to_owned())
}

fn postgres(database: &Database) -> Place {
    Place::Postgres(database.url())
}

/// Moves without anybody watching.
async fn moved(from: &Place, to: &Place) -> Result<Moved, MoveError> {
    let keys = |place: &Place| match place {
        Place::Sqlite(path) => KeyPlace::beside(path),
        Place::Postgres(url) => KeyPlace::Postgres(url.clone()),
    };
    move_all(from, to, (&keys(from), &keys(to)), &|_| {}).await
}

/// Something of every kind, some of it gone again, in a file that nobody has open afterwards.
async fn lived_in(path: &Path) -> String {
    let w = world_in(path, Box::new(()));
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let den = w.room(ana, RoomKind::Private, &[bo]).await;
    let direct = w.room(ana, RoomKind::Direct, &[bo]).await;
    for n in 0..40 {
        w.say(ana, den.main_session, &format!("émile says {n} 😀 to @bo")).await;
    }
    let said = w.say(bo, direct.main_session, "a secret").await;
    w.reword(bo, said.id, "a reworded secret").await.unwrap();
    let gone = w.say(ana, den.main_session, "taken back").await;
    w.unsay(ana, gone.id).await.unwrap();
    let brief = w.room(ana, RoomKind::Private, &[]).await;
    w.say(ana, brief.main_session, "in a room that is gone").await;
    w.change(ana, brief.id, &[], room::delete).await.unwrap();
    w.store.create_login(new_login(ana, 1, i64::MAX), w.now()).await.unwrap();
    // Jobs: one that was given up, one that somebody has, one that is to be done.
    crate::jobs::of_every_kind(&w).await;
    with_everything(&w, ana, bo, den.main_session).await;
    crate::encrypted::with_everything(&w, ana, bo).await;
    crate::pictures::set(&w, bo, crate::pictures::new(8, 20)).await.unwrap();
    let epoch = w.store.epoch().to_owned();
    close(w).await;
    epoch
}

/// A message of which everything became that can become of one.
async fn with_everything(w: &World, ana: UserId, bo: UserId, session: SessionId) {
    let file = crate::filing::file(w, ana, 7, 10).await;
    crate::filing::begin(w, ana, 500).await;
    let root = w.append(crate::filing::carrying(w, ana, session, &[file]).await).await.unwrap();
    w.say_under(bo, root.id, "@ana in a thread").await;
    w.pin(ana, root.id, true).await.unwrap();
    w.react(bo, root.id, "👍", true).await.unwrap();
    let forwarded = Some(Forwarded { sender: ana, sent_at: root.sent_at });
    let draft = w.draft(bo, session, "wise words").await;
    w.append(Draft { forwarded, ..draft }).await.unwrap();
    crate::drafts::keep(w, bo, (session, Some(root.id)), "so far", 9).await.unwrap();
    let linked = w.say(bo, session, "https://a.org/1").await;
    let preview = crate::previews::preview(w, 1).await;
    crate::previews::bring(w, linked.id, "https://a.org/1", &[preview]).await;
}

async fn who(w: &World, handle: &str) -> UserId {
    w.store.credentials(handle.to_owned()).await.unwrap().unwrap().user
}

async fn found(w: &World, by: &str, words: &str) -> usize {
    let user = who(w, by).await;
    w.find(user, words).await.len()
}

#[tokio::test]
async fn an_installation_is_the_same_there_and_back() {
    let home = TempDir::new().unwrap();
    let (here, back) = (home.path().join("here.db"), home.path().join("back.db"));
    let database = parlor_parts::database().unwrap();
    let epoch = lived_in(&here).await;

    let there = moved(&sqlite(&here), &postgres(&database)).await.unwrap();
    assert_eq!((there.epoch.as_str(), there.found), (epoch.as_str(), 0));
    assert!(there.content.rows("messages") > 40);
    let empty = there.content.tables.iter().filter(|table| table.rows == 0);
    let empty: Vec<_> = empty.map(|table| table.table.as_str()).collect();
    assert_eq!(empty, ["codes", "bans"], "the others are seen to be moved");
    let node = crate::postgres::node(&database.url(), Box::new(())).await;
    assert_eq!(node.store.epoch(), epoch);
    assert_eq!(found(&node, "ana", "émile ").await, 40);
    assert_eq!(found(&node, "bo", "reworded ").await, 1);
    let ana = who(&node, "ana").await;
    let room = node.room(ana, RoomKind::Private, &[]).await;
    let said = node.say(ana, room.main_session, "said there").await;
    drop(node);

    let again = moved(&postgres(&database), &sqlite(&back)).await.unwrap();
    assert_eq!(again.epoch, epoch);
    let w = world_in(&back, Box::new(()));
    assert_eq!(found(&w, "ana", "émile ").await, 40);
    assert_eq!(found(&w, "ana", "\"said there\"").await, 1);
    let next = w.say(ana, room.main_session, "said here").await;
    assert!(next.no > said.no, "small ids go on after the highest");
    assert_eq!(next.number, said.number + 1);
    close(w).await;
}

#[tokio::test]
async fn there_and_back_without_a_server_between_is_the_same_hash() {
    let home = TempDir::new().unwrap();
    let (here, back) = (home.path().join("here.db"), home.path().join("back.db"));
    let database = parlor_parts::database().unwrap();
    lived_in(&here).await;
    let before = content_of(&sqlite(&here)).await.unwrap();
    let there = moved(&sqlite(&here), &postgres(&database)).await.unwrap();
    let again = moved(&postgres(&database), &sqlite(&back)).await.unwrap();
    assert_eq!(before, there.content);
    assert_eq!(before, again.content);
    assert_eq!(before, content_of(&sqlite(&back)).await.unwrap());
    assert_eq!(before, content_of(&sqlite(&here)).await.unwrap(), "the source is as it was");
}

#[tokio::test]
async fn one_letter_makes_a_difference_that_is_named() {
    let home = TempDir::new().unwrap();
    let here = home.path().join("here.db");
    let database = parlor_parts::database().unwrap();
    lived_in(&here).await;
    let to = postgres(&database);
    let copied = moved(&sqlite(&here), &to).await.unwrap().content;
    assert_eq!(copied.differs(&content_of(&to).await.unwrap()), None);
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    TaskTracker::new().spawn(connection);
    let sql = "update messages set content = content || '.' where no = 1";
    client.execute(sql, &[]).await.unwrap();
    let meddled = content_of(&to).await.unwrap();
    assert_eq!(copied.differs(&meddled).as_deref(), Some("messages"));
    assert_ne!(copied.digest(), meddled.digest());
}

#[tokio::test]
async fn a_target_that_holds_anything_is_refused() {
    let home = TempDir::new().unwrap();
    let (here, other) = (home.path().join("here.db"), home.path().join("other.db"));
    lived_in(&here).await;
    lived_in(&other).await;
    let refused = moved(&sqlite(&here), &sqlite(&other)).await;
    assert!(matches!(refused, Err(MoveError::Occupied)), "{refused:?}");
    let database = parlor_parts::database().unwrap();
    moved(&sqlite(&here), &postgres(&database)).await.unwrap();
    let twice = moved(&sqlite(&here), &postgres(&database)).await;
    assert!(matches!(twice, Err(MoveError::Already)), "{twice:?}");
    let other = moved(&sqlite(&other), &postgres(&database)).await;
    assert!(matches!(other, Err(MoveError::Occupied)), "{other:?}");
    let none = moved(&sqlite(&home.path().join("none.db")), &postgres(&database)).await;
    assert!(matches!(none, Err(MoveError::Nothing)), "{none:?}");
}

#[tokio::test]
async fn nobody_moves_what_a_server_has_open_and_nobody_opens_what_is_half_moved() {
    let home = TempDir::new().unwrap();
    let here = home.path().join("here.db");
    let database = parlor_parts::database().unwrap();
    lived_in(&here).await;
    let w = world_in(&here, Box::new(()));
    let open = moved(&sqlite(&here), &postgres(&database)).await;
    assert!(open.unwrap_err().to_string().contains("open already"));
    close(w).await;
    let node = crate::postgres::node(&database.url(), Box::new(())).await;
    node.account("ana").await;
    let open = moved(&sqlite(&here), &postgres(&database)).await;
    assert!(open.unwrap_err().to_string().contains("in use"));
    drop(node);
    let half = home.path().join("half.db");
    moved(&sqlite(&here), &sqlite(&half)).await.unwrap();
    let conn = Connection::open(&half).unwrap();
    conn.execute("insert into meta (key, value) values ('moving', '{}')", []).unwrap();
    let refused = SqliteStore::open_manual(&half).err().unwrap();
    assert!(matches!(refused, StoreError::HalfMoved), "{refused}");
}

#[tokio::test]
async fn the_list_of_tables_is_what_both_databases_have() {
    let home = TempDir::new().unwrap();
    let here = home.path().join("here.db");
    lived_in(&here).await;
    let conn = Connection::open(&here).unwrap();
    let Content { tables } = content_of(&sqlite(&here)).await.unwrap();
    let sql = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' \
               and name not like 'search%' and name <> 'refinery_schema_history' order by name";
    let mut statement = conn.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    let names: Vec<String> = names.collect::<Result<_, _>>().unwrap();
    let mut listed: Vec<String> = tables.into_iter().map(|table| table.table).collect();
    listed.retain(|name| name != "next small ids");
    listed.sort();
    assert_eq!(names, listed);
    for table in names {
        let sql = "select name from pragma_table_info(?) order by name";
        let mut statement = conn.prepare(sql).unwrap();
        let columns = statement.query_map([&table], |row| row.get(0)).unwrap();
        let columns: Vec<String> = columns.collect::<Result<_, _>>().unwrap();
        let mut known = parlor_store::moves::columns(&table).unwrap();
        known.sort_unstable();
        assert_eq!(columns, known, "{table}");
    }
}

#[tokio::test]
async fn a_copy_is_sound_and_becomes_a_history_of_its_own() {
    let home = TempDir::new().unwrap();
    let (here, copy) = (home.path().join("here.db"), home.path().join("copy.db"));
    let epoch = lived_in(&here).await;
    let w = world_in(&here, Box::new(()));
    backup::copy(&here, &copy, |_, _| {}).unwrap();
    close(w).await;
    let state = backup::inspect(&copy).await.unwrap();
    assert_eq!(state.epoch.as_ref(), Some(&epoch));
    assert_eq!(state.content, Some(content_of(&sqlite(&here)).await.unwrap()));
    let conn = Connection::open(&here).unwrap();
    let count =
        |conn: &Connection, sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let last = count(&conn, "select number from messages order by no desc limit 1");
    assert_eq!(state.last_message.unwrap().number, last);
    assert_ne!(backup::renew(&copy, Kept::Nobody, Time(7)).unwrap(), epoch);
    let conn = Connection::open(&copy).unwrap();
    assert_eq!(count(&conn, "select count(*) from logins where revoked_at is null"), 0);
    assert_eq!(count(&conn, "select count(*) from codes"), 0);
    assert!(backup::copy(&here, &copy, |_, _| {}).is_err(), "nothing is written over");
}
