//! What has decayed is gone, and its number stays.

use std::time::Duration;

use parlor_domain::saying::SendMessage;
use parlor_domain::session::{self, Settings};
use parlor_domain::{
    Denied, Draft, EventKind, Limits, MessageId, RoomKind, SessionId, Time, Ttl, UserId,
};
use parlor_store::messages::Page;
use parlor_store::{Posted, StoreError};

use crate::filing::{carrying, file};
use crate::world::{World, denied, id, saying};

/// What `user` would have stored by saying something for so many seconds.
pub(crate) async fn draft(
    w: &World,
    user: UserId,
    session: SessionId,
    text: &str,
    ttl_s: i64,
) -> Draft {
    let view = w.store.session_as_seen_by(user, session).await.unwrap().unwrap();
    let cmd = SendMessage { ttl_s: Some(ttl_s), ..saying(session, text) };
    view.admit_post(cmd, MessageId(id()), [7; 16], w.now(), &Limits::default()).unwrap()
}

pub(crate) async fn say_for(
    w: &World,
    user: UserId,
    session: SessionId,
    text: &str,
    ttl_s: i64,
) -> Posted {
    w.append(draft(w, user, session, text, ttl_s).await).await.unwrap()
}

/// Sets how long messages live in a session.
async fn set_ttl(
    w: &World,
    user: UserId,
    session: SessionId,
    ttl: Option<i64>,
) -> Result<Option<parlor_domain::Session>, StoreError> {
    let message_ttl = Some(ttl.and_then(Ttl::stored));
    let asked = Settings { message_ttl, ..Settings::default() };
    let decide = |facts: &parlor_domain::SessionFacts| {
        session::settings(facts, asked, &Limits::default()).map(|change| vec![change])
    };
    w.change_session(user, session, &[], decide).await
}

/// Lets decay what is due at this moment: how many, and when the next is.
async fn decay(w: &World, at: Time) -> (u64, Option<Time>) {
    let decayed = w.store.decay(at, 100).await.unwrap();
    (decayed.erased, decayed.next)
}

/// The texts of a session, of which those that are gone are empty.
async fn texts(w: &World, user: UserId, session: SessionId) -> Vec<String> {
    let page = w.store.page(user, session, Page::Newest, 100).await.unwrap().unwrap();
    let numbers: Vec<i64> = page.messages.iter().map(|message| message.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>(), "numbers stay");
    page.messages
        .into_iter()
        .map(|message| {
            assert_eq!(message.content.is_empty(), message.deleted_at.is_some());
            message.content
        })
        .collect()
}

pub(crate) async fn what_is_due_goes_with_all_that_there_is_of_it(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let main = w.room(ana, RoomKind::Private, &[bo]).await.main_session;
    let short = say_for(&w, ana, main, "needle for @bo", 10).await;
    let ends = short.expires_at.unwrap();
    assert_eq!(ends, short.sent_at + Duration::from_secs(10));
    let long = say_for(&w, ana, main, "needle that lasts", 20).await;
    w.say(ana, main, "needle for ever").await;
    w.reword(ana, short.id, "needle reworded for @bo").await.unwrap();
    w.react(bo, short.id, "\u{1f44d}", true).await.unwrap();
    w.pin(bo, short.id, true).await.unwrap();
    assert_eq!(w.message(bo, short.id).await.expires_at, Some(ends), "rewording changes no end");
    assert_eq!(w.find(bo, "needle").await.len(), 3);
    assert_eq!(w.store.session(bo, main).await.unwrap().unwrap().mentions, 1);

    assert_eq!(decay(&w, Time(ends.0 - 1)).await, (0, Some(ends)), "none is early");
    assert_eq!(texts(&w, bo, main).await.len(), 3);
    let (erased, next) = decay(&w, ends).await;
    assert_eq!(erased, 1);
    assert!(next <= long.expires_at, "the key of this second may go before");
    assert_eq!(texts(&w, bo, main).await, ["", "needle that lasts", "needle for ever"]);
    let left = w.message(bo, short.id).await;
    assert_eq!((left.extras, left.file, left.expires_at), (None, None, Some(ends)));
    assert_eq!(w.store.revisions(bo, short.id).await.unwrap().unwrap(), []);
    assert_eq!(w.store.pins(bo, main).await.unwrap().unwrap(), []);
    assert_eq!(w.store.session(bo, main).await.unwrap().unwrap().mentions, 0);
    assert_eq!(w.find(bo, "needle").await, ["needle for ever", "needle that lasts"]);
    let told = w.told_of(main).await.pop().unwrap();
    assert_eq!(told.kind, EventKind::Decayed { from: 1, to: 1 });
    assert_eq!(w.log(main).await.pop().unwrap(), told);
    assert!(w.log(main).await.iter().all(|event| match &event.kind {
        EventKind::Posted(message) | EventKind::Edited(message) =>
            message.number > 1 || message.content.is_empty(),
        EventKind::Reacted { emoji, .. } => emoji.is_empty(),
        _ => true,
    }));
    assert_eq!(denied(w.reword(ana, short.id, "again").await), Denied::NotFound);
    assert_eq!(decay(&w, ends).await.0, 0, "once");
}

pub(crate) async fn what_decays_at_once_is_told_by_runs_of_numbers(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let (main, corner) = (room.main_session, w.session(ana, room.id, &[bo]).await.id);
    for (session, ttl) in [(main, 1), (main, 1), (corner, 2), (main, 60), (main, 2), (corner, 1)] {
        say_for(&w, ana, session, "words", ttl).await;
    }
    let later = w.now() + Duration::from_secs(30);
    let first = w.store.decay(later, 2).await.unwrap();
    assert_eq!(first.erased, 2, "no more at once than asked for");
    assert!(first.next.unwrap() < later);
    assert_eq!(decay(&w, later).await.0, 3);
    let runs = |events: Vec<parlor_domain::Event>| -> Vec<(i64, i64)> {
        events
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::Decayed { from, to } => Some((from, to)),
                _ => None,
            })
            .collect()
    };
    assert_eq!(runs(w.log(main).await), [(1, 2), (4, 4)]);
    assert_eq!(runs(w.told_of(main).await), [(1, 2), (4, 4)]);
    let corners = runs(w.log(corner).await);
    assert!(corners == [(1, 2)] || corners == [(2, 2), (1, 1)], "{corners:?}");
    assert_eq!(texts(&w, bo, main).await, ["", "", "words", ""]);
}

pub(crate) async fn what_a_session_says_holds_for_what_is_said_from_then_on(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let corner = w.session(ana, room.id, &[bo]).await;
    assert_eq!(corner.message_ttl, None);
    let before = w.say(ana, corner.id, "before").await;
    let decided_before = w.draft(bo, corner.id, "meanwhile").await;
    let now = set_ttl(&w, ana, corner.id, Some(60)).await.unwrap().unwrap();
    assert_eq!(now.message_ttl.map(Ttl::seconds), Some(60));
    let told = w.told_of(corner.id).await.pop().unwrap().kind;
    let (name, message_ttl) = ("corner".to_owned(), now.message_ttl);
    assert_eq!(told, EventKind::SessionSettings { name, message_ttl, ending: None, by: ana });
    assert_eq!(w.log(corner.id).await.pop().unwrap().kind, told);
    let stale = w.append(decided_before).await;
    let Err(StoreError::Stale(stale)) = stale else { panic!("{stale:?}") };
    let view = w.store.session_as_seen_by(bo, corner.id).await.unwrap().unwrap();
    let again = view.admit_again(*stale, &Limits::default()).unwrap();
    let meanwhile = w.append(again).await.unwrap();
    let (own, longer) = (
        say_for(&w, bo, corner.id, "shorter", 5).await,
        say_for(&w, bo, corner.id, "no longer", 90).await,
    );
    let lives = |posted: &Posted| posted.expires_at.map(|at| at.since(posted.sent_at).as_secs());
    assert_eq!(
        [&before, &meanwhile, &own, &longer].map(lives),
        [None, Some(60), Some(5), Some(60)]
    );
    set_ttl(&w, ana, corner.id, None).await.unwrap();
    assert_eq!(lives(&w.say(ana, corner.id, "after").await), None);
    let refused = set_ttl(&w, bo, corner.id, Some(1)).await;
    assert!(matches!(denied(refused), Denied::Forbidden(_)), "it is ana's session");
    let opened = parlor_store::sessions::NewSession {
        message_ttl: Some(Ttl::stored(7)),
        ..w.draft_session(ana, room.id, &[bo])
    };
    let opened = w.open(opened).await.unwrap().value;
    assert_eq!(opened.message_ttl.map(Ttl::seconds), Some(7));
    assert_eq!(lives(&w.say(bo, opened.id, "from the beginning").await), Some(7));
}

pub(crate) async fn files_go_with_the_last_message_and_no_copy_outlives_the_first(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let main = w.room(ana, RoomKind::Private, &[bo]).await.main_session;
    let file = file(&w, ana, 1, 100).await;
    let ends = w.now() + Duration::from_secs(60);
    let first = Draft { expires_at: Some(ends), ..carrying(&w, ana, main, &[file]).await };
    w.append(first).await.unwrap();
    let copy = async |user, ends: Option<Time>| {
        w.append(Draft { expires_at: ends, ..carrying(&w, user, main, &[file]).await }).await
    };
    for (user, later) in [(ana, None), (bo, None), (bo, Some(Time(ends.0 + 1)))] {
        assert_eq!(denied(copy(user, later).await), Denied::NotFound);
    }
    copy(bo, Some(Time(ends.0 - 1))).await.unwrap();
    assert!(w.store.file(bo, file).await.unwrap().is_some());
    assert_eq!(decay(&w, Time(ends.0 - 1)).await.0, 1);
    assert!(w.store.file(bo, file).await.unwrap().is_some(), "the first still carries it");
    assert_eq!(decay(&w, ends).await.0, 1);
    assert!(w.store.file(bo, file).await.unwrap().is_none());
    assert!(w.store.any_file(file).await.unwrap().is_none());
}
