//! Sessions: who is in them and how far they have read.

use parlor_domain::room::Settings;
use parlor_domain::{
    Denied, EventKind, Gone, Limits, Role, RoomKind, SessionChange, SessionFacts, SessionId,
    UserEventKind, UserId, session,
};
use parlor_store::StoreError;
use parlor_store::accounts::ProfileChange;
use parlor_store::messages::Page;

use crate::world::{World, denied, id, key};

pub(crate) async fn a_session_begins_with_its_members(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let made = w.open(w.draft_session(bo, room.id, &[ana, bo])).await.unwrap();
    let session = made.value;
    assert!(made.fresh && !session.main && session.ended_at.is_none());
    assert_eq!((session.room, session.created_by), (room.id, Some(bo)));
    assert_eq!((session.head_seq, session.head_number, session.member_count), (2, 0, 2));
    let joined: Vec<_> = w.kinds_after(session.id, 0).await;
    let who = joined.iter().map(|kind| match kind {
        EventKind::Joined { user, by, .. } => (*user, *by),
        other => panic!("{other:?}"),
    });
    assert_eq!(who.collect::<Vec<_>>(), [(bo, None), (ana, Some(bo))]);
    for (user, whom) in [(bo, None), (ana, Some(bo))] {
        let told = w.told_to(user).await.pop().unwrap();
        let UserEventKind::Added { room: Some(of), session: Some(added), by } = told.kind else {
            panic!("{told:?}");
        };
        assert_eq!((of.id, added.id, added.head_seq, by), (room.id, session.id, 2, whom));
        assert_eq!(added.member_count, 2);
    }
    assert_eq!(w.store.session(bo, session.id).await.unwrap(), Some(session));
}

pub(crate) async fn a_session_takes_only_members_of_its_room(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    let refused = w.open(w.draft_session(ana, room.id, &[bo])).await;
    assert_eq!(denied(refused), Denied::NotFound);
    let refused = w.open(w.draft_session(bo, room.id, &[])).await;
    assert!(matches!(denied(refused), Denied::Forbidden(_)));
    // Not even when it was decided otherwise.
    let careless = Box::new(move |_: &_, _| Ok(vec![ana, bo]));
    let new = w.draft_session(ana, room.id, &[]);
    let refused = w.store.create_session(new, w.now(), careless).await;
    assert_eq!(denied(refused), Denied::NotFound);
    let corner = w.session(ana, room.id, &[]).await;
    let careless = move |_: &SessionFacts| Ok(vec![SessionChange::Add(bo)]);
    let refused = w.change_session(ana, corner.id, &[], careless).await;
    assert_eq!(denied(refused), Denied::NotFound);
    assert_eq!(w.store.sessions_of(ana, Some(room.id)).await.unwrap().len(), 2);
    assert_eq!(w.own_log(bo).await.len(), 1);
}

pub(crate) async fn a_session_in_an_unseen_room_is_not_found(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let careless = || Box::new(move |_: &_, _| Ok(vec![]));
    for new in [
        w.draft_session(bo, room.id, &[]),
        w.draft_session(bo, parlor_domain::RoomId(id()), &[]),
        w.draft_session(UserId(id()), room.id, &[]),
    ] {
        let refused = w.store.create_session(new, w.now(), careless()).await;
        assert_eq!(denied(refused), Denied::NotFound);
    }
}

pub(crate) async fn opening_a_session_is_carried_out_once(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let key = key(1);
    let new = |key| {
        let new = w.draft_session(ana, room.id, &[]);
        parlor_store::sessions::NewSession { key: Some(key), ..new }
    };
    let first = w.open(new(key)).await.unwrap();
    let again = w.open(new(key)).await.unwrap();
    assert!(first.fresh && !again.fresh);
    assert_eq!(first.value, again.value);
    let reused = w.open(new((key.0, [2; 16]))).await;
    assert!(matches!(reused, Err(StoreError::KeyReused)));
    // How many are open is a fact of the decision.
    let decide = Box::new(move |_: &_, open| {
        assert_eq!(open, 2);
        Err(Denied::Conflict("enough"))
    });
    let new = w.draft_session(ana, room.id, &[]);
    denied(w.store.create_session(new, w.now(), decide).await);
}

pub(crate) async fn who_is_added_to_a_session_has_nothing_unread(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let corner = w.session(ana, room.id, &[]).await;
    w.say(ana, corner.id, "before").await;
    let add = |facts: &SessionFacts| session::add(facts);
    let now = w.change_session(ana, corner.id, &[bo], add).await.unwrap().unwrap();
    assert_eq!((now.member_count, now.head_seq), (2, 3));
    let told = w.told_to(bo).await.pop().unwrap();
    let UserEventKind::Added { session: Some(added), by, .. } = told.kind else {
        panic!("{told:?}");
    };
    assert_eq!((added.id, added.unread(), added.head_seq, by), (corner.id, 0, 3, Some(ana)));
    w.change_session(ana, corner.id, &[bo], add).await.unwrap();
    assert_eq!(w.log(corner.id).await.len(), 3, "who is in is not added");
}

pub(crate) async fn who_is_removed_from_a_session_stays_in_the_room(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let corner = w.session(ana, room.id, &[bo]).await;
    let draft = w.draft(bo, corner.id, "late").await;
    let remove = |facts: &SessionFacts| session::remove(facts);
    let now = w.change_session(ana, corner.id, &[bo], remove).await.unwrap().unwrap();
    assert_eq!(now.member_count, 1);
    assert!(matches!(w.append(draft).await, Err(StoreError::Stale(_))));
    let newest = w.log(corner.id).await.pop().unwrap().kind;
    let expected = EventKind::Left { user: bo, by: Some(ana), reason: Gone::Removed };
    assert_eq!(newest, expected);
    let told = w.told_to(bo).await.pop().unwrap().kind;
    assert_eq!(
        told,
        UserEventKind::Removed {
            room: room.id,
            session: corner.id,
            whole_room: false,
            reason: Gone::Removed,
        }
    );
    assert_eq!(w.store.session(bo, corner.id).await.unwrap(), None);
    assert!(w.store.session(bo, room.main_session).await.unwrap().is_some());
    let gone = w.change_session(ana, corner.id, &[ana], remove).await.unwrap();
    assert_eq!(gone, None, "who has left does not see it");
    let newest = w.log(corner.id).await.pop().unwrap().kind;
    assert_eq!(newest, EventKind::Left { user: ana, by: None, reason: Gone::Left });
}

pub(crate) async fn a_renamed_session_says_so_in_its_log(mut w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let corner = w.session(ana, room.id, &[]).await;
    let draft = w.draft(ana, corner.id, "in time").await;
    let asked = session::Settings { name: Some("nook".to_owned()), ..Default::default() };
    let rename = |facts: &SessionFacts| {
        session::settings(facts, asked, &Limits::default()).map(|change| vec![change])
    };
    let now = w.change_session(ana, corner.id, &[], rename).await.unwrap().unwrap();
    assert_eq!(now.name, "nook");
    let told = w.told_of(corner.id).await.pop().unwrap().kind;
    assert_eq!(
        told,
        EventKind::SessionSettings {
            name: "nook".to_owned(),
            message_ttl: None,
            ending: None,
            by: ana
        }
    );
    assert_eq!(w.log(corner.id).await, w.told_of(corner.id).await);
    w.append(draft).await.unwrap_or_else(|_| panic!("a name decides nothing"));
}

pub(crate) async fn an_ended_session_is_neither_read_nor_written(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let corner = w.session(ana, room.id, &[bo]).await;
    w.say(bo, corner.id, "hi").await;
    let draft = w.draft(bo, corner.id, "late").await;
    let end = |facts: &SessionFacts| session::end(facts).map(|change| vec![change]);
    let ended = w.change_session(ana, corner.id, &[], end).await.unwrap().unwrap();
    assert!(ended.ended_at.is_some());
    assert!(matches!(w.append(draft).await, Err(StoreError::Stale(_))));
    let view = w.store.session_as_seen_by(bo, corner.id).await.unwrap().unwrap();
    assert!(view.ended && view.open().is_err());
    let page = w.store.page(bo, corner.id, Page::Newest, 9).await.unwrap().unwrap();
    let hi = &page.messages[0];
    assert_eq!((&*hi.content, hi.deleted_at), ("", ended.ended_at), "before it is erased");
    let told = w.told_of(corner.id).await.pop().unwrap();
    assert_eq!(told.kind, EventKind::Ended { by: Some(ana) });
    let listed = w.store.sessions_of(bo, Some(room.id)).await.unwrap();
    assert_eq!(listed[1].ended_at, ended.ended_at);
    let again = denied(w.change_session(ana, corner.id, &[], end).await);
    assert!(matches!(again, Denied::Conflict(_)));
}

pub(crate) async fn sessions_are_listed_with_the_main_one_first(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let first = w.room(ana, RoomKind::Private, &[bo]).await;
    let second = w.room(ana, RoomKind::Private, &[bo]).await;
    let a = w.session(ana, first.id, &[bo]).await;
    w.session(ana, first.id, &[]).await;
    let b = w.session(bo, first.id, &[]).await;
    let list = async |room| {
        let sessions = w.store.sessions_of(bo, room).await.unwrap();
        sessions.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!(list(Some(first.id)).await, [first.main_session, a.id, b.id]);
    assert_eq!(list(Some(second.id)).await, [second.main_session]);
    let lobby = w.lobby(bo).await.main_session;
    let all = [lobby, first.main_session, a.id, b.id, second.main_session];
    assert_eq!(list(None).await, all);
    assert_eq!(list(Some(parlor_domain::RoomId(id()))).await, []);
}

pub(crate) async fn sessions_are_found_that_two_people_share(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let both = w.session(ana, room.id, &[bo]).await;
    w.session(ana, room.id, &[]).await;
    w.room(ana, RoomKind::Public, &[]).await;
    let lobby = w.lobby(ana).await.main_session;
    for (user, other) in [(ana, bo), (bo, ana)] {
        let shared = async |room| {
            let found = w.store.sessions_shared(user, other, room).await.unwrap();
            found.into_iter().map(|session| session.id).collect::<Vec<_>>()
        };
        assert_eq!(shared(None).await, [lobby, room.main_session, both.id]);
        assert_eq!(shared(Some(room.id)).await, [room.main_session, both.id]);
        assert!(shared(Some(parlor_domain::RoomId(id()))).await.is_empty());
    }
    let own = w.store.sessions_shared(ana, ana, None).await.unwrap();
    assert_eq!(own, w.store.sessions_of(ana, None).await.unwrap());
    w.kick(ana, room.id, bo).await.unwrap();
    assert_eq!(w.store.sessions_shared(ana, bo, Some(room.id)).await.unwrap(), []);
    assert_eq!(w.store.sessions_shared(bo, ana, Some(room.id)).await.unwrap(), []);
    assert_eq!(w.store.sessions_shared(ana, UserId(id()), None).await.unwrap(), []);
}

pub(crate) async fn a_session_is_seen_by_its_members_only(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Unlisted, &[bo]).await;
    let corner = w.session(ana, room.id, &[]).await;
    let view = w.store.session_as_seen_by(ana, corner.id).await.unwrap().unwrap();
    assert_eq!((view.session, view.session_no, view.room), (corner.id, corner.no, room.id));
    assert_eq!((view.user, view.user_no), (ana, w.user(ana).await.no));
    assert_eq!((view.role, view.kind), (Role::Owner, RoomKind::Unlisted));
    assert_eq!((view.main, view.ended, view.archived), (false, false, false));
    assert_eq!(view.created_by, Some(ana));
    let main = w.store.session_as_seen_by(bo, room.main_session).await.unwrap().unwrap();
    assert!(main.main && main.role == Role::Member);
    for (user, session) in [(bo, corner.id), (ana, SessionId(id())), (UserId(id()), corner.id)] {
        assert_eq!(w.store.session_as_seen_by(user, session).await.unwrap(), None);
        assert_eq!(w.store.session(user, session).await.unwrap(), None);
        assert_eq!(w.store.session_members(user, session, None, 9).await.unwrap(), None);
        let add = |facts: &SessionFacts| session::add(facts);
        let refused = w.change_session(user, session, &[], add).await;
        assert_eq!(denied(refused), Denied::NotFound);
    }
    let archive = Settings { archived: Some(true), ..Settings::default() };
    w.set(ana, room.id, archive).await.unwrap();
    let later = w.store.session_as_seen_by(ana, corner.id).await.unwrap().unwrap();
    assert!(later.archived && later.acl_version > view.acl_version);
}

pub(crate) async fn a_marker_moves_forward_up_to_the_head(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    for n in 0..5 {
        w.say(ana, room.main_session, &format!("{n}")).await;
    }
    let mark = async |number| w.store.mark_read(bo, room.main_session, number).await.unwrap();
    let unread = async || w.store.session(bo, room.main_session).await.unwrap().unwrap().unread();
    assert_eq!(unread().await, 5);
    for (to, marker) in [(3, 3), (1, 3), (-7, 3), (i64::MIN, 3), (99, 5), (4, 5)] {
        assert_eq!(mark(to).await, Some(marker), "{to}");
    }
    assert_eq!(unread().await, 0);
    w.say(ana, room.main_session, "more").await;
    assert_eq!(unread().await, 1);
    assert_eq!(mark(i64::MAX).await, Some(6));
    let seq = w.log(room.main_session).await.len();
    assert_eq!(seq, 8, "markers are not logged");
}

pub(crate) async fn unread_mentions_are_counted(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    w.account("cy").await;
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let main = room.main_session;
    let mentions = async |user| w.store.session(user, main).await.unwrap().unwrap().mentions;
    w.say(ana, main, "@bo and @Bo again, @cy and @nobody").await;
    let second = w.say(ana, main, "hello @BO, says @ana").await;
    let third = w.say(ana, main, "and that was all").await;
    assert_eq!((mentions(bo).await, mentions(ana).await), (2, 0), "nobody names themselves");
    w.store.mark_read(bo, main, 1).await.unwrap();
    assert_eq!(mentions(bo).await, 1);
    w.unsay(ana, second.id).await.unwrap();
    assert_eq!(mentions(bo).await, 0, "a deleted message names nobody");
    w.say(ana, main, "@bo").await;
    w.store.mark_read(bo, main, third.number).await.unwrap();
    assert_eq!(mentions(bo).await, 1);
    w.store.mark_read(bo, main, 99).await.unwrap();
    assert_eq!(mentions(bo).await, 0);
    w.say(ana, main, "@bo?").await;
    assert_eq!(mentions(bo).await, 1);
    w.say(bo, main, "I, @bo, am here").await;
    assert_eq!(mentions(bo).await, 0, "who answers has read it");
}

pub(crate) async fn what_one_says_oneself_is_read(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let aside = w.open(w.draft_session(ana, room.id, &[bo])).await.unwrap().value.id;
    let read = async |user| {
        let all = w.store.sessions_of(user, Some(room.id)).await.unwrap();
        all.into_iter().map(|s| (s.read_number, s.unread())).collect::<Vec<_>>()
    };
    for text in ["1", "2", "3"] {
        w.say(ana, room.main_session, text).await;
    }
    assert_eq!(read(ana).await, [(3, 0), (0, 0)]);
    assert_eq!(read(bo).await, [(0, 3), (0, 0)]);
    w.say(bo, room.main_session, "4").await;
    w.say(ana, aside, "1").await;
    assert_eq!(read(ana).await, [(3, 1), (1, 0)]);
    assert_eq!(read(bo).await, [(4, 0), (0, 1)]);
    w.store.mark_read(bo, room.main_session, 2).await.unwrap();
    assert_eq!(read(bo).await, [(4, 0), (0, 1)], "never backwards");
}

pub(crate) async fn markers_of_who_hides_are_hidden(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    w.say(ana, room.main_session, "hi").await;
    w.store.mark_read(bo, room.main_session, 1).await.unwrap();
    let list = async |user, after: Option<&str>, limit| {
        let after = after.map(str::to_owned);
        let found = w.store.session_members(user, room.main_session, after, limit).await;
        let members = found.unwrap().unwrap().into_iter();
        members.map(|member| (member.user.id, member.read_number)).collect::<Vec<_>>()
    };
    assert_eq!(list(ana, None, 9).await, [(ana, Some(0)), (bo, Some(1))]);
    assert_eq!(list(ana, None, 1).await, [(ana, Some(0))]);
    assert_eq!(list(ana, Some("ana"), 9).await, [(bo, Some(1))]);
    let hide = ProfileChange { show_last_seen: Some(false), ..ProfileChange::default() };
    w.store.change_profile(bo, hide, w.now()).await.unwrap();
    assert_eq!(list(ana, None, 9).await, [(ana, Some(0)), (bo, None)]);
    assert_eq!(list(bo, None, 9).await, [(ana, Some(0)), (bo, Some(1))]);
}
