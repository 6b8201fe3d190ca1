//! Pins: told, listed, and gone with their message.

use parlor_domain::{Denied, EventKind, Limits, RoomKind, SessionId, UserId};

use crate::world::{World, denied};

async fn texts(w: &World, user: UserId, session: SessionId) -> Vec<String> {
    let pins = w.store.pins(user, session).await.unwrap().expect("they are in it");
    assert!(pins.iter().all(|pin| pin.extras.as_ref().unwrap().pinned_at.is_some()));
    pins.into_iter().map(|pin| pin.content).collect()
}

pub(crate) async fn pins_are_told_and_listed_the_last_one_first(mut w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Private, &[bo]).await;
    let session = room.main_session;
    let one = w.say(ana, session, "one").await;
    let two = w.say(ana, session, "two").await;
    w.pin(bo, two.id, true).await.unwrap();
    w.pin(bo, one.id, true).await.unwrap();
    w.pin(bo, one.id, true).await.unwrap();
    assert_eq!(texts(&w, ana, session).await, ["one", "two"]);
    w.pin(ana, two.id, false).await.unwrap();
    w.pin(ana, two.id, false).await.unwrap();
    assert_eq!(texts(&w, ana, session).await, ["one"]);
    let told = w.told_of(session).await;
    let stored = w.log(session).await;
    assert_eq!(stored[4..], told[4..]);
    let pinned = |message, number, by, on| EventKind::Pinned { message, number, by, on };
    let kinds: Vec<_> = told.into_iter().skip(4).map(|event| event.kind).collect();
    let expected =
        [pinned(two.id, 2, bo, true), pinned(one.id, 1, bo, true), pinned(two.id, 2, ana, false)];
    assert_eq!(kinds, expected);
    let outsider = w.account("cyn").await;
    assert_eq!(w.store.pins(outsider, session).await.unwrap(), None);
    assert_eq!(denied(w.pin(outsider, one.id, false).await), Denied::NotFound);
}

pub(crate) async fn who_may_pin_depends_on_the_place(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    w.join(bo, room.id).await.unwrap();
    let corner = w.session(ana, room.id, &[bo]).await;
    let open = w.say(bo, room.main_session, "open").await;
    let apart = w.say(ana, corner.id, "apart").await;
    assert!(matches!(denied(w.pin(bo, open.id, true).await), Denied::Forbidden(_)));
    w.pin(bo, apart.id, true).await.unwrap();
    w.pin(ana, open.id, true).await.unwrap();
    for n in 1..Limits::default().pins_max {
        let said = w.say(ana, corner.id, &n.to_string()).await;
        w.pin(ana, said.id, true).await.unwrap();
    }
    let more = w.say(ana, corner.id, "more").await;
    assert!(matches!(denied(w.pin(ana, more.id, true).await), Denied::Conflict(_)));
}

pub(crate) async fn a_pin_goes_with_its_message(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let said = w.say(ana, room.main_session, "regret").await;
    w.pin(ana, said.id, true).await.unwrap();
    w.unsay(ana, said.id).await.unwrap();
    assert!(texts(&w, ana, room.main_session).await.is_empty());
    assert_eq!(w.message(ana, said.id).await.extras, None);
    assert_eq!(denied(w.pin(ana, said.id, true).await), Denied::NotFound);
}
