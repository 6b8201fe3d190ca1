//! Many at once: order, density and exactly-once hold whatever shares a commit.

use std::sync::Arc;

use parlor_domain::{EventKind, MessageId, RoomKind};
use parlor_store::StoreError;
use tokio::task::JoinSet;

use crate::world::{World, id};

pub(crate) async fn numbers_have_no_holes_under_concurrent_sends(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let corner = w.session(ana, room.id, &[bo]).await;
    let sessions = [room.main_session, corner.id];
    let mut sends = JoinSet::new();
    for n in 0..120 {
        let (user, session) = ([ana, bo][n % 2], sessions[n / 2 % 2]);
        let draft = w.draft(user, session, &n.to_string()).await;
        let store = Arc::clone(&w.store);
        sends.spawn(async move { store.append(draft).await.unwrap().await.unwrap().unwrap() });
    }
    let mut posted = sends.join_all().await;
    posted.sort_by_key(|posted| posted.no);
    posted.dedup_by_key(|posted| posted.no);
    assert_eq!(posted.len(), 120, "small ids are unique");
    for session in sessions {
        let log = w.log(session).await;
        let seqs: Vec<_> = log.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=62).collect::<Vec<_>>());
        let numbers = log.iter().filter_map(|event| match &event.kind {
            EventKind::Posted(message) => Some((message.number, message.seq == event.seq)),
            _ => None,
        });
        assert_eq!(numbers.collect::<Vec<_>>(), (1..=60).map(|n| (n, true)).collect::<Vec<_>>());
        assert_eq!(w.told_of(session).await, log);
    }
}

pub(crate) async fn a_concurrent_repetition_is_stored_once(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let draft = w.draft(ana, room.main_session, "once").await;
    let mut sends = JoinSet::new();
    for _ in 0..20 {
        let (store, mut draft) = (Arc::clone(&w.store), draft.clone());
        draft.id = MessageId(id());
        sends.spawn(async move { store.append(draft).await.unwrap().await.unwrap().unwrap() });
    }
    let posted = sends.join_all().await;
    assert_eq!(posted.iter().filter(|posted| posted.fresh).count(), 1);
    assert!(posted.iter().all(|one| (one.id, one.seq) == (posted[0].id, posted[0].seq)));
    assert_eq!(w.log(room.main_session).await.len(), 2);
}

pub(crate) async fn drafts_are_stored_in_the_order_in_which_they_were_queued(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let mut answers = Vec::new();
    for n in 0..50 {
        let draft = w.draft(ana, room.main_session, &n.to_string()).await;
        answers.push(w.store.append(draft).await.unwrap());
    }
    for (n, answer) in (1..).zip(answers) {
        assert_eq!(answer.await.unwrap().unwrap().number, n);
    }
}

pub(crate) async fn a_send_either_precedes_a_removal_or_is_refused(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    for round in 0..10 {
        w.join(bo, room.id).await.unwrap();
        let mut answers = Vec::new();
        for n in 0..4 {
            let draft = w.draft(bo, room.main_session, &format!("{round}.{n}")).await;
            answers.push(async { w.append(draft).await });
        }
        let [a, b, c, d] = <[_; 4]>::try_from(answers).unwrap_or_else(|_| panic!("four"));
        let (a, kicked, b, c, d) = tokio::join!(a, w.kick(ana, room.id, bo), b, c, d);
        kicked.unwrap();
        let left = w.log(room.main_session).await.pop().unwrap();
        assert!(left.takes_out() == Some(bo), "nothing of theirs comes after {left:?}");
        for result in [a, b, c, d] {
            match result {
                Ok(posted) => assert!(posted.seq < left.seq, "{posted:?} comes after {left:?}"),
                Err(StoreError::Stale(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    }
}
