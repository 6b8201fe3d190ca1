//! What is handed over is sent once, whatever happens to the program.

use parlor_sdk::{Client, Error, Update};
use serde_json::json;

use crate::kit::{PATIENCE, Server, bodies, heard, knows, started};
use crate::proxy::Proxy;

/// Somebody alone in a room of their own.
async fn alone(server: &Server) -> (Client, String) {
    let ana = server.person("ana").await;
    let room = ana.create_room("notes", "private", &[], None).await.unwrap();
    (ana, room.main_session_id)
}

#[tokio::test]
async fn what_was_handed_over_before_the_program_died_is_sent_by_the_next_one() {
    let server = Server::start();
    let (ana, session) = alone(&server).await;
    ana.stop().await;
    for n in 1..=5 {
        drop(ana.session(&session).say(format!("n{n}")).unwrap());
    }
    assert_eq!(ana.unsent().unwrap().len(), 5);
    drop(ana);
    let again = server.device("ana").resume().await.unwrap();
    let mut updates = again.updates();
    again.start();
    for _ in 0..5 {
        heard(&mut updates, |update| matches!(update, Update::Sent { .. }).then_some(())).await;
    }
    let page = again.session(&session).page_before(None, 50).await.unwrap();
    let said: Vec<_> = page.messages.into_iter().map(|message| message.body).collect();
    assert_eq!(said, ["n1", "n2", "n3", "n4", "n5"]);
    assert!(again.unsent().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_sent_when_the_program_died_before_it_knew_is_not_there_twice() {
    let server = Server::start();
    let (ana, session) = alone(&server).await;
    ana.stop().await;
    let client_id = ana.session(&session).say("once").unwrap().client_id;
    // The request arrives, and the program dies before it hears of it.
    let body = json!({"client_id": client_id, "content": "once"});
    let path = format!("/sessions/{session}/messages");
    let sent = ana.request("POST", &path, Some(&body)).await.unwrap();
    drop(ana);
    let again = server.device("ana").resume().await.unwrap();
    let mut updates = again.updates();
    again.start();
    let message_id = heard(&mut updates, |update| match update {
        Update::Sent { message_id, .. } => Some(message_id.clone()),
        _ => None,
    });
    assert_eq!(message_id.await, sent["id"].as_str().unwrap());
    let page = again.session(&session).page_before(None, 50).await.unwrap();
    assert_eq!(page.messages.len(), 1);
}

#[tokio::test]
async fn what_is_said_while_the_wire_is_cut_arrives_in_order_once_it_is_mended() {
    let server = Server::start();
    server.account("ana").await;
    let proxy = Proxy::before(&server.url).await;
    let builder = Client::builder(&proxy.url).folder(server.folder("ana"));
    let ana = started(builder.sign_in("ana", crate::kit::PASSWORD).await.unwrap()).await;
    let room = ana.create_room("notes", "private", &[], None).await.unwrap();
    let session = room.main_session_id;
    proxy.cut();
    let sendings: Vec<_> =
        (1..=5).map(|n| ana.session(&session).say(format!("n{n}")).unwrap()).collect();
    proxy.mend();
    for sending in sendings {
        sending.delivered().await.unwrap();
    }
    let page = ana.session(&session).page_before(None, 50).await.unwrap();
    assert_eq!(
        page.messages.iter().map(|m| &*m.body).collect::<Vec<_>>(),
        ["n1", "n2", "n3", "n4", "n5"]
    );
    assert_eq!(bodies(&ana, &session).len(), 5);
}

#[tokio::test]
async fn what_is_refused_waits_and_does_not_stand_in_the_way() {
    let server = Server::start();
    let (ana, session) = alone(&server).await;
    let at_ana = ana.session(&session);
    let bad = at_ana.reply("00000000-0000-7000-8000-000000000000", "to nothing").unwrap();
    let (bad_id, good) = (bad.client_id.clone(), at_ana.say("fine").unwrap());
    assert!(matches!(bad.delivered().await, Err(Error::Refused { .. })));
    good.delivered().await.unwrap();
    let unsent = ana.unsent().unwrap();
    assert_eq!((unsent.len(), &unsent[0].0), (1, &bad_id));
    assert!(unsent[0].2.is_some(), "it says why");
    ana.withdraw(&bad_id).unwrap();
    assert!(matches!(ana.withdraw(&bad_id), Err(Error::NotFound)));
    assert!(matches!(ana.retry(&bad_id), Err(Error::NotFound)));
}

#[tokio::test]
async fn what_was_to_be_said_where_one_is_no_more_is_given_up_and_told() {
    let server = Server::start();
    let ana = server.person("ana").await;
    server.account("bo").await;
    let proxy = Proxy::before(&server.url).await;
    let builder = Client::builder(&proxy.url).folder(server.folder("bo"));
    let bo = started(builder.sign_in("bo", crate::kit::PASSWORD).await.unwrap()).await;
    let mut updates = bo.updates();
    let room = ana.create_room("den", "private", &[bo.user_id()], None).await.unwrap();
    knows(&bo, &mut updates, &room.main_session_id).await;
    proxy.cut();
    heard(&mut updates, |update| matches!(update, Update::Disconnected).then_some(())).await;
    let sending = bo.session(&room.main_session_id).say("too late").unwrap();
    let path = format!("/rooms/{}/members/{}", room.id, bo.user_id());
    ana.request("DELETE", &path, None).await.unwrap();
    proxy.mend();
    let outcome = tokio::time::timeout(PATIENCE, sending.delivered()).await;
    assert!(matches!(outcome, Ok(Err(Error::Refused { .. }))), "{outcome:?}");
}
