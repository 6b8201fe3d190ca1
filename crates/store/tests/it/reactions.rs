//! Reactions: counted, told, seen, and gone with their message.

use parlor_domain::{Denied, EventKind, Limits, MessageId, Reaction, RoomKind, UserId};
use parlor_store::messages::Page;

use crate::world::{World, denied, id};

const THUMB: &str = "\u{1f44d}";
const PARTY: &str = "\u{1f389}";

/// The reactions to a message as somebody sees them.
async fn reactions(w: &World, user: UserId, message: MessageId) -> Vec<Reaction> {
    w.message(user, message).await.extras.unwrap_or_default().reactions
}

fn reaction(emoji: &str, users: &[UserId], mine: bool) -> Reaction {
    let count = users.len() as i64;
    Reaction { emoji: emoji.to_owned(), count, users: users.to_vec(), mine }
}

pub(crate) async fn a_reaction_is_told_and_counted(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let said = w.say(ana, room.main_session, "who comes?").await;
    w.react(bo, said.id, THUMB, true).await.unwrap();
    w.react(ana, said.id, PARTY, true).await.unwrap();
    w.react(ana, said.id, THUMB, true).await.unwrap();
    w.react(bo, said.id, THUMB, false).await.unwrap();
    let told = w.told_of(room.main_session).await;
    let stored = w.log(room.main_session).await;
    assert_eq!(stored[3..], told[3..], "what is told is what is stored");
    let change = |user, emoji: &str, on, count| EventKind::Reacted {
        message: said.id,
        number: said.number,
        user,
        emoji: emoji.to_owned(),
        on,
        count,
    };
    let kinds: Vec<_> = told.into_iter().skip(3).map(|event| event.kind).collect();
    let expected = [
        change(bo, THUMB, true, 1),
        change(ana, PARTY, true, 1),
        change(ana, THUMB, true, 2),
        change(bo, THUMB, false, 1),
    ];
    assert_eq!(kinds, expected);
    let seen = [reaction(PARTY, &[ana], false), reaction(THUMB, &[ana], false)];
    assert_eq!(reactions(&w, bo, said.id).await, seen);
}

pub(crate) async fn a_repeated_reaction_changes_nothing(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let said = w.say(ana, room.main_session, "hi").await;
    w.react(ana, said.id, THUMB, false).await.unwrap();
    w.react(ana, said.id, THUMB, true).await.unwrap();
    w.react(ana, said.id, THUMB, true).await.unwrap();
    assert_eq!(w.log(room.main_session).await.len(), 3);
    w.react(ana, said.id, THUMB, false).await.unwrap();
    w.react(ana, said.id, THUMB, false).await.unwrap();
    assert_eq!(w.log(room.main_session).await.len(), 4);
    assert_eq!(w.message(ana, said.id).await.extras, None, "nothing is left of it");
}

pub(crate) async fn people_of_a_reaction_are_named_in_order_and_paged(w: World) {
    let ana = w.account("ana").await;
    let mut people = Vec::new();
    for n in 0..23 {
        people.push(w.account(&format!("p{n}")).await);
    }
    let room = w.room(ana, RoomKind::Private, &people).await;
    let said = w.say(ana, room.main_session, "hi").await;
    for &person in people.iter().rev() {
        w.react(person, said.id, THUMB, true).await.unwrap();
    }
    let seen = reactions(&w, people[0], said.id).await;
    let first: Vec<_> = people.iter().rev().take(Reaction::SHOWN).copied().collect();
    let expected = Reaction { emoji: THUMB.to_owned(), count: 23, users: first, mine: true };
    assert_eq!(seen, [expected], "mine, though not among those who are named");
    let page = async |after| {
        let page = w.store.reactors(ana, said.id, THUMB.to_owned(), after, 20).await;
        page.unwrap().unwrap()
    };
    let one = page(0).await;
    let two = page(one.last().unwrap().no).await;
    let all: Vec<_> = one.iter().chain(&two).map(|user| user.id).collect();
    assert_eq!((one.len(), all), (20, people));
}

pub(crate) async fn reactions_are_seen_wherever_a_message_is_read(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let session = room.main_session;
    let said = w.say(ana, session, "first").await;
    w.say(ana, session, "second").await;
    w.react(bo, said.id, THUMB, true).await.unwrap();
    let seen = [reaction(THUMB, &[bo], true)];
    let page = w.store.page(bo, session, Page::Newest, 10).await.unwrap().unwrap();
    assert_eq!(page.messages[0].extras.as_ref().unwrap().reactions, seen);
    assert_eq!(page.messages[1].extras, None);
    let (_, newest) = w.store.newest(bo, 1, 10).await.unwrap().pop().unwrap();
    assert_eq!(newest, page);
    let of_ana = w.store.messages_of(bo, ana, None, None, 10).await.unwrap();
    assert_eq!(of_ana[1].extras.as_ref().unwrap().reactions, seen);
    let hit = w.search(bo, "first").await.hits.pop().unwrap();
    assert_eq!(hit.message.extras.unwrap().reactions, seen);
    let reworded = w.reword(ana, said.id, "1st").await.unwrap();
    let theirs = [reaction(THUMB, &[bo], false)];
    assert_eq!(reworded.extras.as_ref().unwrap().reactions, theirs);
    let kinds = w.kinds_after(session, 2).await;
    let EventKind::Posted(posted) = &kinds[0] else { panic!("{kinds:?}") };
    assert_eq!(posted.extras.as_ref().unwrap().reactions, theirs, "nobody in particular reads");
}

pub(crate) async fn too_many_reactions_are_refused(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let said = w.say(ana, room.main_session, "hi").await;
    let limits = Limits::default();
    let emoji = |n: u64| char::from_u32(0x1f600 + n as u32).unwrap().to_string();
    for n in 0..limits.reactions_own_max {
        w.react(ana, said.id, &emoji(n), true).await.unwrap();
    }
    let one_more = w.react(ana, said.id, &emoji(30), true).await;
    assert!(matches!(denied(one_more), Denied::Invalid { field: "emoji", .. }));
    let another = w.react(bo, said.id, &emoji(30), true).await;
    assert!(matches!(denied(another), Denied::Invalid { field: "emoji", .. }));
    w.react(bo, said.id, &emoji(3), true).await.unwrap();
    w.react(ana, said.id, &emoji(3), true).await.unwrap();
    w.react(ana, said.id, &emoji(0), false).await.unwrap();
    w.react(bo, said.id, &emoji(30), true).await.unwrap();
}

pub(crate) async fn reactions_go_with_their_message(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let said = w.say(ana, room.main_session, "regret").await;
    w.react(bo, said.id, THUMB, true).await.unwrap();
    w.unsay(ana, said.id).await.unwrap();
    assert_eq!(w.message(bo, said.id).await.extras, None);
    let reactors = w.store.reactors(bo, said.id, THUMB.to_owned(), 0, 10).await.unwrap();
    assert_eq!(reactors, Some(vec![]));
    let emoji = String::new();
    let (message, number) = (said.id, said.number);
    let kind = EventKind::Reacted { message, number, user: bo, emoji, on: true, count: 1 };
    assert_eq!(w.kinds_after(room.main_session, 3).await[0], kind, "the emoji is gone");
    assert_eq!(denied(w.react(bo, said.id, THUMB, true).await), Denied::NotFound);
}

pub(crate) async fn who_cannot_see_a_message_cannot_react_to_it(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    let said = w.say(ana, room.main_session, "mine").await;
    for message in [said.id, MessageId(id())] {
        assert_eq!(denied(w.react(bo, message, THUMB, true).await), Denied::NotFound);
        let reactors = w.store.reactors(bo, message, THUMB.to_owned(), 0, 10).await;
        assert_eq!(reactors.unwrap(), None);
    }
}

pub(crate) async fn a_deleted_account_takes_its_reactions_back(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let said = w.say(ana, room.main_session, "hi").await;
    w.react(bo, said.id, THUMB, true).await.unwrap();
    w.react(bo, said.id, PARTY, true).await.unwrap();
    w.react(ana, said.id, PARTY, true).await.unwrap();
    w.store.delete_account(bo, w.now()).await.unwrap();
    while w.store.erase_deleted(1, w.now()).await.unwrap() >= 1 {}
    assert_eq!(reactions(&w, ana, said.id).await, [reaction(PARTY, &[ana], true)]);
    let told = w.told_of(room.main_session).await.pop().unwrap();
    assert!(matches!(told.kind, EventKind::Reacted { user, on: false, .. } if user == bo));
}
