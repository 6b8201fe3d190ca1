//! A session ends at its moment, and nothing that was said in it is left.

use std::time::Duration;

use parlor_domain::ending::AskedEnding;
use parlor_domain::session::{self, Settings};
use parlor_domain::{
    Denied, Draft, Ending, EventKind, FileId, Limits, MessageId, Room, RoomKind, Session,
    SessionFacts, Time, UserId,
};
use parlor_store::StoreError;
use parlor_store::messages::Page;
use parlor_store::sessions::NewSession;

use crate::drafts;
use crate::filing::{carrying, file};
use crate::world::{World, denied};

/// A session of Ana and Bo, and what was done there.
struct Corner {
    room: Room,
    session: Session,
    ana: UserId,
    bo: UserId,
    file: FileId,
    reworded: MessageId,
}

/// How a session ends that is to: in so many seconds, or after as many of silence.
fn ending(w: &World, asked: AskedEnding) -> Option<Ending> {
    Ending::read(asked, w.now(), &Limits::default()).unwrap()
}

fn at(w: &World, seconds: u64, read_only_s: Option<i64>) -> Option<Ending> {
    let at = Some(w.now() + Duration::from_secs(seconds));
    ending(w, AskedEnding { at, read_only_s, ..AskedEnding::default() })
}

fn silence(w: &World, seconds: i64) -> Option<Ending> {
    ending(w, AskedEnding { silence_s: Some(seconds), ..AskedEnding::default() })
}

async fn open(w: &World, ending: Option<Ending>) -> (Room, Session, UserId, UserId) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let new = NewSession { ending, ..w.draft_session(ana, room.id, &[bo]) };
    let session = w.open(new).await.unwrap().value;
    assert_eq!(session.ending, ending);
    (room, session, ana, bo)
}

/// Opens one, and does there whatever can be done.
async fn lively(w: &World, ending: Option<Ending>) -> Corner {
    let (room, session, ana, bo) = open(w, ending).await;
    let reworded = w.say(ana, session.id, "needle for @bo").await.id;
    w.reword(ana, reworded, "needle reworded for @bo").await.unwrap();
    w.react(bo, reworded, "\u{1f44d}", true).await.unwrap();
    w.pin(bo, reworded, true).await.unwrap();
    w.say_under(bo, reworded, "needle in a thread").await;
    let file = file(w, ana, 1, 100).await;
    let draft = carrying(w, ana, session.id, &[file]).await;
    w.append(Draft { content: "needle with a file".to_owned(), ..draft }).await.unwrap();
    drafts::keep(w, bo, (session.id, None), "needle unsaid", 9).await.unwrap();
    assert_eq!(w.find(bo, "needle").await.len(), 3);
    assert!(w.store.file(bo, file).await.unwrap().is_some());
    Corner { room, session, ana, bo, file, reworded }
}

/// Whether none of the two reads anything of it, by whatever way, though its name and its numbers
/// are still there.
async fn is_silent(w: &World, corner: &Corner, ended_at: Time) {
    let Corner { room, session, ana, bo, file, reworded } = corner;
    let page = w.store.page(*bo, session.id, Page::Newest, 100).await.unwrap().unwrap();
    let numbers: Vec<i64> = page.messages.iter().map(|message| message.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    for message in &page.messages {
        assert_eq!((&*message.content, &message.file), ("", &None));
        assert!(message.deleted_at >= Some(ended_at), "{message:?}");
        let left = message.extras.as_ref().is_none_or(|extras| {
            extras.reactions.is_empty() && extras.files.is_empty() && extras.pinned_at.is_none()
        });
        assert!(left, "{message:?}");
    }
    for user in [*ana, *bo] {
        assert_eq!(w.find(user, "needle").await, Vec::<String>::new());
        assert!(w.store.file(user, *file).await.unwrap().is_none());
        assert_eq!(w.store.drafts(user).await.unwrap(), []);
        assert!(w.store.followed(user, None, 9).await.unwrap().is_empty());
        let said = w.store.messages_of(user, *ana, None, None, 9).await.unwrap();
        assert!(said.is_empty(), "{said:?}");
    }
    assert_eq!(w.message(*bo, *reworded).await.content, "");
    assert_eq!(w.store.pins(*bo, session.id).await.unwrap().unwrap(), []);
    assert!(w.log(session.id).await.iter().all(|event| match &event.kind {
        EventKind::Posted(message) | EventKind::Edited(message) => message.content.is_empty(),
        EventKind::Reacted { emoji, .. } => emoji.is_empty(),
        _ => true,
    }));
    let listed = w.store.sessions_of(*bo, Some(room.id)).await.unwrap().pop().unwrap();
    assert_eq!((&*listed.name, listed.ended_at), ("corner", Some(ended_at)));
    assert_eq!(listed.ending, None);
    assert!(matches!(
        denied(w.reword(*ana, *reworded, "again").await),
        Denied::NotFound | Denied::Conflict(_)
    ));
    let unsaid = drafts::keep(w, *bo, (session.id, None), "needle", 9).await;
    assert!(matches!(denied(unsaid), Denied::Conflict(_)));
}

pub(crate) async fn a_session_ends_at_its_moment_and_nothing_that_was_said_is_left(mut w: World) {
    let ends = at(&w, 3_600, None);
    let corner = lively(&w, ends).await;
    let ends = ends.unwrap().at;
    let early = w.store.decay(Time(ends.0 - 1), 100).await.unwrap();
    assert_eq!((early.erased, early.next), (0, Some(ends)));
    assert_eq!(w.find(corner.bo, "needle").await.len(), 3);
    let due = w.store.decay(ends, 100).await.unwrap();
    assert_eq!(due.erased, 3);
    is_silent(&w, &corner, ends).await;
    assert!(w.store.any_file(corner.file).await.unwrap().is_none(), "its bytes go, too");
    let revisions = w.store.revisions(corner.bo, corner.reworded).await.unwrap();
    assert_eq!(revisions.unwrap(), []);
    let told = w.told_of(corner.session.id).await.pop().unwrap();
    assert_eq!(told.kind, EventKind::Ended { by: None }, "nobody ended it");
    assert_eq!(w.log(corner.session.id).await.pop().unwrap(), told);
    let after = w.store.decay(ends, 100).await.unwrap();
    assert_eq!(after.next.filter(|next| *next <= ends), None, "nothing is left to be done");
}

pub(crate) async fn nothing_of_an_ended_session_is_read_before_it_is_erased(w: World) {
    let corner = lively(&w, None).await;
    let end = |facts: &SessionFacts| session::end(facts).map(|change| vec![change]);
    let id = corner.session.id;
    let ended = w.change_session(corner.ana, id, &[], end).await.unwrap().unwrap();
    let ended_at = ended.ended_at.unwrap();
    is_silent(&w, &corner, ended_at).await;
    assert!(w.store.any_file(corner.file).await.unwrap().is_some(), "nothing is erased yet");
    let mut erased = Vec::new();
    while let decayed = w.store.decay(w.now(), 2).await.unwrap()
        && decayed.next.is_some_and(|next| next <= ended_at)
    {
        erased.push(decayed.erased);
    }
    assert_eq!(erased, [2, 1], "a few at a time");
    is_silent(&w, &corner, ended_at).await;
    assert!(w.store.any_file(corner.file).await.unwrap().is_none());
}

pub(crate) async fn what_is_said_puts_off_an_end_by_silence(w: World) {
    let first = silence(&w, 3_600);
    let (_, session, ana, bo) = open(&w, first).await;
    let opened = first.unwrap().at;
    let said = w.say(bo, session.id, "still here").await;
    let put_off = said.sent_at + Duration::from_secs(3_600);
    assert!(put_off > opened);
    let seen = w.store.session(ana, session.id).await.unwrap().unwrap();
    assert_eq!(seen.ending.map(|ending| ending.at), Some(put_off));
    let looked = w.store.decay(opened, 100).await.unwrap();
    assert_eq!((looked.erased, looked.next), (0, Some(put_off)), "it has not ended");
    let seen = w.store.session(ana, session.id).await.unwrap().unwrap();
    assert_eq!((seen.ended_at, seen.ending.map(|ending| ending.at)), (None, Some(put_off)));
    assert_eq!(w.store.decay(put_off, 100).await.unwrap().erased, 1);
    let seen = w.store.session(ana, session.id).await.unwrap().unwrap();
    assert_eq!(seen.ended_at, Some(put_off));
}

pub(crate) async fn nothing_is_said_in_the_last_moments_where_that_was_chosen(w: World) {
    let ending = at(&w, 3_600, Some(600));
    let (_, session, ana, bo) = open(&w, ending).await;
    let said = w.say(bo, session.id, "in time").await.id;
    let view = w.store.session_as_seen_by(bo, session.id).await.unwrap().unwrap();
    let closes = Time(ending.unwrap().at.0 - 600_000_000);
    assert_eq!(view.writable(Time(closes.0 - 1)), Ok(()));
    assert!(matches!(view.writable(closes), Err(Denied::Conflict(_))));
    assert_eq!(view.open(), Ok(()), "its end can still be put off");
    assert_eq!(w.message(ana, said).await.content, "in time");
}

pub(crate) async fn who_manages_a_session_says_when_it_ends(mut w: World) {
    let (room, session, ana, bo) = open(&w, None).await;
    let decided_before = w.draft(bo, session.id, "meanwhile").await;
    let set = async |user, session, ending| {
        let asked = Settings { ending: Some(ending), ..Settings::default() };
        let decide = |facts: &SessionFacts| {
            session::settings(facts, asked, &Limits::default()).map(|change| vec![change])
        };
        w.change_session(user, session, &[], decide).await
    };
    let ends = at(&w, 60, Some(5));
    let refused = set(bo, session.id, ends).await;
    assert!(matches!(denied(refused), Denied::Forbidden(_)));
    let main = set(ana, room.main_session, ends).await;
    assert!(matches!(denied(main), Denied::Conflict(_)), "it lives as long as its room");
    let now = set(ana, session.id, ends).await.unwrap().unwrap();
    assert_eq!(now.ending, ends);
    let silence = silence(&w, 60);
    assert_eq!(set(ana, session.id, silence).await.unwrap().unwrap().ending, silence);
    assert_eq!(set(ana, session.id, None).await.unwrap().unwrap().ending, None);
    assert!(matches!(w.append(decided_before).await, Err(StoreError::Stale(_))));
    let told: Vec<_> = w.told_of(session.id).await;
    let told = told.into_iter().filter_map(|event| match event.kind {
        EventKind::SessionSettings { ending, .. } => Some(ending),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [ends, silence, None]);
    let logged = w.log(session.id).await.into_iter().filter_map(|event| match event.kind {
        EventKind::SessionSettings { ending, .. } => Some(ending),
        _ => None,
    });
    assert_eq!(logged.collect::<Vec<_>>(), [ends, silence, None]);
    assert_eq!(w.store.decay(w.now() + Duration::from_secs(86_400), 9).await.unwrap().next, None);
}

pub(crate) async fn no_copy_of_a_file_outlives_the_session_that_it_is_from(w: World) {
    let ending = at(&w, 60, None);
    let (room, session, ana, bo) = open(&w, ending).await;
    let file = file(&w, ana, 1, 100).await;
    w.append(carrying(&w, ana, session.id, &[file]).await).await.unwrap();
    let ends = ending.unwrap().at;
    let copy = async |place, expires_at: Option<Time>| {
        w.append(Draft { expires_at, ..carrying(&w, bo, place, &[file]).await }).await
    };
    for later in [None, Some(Time(ends.0 + 1))] {
        assert_eq!(denied(copy(room.main_session, later).await), Denied::NotFound);
    }
    copy(room.main_session, Some(ends)).await.unwrap();
    copy(session.id, None).await.unwrap();
    let again = carrying(&w, bo, room.main_session, &[file]).await;
    w.store.decay(ends, 100).await.unwrap();
    assert_eq!(denied(w.append(again).await), Denied::NotFound, "it has ended");
}
