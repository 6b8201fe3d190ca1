//! What people look like: files that a profile carries.

use parlor_domain::{Denied, FileId, Profile, RoomKind, Time, UserEventKind, UserId};
use parlor_store::StoreError;
use parlor_store::files::{Blob, NewPicture, Room};

use crate::world::{World, denied, id};

const ROOM: Room = Room { user_bytes_max: 100, all_bytes_max: 1_000, uploads_max: 9 };

/// A picture whose bytes `[n; 32]` is the hash of.
pub(crate) fn new(n: u8, size: i64) -> NewPicture {
    let blob = Blob { hash: [n; 32], size };
    NewPicture { id: FileId(id()), blob, media_type: "image/jpeg".to_owned(), side: 256 }
}

pub(crate) async fn set(
    w: &World,
    user: UserId,
    picture: NewPicture,
) -> Result<Profile, StoreError> {
    w.store.expect_blob(picture.blob, w.now()).await.unwrap();
    w.store.set_picture(user, Some(picture), ROOM, w.now()).await
}

async fn doomed(w: &World) -> Vec<[u8; 32]> {
    w.store.doomed_blobs(Time(0), 9).await.unwrap()
}

pub(crate) async fn a_picture_is_seen_by_everybody_until_the_next(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    assert_eq!(w.user(ana).await.picture, None);
    let (first, second) = (new(1, 60), new(2, 70));
    let profile = set(&w, ana, first.clone()).await.unwrap();
    assert_eq!(profile.user.picture, Some(first.id));
    assert_eq!(w.user(ana).await.picture, Some(first.id));
    assert_eq!(w.user(bo).await.picture, None);
    let told = w.own_log(ana).await.pop().unwrap().kind;
    assert_eq!(told, UserEventKind::Settings(Box::new(profile)));
    let found = w.store.file(bo, first.id).await.unwrap().unwrap();
    assert_eq!((found.hash, found.file.owner, found.file.width), ([1; 32], ana, Some(256)));
    assert!(!found.file.thumbnail, "it is small itself");
    assert_eq!(w.store.delete_unsent(w.now(), 9).await.unwrap(), 0, "it is in use");
    let kept = w.store.delete_file(ana, first.id).await;
    assert!(matches!(denied(kept), Denied::Conflict(_)));
    set(&w, ana, second.clone()).await.unwrap();
    assert_eq!(w.store.file(bo, first.id).await.unwrap(), None, "at once");
    assert_eq!(doomed(&w).await, [[1; 32]]);
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 70);
    let none = w.store.set_picture(ana, None, ROOM, w.now()).await.unwrap();
    assert_eq!(none.user.picture, None);
    assert_eq!(w.store.file(ana, second.id).await.unwrap(), None);
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 0);
    w.store.set_picture(ana, None, ROOM, w.now()).await.unwrap();
}

pub(crate) async fn a_picture_counts_as_other_files_do(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let first = new(1, 60);
    set(&w, ana, first.clone()).await.unwrap();
    assert!(matches!(denied(set(&w, ana, new(2, 101)).await), Denied::NoRoom(_)));
    assert_eq!(w.user(ana).await.picture, Some(first.id), "a refusal leaves the one before");
    assert!(w.store.file(bo, first.id).await.unwrap().is_some());
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 60);
    // The one before goes, so there is room for this.
    set(&w, ana, new(3, 100)).await.unwrap();
    let unexpected = w.store.set_picture(ana, Some(new(4, 1)), ROOM, w.now()).await;
    assert!(matches!(denied(unexpected), Denied::Conflict(_)));
    let nobody = set(&w, UserId(id()), new(5, 1)).await;
    assert_eq!(denied(nobody), Denied::NotFound);
}

pub(crate) async fn the_same_picture_again_is_another_file(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    for user in [ana, bo, ana] {
        set(&w, user, new(1, 50)).await.unwrap();
    }
    assert_eq!(doomed(&w).await, Vec::<[u8; 32]>::new());
    for user in [ana, bo] {
        assert_eq!(w.store.bytes_of(user).await.unwrap(), 50);
        w.store.set_picture(user, None, ROOM, w.now()).await.unwrap();
    }
    assert_eq!(doomed(&w).await, [[1; 32]]);
}

pub(crate) async fn a_picture_that_was_passed_on_stays_with_the_message(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(bo, RoomKind::Private, &[]).await;
    let picture = new(1, 50);
    set(&w, ana, picture.clone()).await.unwrap();
    let mut draft = w.draft(bo, room.main_session, "look").await;
    draft.files.push(w.store.file(bo, picture.id).await.unwrap().unwrap().file);
    w.append(draft).await.unwrap();
    w.store.set_picture(ana, None, ROOM, w.now()).await.unwrap();
    assert!(w.store.file(bo, picture.id).await.unwrap().is_some());
    assert_eq!(w.store.file(ana, picture.id).await.unwrap(), None, "the message is not hers");
}

pub(crate) async fn a_picture_goes_with_its_account(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let picture = new(1, 50);
    set(&w, ana, picture.clone()).await.unwrap();
    w.store.delete_account(ana, w.now()).await.unwrap();
    assert_eq!(w.user(ana).await.picture, None);
    assert_eq!(w.store.file(bo, picture.id).await.unwrap(), None);
    assert_eq!(doomed(&w).await, [[1; 32]]);
    assert_eq!(w.store.bytes_of(ana).await.unwrap(), 0);
    assert_eq!(denied(set(&w, ana, new(2, 1)).await), Denied::NotFound);
}
