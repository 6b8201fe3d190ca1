//! Messages: stored once, reworded, deleted, found.

use parlor_domain::{
    ClientId, Denied, EventKind, Limits, MessageId, RoomId, RoomKind, SessionFacts, View, session,
};
use parlor_store::messages::MessagePage;
use parlor_store::rooms::RoomDraft;
use parlor_store::{Posted, StoreError};

use crate::world::{World, denied, id, key};

pub(crate) async fn a_message_reads_as_it_was_sent(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let draft = w.draft(ana, room.main_session, "**hi** \u{1f44b}\n'; drop table users; --").await;
    let posted = w.append(draft.clone()).await.unwrap();
    assert_eq!((posted.id, posted.number, posted.seq), (draft.id, 1, 3));
    assert!(posted.fresh && posted.sent_at == draft.sent_at);
    let message = w.store.message(bo, posted.id).await.unwrap().unwrap();
    assert_eq!(message.content, draft.content);
    assert_eq!((message.no, message.number, message.seq), (posted.no, 1, 3));
    assert_eq!((message.sender, message.client_id), (ana, draft.client_id));
    assert_eq!((message.session, message.reply_to), (room.main_session, None));
    assert_eq!((message.sent_at, message.edited_at), (draft.sent_at, None));
    assert_eq!(message.deleted_at, None);
    let told = w.told_of(room.main_session).await.pop().unwrap();
    assert_eq!((told.seq, told.kind), (3, EventKind::Posted(message)));
    assert_eq!(w.store.message(bo, MessageId(id())).await.unwrap(), None);
}

pub(crate) async fn a_repeated_send_answers_with_the_first_result(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let draft = w.draft(bo, room.main_session, "once").await;
    let first = w.append(draft.clone()).await.unwrap();
    let mut again = draft.clone();
    again.id = MessageId(id());
    again.sent_at = w.now();
    let expected = Posted { fresh: false, ..first };
    assert_eq!(w.append(again.clone()).await.unwrap(), expected);
    let receipt = w.store.receipt(bo, draft.client_id).await.unwrap().unwrap();
    assert_eq!((receipt.posted, receipt.digest), (expected, draft.digest));
    assert_eq!(w.log(room.main_session).await.len(), 3);
    assert_eq!(w.store.receipt(ana, draft.client_id).await.unwrap(), None);
    assert_eq!(w.store.receipt(bo, ClientId(id())).await.unwrap(), None);
    // The answer is known even when the sender may not send any more.
    w.kick(ana, room.id, bo).await.unwrap();
    assert_eq!(w.append(again).await.unwrap(), expected);
    assert!(w.store.receipt(bo, draft.client_id).await.unwrap().is_some());
    let mut theirs = w.draft(ana, room.main_session, "once").await;
    theirs.client_id = draft.client_id;
    assert!(w.append(theirs).await.unwrap().fresh, "a client id is its user's");
}

pub(crate) async fn a_client_id_with_another_text_is_refused(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let draft = w.draft(ana, room.main_session, "once").await;
    w.append(draft.clone()).await.unwrap();
    let mut other = w.draft(ana, room.main_session, "twice").await;
    other.client_id = draft.client_id;
    other.digest = [8; 16];
    assert!(matches!(w.append(other).await, Err(StoreError::KeyReused)));
    assert_eq!(w.log(room.main_session).await.len(), 2);
}

pub(crate) async fn an_answer_is_to_a_message_of_the_same_session(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let corner = w.session(ana, room.id, &[]).await;
    let here = w.say(ana, room.main_session, "here").await.id;
    let there = w.say(ana, corner.id, "there").await.id;
    let deleted = w.say(ana, room.main_session, "deleted").await.id;
    w.unsay(ana, deleted).await.unwrap();
    let answer = async |to| {
        let mut draft = w.draft(ana, room.main_session, "answer").await;
        draft.reply_to = Some(to);
        w.append(draft).await
    };
    for to in [there, deleted, MessageId(id())] {
        assert_eq!(denied(answer(to).await), Denied::NotFound);
    }
    let posted = answer(here).await.unwrap();
    assert_eq!(posted.number, 3, "the refused have no number");
    let message = w.store.message(ana, posted.id).await.unwrap().unwrap();
    assert_eq!(message.reply_to, Some(here));
}

pub(crate) async fn a_reworded_message_keeps_its_earlier_wordings(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let said = w.say(ana, room.main_session, "one").await;
    let second = w.reword(ana, said.id, "two").await.unwrap();
    let third = w.reword(ana, said.id, "three").await.unwrap();
    assert_eq!((third.content.as_str(), third.number), ("three", said.number));
    assert!(second.edited_at < third.edited_at && third.edited_at.is_some());
    assert_eq!(w.store.message(bo, said.id).await.unwrap(), Some(third.clone()));
    let told = w.told_of(room.main_session).await.pop().unwrap();
    assert_eq!((told.seq, told.kind), (5, EventKind::Edited(third)));
    let revisions = w.store.revisions(bo, said.id).await.unwrap().unwrap();
    let texts: Vec<_> = revisions.iter().map(|old| old.content.as_str()).collect();
    assert_eq!(texts, ["one", "two"]);
    let times: Vec<_> = revisions.iter().map(|old| old.written_at).collect();
    assert_eq!(times, [said.sent_at, second.edited_at.unwrap()]);
    let decide = Box::new(|_: &View, _: &_, revisions| {
        assert_eq!(revisions, 2);
        Err(Denied::Conflict("enough"))
    });
    denied(w.store.edit(ana, said.id, "four".to_owned().into(), w.now(), decide).await);
}

pub(crate) async fn a_deleted_message_keeps_its_number_only(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let said = w.say(bo, room.main_session, "regret").await;
    w.reword(bo, said.id, "regret it").await.unwrap();
    w.unsay(ana, said.id).await.unwrap();
    let message = w.store.message(bo, said.id).await.unwrap().unwrap();
    assert_eq!((message.content.as_str(), message.number), ("", said.number));
    assert!(message.deleted_at.is_some());
    assert_eq!(w.store.revisions(bo, said.id).await.unwrap(), Some(vec![]));
    let told = w.told_of(room.main_session).await.pop().unwrap();
    let deleted = EventKind::Deleted { message: said.id, number: said.number, by: ana };
    assert_eq!(told.kind, deleted);
    assert_eq!(w.log(room.main_session).await.pop(), Some(told));
    assert_eq!(denied(w.unsay(ana, said.id).await), Denied::NotFound);
    assert_eq!(denied(w.reword(bo, said.id, "back").await), Denied::NotFound);
    assert_eq!(w.say(bo, room.main_session, "next").await.number, said.number + 1);
}

pub(crate) async fn what_is_not_seen_is_neither_reworded_nor_deleted(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    let said = w.say(ana, room.main_session, "mine").await;
    for message in [said.id, MessageId(id())] {
        let careless = Box::new(|_: &View, _: &_, _| Ok(()));
        let refused = w.store.edit(bo, message, "x".to_owned().into(), w.now(), careless).await;
        assert_eq!(denied(refused), Denied::NotFound);
        let careless = Box::new(|_: &View, _: &_| Ok(()));
        let refused = w.store.delete(bo, message, w.now(), careless).await;
        assert_eq!(denied(refused), Denied::NotFound);
        assert_eq!(w.store.message(bo, message).await.unwrap(), None);
        assert_eq!(w.store.revisions(bo, message).await.unwrap(), None);
    }
    assert_eq!(w.store.message(ana, said.id).await.unwrap().unwrap().content, "mine");
}

pub(crate) async fn a_refused_rewording_changes_nothing(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let said = w.say(ana, room.main_session, "mine").await;
    let refused = denied(w.reword(bo, said.id, "theirs").await);
    assert!(matches!(refused, Denied::Forbidden(_)));
    let long = "x".repeat(usize::try_from(Limits::default().message_bytes_max).unwrap() + 1);
    let refused = denied(w.reword(ana, said.id, &long).await);
    assert!(matches!(refused, Denied::TooLong { .. }));
    assert!(matches!(denied(w.unsay(bo, said.id).await), Denied::Forbidden(_)));
    let message = w.store.message(bo, said.id).await.unwrap().unwrap();
    assert_eq!((message.content.as_str(), message.edited_at), ("mine", None));
    assert_eq!(w.store.revisions(bo, said.id).await.unwrap(), Some(vec![]));
    assert_eq!(w.log(room.main_session).await.len(), 3);
}

pub(crate) async fn messages_of_a_person_are_found_in_shared_sessions_only(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let shared = w.room(ana, RoomKind::Private, &[bo]).await;
    let alone = w.room(ana, RoomKind::Public, &[]).await;
    let corner = w.session(ana, shared.id, &[]).await;
    let first = w.say(ana, shared.main_session, "first").await;
    w.say(ana, alone.main_session, "alone").await;
    w.say(ana, corner.id, "apart").await;
    let second = w.say(ana, w.lobby(ana).await.main_session, "second").await;
    let deleted = w.say(ana, shared.main_session, "deleted").await;
    w.say(bo, shared.main_session, "theirs").await;
    w.unsay(ana, deleted.id).await.unwrap();
    let find = async |user, before, limit| {
        let found = w.store.messages_of(user, ana, None, before, limit).await.unwrap();
        found.into_iter().map(|message| message.content).collect::<Vec<_>>()
    };
    assert_eq!(find(bo, None, 9).await, ["second", "first"], "the newest first");
    assert_eq!(find(bo, None, 1).await, ["second"]);
    assert_eq!(find(bo, Some(second.no), 9).await, ["first"]);
    assert!(find(bo, Some(first.no), 9).await.is_empty());
    assert_eq!(find(ana, None, 9).await, ["second", "apart", "alone", "first"]);
    let within = async |user, room: RoomId| {
        let found = w.store.messages_of(user, ana, Some(room), None, 9).await.unwrap();
        found.into_iter().map(|message| message.content).collect::<Vec<_>>()
    };
    assert_eq!(within(ana, shared.id).await, ["apart", "first"]);
    assert_eq!(within(bo, shared.id).await, ["first"]);
    assert!(within(bo, alone.id).await.is_empty(), "not even where they could look");
}

pub(crate) async fn the_newest_messages_come_where_something_was_said_last_first(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let corner = w.session(ana, room.id, &[]).await;
    let main = room.main_session;
    for text in ["1", "2", "3"] {
        w.say(ana, main, text).await;
    }
    w.say(ana, corner.id, "apart").await;
    let read = async |user, sessions| {
        let found = w.store.newest(user, sessions, 2).await.unwrap();
        let texts = |page: MessagePage| {
            let texts = page.messages.into_iter().map(|message| message.content);
            (texts.collect::<Vec<_>>(), page.more_before)
        };
        found.into_iter().map(|(id, page)| (id, texts(page))).collect::<Vec<_>>()
    };
    let said = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let (in_main, apart) = ((main, (said(&["2", "3"]), true)), (said(&["apart"]), false));
    assert_eq!(read(ana, 9).await, [(corner.id, apart), in_main.clone()]);
    assert_eq!(read(ana, 1).await.len(), 1);
    assert_eq!(
        read(bo, 9).await,
        std::slice::from_ref(&in_main),
        "what they are not in does not come"
    );
    let end = |facts: &SessionFacts| session::end(facts).map(|change| vec![change]);
    w.change_session(ana, corner.id, &[], end).await.unwrap();
    assert_eq!(read(ana, 9).await, [in_main], "what is over is not shown first");
    w.kick(ana, room.id, bo).await.unwrap();
    assert!(read(bo, 9).await.is_empty());
}

pub(crate) async fn a_receipt_is_forgotten_in_its_time(w: World) {
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    let mut drafts = Vec::new();
    for text in ["1", "2", "3"] {
        drafts.push(w.draft(ana, main, text).await);
        w.append(drafts[drafts.len() - 1].clone()).await.unwrap();
    }
    let before = drafts[2].sent_at;
    let forget = |limit| w.store.forget_receipts(before, limit);
    assert_eq!(forget(1).await.unwrap(), 1);
    assert_eq!(forget(10).await.unwrap(), 1);
    for (draft, kept) in drafts.iter().zip([false, false, true]) {
        let receipt = w.store.receipt(ana, draft.client_id).await.unwrap();
        assert_eq!(receipt.is_some(), kept, "{}", draft.content);
    }
    let mut again = w.draft(ana, main, "1 again").await;
    again.client_id = drafts[0].client_id;
    assert!(w.append(again.clone()).await.unwrap().fresh, "nobody remembers the first");
    assert_eq!(forget(10).await.unwrap(), 0);
    assert!(!w.append(again).await.unwrap().fresh);
    assert!(!w.append(drafts.remove(2)).await.unwrap().fresh);
}

pub(crate) async fn receipts_of_places_are_forgotten_too(w: World) {
    let ana = w.account("ana").await;
    let keyed =
        |key| RoomDraft { key: Some(key), ..w.draft_room(ana, RoomKind::Public, "den", &[]) };
    let (first, second) = (key(1), key(1));
    w.create(keyed(first)).await.unwrap();
    let before = w.now();
    w.create(keyed(second)).await.unwrap();
    assert_eq!(w.store.forget_receipts(before, 10).await.unwrap(), 1);
    assert!(w.create(keyed(first)).await.unwrap().fresh);
    assert!(!w.create(keyed(second)).await.unwrap().fresh);
}
