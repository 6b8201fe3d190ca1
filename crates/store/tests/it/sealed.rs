//! What is to disappear soon is kept sealed: it reads as everything else does as long as there is
//! its key, and nothing brings it back after that.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parlor_domain::ending::AskedEnding;
use parlor_domain::session::{self, Settings};
use parlor_domain::{Ending, EventKind, Limits, MessageId, RoomKind, SessionId, Time, UserId};
use parlor_store::StoreError;
use parlor_store::messages::Page;
use parlor_store::postgres::PostgresStore;
use parlor_store::sqlite;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::decay::say_for;
use crate::postgres::{Beside, config, node};
use crate::sqlite::{close, holds, vanishes, world_in};
use crate::world::World;

/// Ana and Bo, and the main session of a room of theirs.
pub(crate) async fn two(w: &World) -> (UserId, UserId, SessionId) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    (ana, bo, w.room(ana, RoomKind::Private, &[bo]).await.main_session)
}

/// Gives a session an end, far away.
pub(crate) async fn give_an_end(w: &World, user: UserId, session: SessionId) {
    let asked = AskedEnding { silence_s: Some(1_000_000), ..AskedEnding::default() };
    let ending = Ending::read(asked, w.now(), &Limits::default()).unwrap();
    let asked = Settings { ending: Some(ending), ..Settings::default() };
    let decide = |facts: &parlor_domain::SessionFacts| {
        session::settings(facts, asked, &Limits::default()).map(|change| vec![change])
    };
    w.change_session(user, session, &[], decide).await.unwrap();
}

/// Does all that is due now, two at a time.
pub(crate) async fn settle(w: &World) {
    let now = w.now();
    while w.store.decay(now, 2).await.unwrap().next.is_some_and(|next| next <= now) {}
}

async fn texts(w: &World, user: UserId, session: SessionId) -> Vec<String> {
    let page = w.store.page(user, session, Page::Newest, 100).await.unwrap().unwrap();
    page.messages.into_iter().map(|message| message.content).collect()
}

/// The texts that the log of a session tells.
async fn told(w: &World, session: SessionId) -> Vec<String> {
    let events = w.log(session).await.into_iter();
    let text = |event: parlor_domain::Event| match event.kind {
        EventKind::Posted(message) | EventKind::Edited(message) => Some(message.content),
        _ => None,
    };
    events.filter_map(text).collect()
}

pub(crate) async fn what_is_sealed_reads_as_everything_else_does(mut w: World) {
    let (ana, bo, main) = two(&w).await;
    let root = say_for(&w, ana, main, "soon gone", 600).await;
    assert_eq!(w.message(bo, root.id).await.content, "soon gone");
    w.say_under(bo, root.id, "beneath it").await;
    w.pin(bo, root.id, true).await.unwrap();
    w.react(bo, root.id, "\u{1f44d}", true).await.unwrap();
    assert_eq!(texts(&w, bo, main).await, ["soon gone", "beneath it"]);
    let pinned = w.store.pins(bo, main).await.unwrap().unwrap();
    assert_eq!(pinned[0].content, "soon gone");
    assert_eq!(pinned[0].extras.as_ref().unwrap().reactions.len(), 1);
    assert_eq!(told(&w, main).await, ["soon gone", "beneath it"]);
    let heard = w.told_of(main).await.into_iter();
    let posted = |event: parlor_domain::Event| match event.kind {
        EventKind::Posted(message) => Some(message.content),
        _ => None,
    };
    assert_eq!(heard.filter_map(posted).next().as_deref(), Some("soon gone"));
    let newest = w.store.newest(bo, 10, 10).await.unwrap();
    assert_eq!(newest[0].1.messages[0].content, "soon gone");
    let theirs = w.store.messages_of(bo, ana, None, None, 10).await.unwrap();
    assert_eq!(theirs[0].content, "soon gone");
    assert_eq!(w.store.linked(root.id).await.unwrap(), None, "what is behind a link stays plain");
    w.unsay(ana, root.id).await.unwrap();
    assert_eq!(texts(&w, bo, main).await, ["", "beneath it"]);
}

pub(crate) async fn what_is_sealed_is_found_by_its_words(w: World) {
    let (ana, bo, main) = two(&w).await;
    let cy = w.account("cy").await;
    w.say(ana, main, "a plain needle").await;
    say_for(&w, ana, main, "a sealed needle in hay", 600).await;
    say_for(&w, bo, main, "another needle in hay", 600).await;
    w.say(bo, main, "needle again").await;
    say_for(&w, bo, main, "no such thing", 600).await;
    let all = ["needle again", "another needle in hay", "a sealed needle in hay", "a plain needle"];
    assert_eq!(w.find(bo, "needle").await, all);
    assert_eq!(w.find(bo, "\"needle in\" -another").await, all[2..3]);
    assert_eq!(w.find(ana, "needle from:me").await, all[2..]);
    assert_eq!(w.find(bo, "nee").await, all, "by the beginning of a word");
    assert_eq!(w.find(cy, "needle").await, [""; 0], "who is not there finds nothing");
    let mut asked = crate::world::asked("needle");
    asked.limit = 1;
    for expected in all {
        let found = w.store.search(bo, asked.clone()).await.unwrap();
        assert_eq!(found.hits[0].message.content, expected, "page by page");
        asked.before = found.next;
    }
}

pub(crate) async fn what_was_said_before_its_session_got_an_end_is_sealed_then(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let corner = w.session(ana, room.id, &[bo]).await.id;
    let mut said = Vec::new();
    for text in ["needle one", "needle two", "needle three", "needle four", "needle five"] {
        said.push(w.say(ana, corner, text).await);
    }
    w.reword(ana, said[1].id, "needle reworded").await.unwrap();
    w.unsay(ana, said[2].id).await.unwrap();
    let (before, found) = (texts(&w, bo, corner).await, w.find(bo, "needle").await);
    give_an_end(&w, ana, corner).await;
    settle(&w).await;
    assert!(w.message(bo, said[0].id).await.is_sealed());
    assert!(!w.message(bo, said[2].id).await.is_sealed(), "there is nothing to seal");
    assert_eq!(texts(&w, bo, corner).await, before);
    assert_eq!(w.find(bo, "needle").await, found);
    let revisions = w.store.revisions(bo, said[1].id).await.unwrap().unwrap();
    assert_eq!(revisions[0].content, "needle two");
    let later = w.say(ana, corner, "needle six").await;
    assert!(w.message(bo, later.id).await.is_sealed());
    assert_eq!(w.find(bo, "six").await, ["needle six"]);
}

pub(crate) async fn another_wording_of_what_is_sealed_is_sealed(w: World) {
    let (ana, bo, main) = two(&w).await;
    let said = say_for(&w, ana, main, "first words", 600).await;
    w.reword(ana, said.id, "second words").await.unwrap();
    w.reword(ana, said.id, "third words").await.unwrap();
    let message = w.message(bo, said.id).await;
    assert!(message.is_sealed());
    assert_eq!(message.content, "third words");
    let revisions = w.store.revisions(bo, said.id).await.unwrap().unwrap();
    let earlier: Vec<&str> = revisions.iter().map(|revision| &*revision.content).collect();
    assert_eq!(earlier, ["first words", "second words"]);
    assert_eq!(w.find(bo, "words").await, ["third words"]);
    assert_eq!(w.find(bo, "first").await, [""; 0]);
}

/// What was said in a world that nobody may read later: until a deadline, until its session ends,
/// and before it was to end.
async fn markers(w: &World) -> (UserId, [SessionId; 2], MessageId, Time) {
    let (ana, bo, main) = two(w).await;
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let corner = w.session(ana, room.id, &[bo]).await.id;
    w.say(ana, corner, "marker-before").await;
    give_an_end(w, ana, corner).await;
    settle(w).await;
    w.say(ana, corner, "marker-after").await;
    let short = say_for(w, ana, main, "marker-short", 100).await;
    w.reword(ana, short.id, "marker-reworded").await.unwrap();
    (ana, [main, corner], short.id, short.expires_at.unwrap())
}

/// Ends a session now.
pub(crate) async fn end(w: &World, user: UserId, session: SessionId) {
    w.change_session(user, session, &[], |facts| session::end(facts).map(|change| vec![change]))
        .await
        .unwrap();
}

/// The same while somebody says something in it, which is refused as late and makes no key.
async fn end_under_a_send(w: &World, user: UserId, session: SessionId) {
    let late = w.draft(user, session, "late").await;
    end(w, user, session).await;
    assert!(matches!(w.append(late).await, Err(StoreError::Stale(_))));
}

#[tokio::test]
async fn no_file_holds_what_is_sealed_and_no_copy_gives_it_back() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    let w = world_in(&path, Box::new(()));
    let (ana, [main, corner], short, ends) = markers(&w).await;
    vanishes(home.path(), "marker-").await;
    let plain = w.say(ana, main, "marker-plain").await;
    assert!(holds(home.path(), "marker-plain"), "what is for ever is not sealed");
    w.unsay(ana, plain.id).await.unwrap();

    let copy = tempfile::tempdir().unwrap();
    sqlite::backup::copy(&path, &copy.path().join("copy"), |_, _| {}).unwrap();
    let before = restored(copy.path(), home.path()).await;
    let read = async |w: &World| {
        [texts(w, ana, main).await, texts(w, ana, corner).await].concat().join(" ")
    };
    assert_eq!(read(&before).await, "marker-reworded  marker-before marker-after");
    close(before).await;

    // Its second is over one second later.
    w.store.decay(ends, 100).await.unwrap();
    w.store.decay(ends + Duration::from_secs(1), 100).await.unwrap();
    end_under_a_send(&w, ana, corner).await;
    let keys = rusqlite::Connection::open(home.path().join("keys/parlor.db")).unwrap();
    let count = keys.query_row("select count(*) from session_keys", [], |row| row.get(0));
    assert_eq!(count, Ok(1), "the other session's");
    let after = restored(copy.path(), home.path()).await;
    assert_eq!(read(&after).await.trim(), "", "with every key that there is");
    let lost = after.message(ana, short).await;
    assert!(lost.deleted_at.is_some(), "{lost:?}");
    assert_eq!(after.store.revisions(ana, short).await.unwrap().unwrap()[0].content, "");
    assert_eq!(after.find(ana, "marker").await, [""; 0]);
    close(after).await;
    close(w).await;
}

/// A world on a copy of a database, with the keys that are now beside another.
pub(crate) async fn restored(copy: &Path, home: &Path) -> World {
    let place = placed(copy, home);
    world_in(&place.path().join("parlor.db"), Box::new(place))
}

/// A folder with a copy of a database, and the keys that are now beside another.
pub(crate) fn placed(copy: &Path, home: &Path) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("keys")).unwrap();
    fs::copy(copy.join("copy"), place.path().join("parlor.db")).unwrap();
    for file in fs::read_dir(home.join("keys")).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), place.path().join("keys").join(file.file_name())).unwrap();
    }
    place
}

#[tokio::test]
async fn no_table_holds_what_is_sealed_and_no_row_of_before_gives_it_back() {
    let database = parlor_parts::database().unwrap();
    let beside = Beside::of(&database.url()).await;
    let w = node(&database.url(), Box::new(())).await;
    let (ana, [main, corner], short, ends) = markers(&w).await;
    let plain = "select count(*) from messages where content <> ''";
    assert_eq!(beside.count(plain).await, 0);
    assert_eq!(beside.count("select count(*) from revisions where content <> ''").await, 0);
    let words = "select count(*) from search where words::text like '%marker%'";
    assert_eq!(beside.count(words).await, 0);
    let take = "create table copied as select * from messages";
    beside.client.batch_execute(take).await.unwrap();
    let give_back = "update messages m set sealed = c.sealed, deleted_at = c.deleted_at, \
                     extras = c.extras from copied c where c.no = m.no; \
                     update sessions set ended_at = null, erasing_after = null";
    let read = async |w: &World| {
        [texts(w, ana, main).await, texts(w, ana, corner).await].concat().join(" ")
    };
    let other = node(&database.url(), Box::new(())).await;
    let all = "marker-reworded marker-before marker-after";
    assert_eq!(read(&other).await, all, "another node has the keys, too");

    w.store.decay(ends, 100).await.unwrap();
    w.store.decay(ends + Duration::from_secs(1), 100).await.unwrap();
    end_under_a_send(&w, ana, corner).await;
    let keys = "select count(*) from parlor_keyring.session_keys";
    assert_eq!(beside.count(keys).await, 1, "the other session's");
    beside.client.batch_execute(give_back).await.unwrap();
    assert_eq!(read(&w).await.trim(), "");
    let after = node(&database.url(), Box::new(database)).await;
    assert_eq!(read(&after).await.trim(), "", "with every key that there is");
    assert!(after.message(ana, short).await.deleted_at.is_some());
}

#[tokio::test]
async fn rows_that_have_decayed_are_taken_out_of_their_pages() {
    let database = parlor_parts::database().unwrap();
    let beside = Beside::of(&database.url()).await;
    let w = node(&database.url(), Box::new(database)).await;
    let (ana, _, main) = two(&w).await;
    say_for(&w, ana, main, "words", 8 * 86_400).await;
    w.store.decay(w.now() + Duration::from_secs(9 * 86_400), 100).await.unwrap();
    let swept = "select least(vacuum_count, 1) from pg_stat_user_tables where relname = 'messages'";
    beside.comes_to(swept, 1).await;
}

#[tokio::test]
async fn the_keys_can_be_in_a_database_of_their_own() {
    let (database, keyring) =
        (parlor_parts::database().unwrap(), parlor_parts::database().unwrap());
    let (sink, heard) = mpsc::channel(65_536);
    let config = config(&database.url(), Some(&keyring.url()));
    let store = PostgresStore::open(&config, sink).await.unwrap();
    let w = World::new(Arc::new(store), heard, Box::new(()));
    let (ana, bo, main) = two(&w).await;
    say_for(&w, ana, main, "words", 100).await;
    assert_eq!(texts(&w, bo, main).await, ["words"]);
    let here = "select count(*) from information_schema.schemata \
                where schema_name = 'parlor_keyring'";
    assert_eq!(Beside::of(&database.url()).await.count(here).await, 0);
    let keys = "select count(*) from parlor_keyring.session_keys";
    assert_eq!(Beside::of(&keyring.url()).await.count(keys).await, 1);
}
