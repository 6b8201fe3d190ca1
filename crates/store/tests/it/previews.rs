//! Previews: brought once, told, and gone with their message.

use parlor_domain::{
    Denied, EventKind, FileId, Message, MessageId, Preview, RoomKind, UserId, View,
};
use parlor_store::StoreError;
use parlor_store::files::Blob;
use parlor_store::previews::{Brought, NewPreview};
use uuid::Uuid;

use crate::world::{World, denied};

/// A preview with a picture whose bytes are all `n`.
pub(crate) async fn preview(w: &World, n: u8) -> NewPreview {
    let image = Blob { hash: [n; 32], size: 100 };
    w.store.expect_blob(image, w.now()).await.unwrap();
    let preview = Preview {
        url: format!("https://a.org/{n}"),
        title: format!("Page {n}"),
        description: String::new(),
        site: "a.org".to_owned(),
        image: Some(FileId(Uuid::from_u128(u128::from(n)))),
    };
    NewPreview { preview, image: Some(image) }
}

pub(crate) async fn bring(
    w: &World,
    to: MessageId,
    content: &str,
    previews: &[NewPreview],
) -> Brought {
    let content = content.to_owned();
    w.store.bring_previews(to, content, previews.to_vec(), w.now()).await.unwrap()
}

async fn strip(w: &World, user: UserId, message: MessageId) -> Result<(), StoreError> {
    let decide = Box::new(|view: &View, message: &Message| view.admit_bare(message));
    w.store.drop_previews(user, message, w.now(), decide).await
}

async fn shown(w: &World, user: UserId, message: MessageId) -> Vec<Preview> {
    let extras = w.message(user, message).await.extras;
    extras.map_or_else(Vec::new, |extras| extras.previews)
}

/// Blobs that nothing refers to.
async fn doomed(w: &World) -> Vec<[u8; 32]> {
    let mut doomed = w.store.doomed_blobs(w.now(), 100).await.unwrap();
    doomed.sort_unstable();
    doomed
}

pub(crate) async fn previews_are_brought_once_and_told(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let said = w.say(ana, room.main_session, "https://a.org/1").await;
    let linked = w.store.linked(said.id).await.unwrap().unwrap();
    assert_eq!((linked.content.as_str(), linked.previews.len()), ("https://a.org/1", 0));
    let one = preview(&w, 1).await;
    for _ in 0..2 {
        let brought = bring(&w, said.id, "https://a.org/1", std::slice::from_ref(&one)).await;
        assert_eq!(brought, Brought::Told);
    }
    assert_eq!(shown(&w, bo, said.id).await, std::slice::from_ref(&one.preview));
    let (told, stored) = (w.told_of(room.main_session).await, w.log(room.main_session).await);
    let kind = |previews: &[Preview]| EventKind::Previewed {
        message: said.id,
        number: 1,
        previews: previews.to_vec(),
    };
    assert_eq!(told.last().unwrap().kind, kind(std::slice::from_ref(&one.preview)));
    assert_eq!(stored.last(), told.last());
    assert_eq!(
        stored.iter().filter(|event| matches!(event.kind, EventKind::Previewed { .. })).count(),
        1
    );
    // Who reads it later is told what there is then.
    let two = preview(&w, 2).await;
    bring(&w, said.id, "https://a.org/1", &[two.clone(), one.clone()]).await;
    let both = [two.preview, one.preview];
    let seen: Vec<_> = w.log(room.main_session).await.into_iter().map(|event| event.kind).collect();
    assert_eq!(seen[seen.len() - 2..], [kind(&both), kind(&both)]);
}

pub(crate) async fn previews_are_of_the_words_that_are_there(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let said = w.say(ana, room.main_session, "https://a.org/1").await;
    let one = preview(&w, 1).await;
    assert_eq!(
        bring(&w, said.id, "https://a.org/2", std::slice::from_ref(&one)).await,
        Brought::Reworded
    );
    assert!(shown(&w, ana, said.id).await.is_empty());
    bring(&w, said.id, "https://a.org/1", &[one]).await;
    assert_eq!(bring(&w, said.id, "https://a.org/1", &[]).await, Brought::Told);
    assert_eq!(w.message(ana, said.id).await.extras, None);
    assert_eq!(doomed(&w).await, [[1; 32]], "its picture is nobody's any more");
    let nobody = MessageId(Uuid::from_u128(9));
    assert_eq!(bring(&w, nobody, "", &[]).await, Brought::Unwanted);
    let mut unexpected = preview(&w, 3).await;
    unexpected.image = Some(Blob { hash: [4; 32], size: 1 });
    let content = "https://a.org/1".to_owned();
    let brought = w.store.bring_previews(said.id, content, vec![unexpected], w.now()).await;
    assert!(matches!(brought, Err(StoreError::Denied(Denied::Conflict(_)))));
}

pub(crate) async fn a_picture_is_for_those_who_see_the_message(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let said = w.say(ana, room.main_session, "https://a.org/1").await;
    let one = preview(&w, 1).await;
    bring(&w, said.id, "https://a.org/1", std::slice::from_ref(&one)).await;
    let id = one.preview.image.unwrap();
    assert_eq!(w.store.preview_image(ana, id).await.unwrap(), one.image);
    assert_eq!(w.store.preview_image(bo, id).await.unwrap(), None);
    w.unsay(ana, said.id).await.unwrap();
    assert_eq!(w.store.preview_image(ana, id).await.unwrap(), None);
    assert!(shown(&w, ana, said.id).await.is_empty());
    assert_eq!(doomed(&w).await, [[1; 32]]);
    assert_eq!(w.store.linked(said.id).await.unwrap(), None);
}

pub(crate) async fn who_takes_previews_off_does_so_for_good(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let said = w.say(bo, room.main_session, "https://a.org/1").await;
    let other = w.say(ana, room.main_session, "https://a.org/2").await;
    let one = preview(&w, 1).await;
    bring(&w, said.id, "https://a.org/1", std::slice::from_ref(&one)).await;
    assert!(matches!(denied(strip(&w, bo, other.id).await), Denied::Forbidden(_)));
    let outsider = w.account("cyn").await;
    assert_eq!(denied(strip(&w, outsider, said.id).await), Denied::NotFound);
    strip(&w, bo, said.id).await.unwrap();
    strip(&w, bo, said.id).await.unwrap();
    assert_eq!(w.message(bo, said.id).await.extras, None);
    let told: Vec<_> = w.log(room.main_session).await.into_iter().map(|event| event.kind).collect();
    let bare = EventKind::Previewed { message: said.id, number: 1, previews: vec![] };
    assert_eq!(told[told.len() - 2..], [bare.clone(), bare], "brought, and taken off once");
    assert_eq!(bring(&w, said.id, "https://a.org/1", &[one]).await, Brought::Unwanted);
    assert_eq!(w.store.linked(said.id).await.unwrap(), None);
}

pub(crate) async fn a_room_goes_with_its_previews(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let said = w.say(ana, room.main_session, "https://a.org/1").await;
    let one = preview(&w, 1).await;
    bring(&w, said.id, "https://a.org/1", &[one]).await;
    w.change(ana, room.id, &[], parlor_domain::room::delete).await.unwrap();
    assert_eq!(doomed(&w).await, [[1; 32]]);
}
