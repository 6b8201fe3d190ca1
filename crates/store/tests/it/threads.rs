//! Threads: what is said in them counts with them, and those concerned follow them. And what else
//! goes with a message from its beginning: naming everybody, and words that are passed on.

use parlor_domain::{
    Denied, Draft, EventKind, Forwarded, MessageId, RoomKind, Session, SessionId, Thread, UserId,
};
use parlor_store::messages::Page;

use crate::world::{World, denied, id};

async fn session(w: &World, user: UserId, session: SessionId) -> Session {
    w.store.session(user, session).await.unwrap().expect("they are in it")
}

async fn thread(w: &World, user: UserId, root: MessageId) -> Thread {
    w.message(user, root).await.extras.expect("there is more of it").thread.expect("a thread")
}

pub(crate) async fn what_is_said_in_a_thread_counts_with_it(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let main = room.main_session;
    let root = w.say(ana, main, "plans?").await;
    let first = w.say_under(bo, root.id, "a picnic").await;
    let told = w.told_of(main).await.pop().unwrap();
    let stored = w.log(main).await.pop().unwrap();
    assert_eq!(stored, told);
    let EventKind::Posted(posted) = told.kind else { panic!("{told:?}") };
    assert_eq!((posted.thread, posted.number), (Some(root.id), 2));
    assert_eq!(first.number, 2, "numbers have no holes");
    w.say(bo, main, "besides").await;
    w.say_under(bo, root.id, "at noon").await;
    let of_ana = session(&w, ana, main).await;
    assert_eq!((of_ana.unread(), of_ana.thread_unread, of_ana.head_number), (1, 2, 4));
    let of_bo = session(&w, bo, main).await;
    assert_eq!((of_bo.unread(), of_bo.thread_unread), (0, 0), "what one says is read");
    let seen = thread(&w, ana, root.id).await;
    assert_eq!((seen.replies, seen.users, seen.following, seen.unread), (2, vec![bo], true, 2));
    assert_eq!(w.store.mark_thread(ana, root.id, 2).await.unwrap(), 2);
    assert_eq!(w.store.mark_thread(ana, root.id, 1).await.unwrap(), 2);
    assert_eq!(session(&w, ana, main).await.thread_unread, 1);
    assert_eq!(w.store.mark_thread(ana, root.id, 99).await.unwrap(), 4, "up to its newest");
    assert_eq!(session(&w, ana, main).await.thread_unread, 0);
    w.store.mark_read(ana, main, 3).await.unwrap();
    assert_eq!(session(&w, ana, main).await.unread(), 0);
    let sessions = w.store.sessions_of(ana, Some(room.id)).await.unwrap();
    assert_eq!(sessions, [session(&w, ana, main).await]);
    let late = w.account("cyn").await;
    w.add(ana, room.id, &[late]).await.unwrap();
    let of_late = session(&w, late, main).await;
    assert_eq!((of_late.unread(), of_late.thread_unread), (0, 0));
}

pub(crate) async fn a_thread_is_under_a_message_of_the_timeline_only(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let corner = w.session(ana, room.id, &[]).await;
    let root = w.say(ana, room.main_session, "root").await;
    let reply = w.say_under(ana, root.id, "reply").await;
    let there = w.say(ana, corner.id, "there").await;
    let deleted = w.say(ana, room.main_session, "deleted").await;
    w.unsay(ana, deleted.id).await.unwrap();
    let in_thread = async |to, reply_to| {
        let draft = w.draft(ana, room.main_session, "x").await;
        w.append(Draft { thread: Some(to), reply_to, ..draft }).await
    };
    for to in [reply.id, there.id, deleted.id, MessageId(id())] {
        let refused = denied(in_thread(to, None).await);
        assert!(matches!(refused, Denied::Invalid { field: "thread_id", .. }), "{refused:?}");
    }
    let nowhere = Some(MessageId(id()));
    assert_eq!(denied(in_thread(root.id, nowhere).await), Denied::NotFound);
    let refused = denied(in_thread(reply.id, Some(root.id)).await);
    assert!(matches!(refused, Denied::Invalid { field: "thread_id", .. }), "{refused:?}");
    let posted = in_thread(root.id, Some(reply.id)).await.unwrap();
    assert_eq!(posted.number, 4, "the refused have no number");
    assert!(matches!(denied(w.store.follow(ana, reply.id, true).await), Denied::Invalid { .. }));
}

pub(crate) async fn those_concerned_follow_a_thread(w: World) {
    let mut people = Vec::new();
    for handle in ["ana", "bo", "cyn", "dan"] {
        people.push(w.account(handle).await);
    }
    let [ana, bo, cyn, dan] = people[..] else { unreachable!() };
    let room = w.room(ana, RoomKind::Private, &people[1..]).await;
    let root = w.say(ana, room.main_session, "plans?").await;
    let unread = async |user| {
        let thread = thread(&w, user, root.id).await;
        thread.following.then_some(thread.unread)
    };
    w.store.follow(dan, root.id, true).await.unwrap();
    w.say_under(bo, root.id, "a picnic").await;
    let all = async || [unread(ana).await, unread(bo).await, unread(cyn).await, unread(dan).await];
    assert_eq!(all().await, [Some(1), Some(0), None, Some(1)]);
    w.say_under(ana, root.id, "with @cyn and @dan").await;
    assert_eq!(all().await, [Some(0), Some(1), Some(1), Some(2)]);
    w.store.follow(cyn, root.id, false).await.unwrap();
    w.store.follow(dan, root.id, true).await.unwrap();
    w.say_under(bo, root.id, "at noon").await;
    assert_eq!(all().await, [Some(1), Some(0), None, Some(1)]);
    w.say_under(cyn, root.id, "fine").await;
    assert_eq!(all().await, [Some(2), Some(1), Some(0), Some(2)]);
    assert_eq!(thread(&w, ana, root.id).await.users, [cyn, bo, ana]);
    w.leave(cyn, room.id).await.unwrap();
    w.add(ana, room.id, &[cyn]).await.unwrap();
    assert_eq!(unread(cyn).await, None, "who comes back follows nothing");
}

pub(crate) async fn a_thread_is_read_in_pages(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let root = w.say(ana, room.main_session, "root").await;
    for n in 0..5 {
        w.say_under(ana, root.id, &format!("in {n}")).await;
        w.say(ana, room.main_session, &format!("out {n}")).await;
    }
    let page = async |page| {
        let page = w.store.thread(ana, root.id, page, 2).await.unwrap().unwrap();
        let texts: Vec<_> = page.messages.into_iter().map(|m| m.content).collect();
        (texts.join(" "), page.more_before, page.more_after)
    };
    let expected = |text: &str, before, after| (text.to_owned(), before, after);
    assert_eq!(page(Page::Newest).await, expected("in 3 in 4", true, false));
    assert_eq!(page(Page::Before(8)).await, expected("in 1 in 2", true, true));
    assert_eq!(page(Page::Before(4)).await, expected("in 0", false, true));
    assert_eq!(page(Page::After(4)).await, expected("in 2 in 3", true, true));
    assert_eq!(page(Page::After(9)).await, expected("in 4", true, false), "after the last but one");
    assert_eq!(w.store.thread(bo, root.id, Page::Newest, 2).await.unwrap(), None);
    let plain = w.say(ana, room.main_session, "plain").await;
    let empty = w.store.thread(ana, plain.id, Page::Newest, 2).await.unwrap().unwrap();
    assert_eq!((empty.messages, empty.more_before, empty.more_after), (vec![], false, false));
    assert_eq!(denied(w.store.mark_thread(ana, plain.id, 1).await), Denied::NotFound);
}

pub(crate) async fn a_thread_outlives_what_began_it(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let root = w.say(ana, room.main_session, "root").await;
    let reply = w.say_under(ana, root.id, "reply").await;
    w.unsay(ana, root.id).await.unwrap();
    w.say_under(ana, root.id, "on").await;
    w.unsay(ana, reply.id).await.unwrap();
    assert_eq!(thread(&w, ana, root.id).await.replies, 2, "numbers stay");
    let page = w.store.thread(ana, root.id, Page::Newest, 9).await.unwrap().unwrap();
    let texts: Vec<_> = page.messages.iter().map(|message| &*message.content).collect();
    assert_eq!(texts, ["", "on"]);
}

pub(crate) async fn threads_are_listed_where_something_was_said_last_first(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let other = w.room(ana, RoomKind::Private, &[bo]).await;
    let one = w.say(ana, room.main_session, "one").await;
    let two = w.say(ana, other.main_session, "two").await;
    let three = w.say(ana, room.main_session, "three").await;
    for root in [&one, &two, &three, &one] {
        w.say_under(bo, root.id, "reply").await;
    }
    let first = w.store.followed(ana, None, 2).await.unwrap();
    let rest = w.store.followed(ana, Some(first[1].last_no), 2).await.unwrap();
    let all = first.iter().chain(&rest);
    let all: Vec<_> = all.map(|thread| (&*thread.root.content, thread.room)).collect();
    assert_eq!(all, [("one", room.id), ("three", room.id), ("two", other.id)]);
    let unread = first[0].root.extras.as_ref().unwrap().thread.as_ref().unwrap().unread;
    assert_eq!(unread, 2);
    w.kick(ana, other.id, bo).await.unwrap();
    assert_eq!(w.store.followed(bo, None, 9).await.unwrap().len(), 2, "where they are in");
}

pub(crate) async fn naming_everybody_is_one_row(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let main = room.main_session;
    w.say(ana, main, "@room, and @bo, look").await;
    assert_eq!(session(&w, bo, main).await.mentions, 1, "one message, however it names them");
    assert_eq!(session(&w, ana, main).await.mentions, 0);
    let root = w.say(bo, main, "@everyone?").await;
    assert_eq!((session(&w, ana, main).await.mentions, root.number), (1, 2));
    let late = w.account("cyn").await;
    w.add(ana, room.id, &[late]).await.unwrap();
    assert_eq!(session(&w, late, main).await.mentions, 0, "who comes later was not meant");
    let deep = w.say_under(ana, root.id, "@room in a thread").await;
    let seen = session(&w, bo, main).await;
    assert_eq!(seen.mentions, 1, "{seen:?}");
    w.store.mark_thread(bo, root.id, deep.number).await.unwrap();
    assert_eq!(session(&w, bo, main).await.mentions, 0, "read with its thread");
    w.unsay(ana, deep.id).await.unwrap();
    assert_eq!(session(&w, late, main).await.mentions, 0, "a deleted message names nobody");
}

pub(crate) async fn words_that_are_passed_on_keep_their_author(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let main = room.main_session;
    let said = w.say(ana, main, "wise words").await;
    let forwarded = Some(Forwarded { sender: ana, sent_at: said.sent_at });
    let draft = Draft { forwarded, ..w.draft(bo, main, "wise words").await };
    let posted = w.append(draft).await.unwrap();
    let seen = w.message(ana, posted.id).await;
    assert_eq!((seen.sender, seen.extras.as_ref().unwrap().forwarded), (bo, forwarded));
    let told = w.told_of(main).await.pop().unwrap();
    assert_eq!(told.kind, EventKind::Posted(seen));
    assert_eq!(w.log(main).await.pop(), Some(told));
    let reworded = denied(w.reword(bo, posted.id, "my words").await);
    assert!(matches!(reworded, Denied::Forbidden(_)), "nobody rewords what others said");
    w.unsay(bo, posted.id).await.unwrap();
    assert_eq!(w.message(ana, posted.id).await.extras, None);
}
