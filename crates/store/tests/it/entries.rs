//! The entries of the logs: dense, told as stored, and shown as the reader may see them now.

use parlor_domain::room::Settings;
use parlor_domain::{EventKind, Role, RoomKind, SessionId, UserEventKind, UserId};

use crate::logins::sign_in;
use crate::world::{World, id};

pub(crate) async fn a_log_is_read_from_any_point(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    for n in 0..4 {
        w.say(ana, room.main_session, &n.to_string()).await;
    }
    let read = async |after, limit| {
        let page = w.store.events_after(ana, room.main_session, after, limit).await;
        let page = page.unwrap().unwrap();
        assert!(page.events.iter().all(|event| event.session == room.main_session));
        let seqs: Vec<_> = page.events.iter().map(|event| event.seq).collect();
        (seqs, page.head)
    };
    assert_eq!(read(0, 99).await, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(read(-1, 2).await, (vec![1, 2], 5));
    assert_eq!(read(3, u64::MAX).await, (vec![4, 5], 5));
    assert_eq!(read(0, 0).await, (vec![], 5));
    assert_eq!(read(5, 9).await, (vec![], 5));
    assert_eq!(read(i64::MAX, 9).await, (vec![], 5));
    let between = w.store.events_between(room.main_session, 2, 5).await.unwrap();
    let seqs: Vec<_> = between.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [3, 4]);
    for (user, session) in [(bo, room.main_session), (ana, SessionId(id()))] {
        assert_eq!(w.store.events_after(user, session, 0, 9).await.unwrap(), None);
    }
}

pub(crate) async fn an_entry_shows_its_message_as_it_is_now(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let said = w.say(ana, room.main_session, "one").await;
    let other = w.say(ana, room.main_session, "secret").await;
    let now = w.reword(ana, said.id, "two").await.unwrap();
    w.unsay(ana, other.id).await.unwrap();
    let log = w.kinds_after(room.main_session, 1).await;
    assert_eq!(log[0], EventKind::Posted(now.clone()));
    assert_eq!(log[2], EventKind::Edited(now));
    let EventKind::Posted(gone) = &log[1] else { panic!("{log:?}") };
    assert_eq!((gone.content.as_str(), gone.deleted_at.is_some()), ("", true));
    assert!(matches!(log[3], EventKind::Deleted { number: 2, .. }));
}

pub(crate) async fn what_is_told_is_what_is_stored(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[bo]).await;
    let corner = w.session(bo, room.id, &[ana]).await;
    for session in [room.main_session, corner.id] {
        w.say(ana, session, "hi").await;
        w.say(bo, session, "ho").await;
    }
    w.set_role(ana, room.id, bo, Role::Moderator).await.unwrap();
    let rename = Settings { name: Some("lair".to_owned()), ..Settings::default() };
    w.set(ana, room.id, rename).await.unwrap();
    w.leave(ana, room.id).await.unwrap();
    w.join(ana, room.id).await.unwrap();
    w.ban(bo, room.id, ana).await.unwrap();
    for session in [room.main_session, corner.id, w.lobby(ana).await.main_session] {
        let stored = w.log(session).await;
        let seqs: Vec<_> = stored.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=stored.len() as i64).collect::<Vec<_>>(), "no holes");
        assert_eq!(w.told_of(session).await, stored);
    }
}

pub(crate) async fn ones_own_log_has_no_holes(mut w: World) {
    let ana = w.account("ana").await;
    for n in 1..=3 {
        w.room(ana, RoomKind::Private, &[]).await;
        sign_in(&w, ana, n, 9_000_000).await;
    }
    let all = w.own_log(ana).await;
    let seqs: Vec<_> = all.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=10).collect::<Vec<_>>());
    let told: Vec<_> = w.told_to(ana).await.iter().map(|entry| entry.seq).collect();
    assert_eq!(told, seqs);
    let read = async |after, limit| {
        let page = w.store.user_events_after(ana, after, limit).await.unwrap();
        (page.events, page.head)
    };
    assert_eq!(read(0, 4).await, (all[..4].to_vec(), 10));
    assert_eq!(read(4, 99).await, (all[4..].to_vec(), 10));
    assert_eq!(read(10, 9).await, (vec![], 10));
    assert_eq!(read(-5, 1).await, (all[..1].to_vec(), 10));
    let nobody = w.store.user_events_after(UserId(id()), 0, 9).await.unwrap();
    assert_eq!((nobody.events.len(), nobody.head), (0, 0));
}

pub(crate) async fn an_entry_about_what_one_has_left_shows_nothing(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(bo, RoomKind::Private, &[ana]).await;
    w.leave(bo, room.id).await.unwrap();
    let own: Vec<_> = w.own_log(bo).await.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(own[1], UserEventKind::RoomCreated(None));
    assert_eq!(own[2], UserEventKind::Added { room: None, session: None, by: None });
    assert!(matches!(own[3], UserEventKind::Removed { whole_room: true, .. }));
    let theirs = w.own_log(ana).await.pop().unwrap();
    let UserEventKind::Added { room: Some(seen), .. } = theirs.kind else { panic!("{theirs:?}") };
    assert_eq!(seen.my_role, Some(Role::Owner), "everything is shown as it is now");
}

pub(crate) async fn heads_are_told_of_what_exists(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[bo]).await;
    let corner = w.session(bo, room.id, &[ana]).await;
    w.say(ana, room.main_session, "hi").await;
    let (main, other) = (w.log(room.main_session).await.len(), w.log(corner.id).await.len());
    let asked = vec![corner.id, SessionId(id()), room.main_session];
    let mut heads = w.store.heads(asked).await.unwrap();
    let mut expected = [(room.main_session, main as i64), (corner.id, other as i64)];
    heads.sort();
    expected.sort();
    assert_eq!(heads, expected);
    let own = w.own_log(bo).await.len() as i64;
    assert_eq!(w.store.user_heads(vec![UserId(id()), bo]).await.unwrap(), [(bo, own)]);
    assert_eq!(w.store.heads(vec![]).await.unwrap(), []);
}

pub(crate) async fn the_store_says_that_it_works(w: World) {
    w.store.check().await.unwrap();
    assert!(!w.store.epoch().is_empty());
}
