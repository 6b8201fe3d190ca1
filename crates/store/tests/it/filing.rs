//! Files: the books of what is coming and what is here.

use parlor_domain::{
    Denied, Draft, EventKind, FileId, MessageId, RoomKind, SessionId, Time, UserId,
};
use parlor_store::StoreError;
use parlor_store::files::{Blob, Made, NewUpload, Room, Upload};

use crate::world::{World, denied, id};

const ROOM: Room = Room { user_bytes_max: 1_000, all_bytes_max: 2_500, uploads_max: 60 };

fn new(user: UserId, length: i64) -> NewUpload {
    NewUpload {
        id: FileId(id()),
        user,
        length,
        name: "cat.jpg".to_owned(),
        encrypted: false,
        sha256: Some([9; 32]),
        expires: Time(2_000_000),
    }
}

pub(crate) async fn begin(w: &World, user: UserId, length: i64) -> Upload {
    w.store.begin_upload(new(user, length), ROOM, w.now()).await.unwrap()
}

fn made(n: u8, size: i64) -> Made {
    let blob = Blob { hash: [n; 32], size };
    Made { blob, media_type: "image/jpeg".to_owned(), pixels: Some((640, 480)) }
}

/// A file of the bytes `[n; 32]` is the hash of.
pub(crate) async fn file(w: &World, user: UserId, n: u8, size: i64) -> FileId {
    let upload = begin(w, user, size).await;
    let made = made(n, size);
    w.store.expect_blob(made.blob, w.now()).await.unwrap();
    w.store.finish_upload(user, upload.id, made, w.now()).await.unwrap().unwrap();
    upload.id
}

pub(crate) async fn an_upload_grows_in_turns(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let upload = begin(&w, ana, 500).await;
    assert_eq!((upload.received, upload.turn, upload.length), (0, 0, 500));
    let find = |user| w.store.upload(user, upload.id);
    assert_eq!(find(ana).await.unwrap(), Some(upload.clone()));
    assert_eq!(find(bo).await.unwrap(), None, "it is its owner's");
    let turn = |user| w.store.take_turn(user, upload.id, Time(3_000_000));
    assert_eq!(turn(bo).await.unwrap(), None);
    assert_eq!(turn(ana).await.unwrap().unwrap().turn, 1);
    let advance = |turn, to| w.store.advance(upload.id, turn, to, Time(3_500_000));
    assert!(advance(1, 200).await.unwrap());
    let second = turn(ana).await.unwrap().unwrap();
    assert_eq!((second.turn, second.received, second.expires), (2, 200, Time(3_500_000)));
    assert!(!advance(1, 400).await.unwrap(), "whoever came before is not heard any more");
    assert!(advance(2, 300).await.unwrap());
    assert_eq!(find(ana).await.unwrap().unwrap().received, 300);
}

pub(crate) async fn a_complete_upload_becomes_a_file(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let upload = begin(&w, ana, 500).await;
    let made = made(1, 480);
    let early = w.store.finish_upload(ana, upload.id, made.clone(), w.now()).await;
    assert!(matches!(early, Err(StoreError::Denied(Denied::Conflict(_)))), "nobody expects it");
    w.store.expect_blob(made.blob, w.now()).await.unwrap();
    let finished = w.store.finish_upload(ana, upload.id, made.clone(), w.now()).await.unwrap();
    let file = finished.unwrap();
    assert_eq!((file.id, &*file.name, file.size), (upload.id, "cat.jpg", 480));
    assert_eq!((file.width, file.height), (Some(640), Some(480)));
    assert!(file.thumbnail, "it is being drawn");
    let found = w.store.file(ana, file.id).await.unwrap().unwrap();
    assert_eq!((found.file, found.hash, found.thumbnail), (file.clone(), [1; 32], None));
    assert_eq!(found.length, 500, "as it was sent");
    assert_eq!(w.store.file(bo, file.id).await.unwrap(), None, "nobody was shown it");
    assert_eq!(w.store.upload(ana, file.id).await.unwrap(), None);
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 480, "what it is counts, once");
    let again = w.store.finish_upload(ana, upload.id, made, w.now()).await.unwrap();
    assert_eq!(again, None);
    assert_eq!(w.store.doomed_uploads(w.now(), 9).await.unwrap(), [upload.id]);
    w.store.forget_upload(upload.id).await.unwrap();
    assert_eq!(w.store.doomed_uploads(w.now(), 9).await.unwrap(), []);
}

pub(crate) async fn nobody_keeps_more_than_there_is_room_for(w: World) {
    let (ana, bo, cy) = (w.account("ana").await, w.account("bo").await, w.account("cy").await);
    let more = |user, length| w.store.begin_upload(new(user, length), ROOM, w.now());
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 0);
    let first = begin(&w, ana, 900).await;
    assert!(matches!(denied(more(ana, 101).await), Denied::NoRoom(_)));
    file(&w, ana, 1, 100).await;
    assert!(matches!(denied(more(ana, 1).await), Denied::NoRoom(_)));
    begin(&w, bo, 1_000).await;
    assert!(matches!(denied(more(cy, 501).await), Denied::NoRoom(_)), "all of them together");
    w.store.drop_upload(ana, first.id).await.unwrap();
    assert_eq!(denied(w.store.drop_upload(ana, first.id).await), Denied::NotFound);
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 100);
    begin(&w, cy, 501).await;
}

pub(crate) async fn fifty_at_once_do_not_exceed_a_quota(w: World) {
    let ana = w.account("ana").await;
    begin(&w, ana, 999).await;
    let begun = (0..50).map(|_| w.store.begin_upload(new(ana, 1), ROOM, w.now()));
    let begun = futures_util::future::join_all(begun).await;
    assert_eq!(begun.iter().filter(|begun| begun.is_ok()).count(), 1);
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 1_000);
}

pub(crate) async fn the_same_bytes_go_with_the_last_who_has_them(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let (one, two) = (file(&w, ana, 1, 100).await, file(&w, bo, 1, 100).await);
    assert_eq!(denied(w.store.delete_file(bo, one).await), Denied::NotFound);
    w.store.delete_file(ana, one).await.unwrap();
    assert_eq!(w.store.file(ana, one).await.unwrap(), None);
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 0);
    let doomed = async || w.store.doomed_blobs(Time(0), 9).await.unwrap();
    assert_eq!(doomed().await, Vec::<[u8; 32]>::new());
    w.store.delete_file(bo, two).await.unwrap();
    assert_eq!(doomed().await, [[1; 32]]);
    let blob = made(1, 100).blob;
    let busy = w.store.expect_blob(blob, w.now()).await;
    assert!(matches!(busy, Err(StoreError::Busy)), "its bytes are going");
    w.store.forget_blob([1; 32]).await.unwrap();
    assert_eq!(doomed().await, Vec::<[u8; 32]>::new());
    w.store.expect_blob(blob, w.now()).await.unwrap();
}

pub(crate) async fn what_came_to_nothing_is_swept(w: World) {
    let ana = w.account("ana").await;
    let upload = begin(&w, ana, 500).await;
    let (made, at) = (made(1, 500), w.now());
    w.store.expect_blob(made.blob, at).await.unwrap();
    assert_eq!(w.store.doomed_blobs(at, 9).await.unwrap(), Vec::<[u8; 32]>::new());
    assert_eq!(w.store.doomed_blobs(w.now(), 9).await.unwrap(), [[1; 32]]);
    let late = w.store.finish_upload(ana, upload.id, made, w.now()).await;
    assert!(matches!(late, Err(StoreError::Denied(Denied::Conflict(_)))));
    assert_eq!(w.store.doomed_uploads(Time(1_999_999), 9).await.unwrap(), []);
    assert_eq!(w.store.doomed_uploads(Time(2_000_000), 9).await.unwrap(), [upload.id]);
    assert_eq!(w.store.upload(ana, upload.id).await.unwrap(), None);
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 0);
}

pub(crate) async fn what_nobody_was_shown_goes_in_time(w: World) {
    let ana = w.account("ana").await;
    let before = w.now();
    let unsent = file(&w, ana, 1, 100).await;
    assert_eq!(w.store.delete_unsent(before, 9).await.unwrap(), 0);
    assert_eq!(w.store.delete_unsent(w.now(), 9).await.unwrap(), 1);
    assert_eq!(w.store.file(ana, unsent).await.unwrap(), None);
    assert_eq!(w.store.doomed_blobs(Time(0), 9).await.unwrap(), [[1; 32]]);
}

pub(crate) async fn a_file_has_one_thumbnail_which_goes_with_it(w: World) {
    let ana = w.account("ana").await;
    let cat = file(&w, ana, 1, 100).await;
    let set = async |file, n| {
        let blob = Blob { hash: [n; 32], size: 10 };
        w.store.expect_blob(blob, w.now()).await.unwrap();
        w.store.set_thumbnail(file, blob, false, w.now()).await.unwrap()
    };
    assert!(set(cat, 2).await);
    assert!(!set(cat, 2).await, "whoever draws it twice does no harm");
    assert!(!set(cat, 3).await);
    assert!(!set(FileId(id()), 4).await, "the file is gone");
    let mut doomed = w.store.doomed_blobs(Time(0), 9).await.unwrap();
    doomed.sort_unstable();
    assert_eq!(doomed, [[3; 32], [4; 32]], "at once");
    for hash in doomed {
        w.store.forget_blob(hash).await.unwrap();
    }
    let found = w.store.file(ana, cat).await.unwrap().unwrap();
    assert!(found.file.thumbnail);
    assert_eq!(found.thumbnail, Some(Blob { hash: [2; 32], size: 10 }));
    w.store.delete_file(ana, cat).await.unwrap();
    let mut doomed = w.store.doomed_blobs(w.now(), 9).await.unwrap();
    doomed.sort_unstable();
    assert_eq!(doomed, [[1; 32], [2; 32]]);
}

pub(crate) async fn who_goes_takes_along_what_nobody_was_shown(w: World) {
    let ana = w.account("ana").await;
    let upload = begin(&w, ana, 500).await;
    let cat = file(&w, ana, 1, 100).await;
    w.store.delete_account(ana, w.now()).await.unwrap();
    assert_eq!(w.store.file(ana, cat).await.unwrap(), None);
    assert_eq!(w.store.doomed_blobs(Time(0), 9).await.unwrap(), [[1; 32]]);
    let doomed = w.store.doomed_uploads(w.now(), 9).await.unwrap();
    assert!(doomed.contains(&upload.id));
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 0);
}

/// A draft of `user`'s that carries these files of theirs.
pub(crate) async fn carrying(w: &World, user: UserId, session: SessionId, ids: &[FileId]) -> Draft {
    let mut draft = w.draft(user, session, "look").await;
    for id in ids {
        draft.files.push(w.store.file(user, *id).await.unwrap().unwrap().file);
    }
    draft
}

async fn post(w: &World, draft: Draft) -> Result<MessageId, StoreError> {
    w.append(draft).await.map(|posted| posted.id)
}

pub(crate) async fn a_file_is_seen_by_those_who_may_read_a_message_with_it(mut w: World) {
    let (ana, bo, cy) = (w.account("ana").await, w.account("bo").await, w.account("cy").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let (one, two) = (file(&w, ana, 1, 10).await, file(&w, ana, 2, 20).await);
    let draft = carrying(&w, ana, room.main_session, &[two, one]).await;
    let id = post(&w, draft).await.unwrap();
    let message = w.store.message(bo, id).await.unwrap().unwrap();
    let carried: Vec<_> = message.extras.unwrap().files.iter().map(|file| file.id).collect();
    assert_eq!(carried, [two, one]);
    let told = w.told_of(room.main_session).await.pop().unwrap().kind;
    let EventKind::Posted(told) = told else { panic!("{told:?}") };
    assert_eq!(told.extras.unwrap().files.len(), 2);
    for (user, sees) in [(ana, true), (bo, true), (cy, false)] {
        assert_eq!(w.store.file(user, one).await.unwrap().is_some(), sees);
    }
    let kept = w.store.delete_file(ana, one).await;
    assert!(matches!(denied(kept), Denied::Conflict(_)));
    assert_eq!(w.store.delete_unsent(w.now(), 9).await.unwrap(), 0);
    w.leave(bo, room.id).await.unwrap();
    assert_eq!(w.store.file(bo, one).await.unwrap(), None, "at once");
}

pub(crate) async fn nobody_sends_what_they_may_not_have(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let cat = file(&w, ana, 1, 10).await;
    let stolen = carrying(&w, ana, room.main_session, &[cat]).await.files;
    let mut draft = w.draft(bo, room.main_session, "mine").await;
    draft.files = stolen.clone();
    assert_eq!(denied(post(&w, draft).await), Denied::NotFound);
    let plain = w.draft(bo, room.main_session, "words").await;
    post(&w, plain).await.unwrap();
    let draft = carrying(&w, ana, room.main_session, &[cat]).await;
    post(&w, draft).await.unwrap();
    // What one was shown, one may pass on.
    let mut draft = w.draft(bo, room.main_session, "see").await;
    draft.files = stolen;
    post(&w, draft).await.unwrap();
}

pub(crate) async fn a_file_goes_with_the_last_message_that_carries_it(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let cat = file(&w, ana, 1, 10).await;
    let mut ids = vec![];
    for _ in 0..2 {
        let draft = carrying(&w, ana, room.main_session, &[cat]).await;
        ids.push(post(&w, draft).await.unwrap());
    }
    w.unsay(ana, ids[0]).await.unwrap();
    assert!(w.store.file(ana, cat).await.unwrap().is_some());
    let gone = w.store.message(ana, ids[0]).await.unwrap().unwrap();
    assert_eq!(gone.extras, None);
    w.unsay(ana, ids[1]).await.unwrap();
    assert_eq!(w.store.file(ana, cat).await.unwrap(), None);
    assert_eq!(w.store.doomed_blobs(Time(0), 9).await.unwrap(), [[1; 32]]);
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 0);
}

pub(crate) async fn files_go_with_their_room(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let cat = file(&w, ana, 1, 10).await;
    let draft = carrying(&w, ana, room.main_session, &[cat]).await;
    post(&w, draft).await.unwrap();
    let decide = Box::new(parlor_domain::room::delete);
    w.store.change_room(ana, room.id, vec![], w.now(), decide).await.unwrap();
    assert_eq!(w.store.file(ana, cat).await.unwrap(), None);
    assert_eq!(w.store.doomed_blobs(Time(0), 9).await.unwrap(), [[1; 32]]);
}
