//! Drafts: one for each place, its author's alone.

use parlor_domain::{Denied, Limits, MessageId, RoomKind, SessionId, Unsent, UserId, View};
use parlor_store::StoreError;

use crate::world::{World, denied, id};

pub(crate) async fn keep(
    w: &World,
    user: UserId,
    (session, thread): (SessionId, Option<MessageId>),
    content: &str,
    most: u64,
) -> Result<(), StoreError> {
    let content = content.to_owned();
    let unsent = Unsent { session, thread, content, reply_to: None, updated_at: w.now() };
    let decide =
        Box::new(|view: &View, unsent: &Unsent| view.admit_unsent(unsent, &Limits::default()));
    w.store.keep_draft(user, unsent, most, decide).await
}

async fn texts(w: &World, user: UserId) -> Vec<String> {
    w.store.drafts(user).await.unwrap().into_iter().map(|unsent| unsent.content).collect()
}

pub(crate) async fn a_draft_is_kept_for_each_place(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let main = room.main_session;
    let root = w.say(ana, main, "root").await.id;
    keep(&w, ana, (main, None), "one", 9).await.unwrap();
    keep(&w, ana, (main, Some(root)), "two", 9).await.unwrap();
    keep(&w, ana, (main, None), "three", 9).await.unwrap();
    assert_eq!(texts(&w, ana).await, ["three", "two"]);
    let drafts = w.store.drafts(ana).await.unwrap();
    assert_eq!((drafts[1].session, drafts[1].thread), (main, Some(root)));
    assert!(texts(&w, bo).await.is_empty());
    keep(&w, ana, (main, None), "", 9).await.unwrap();
    keep(&w, ana, (main, None), "", 9).await.unwrap();
    assert_eq!(texts(&w, ana).await, ["two"]);
    let nowhere = keep(&w, ana, (main, Some(MessageId(id()))), "x", 9).await;
    assert!(matches!(denied(nowhere), Denied::Invalid { field: "thread_id", .. }));
    let outsider = w.account("cyn").await;
    assert_eq!(denied(keep(&w, outsider, (main, None), "x", 9).await), Denied::NotFound);
}

pub(crate) async fn a_draft_is_refused_beyond_the_limit(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let corner = w.session(ana, room.id, &[]).await;
    keep(&w, ana, (room.main_session, None), "one", 1).await.unwrap();
    keep(&w, ana, (room.main_session, None), "another", 1).await.unwrap();
    let more = keep(&w, ana, (corner.id, None), "more", 1).await;
    assert!(matches!(denied(more), Denied::Conflict(_)));
    let long = "x".repeat(16 * 1024 + 1);
    let long = keep(&w, ana, (room.main_session, None), &long, 1).await;
    assert!(matches!(denied(long), Denied::TooLong { field: "content", .. }));
    assert_eq!(texts(&w, ana).await, ["another"]);
}

pub(crate) async fn drafts_go_when_their_author_goes(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    w.join(bo, room.id).await.unwrap();
    keep(&w, bo, (room.main_session, None), "secret", 9).await.unwrap();
    w.kick(ana, room.id, bo).await.unwrap();
    w.join(bo, room.id).await.unwrap();
    assert!(texts(&w, bo).await.is_empty());
}
