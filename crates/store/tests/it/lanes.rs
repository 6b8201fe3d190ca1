//! Sending on PostgreSQL: several nodes in one session, connections that are cut, a draft that the
//! database cannot take; and the index that is filled behind.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parlor_domain::{Draft, EventKind, Message, MessageId, RoomKind, SessionId, UserId};
use parlor_store::{Posted, Store, StoreError};
use tokio::task::JoinSet;

use crate::postgres::{Beside, node, pair};
use crate::world::{World, id};

async fn append(store: &Arc<dyn Store>, draft: Draft) -> Result<Posted, StoreError> {
    store.append(draft).await?.await.map_err(|_| StoreError::Closed)?
}

/// The messages of a session whose log has no hole and begins with `before` other events.
async fn said(w: &World, session: SessionId, before: i64) -> Vec<Message> {
    let log = w.log(session).await;
    assert!(log.iter().map(|event| event.seq).eq(1..=log.len() as i64), "there is a hole");
    let messages: Vec<Message> = log
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::Posted(message) => Some(message),
            _ => None,
        })
        .collect();
    assert!(messages.iter().map(|message| message.number).eq(1..=messages.len() as i64));
    assert!(messages.iter().all(|message| message.seq == message.number + before));
    assert!(messages.windows(2).all(|two| two[0].no < two[1].no), "small ids ascend");
    messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_send_into_one_session_and_each_draft_is_stored_once() {
    let (mut a, b) = pair().await;
    let (ana, bo) = (a.account("ana").await, a.account("bo").await);
    let den = a.room(ana, RoomKind::Private, &[bo]).await.main_session;
    let stores = [Arc::clone(&a.store), Arc::clone(&b.store)];
    let mut sends = JoinSet::new();
    for n in 0..200 {
        let draft = a.draft([ana, bo][n % 2], den, &n.to_string()).await;
        for store in &stores {
            // The same draft at both nodes, as from a client that gave up waiting for one.
            let (store, draft) =
                (Arc::clone(store), Draft { id: MessageId(id()), ..draft.clone() });
            sends.spawn(async move { (n, append(&store, draft).await.unwrap()) });
        }
    }
    let mut answers: BTreeMap<usize, Vec<Posted>> = BTreeMap::new();
    while let Some(answer) = sends.join_next().await {
        let (n, posted) = answer.unwrap();
        answers.entry(n).or_default().push(posted);
    }
    let messages = said(&b, den, 2).await;
    assert_eq!(messages.len(), 200);
    for (n, both) in &answers {
        let [one, other] = both.as_slice() else { panic!("two answers") };
        assert_eq!(
            (one.id, one.no, one.number, one.seq),
            (other.id, other.no, other.number, other.seq)
        );
        assert!(one.fresh != other.fresh, "one of them stored it");
        let stored = messages.iter().find(|message| message.id == one.id).unwrap();
        assert_eq!((stored.content.as_str(), stored.number), (n.to_string().as_str(), one.number));
    }
    // Each node tells what it stored itself, in the order in which it did.
    let told = a.told_until(|told| told.events.iter().any(|event| event.session == den)).await;
    assert!(!told.events.is_empty());
}

#[tokio::test]
async fn a_send_repeated_at_another_node_finds_the_first_result() {
    let (a, b) = pair().await;
    let ana = a.account("ana").await;
    let main = a.lobby(ana).await.main_session;
    let draft = a.draft(ana, main, "once").await;
    let first = a.append(draft.clone()).await.unwrap();
    assert!(first.fresh);
    let again = Draft { id: MessageId(id()), acl_version: 99, ..draft.clone() };
    assert_eq!(b.append(again).await.unwrap(), Posted { fresh: false, ..first });
    let other = Draft { digest: [1; 16], ..draft.clone() };
    assert!(matches!(b.append(other).await, Err(StoreError::KeyReused)));
    let found = b.store.receipt(ana, draft.client_id).await.unwrap().unwrap();
    assert_eq!(found.posted, Posted { fresh: false, ..first });
    assert_eq!(said(&a, main, 1).await.len(), 1);
}

#[tokio::test]
async fn a_group_answers_each_draft_for_itself() {
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let w = node(&url, Box::new(database)).await;
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    let den = w.room(ana, RoomKind::Private, &[]).await.main_session;
    // The database fails on one text, whatever group it comes in.
    let trap = "create function trap() returns trigger language plpgsql as \
                $$ begin if new.content = 'boom' then raise 'boom'; end if; return new; end $$; \
                create trigger spring before insert on messages for each row \
                execute function trap()";
    Beside::of(&url).await.client.batch_execute(trap).await.unwrap();
    let draft = async |session, text: &str| w.draft(ana, session, text).await;
    let answers_nothing = Some(MessageId(id()));
    let drafts = [
        draft(main, "first").await,
        draft(den, "boom").await,
        Draft { acl_version: 99, ..draft(main, "late").await },
        draft(den, "second").await,
        Draft { reply_to: answers_nothing, ..draft(main, "answer").await },
        draft(main, "boom").await,
        draft(main, "last").await,
    ];
    let mut queued = Vec::new();
    for draft in drafts {
        queued.push(w.store.append(draft).await.unwrap());
    }
    let mut answers = Vec::new();
    for queued in queued {
        answers.push(queued.await.unwrap());
    }
    let [first, boom, late, second, answer, other, last] = answers.try_into().unwrap();
    assert!(matches!((boom, other), (Err(StoreError::Database(_)), Err(StoreError::Database(_)))));
    assert!(matches!(late, Err(StoreError::Stale(_))), "{late:?}");
    assert!(matches!(answer, Err(StoreError::Denied(parlor_domain::Denied::NotFound))));
    assert_eq!((first.unwrap().number, last.unwrap().number), (1, 2));
    assert_eq!(second.unwrap().number, 1);
    assert_eq!(said(&w, main, 1).await.len(), 2);
}

/// Sends until it is acknowledged, as a client does.
async fn insist(store: &Arc<dyn Store>, draft: Draft) -> Posted {
    loop {
        let draft = Draft { id: MessageId(id()), ..draft.clone() };
        match append(store, draft).await {
            Ok(posted) => return posted,
            Err(StoreError::Unavailable(_) | StoreError::Busy) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_lose_nothing_that_was_acknowledged() {
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let w = node(&url, Box::new(database)).await;
    let ana = w.account("ana").await;
    let den = w.room(ana, RoomKind::Private, &[]).await.main_session;
    let beside = Beside::of(&url).await;
    let mut sends = JoinSet::new();
    for sender in 0..8 {
        let mut drafts = Vec::new();
        for n in 0..60 {
            drafts.push(w.draft(ana, den, &format!("{sender}.{n}")).await);
        }
        let store = Arc::clone(&w.store);
        sends.spawn(async move {
            let mut posted = Vec::new();
            for draft in drafts {
                let content = draft.content.clone();
                posted.push((content, insist(&store, draft).await));
            }
            posted
        });
    }
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
               where datname = current_database() and pid <> pg_backend_pid()";
    let mut pulse = tokio::time::interval(Duration::from_millis(30));
    let (mut cuts, mut acknowledged) = (0, Vec::new());
    loop {
        tokio::select! {
            posted = sends.join_next() => match posted {
                Some(posted) => acknowledged.extend(posted.unwrap()),
                None => break,
            },
            _ = pulse.tick() => cuts += beside.count(cut).await,
        }
    }
    assert!(cuts > 0, "no connection was cut, so nothing was shown");
    let messages = said(&w, den, 1).await;
    assert_eq!((messages.len(), acknowledged.len()), (480, 480));
    let contents: HashSet<&str> = messages.iter().map(|m| m.content.as_str()).collect();
    assert_eq!(contents.len(), 480, "each is there once");
    for (content, posted) in &acknowledged {
        let stored = &messages[usize::try_from(posted.number - 1).unwrap()];
        assert_eq!((&stored.content, stored.id, stored.seq), (content, posted.id, posted.seq));
    }
}

/// Queues many messages at once and waits for all.
async fn say_all(w: &World, user: UserId, session: SessionId, texts: impl Iterator<Item = String>) {
    let first = w.draft(user, session, "as all").await;
    let mut queued = Vec::new();
    for content in texts {
        let (id, client_id) = (MessageId(id()), parlor_domain::ClientId(id()));
        let draft = Draft { id, client_id, content, ..first.clone() };
        queued.push(w.store.append(draft).await.unwrap());
    }
    for queued in queued {
        queued.await.unwrap().unwrap();
    }
}

const INDEXED: &str = "select coalesce((select value::bigint from meta \
    where key = 'search_indexed_to'), 0)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_session_is_searched_stretch_by_stretch() {
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let w = node(&url, Box::new(database)).await;
    let ana = w.account("ana").await;
    let den = w.room(ana, RoomKind::Private, &[]).await.main_session;
    let text = |n: i64| match n {
        7 | 4_100 | 9_001 => format!("marker {n}"),
        n => format!("common {n}"),
    };
    let texts = (1..=9_010).map(text);
    say_all(&w, ana, den, texts).await;
    let beside = Beside::of(&url).await;
    beside.comes_to(INDEXED, 9_010).await;
    assert_eq!(beside.count("select count(*) from search").await, 9_010);
    assert_eq!(w.find(ana, "marker ").await, ["marker 9001", "marker 4100", "marker 7"]);
    assert_eq!(w.find(ana, "mark").await, ["marker 9001", "marker 4100", "marker 7"]);
    let newest = w.find(ana, "common ").await;
    assert!(newest.len() == 1_000 && newest[0] == "common 9010" && newest[999] == "common 8010");
    w.say(ana, den, "marker of now").await;
    assert_eq!(w.find(ana, "marker ").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_that_goes_on_is_found_beside_what_few_or_many_messages_have() {
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let w = node(&url, Box::new(database)).await;
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let text = |n: usize| match n % 50 {
        0 => format!("tea with cakes {n}"),
        1 => format!("biscuits with cake {n}"),
        2 => format!("biscuits with milk {n}"),
        _ => format!("tea with milk {n}"),
    };
    let of = |some: &[usize]| {
        let these = (0..400).rev().filter(|n| some.contains(&(n % 50)));
        these.map(text).collect::<Vec<_>>()
    };
    // Somebody who is in few sessions, and somebody who is in many.
    for (user, rooms) in [(ana, 1), (bo, 20)] {
        let mut sessions = Vec::new();
        for _ in 0..rooms {
            sessions.push(w.room(user, RoomKind::Private, &[]).await.main_session);
        }
        let beside = Beside::of(&url).await;
        let before = beside.count("select coalesce(max(no), 0) from messages").await;
        for (nth, session) in sessions.iter().enumerate() {
            let texts = (0..400).filter(|n| n % rooms == nth).map(text);
            say_all(&w, user, *session, texts).await;
        }
        beside.comes_to(INDEXED, before + 400).await;
        let sorted = async |query: &str| {
            let mut texts = w.find(user, query).await;
            texts.sort_by_key(|text| {
                let n = text.rsplit(' ').next().and_then(|n| n.parse::<usize>().ok());
                std::cmp::Reverse(n)
            });
            texts
        };
        assert_eq!(sorted("tea cak").await, of(&[0]), "many have the other word");
        assert_eq!(sorted("biscuits cak").await, of(&[1]), "few do");
        assert_eq!(sorted("from:me cak").await, of(&[0, 1]));
        assert_eq!(sorted("from:me biscuits mil").await, of(&[2]));
    }
}

#[tokio::test]
async fn what_is_gone_is_gone_from_the_index() {
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let w = node(&url, Box::new(database)).await;
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    let den = w.room(ana, RoomKind::Private, &[]).await;
    let said = w.say(ana, main, "first words").await;
    w.say(ana, den.main_session, "words of the den").await;
    let beside = Beside::of(&url).await;
    beside.comes_to(INDEXED, 2).await;
    let holding =
        |word: &str| format!("select count(*) from search where words::text like '%.{word}''%'");
    assert_eq!(beside.count(&holding("words")).await, 2);
    w.reword(ana, said.id, "second words").await.unwrap();
    assert_eq!(beside.count(&holding("first")).await, 0);
    assert_eq!(beside.count(&holding("second")).await, 1);
    w.unsay(ana, said.id).await.unwrap();
    w.change(ana, den.id, &[], parlor_domain::room::delete).await.unwrap();
    assert_eq!(beside.count("select count(*) from search").await, 0);
}
