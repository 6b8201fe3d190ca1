//! A connection that is cut goes on from where it was.

use parlor_sdk::{Client, Update};

use crate::kit::{PASSWORD, Server, bodies, heard, hears, knows, started};
use crate::proxy::Proxy;

#[tokio::test]
async fn what_was_said_during_a_cut_is_heard_once_and_in_order() {
    let server = Server::start();
    let ana = server.person("ana").await;
    server.account("bo").await;
    let proxy = Proxy::before(&server.url).await;
    let builder = Client::builder(&proxy.url).folder(server.folder("bo"));
    let bo = started(builder.sign_in("bo", PASSWORD).await.unwrap()).await;
    let mut updates = bo.updates();
    let room = ana.create_room("den", "private", &[bo.user_id()], None).await.unwrap();
    let session = room.main_session_id;
    knows(&bo, &mut updates, &session).await;
    let mut expected = Vec::new();
    for round in 0..3 {
        proxy.cut();
        heard(&mut updates, |update| matches!(update, Update::Disconnected).then_some(())).await;
        for n in 0..10 {
            let text = format!("r{round} n{n}");
            ana.session(&session).say(&*text).unwrap().delivered().await.unwrap();
            expected.push(text);
        }
        proxy.mend();
        hears(&mut updates, &format!("r{round} n9")).await;
    }
    assert_eq!(bodies(&bo, &session), expected);
    let kept = bo.session(&session).timeline(None, 1_000).unwrap();
    let numbers: Vec<_> = kept.iter().map(|message| message.number).collect();
    assert_eq!(numbers, (1..=30).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_room_that_one_was_added_to_during_a_cut_is_known_afterwards() {
    let server = Server::start();
    let ana = server.person("ana").await;
    server.account("bo").await;
    let proxy = Proxy::before(&server.url).await;
    let bo = Client::builder(&proxy.url).sign_in("bo", PASSWORD).await.unwrap();
    let bo = started(bo).await;
    let mut updates = bo.updates();
    proxy.cut();
    heard(&mut updates, |update| matches!(update, Update::Disconnected).then_some(())).await;
    let room = ana.create_room("late", "private", &[bo.user_id()], None).await.unwrap();
    let said = ana.session(&room.main_session_id).say("welcome").unwrap();
    said.delivered().await.unwrap();
    proxy.mend();
    heard(&mut updates, |update| matches!(update, Update::Connected).then_some(())).await;
    assert!(bo.rooms().unwrap().iter().any(|known| known.id == room.id));
    assert_eq!(bodies(&bo, &room.main_session_id), ["welcome"]);
}
