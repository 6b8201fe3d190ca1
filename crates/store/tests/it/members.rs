//! Coming into a room and going out of it.

use parlor_domain::member::Role;
use parlor_domain::{
    Denied, Event, EventKind, Gone, Limits, RoomChange, RoomFacts, RoomKind, SessionId,
    UserEventKind, UserId, room,
};
use parlor_store::StoreError;
use parlor_store::messages::Page;

use crate::world::{World, denied, id};

/// Who left a session, sent by whom, and why.
fn left(event: &Event) -> Option<(UserId, Option<UserId>, Gone)> {
    match event.kind {
        EventKind::Left { user, by, reason } => Some((user, by, reason)),
        _ => None,
    }
}

pub(crate) async fn a_newcomer_has_nothing_unread(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    for n in 0..3 {
        w.say(ana, room.main_session, &format!("{n}")).await;
    }
    let seen = w.join(bo, room.id).await.unwrap();
    assert_eq!((seen.my_role, seen.member_count), (Some(Role::Member), 2));
    let told = w.told_to(bo).await.pop().unwrap();
    let UserEventKind::Added { room: Some(told_room), session: Some(session), by: None } =
        told.kind
    else {
        panic!("{told:?}");
    };
    assert_eq!(*told_room, seen);
    assert_eq!((session.head_number, session.read_number, session.unread()), (3, 3, 0));
    assert_eq!(session.head_seq, 5, "the joining itself is in the head");
    let stored = w.store.session(bo, room.main_session).await.unwrap();
    assert_eq!(stored.as_ref(), Some(&*session));
    let page = w.store.page(bo, room.main_session, Page::Newest, 10).await.unwrap().unwrap();
    assert_eq!(page.messages.len(), 3, "what was said before can be read");
    w.say(ana, room.main_session, "new").await;
    let session = w.store.session(bo, room.main_session).await.unwrap().unwrap();
    assert_eq!(session.unread(), 1);
}

pub(crate) async fn joining_twice_changes_nothing(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    let first = w.join(bo, room.id).await.unwrap();
    let log = w.log(room.main_session).await;
    assert_eq!(w.join(bo, room.id).await.unwrap(), first);
    let decide = move |_: &RoomFacts| {
        Ok(vec![RoomChange::Join { user: bo, role: Role::Owner, by: Some(ana) }])
    };
    let same = w.change(bo, room.id, &[], decide).await.unwrap();
    assert_eq!(same, Some(first));
    assert_eq!(w.log(room.main_session).await, log);
}

pub(crate) async fn people_who_are_added_hear_by_whom(mut w: World) {
    let (ana, bo, cy) = (w.account("ana").await, w.account("bo").await, w.account("cy").await);
    let room = w.room(ana, RoomKind::Private, &[]).await;
    w.add(ana, room.id, &[bo, cy]).await.unwrap();
    for user in [bo, cy] {
        let told = w.told_to(user).await.pop().unwrap();
        assert!(matches!(told.kind, UserEventKind::Added { by: Some(by), .. } if by == ana));
    }
    let joined = w.kinds_after(room.main_session, 1).await;
    assert_eq!(joined.len(), 2);
    assert!(
        joined
            .iter()
            .all(|kind| { matches!(kind, EventKind::Joined { by: Some(by), .. } if *by == ana) })
    );
    let refused = denied(w.add(ana, room.id, &[UserId(id())]).await);
    assert_eq!(refused, Denied::NotFound);
}

pub(crate) async fn leaving_logs_left_in_every_session(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[bo]).await;
    let corner = w.session(bo, room.id, &[ana]).await;
    let ended = w.session(ana, room.id, &[bo]).await;
    let without = w.session(ana, room.id, &[]).await;
    w.change_session(ana, ended.id, &[], |facts| {
        parlor_domain::session::end(facts).map(|change| vec![change])
    })
    .await
    .unwrap();
    let seen = w.leave(bo, room.id).await.unwrap().unwrap();
    assert_eq!((seen.my_role, seen.member_count), (None, 1), "a public room is still seen");
    for session in [room.main_session, corner.id, ended.id] {
        let newest = w.log(session).await.pop().unwrap();
        assert_eq!(left(&newest), Some((bo, None, Gone::Left)));
        assert_eq!(newest.takes_out(), Some(bo));
        assert_eq!(w.told_of(session).await.pop(), Some(newest));
        let count = w.store.session(ana, session).await.unwrap().unwrap().member_count;
        assert_eq!(count, 1);
    }
    assert_eq!(w.log(without.id).await.len(), 1);
    let own = w.told_to(bo).await;
    let removed = own.iter().filter_map(|entry| match entry.kind {
        UserEventKind::Removed { session, whole_room, reason, .. } => {
            Some((session, whole_room, reason))
        }
        _ => None,
    });
    let removed: Vec<_> = removed.collect();
    let out = Gone::Left;
    let expected =
        [(corner.id, false, out), (ended.id, false, out), (room.main_session, true, out)];
    assert_eq!(removed, expected);
}

/// Asserts that somebody reads nothing of a session, by any way that there is.
async fn assert_unreadable(w: &World, user: UserId, session: SessionId) {
    let store = &w.store;
    assert_eq!(store.session_as_seen_by(user, session).await.unwrap(), None);
    assert_eq!(store.session(user, session).await.unwrap(), None);
    assert_eq!(store.page(user, session, Page::Newest, 9).await.unwrap(), None);
    assert_eq!(store.events_after(user, session, 0, 9).await.unwrap(), None);
    assert_eq!(store.session_members(user, session, None, 9).await.unwrap(), None);
    assert_eq!(store.mark_read(user, session, 1).await.unwrap(), None);
}

pub(crate) async fn an_ex_member_reads_nothing(w: World) {
    let (ana, bo, cy) = (w.account("ana").await, w.account("bo").await, w.account("cy").await);
    let room = w.room(ana, RoomKind::Public, &[bo, cy]).await;
    let corner = w.session(ana, room.id, &[bo, cy]).await;
    let mut said = Vec::new();
    for session in [room.main_session, corner.id] {
        said.push(w.say(ana, session, "to everybody").await.id);
        said.push(w.say(bo, session, "of my own").await.id);
    }
    w.kick(ana, room.id, bo).await.unwrap();
    w.leave(cy, room.id).await.unwrap();
    for user in [bo, cy] {
        for session in [room.main_session, corner.id] {
            assert_unreadable(&w, user, session).await;
        }
        for &message in &said {
            assert_eq!(w.store.message(user, message).await.unwrap(), None);
            assert_eq!(w.store.revisions(user, message).await.unwrap(), None);
        }
        for author in [ana, bo] {
            let found = w.store.messages_of(user, author, None, None, 9).await.unwrap();
            assert_eq!(found, []);
        }
        assert_eq!(w.store.room_members(user, room.id, None, 9).await.unwrap(), None);
        assert_eq!(w.store.sessions_of(user, Some(room.id)).await.unwrap(), []);
        assert_eq!(w.store.rooms_of(user).await.unwrap().len(), 1);
    }
    let refused = denied(w.unsay(bo, said[1]).await);
    assert_eq!(refused, Denied::NotFound);
}

pub(crate) async fn the_last_owner_hands_the_room_to_its_heir(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Public, &[]).await;
    let mut people = Vec::new();
    for handle in ["bo", "cy", "di"] {
        let user = w.account(handle).await;
        w.join(user, room.id).await.unwrap();
        people.push(user);
    }
    let [bo, cy, di] = people[..] else { panic!("three people") };
    w.set_role(ana, room.id, cy, Role::Moderator).await.unwrap();
    w.leave(ana, room.id).await.unwrap();
    let role = async |user| w.store.room(user, room.id).await.unwrap().unwrap().my_role;
    assert_eq!(role(cy).await, Some(Role::Owner), "a moderator comes before older members");
    assert_eq!(role(bo).await, Some(Role::Member));
    let newest = w.log(room.main_session).await.pop().unwrap();
    let expected = EventKind::RoleChanged { user: cy, role: Role::Owner, by: ana };
    assert_eq!(newest.kind, expected);
    w.leave(cy, room.id).await.unwrap();
    assert_eq!(role(bo).await, Some(Role::Owner), "then the longest-standing member");
    assert_eq!(role(di).await, Some(Role::Member));
    for user in [bo, di] {
        w.leave(user, room.id).await.unwrap();
    }
    assert_eq!(w.store.room(ana, room.id).await.unwrap().unwrap().member_count, 0);
    let first = w.join(di, room.id).await.unwrap();
    assert_eq!(first.my_role, Some(Role::Owner), "who enters an empty room owns it");
}

pub(crate) async fn a_draft_decided_before_a_kick_is_stale(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[bo]).await;
    let corner = w.session(ana, room.id, &[bo]).await;
    let sessions = [room.main_session, corner.id];
    let mut late = Vec::new();
    for session in sessions {
        late.push(w.draft(bo, session, "theirs").await);
        late.push(w.draft(ana, session, "mine").await);
    }
    w.kick(ana, room.id, bo).await.unwrap();
    for draft in late {
        let Err(StoreError::Stale(back)) = w.append(draft.clone()).await else {
            panic!("not stale");
        };
        assert_eq!(*back, draft, "the draft comes back to be decided again");
    }
    for session in sessions {
        let newest = w.log(session).await.pop().unwrap();
        assert_eq!(left(&newest), Some((bo, Some(ana), Gone::Kicked)), "nothing comes after it");
        w.say(ana, session, "decided again").await;
    }
    w.join(bo, room.id).await.expect("who was kicked is not banned");
}

pub(crate) async fn who_is_banned_stays_out_until_unbanned(w: World) {
    let (ana, bo, cy) = (w.account("ana").await, w.account("bo").await, w.account("cy").await);
    let room = w.room(ana, RoomKind::Public, &[bo]).await;
    w.ban(ana, room.id, bo).await.unwrap();
    w.ban(ana, room.id, cy).await.unwrap();
    let slug = room.id.0.simple().to_string();
    for (who, out) in [(ana, false), (bo, true)] {
        assert_eq!(w.store.is_banned(who, slug.clone()).await.unwrap(), out);
        assert!(!w.store.is_banned(who, "another".to_owned()).await.unwrap());
    }
    let newest = w.log(room.main_session).await.pop().unwrap();
    assert_eq!(left(&newest), Some((bo, Some(ana), Gone::Banned)));
    assert_eq!(denied(w.join(bo, room.id).await), Denied::NotFound);
    assert!(matches!(denied(w.add(ana, room.id, &[bo]).await), Denied::Conflict(_)));
    let bans = w.store.bans(room.id, 9).await.unwrap();
    let who: Vec<_> = bans.iter().map(|ban| (ban.user.id, ban.by)).collect();
    assert_eq!(who, [(cy, Some(ana)), (bo, Some(ana))], "the newest first");
    assert_eq!(bans[0].reason, "noise");
    assert!(bans[0].at > bans[1].at);
    assert_eq!(w.store.bans(room.id, 1).await.unwrap().len(), 1);
    let again = |facts: &RoomFacts| room::ban(facts, "worse", &Limits::default());
    w.change(ana, room.id, &[cy], again).await.unwrap();
    assert_eq!(w.store.bans(room.id, 9).await.unwrap()[0].reason, "worse");
    w.change(ana, room.id, &[bo], room::unban).await.unwrap();
    assert_eq!(w.store.bans(room.id, 9).await.unwrap().len(), 1);
    w.join(bo, room.id).await.unwrap();
}

pub(crate) async fn a_new_role_is_logged_and_makes_earlier_decisions_stale(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[bo]).await;
    let corner = w.session(ana, room.id, &[bo]).await;
    let without = w.session(ana, room.id, &[]).await;
    let late = [w.draft(bo, room.main_session, "late").await, w.draft(bo, corner.id, "late").await];
    let untouched = w.draft(ana, without.id, "in time").await;
    w.set_role(ana, room.id, bo, Role::Moderator).await.unwrap();
    let told = w.told_of(room.main_session).await.pop().unwrap();
    let expected = EventKind::RoleChanged { user: bo, role: Role::Moderator, by: ana };
    assert_eq!(told.kind, expected);
    assert_eq!(w.log(room.main_session).await.pop(), Some(told));
    for draft in late {
        assert!(matches!(w.append(draft).await, Err(StoreError::Stale(_))));
    }
    w.append(untouched).await.unwrap();
    let view = w.store.session_as_seen_by(bo, corner.id).await.unwrap().unwrap();
    assert_eq!(view.role, Role::Moderator);
    w.say(bo, corner.id, "decided again").await;
}

pub(crate) async fn a_refused_change_leaves_no_trace(mut w: World) {
    let (ana, bo, cy) = (w.account("ana").await, w.account("bo").await, w.account("cy").await);
    let room = w.room(ana, RoomKind::Public, &[bo]).await;
    let draft = w.draft(bo, room.main_session, "in time").await;
    let before = w.log(room.main_session).await;
    let refused = denied(w.kick(bo, room.id, ana).await);
    assert!(matches!(refused, Denied::Forbidden(_)));
    // The first of these changes is carried out before the second one fails.
    let half = move |_: &RoomFacts| {
        let nobody = RoomChange::Join { user: UserId(id()), role: Role::Member, by: None };
        Ok(vec![
            RoomChange::Remove { user: bo, reason: Gone::Kicked },
            RoomChange::Join { user: cy, role: Role::Member, by: None },
            nobody,
        ])
    };
    assert_eq!(denied(w.change(ana, room.id, &[], half).await), Denied::NotFound);
    assert_eq!(w.log(room.main_session).await, before);
    assert_eq!(w.store.room(bo, room.id).await.unwrap().unwrap().member_count, 2);
    assert_eq!(w.store.room(cy, room.id).await.unwrap().unwrap().my_role, None);
    w.append(draft).await.unwrap();
    let told = w.told_of(room.main_session).await;
    assert_eq!(told, w.log(room.main_session).await, "what was undone was not told");
    assert_eq!(w.own_log(cy).await.len(), 1);
}

pub(crate) async fn members_are_paged_by_username(w: World) {
    let (cy, ana, bo) = (w.account("cy").await, w.account("ana").await, w.account("bo").await);
    let room = w.room(cy, RoomKind::Public, &[bo, ana]).await;
    let page = async |after: Option<&str>, limit| {
        let after = after.map(str::to_owned);
        let members = w.store.room_members(ana, room.id, after, limit).await.unwrap().unwrap();
        members.into_iter().map(|member| (member.user.id, member.role)).collect::<Vec<_>>()
    };
    let all = [(ana, Role::Member), (bo, Role::Member), (cy, Role::Owner)];
    assert_eq!(page(None, 9).await, all);
    assert_eq!(page(None, 2).await, all[..2]);
    assert_eq!(page(Some("bo"), 2).await, all[2..]);
    assert_eq!(page(Some("cy"), 2).await, []);
    let stranger = w.account("di").await;
    assert_eq!(w.store.room_members(stranger, room.id, None, 9).await.unwrap(), None);
}
