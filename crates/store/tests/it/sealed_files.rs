//! Files with messages that are kept sealed are kept sealed, too, and go with the last key.

use std::time::Duration;

use parlor_domain::{Draft, File, FileId, MessageId, RoomKind, SessionId, Time, UserId};
use parlor_seal::FileKey;
use parlor_store::files::{Blob, Sealed};
use parlor_store::jobs::{Kind, Lease};

use crate::decay::draft;
use crate::filing::{carrying, file};
use crate::sealed::{give_an_end, settle, two};
use crate::world::{World, id};

/// Files that are to be looked at.
async fn asked(w: &World) -> Vec<FileId> {
    let lease = Lease { worker: id(), until: w.now() };
    let later = w.now() + Duration::from_secs(60);
    let claimed = w.store.claim_jobs(Kind::Seal, lease, 9, later).await.unwrap();
    claimed.iter().map(|job| FileId(job.about)).collect()
}

/// A draft that lives for so long and carries a file.
async fn fading(w: &World, user: UserId, session: SessionId, file: FileId, ttl_s: i64) -> Draft {
    let carried = carrying(w, user, session, &[file]).await.files;
    Draft { files: carried, ..draft(w, user, session, "look", ttl_s).await }
}

/// Keeps a file under a new key, its bytes being those that `[n; 32]` is the hash of.
async fn seal(w: &World, id: FileId, n: u8) -> FileKey {
    let found = w.store.file_to_seal(id).await.unwrap().unwrap();
    let (key, blob) = (FileKey::random().unwrap(), Blob { hash: [n; 32], size: found.file.size });
    w.store.expect_blob(blob, w.now()).await.unwrap();
    let sealed = Sealed { of: found.hash, blob, thumbnail: None, key: key.clone() };
    assert!(w.store.seal_file(id, Some(sealed), w.now()).await.unwrap());
    key
}

async fn carried(w: &World, user: UserId, message: MessageId) -> Vec<File> {
    w.message(user, message).await.extras.map_or_else(Vec::new, |extras| extras.files)
}

pub(crate) async fn a_file_is_sealed_with_the_message_that_carries_it(w: World) {
    let (ana, bo, main) = two(&w).await;
    let cat = file(&w, ana, 1, 10).await;
    let said = w.append(fading(&w, ana, main, cat, 100).await).await.unwrap();
    assert_eq!(asked(&w).await, [cat]);
    let key = seal(&w, cat, 9).await;
    assert_eq!(w.store.file_to_seal(cat).await.unwrap(), None, "it is");
    assert_eq!(w.store.doomed_blobs(Time(0), 9).await.unwrap(), [[1; 32]]);
    let found = w.store.file(bo, cat).await.unwrap().unwrap();
    assert_eq!((&*found.file.name, found.hash, found.key), ("cat.jpg", [9; 32], Some(key)));
    let carried = carried(&w, bo, said.id).await;
    assert_eq!((&*carried[0].name, carried[0].id), ("cat.jpg", cat));
    let gone = said.expires_at.unwrap() + Duration::from_secs(1);
    w.store.decay(gone, 100).await.unwrap();
    assert_eq!(w.store.file(bo, cat).await.unwrap(), None);
    assert_eq!(w.store.any_file(cat).await.unwrap(), None);
}

pub(crate) async fn a_file_that_is_somewhere_for_longer_is_not_sealed(w: World) {
    let (ana, _, main) = two(&w).await;
    let cat = file(&w, ana, 1, 10).await;
    w.append(carrying(&w, ana, main, &[cat]).await).await.unwrap();
    w.append(fading(&w, ana, main, cat, 100).await).await.unwrap();
    assert_eq!(asked(&w).await, [cat]);
    assert_eq!(w.store.file_to_seal(cat).await.unwrap(), None);
    let alone = file(&w, ana, 2, 10).await;
    assert_eq!(w.store.file_to_seal(alone).await.unwrap(), None, "nobody was shown it");
}

pub(crate) async fn a_sealed_file_is_read_by_every_message_that_carries_it(w: World) {
    let (ana, bo, main) = two(&w).await;
    let cat = file(&w, ana, 1, 10).await;
    let first = w.append(fading(&w, ana, main, cat, 100).await).await.unwrap();
    assert_eq!(asked(&w).await, [cat]);
    let key = seal(&w, cat, 9).await;
    let second = w.append(fading(&w, bo, main, cat, 50).await).await.unwrap();
    assert_eq!(asked(&w).await, [cat], "the key is still to be put with it");
    assert!(w.store.seal_file(cat, None, w.now()).await.unwrap());
    w.unsay(ana, first.id).await.unwrap();
    let found = w.store.file(ana, cat).await.unwrap().unwrap();
    assert_eq!((&*found.file.name, found.key), ("cat.jpg", Some(key)));
    assert_eq!(carried(&w, ana, second.id).await[0].name, "cat.jpg");
}

pub(crate) async fn a_file_that_has_changed_meanwhile_is_not_replaced(w: World) {
    let (ana, _, main) = two(&w).await;
    let cat = file(&w, ana, 1, 10).await;
    w.append(fading(&w, ana, main, cat, 100).await).await.unwrap();
    let small = Blob { hash: [7; 32], size: 3 };
    w.store.expect_blob(small, w.now()).await.unwrap();
    let found = w.store.file_to_seal(cat).await.unwrap().unwrap();
    assert!(w.store.set_thumbnail(cat, small, false, w.now()).await.unwrap());
    let blob = Blob { hash: [9; 32], size: 10 };
    w.store.expect_blob(blob, w.now()).await.unwrap();
    let key = FileKey::random().unwrap();
    let sealed = Sealed { of: found.hash, blob, thumbnail: None, key };
    assert!(!w.store.seal_file(cat, Some(sealed.clone()), w.now()).await.unwrap());
    assert_eq!(w.store.doomed_blobs(Time(0), 9).await.unwrap(), [[9; 32]]);
    w.store.forget_blob([9; 32]).await.unwrap();
    let under = Blob { hash: [8; 32], size: 3 };
    for blob in [blob, under] {
        w.store.expect_blob(blob, w.now()).await.unwrap();
    }
    let sealed = Sealed { thumbnail: Some((small.hash, under)), ..sealed };
    assert!(w.store.seal_file(cat, Some(sealed), w.now()).await.unwrap());
    let found = w.store.file(ana, cat).await.unwrap().unwrap();
    assert_eq!(found.thumbnail, Some(under));
    let late = Blob { hash: [6; 32], size: 3 };
    w.store.expect_blob(late, w.now()).await.unwrap();
    assert!(!w.store.set_thumbnail(cat, late, false, w.now()).await.unwrap(), "it is not sealed");
}

pub(crate) async fn files_of_a_session_that_gets_an_end_are_sealed_then(w: World) {
    let (ana, bo, main) = two(&w).await;
    let corner =
        w.open(w.draft_session(ana, w.room(ana, RoomKind::Private, &[bo]).await.id, &[bo]));
    let corner = corner.await.unwrap().value.id;
    let (cat, dog) = (file(&w, ana, 1, 10).await, file(&w, ana, 2, 10).await);
    w.append(carrying(&w, ana, corner, &[cat]).await).await.unwrap();
    w.append(carrying(&w, ana, main, &[dog]).await).await.unwrap();
    assert_eq!(asked(&w).await, []);
    give_an_end(&w, ana, corner).await;
    settle(&w).await;
    assert_eq!(asked(&w).await, [cat]);
    seal(&w, cat, 9).await;
    // It may go where it lives for longer than is sealed, if its session does not end before.
    let copy = w.append(fading(&w, bo, main, cat, 10 * 86_400).await).await.unwrap();
    assert!(!w.message(ana, copy.id).await.is_sealed());
    assert_eq!(asked(&w).await, [cat]);
    assert!(w.store.seal_file(cat, None, w.now()).await.unwrap());
    crate::sealed::end(&w, ana, corner).await;
    settle(&w).await;
    let found = w.store.file(ana, cat).await.unwrap().unwrap();
    assert_eq!(found.file.name, "cat.jpg");
}
