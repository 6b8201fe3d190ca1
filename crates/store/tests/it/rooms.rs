//! Rooms: made, found, seen, changed, deleted.

use parlor_domain::room::{self, Settings};
use parlor_domain::{
    Denied, EventKind, Gone, Role, Room, RoomId, RoomKind, Rules, SessionId, UserEventKind, UserId,
};
use parlor_store::StoreError;

use crate::world::{World, denied, id, key};

pub(crate) async fn a_new_room_has_its_people_and_tells_them(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let mut draft = w.draft_room(ana, RoomKind::Private, "Den", &[bo]);
    draft.password_hash = Some("hash".to_owned());
    let made = w.create(draft.clone()).await.unwrap();
    let room = &made.value;
    assert!(made.fresh && room.has_password && !room.lobby);
    assert_eq!((room.id, room.main_session), (draft.id, draft.main_session));
    assert_eq!((room.name.as_str(), room.kind, room.member_count), ("Den", RoomKind::Private, 2));
    assert_eq!((room.my_role, room.people.len()), (Some(Role::Owner), 0));
    assert_eq!(w.store.room(ana, room.id).await.unwrap().as_ref(), Some(room));
    let seen = w.store.room(bo, room.id).await.unwrap().unwrap();
    assert_eq!(seen.my_role, Some(Role::Member));
    assert_eq!(w.store.room_password(room.id).await.unwrap().as_deref(), Some("hash"));
    assert_eq!(w.store.room_password(w.lobby(ana).await.id).await.unwrap(), None);

    let joined = w.kinds_after(room.main_session, 0).await;
    let who = joined.iter().map(|kind| match kind {
        EventKind::Joined { user, by, .. } => (*user, *by),
        other => panic!("{other:?}"),
    });
    assert_eq!(who.collect::<Vec<_>>(), [(ana, None), (bo, Some(ana))]);
    assert_eq!(w.told_of(room.main_session).await, w.log(room.main_session).await);

    let own = w.told_to(ana).await;
    assert_eq!(own[1].kind, UserEventKind::RoomCreated(Some(Box::new(room.clone()))));
    for (user, seen, by) in [(ana, room, None), (bo, &seen, Some(ana))] {
        let told = w.told_to(user).await.pop().unwrap();
        let UserEventKind::Added { room, session, by: whom } = told.kind else {
            panic!("{told:?}");
        };
        let session = session.unwrap();
        assert_eq!((room.as_deref(), whom), (Some(seen), by));
        assert_eq!((session.head_seq, session.member_count), (2, 2));
        assert!(session.main && session.ended_at.is_none());
    }
}

pub(crate) async fn a_room_with_a_stranger_is_not_made(w: World) {
    let ana = w.account("ana").await;
    let draft = w.draft_room(ana, RoomKind::Public, "den", &[UserId(id())]);
    assert_eq!(denied(w.create(draft.clone()).await), Denied::NotFound);
    assert_eq!(w.store.room(ana, draft.id).await.unwrap(), None);
    let nobody = w.draft_room(UserId(id()), RoomKind::Public, "den", &[ana]);
    assert_eq!(denied(w.create(nobody).await), Denied::NotFound);
    assert_eq!(w.store.rooms_of(ana).await.unwrap().len(), 1);
    assert_eq!(w.own_log(ana).await.len(), 1);
}

pub(crate) async fn a_person_owns_no_more_rooms_than_the_limit(w: World) {
    let (_, ana, bo) = (w.account("first").await, w.account("ana").await, w.account("bo").await);
    let draft = || w.draft_room(ana, RoomKind::Public, "den", &[bo]);
    for _ in 0..2 {
        w.store.create_room(draft(), 2, w.now()).await.unwrap();
    }
    let refused = denied(w.store.create_room(draft(), 2, w.now()).await);
    assert!(matches!(refused, Denied::Conflict(_)));
    let others = w.draft_room(bo, RoomKind::Public, "den", &[]);
    w.store.create_room(others, 2, w.now()).await.unwrap();
    let direct = w.draft_room(ana, RoomKind::Direct, "", &[bo]);
    w.store.create_room(direct, 2, w.now()).await.unwrap();
}

pub(crate) async fn a_creating_request_is_carried_out_once(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let (key, other) = (key(1), key(1));
    let draft = |creator, key| {
        let draft = w.draft_room(creator, RoomKind::Private, "den", &[]);
        parlor_store::rooms::RoomDraft { key: Some(key), ..draft }
    };
    let first = w.create(draft(ana, key)).await.unwrap();
    let again = w.create(draft(ana, key)).await.unwrap();
    assert!(first.fresh && !again.fresh);
    assert_eq!(first.value, again.value);
    let reused = w.create(draft(ana, (key.0, [2; 16]))).await;
    assert!(matches!(reused, Err(StoreError::KeyReused)));
    assert!(w.create(draft(ana, other)).await.unwrap().fresh);
    assert!(w.create(draft(bo, key)).await.unwrap().fresh, "a key is its user's");
    assert_eq!(w.store.rooms_of(ana).await.unwrap().len(), 3);
}

pub(crate) async fn a_key_is_for_one_kind_of_thing(w: World) {
    let ana = w.account("ana").await;
    let lobby = w.lobby(ana).await;
    let key = key(7);
    let mut draft = w.draft_room(ana, RoomKind::Private, "den", &[]);
    draft.key = Some(key);
    w.create(draft).await.unwrap();
    let mut message = w.draft(ana, lobby.main_session, "hi").await;
    (message.client_id, message.digest) = key;
    assert!(matches!(w.append(message).await, Err(StoreError::KeyReused)));
    let receipt = w.store.receipt(ana, key.0).await;
    assert!(matches!(receipt, Err(StoreError::KeyReused)));
    let mut session = w.draft_session(ana, lobby.id, &[]);
    session.key = Some(key);
    assert!(matches!(w.open(session).await, Err(StoreError::KeyReused)));

    let message = w.draft(ana, lobby.main_session, "hi").await;
    let mut draft = w.draft_room(ana, RoomKind::Private, "den", &[]);
    draft.key = Some((message.client_id, message.digest));
    w.append(message).await.unwrap();
    assert!(matches!(w.create(draft).await, Err(StoreError::KeyReused)));
}

pub(crate) async fn a_direct_room_is_one_for_each_set_of_people(w: World) {
    let (ana, bo, cy) = (w.account("ana").await, w.account("bo").await, w.account("cy").await);
    let direct = async |creator, others: &[UserId]| {
        w.create(w.draft_room(creator, RoomKind::Direct, "", others)).await.unwrap()
    };
    let first = direct(ana, &[bo]).await;
    let same = direct(bo, &[ana]).await;
    assert!(first.fresh && !same.fresh);
    assert_eq!(first.value, same.value);
    let room = &first.value;
    assert_eq!((room.name.as_str(), room.my_role), ("", Some(Role::Member)));
    let people: Vec<_> = room.people.iter().map(|user| user.id).collect();
    assert_eq!(people, [ana, bo]);
    let three = direct(ana, &[cy, bo]).await;
    assert!(three.fresh && three.value.people.len() == 3);
    assert_eq!(direct(cy, &[bo, ana]).await.value.id, three.value.id);
    assert_eq!(w.store.room(cy, room.id).await.unwrap(), None);
    assert_eq!(w.store.rooms_of(bo).await.unwrap()[1].people, room.people);
}

pub(crate) async fn who_left_a_direct_room_is_in_it_again(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let direct = w.room(ana, RoomKind::Direct, &[bo]).await;
    w.say(ana, direct.main_session, "hi").await;
    w.leave(bo, direct.id).await.unwrap();
    let alone = w.store.room(ana, direct.id).await.unwrap().unwrap();
    assert_eq!((alone.people.len(), alone.member_count), (1, 1));
    assert_eq!(w.store.room(bo, direct.id).await.unwrap(), None);
    let again = w.create(w.draft_room(ana, RoomKind::Direct, "", &[bo])).await.unwrap();
    assert!(!again.fresh);
    assert_eq!((again.value.id, again.value.people.len()), (direct.id, 2));
    let told = w.told_to(bo).await.pop().unwrap();
    assert!(matches!(told.kind, UserEventKind::Added { by: Some(by), .. } if by == ana));
    let session = w.store.session(bo, direct.main_session).await.unwrap().unwrap();
    assert_eq!((session.unread(), session.head_number), (0, 1));
}

pub(crate) async fn a_room_is_seen_by_members_and_when_open_by_everybody(w: World) {
    let (ana, bo, cy) = (w.account("ana").await, w.account("bo").await, w.account("cy").await);
    for (kind, open) in [
        (RoomKind::Public, true),
        (RoomKind::Unlisted, true),
        (RoomKind::Private, false),
        (RoomKind::Direct, false),
    ] {
        let room = w.room(ana, kind, &[bo]).await;
        let seen = async |user| w.store.room(user, room.id).await.unwrap();
        assert!(seen(bo).await.unwrap().my_role.is_some(), "{kind:?}");
        let stranger = seen(cy).await;
        assert_eq!(stranger.is_some(), open, "{kind:?}");
        assert!(stranger.is_none_or(|room| room.my_role.is_none()));
        if kind != RoomKind::Direct {
            w.ban(ana, room.id, cy).await.unwrap();
            assert_eq!(seen(cy).await, None, "the banned see nothing");
        }
    }
    assert_eq!(w.store.room(ana, RoomId(id())).await.unwrap(), None);
    assert_eq!(w.store.room(UserId(id()), w.lobby(ana).await.id).await.unwrap(), None);
}

pub(crate) async fn public_rooms_are_found_by_any_part_of_their_text(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let mut rooms = Vec::new();
    for (name, kind) in [
        ("Ünder 100%", RoomKind::Public),
        ("Chess_club", RoomKind::Public),
        ("chess hidden", RoomKind::Unlisted),
        ("chess archived", RoomKind::Public),
        ("chess banned", RoomKind::Public),
    ] {
        rooms.push(w.create(w.draft_room(ana, kind, name, &[])).await.unwrap().value);
    }
    let archive = Settings { archived: Some(true), ..Settings::default() };
    w.set(ana, rooms[3].id, archive).await.unwrap();
    w.ban(ana, rooms[4].id, bo).await.unwrap();
    let describe = Settings { description: Some("Openings".to_owned()), ..Settings::default() };
    w.set(ana, rooms[1].id, describe).await.unwrap();
    let find = async |user, query: &str, after, limit| {
        let found = w.store.public_rooms(user, query.to_owned(), after, limit).await.unwrap();
        found.into_iter().map(|room| room.name).collect::<Vec<_>>()
    };
    assert_eq!(find(bo, "", None, 9).await, ["Lobby", "Ünder 100%", "Chess_club"]);
    assert_eq!(find(bo, "CHESS", None, 9).await, ["Chess_club"]);
    assert_eq!(find(ana, "chess", None, 9).await, ["Chess_club", "chess banned"]);
    assert_eq!(find(bo, "opening", None, 9).await, ["Chess_club"]);
    assert_eq!(find(bo, "ünder 100%", None, 9).await, ["Ünder 100%"]);
    assert_eq!(find(bo, "s_c", None, 9).await, ["Chess_club"]);
    for literal in ["_u", "1%0", "\\", "' or 1=1 --"] {
        assert!(find(bo, literal, None, 9).await.is_empty(), "{literal}");
    }
    assert_eq!(find(bo, "", None, 2).await, ["Lobby", "Ünder 100%"]);
    assert_eq!(find(bo, "", Some(rooms[0].no), 2).await, ["Chess_club"]);
}

pub(crate) async fn the_rooms_of_a_person_come_in_the_order_of_their_making(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let first = w.room(bo, RoomKind::Public, &[]).await;
    let second = w.room(ana, RoomKind::Private, &[bo]).await;
    w.join(ana, first.id).await.unwrap();
    let ids = |rooms: Vec<Room>| rooms.into_iter().map(|room| room.id).collect::<Vec<_>>();
    let lobby = w.lobby(ana).await.id;
    assert_eq!(ids(w.store.rooms_of(ana).await.unwrap()), [lobby, first.id, second.id]);
    w.leave(bo, first.id).await.unwrap();
    assert_eq!(ids(w.store.rooms_of(bo).await.unwrap()), [lobby, second.id]);
    assert!(w.store.rooms_of(UserId(id())).await.unwrap().is_empty());
}

pub(crate) async fn settings_change_where_asked_and_are_logged(mut w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Public, &[]).await;
    let asked = Settings {
        description: Some("about".to_owned()),
        password_hash: Some(Some("secret".to_owned())),
        ..Settings::default()
    };
    let now = w.set(ana, room.id, asked).await.unwrap().unwrap();
    assert_eq!((now.name.as_str(), now.description.as_str()), ("den", "about"));
    assert!(now.has_password);
    assert_eq!(w.store.room_password(room.id).await.unwrap().as_deref(), Some("secret"));
    let told = w.told_of(room.main_session).await.pop().unwrap();
    assert_eq!(
        told.kind,
        EventKind::RoomSettings {
            room: room.id,
            name: "den".to_owned(),
            description: "about".to_owned(),
            kind: RoomKind::Public,
            has_password: true,
            archived_at: None,
            rules: Rules::default(),
            by: ana,
        }
    );
    assert_eq!(w.log(room.main_session).await.pop(), Some(told));
    let asked = Settings {
        name: Some("lair".to_owned()),
        kind: Some(RoomKind::Private),
        password_hash: Some(None),
        ..Settings::default()
    };
    let now = w.set(ana, room.id, asked).await.unwrap().unwrap();
    assert_eq!((now.name.as_str(), now.kind, now.has_password), ("lair", RoomKind::Private, false));
    assert_eq!(now.description, "about");
}

pub(crate) async fn archiving_makes_earlier_decisions_stale(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Public, &[]).await;
    let corner = w.session(ana, room.id, &[]).await;
    let sessions = [room.main_session, corner.id];
    let rename = Settings { name: Some("lair".to_owned()), ..Settings::default() };
    let archive = |archived| Settings { archived: Some(archived), ..Settings::default() };
    for session in sessions {
        let draft = w.draft(ana, session, "before").await;
        w.set(ana, room.id, rename.clone()).await.unwrap();
        w.append(draft).await.unwrap();
        let draft = w.draft(ana, session, "late").await;
        let archived = w.set(ana, room.id, archive(true)).await.unwrap().unwrap();
        let since = archived.archived_at;
        assert!(since.is_some());
        assert!(matches!(w.append(draft).await, Err(StoreError::Stale(_))));
        let view = w.store.session_as_seen_by(ana, session).await.unwrap().unwrap();
        assert!(view.archived && view.open().is_err());
        let again = w.set(ana, room.id, archive(true)).await.unwrap().unwrap();
        assert_eq!(again.archived_at, since, "it is archived once");
        let back = w.set(ana, room.id, archive(false)).await.unwrap().unwrap();
        assert_eq!(back.archived_at, None);
        w.say(ana, session, "after").await;
    }
}

pub(crate) async fn a_deleted_room_is_gone_for_everybody(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let corner = w.session(ana, room.id, &[bo]).await;
    let said = w.say(bo, corner.id, "hi").await;
    let draft = w.draft(bo, room.main_session, "late").await;
    let gone = w.change(ana, room.id, &[], room::delete).await.unwrap();
    assert_eq!(gone, None);

    let sessions = [corner.id, room.main_session];
    let over = |told: &parlor_store::Batch| {
        let ended = told.events.iter().filter(|event| {
            event.kind == EventKind::Ended { by: Some(ana) } && sessions.contains(&event.session)
        });
        ended.map(|event| (event.session, event.seq)).collect::<Vec<_>>()
    };
    let told = w.told_until(|told| over(told).len() == 2).await;
    assert_eq!(over(told), [(corner.id, 4), (room.main_session, 3)], "those who listen hear it");
    for user in [ana, bo] {
        let removed = w.told_to(user).await.into_iter().rev().take(2).map(|entry| entry.kind);
        let removed: Vec<_> = removed.collect();
        let expected = |session, whole_room| UserEventKind::Removed {
            room: room.id,
            session,
            whole_room,
            reason: Gone::Deleted,
        };
        assert_eq!(removed, [expected(room.main_session, true), expected(corner.id, false),]);
    }
    assert!(matches!(w.append(draft).await, Err(StoreError::Denied(Denied::NotFound))));
    for user in [ana, bo] {
        assert_eq!(w.store.room(user, room.id).await.unwrap(), None);
        assert_eq!(w.store.message(user, said.id).await.unwrap(), None);
        assert_eq!(w.store.rooms_of(user).await.unwrap().len(), 1);
        assert_eq!(w.store.sessions_of(user, Some(room.id)).await.unwrap(), []);
    }
    for session in sessions {
        assert_eq!(w.log(session).await, []);
        assert_eq!(w.store.session_as_seen_by(ana, session).await.unwrap(), None);
    }
    assert_eq!(denied(w.join(bo, room.id).await), Denied::NotFound);
    assert_eq!(w.log(SessionId(id())).await, []);
}
