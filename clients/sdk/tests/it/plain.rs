//! Rooms, messages and files without encryption.

use parlor_sdk::{Client, Draft, Ending, Error, Secrecy, Update};

use crate::kit::{PASSPHRASE, Server, bodies, heard, hears, knows, stands_in, started};

/// Ana and Bo in a private room, with its main session.
async fn two_people(server: &Server) -> (Client, Client, String) {
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let mut updates = bo.updates();
    let room = ana.create_room("den", "private", &[bo.user_id()], None).await.unwrap();
    knows(&bo, &mut updates, &room.main_session_id).await;
    (ana, bo, room.main_session_id)
}

#[tokio::test]
async fn what_one_says_the_other_hears_and_keeps() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let mut updates = bo.updates();
    let id = ana.session(&session).say("hello **bo**").unwrap().delivered().await.unwrap();
    let message = hears(&mut updates, "hello **bo**").await;
    assert_eq!((message.id, message.number, message.secrecy), (id, 1, Secrecy::Plain));
    assert_eq!(message.sender_id, ana.user_id());
    assert_eq!(bodies(&bo, &session), ["hello **bo**"]);
}

#[tokio::test]
async fn messages_are_answered_reworded_reacted_to_and_deleted() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let (at_ana, at_bo) = (ana.session(&session), bo.session(&session));
    let mut updates = bo.updates();
    let id = at_ana.say("tpyo").unwrap().delivered().await.unwrap();
    hears(&mut updates, "tpyo").await;
    at_ana.edit(&id, "typo").await.unwrap();
    assert!(hears(&mut updates, "typo").await.edited_at.is_some());
    at_bo.reply(&id, "better").unwrap().delivered().await.unwrap();
    assert_eq!(hears(&mut updates, "better").await.reply_to.as_deref(), Some(&*id));
    at_bo.react(&id, "\u{1f44d}", true).await.unwrap();
    let reacted = |message: &parlor_sdk::Message| message.reactions.len();
    let reactions = heard(&mut updates, |update| match update {
        Update::Changed(message) if message.id == id => Some(reacted(message)),
        _ => None,
    });
    assert_eq!(reactions.await, 1);
    at_bo.react(&id, "\u{1f44d}", false).await.unwrap();
    at_ana.delete(&id).await.unwrap();
    heard(&mut updates, |update| match update {
        Update::Changed(message) => message.deleted_at.clone(),
        _ => None,
    })
    .await;
    let kept = bo.message(&id).unwrap();
    assert!(kept.body.is_empty() && kept.reactions.is_empty());
    assert!(bo.search("typo", 10).unwrap().is_empty());
}

#[tokio::test]
async fn a_history_comes_in_pages() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    for n in 1..=12 {
        ana.session(&session).say(format!("n{n}")).unwrap().delivered().await.unwrap();
    }
    let at_bo = bo.session(&session);
    let newest = at_bo.page_before(None, 5).await.unwrap();
    assert_eq!(newest.messages.iter().map(|m| m.number).collect::<Vec<_>>(), [8, 9, 10, 11, 12]);
    assert!(newest.more_before && !newest.more_after);
    let before = at_bo.page_before(Some(8), 5).await.unwrap();
    assert_eq!(before.messages.first().map(|m| m.number), Some(3));
    let after = at_bo.page_after(0, 2).await.unwrap();
    assert_eq!(after.messages.last().map(|m| &*m.body), Some("n2"));
    let around = at_bo.page_around(6, 4).await.unwrap();
    assert!(around.messages.iter().any(|message| message.number == 6));
}

#[tokio::test]
async fn what_is_unread_is_counted_and_read() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    for n in 1..=3 {
        ana.session(&session).say(format!("n{n}")).unwrap().delivered().await.unwrap();
    }
    let at_bo = bo.session(&session);
    assert_eq!(at_bo.unread().await.unwrap(), 3);
    at_bo.read(2).await.unwrap();
    assert_eq!(at_bo.unread().await.unwrap(), 1);
    assert_eq!(at_bo.info().unwrap().unread, 1);
}

#[tokio::test]
async fn one_sees_who_writes() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let mut updates = bo.updates();
    // Who writes is told to those who listen, and is not kept: Bo does by now.
    ana.session(&session).send(Draft::text("hello")).unwrap().delivered().await.unwrap();
    hears(&mut updates, "hello").await;
    ana.session(&session).typing();
    let who = heard(&mut updates, |update| match update {
        Update::Typing { user_ids, .. } if !user_ids.is_empty() => Some(user_ids.clone()),
        _ => None,
    });
    assert_eq!(who.await, [ana.user_id()]);
}

#[tokio::test]
async fn a_file_goes_with_a_message_and_comes_back() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let mut updates = bo.updates();
    let bytes: Vec<u8> = (0..50_000_u32).map(|n| (n % 253) as u8).collect();
    let at_ana = ana.session(&session);
    let file = at_ana.upload("n\u{fc}mbers.bin", "application/octet-stream", bytes.clone());
    let draft = Draft::text("see this").with_file(file.await.unwrap());
    at_ana.send(draft).unwrap().delivered().await.unwrap();
    let message = hears(&mut updates, "see this").await;
    assert_eq!(message.files[0].name, "n\u{fc}mbers.bin");
    assert_eq!(bo.session(&session).download(&message.files[0]).await.unwrap(), bytes);
}

#[tokio::test]
async fn words_are_found_without_the_server_and_only_where_they_are() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let mut updates = bo.updates();
    for text in ["the red bus", "a blue train", "Caf\u{e9} au lait"] {
        ana.session(&session).say(text).unwrap();
        hears(&mut updates, text).await;
    }
    bo.stop().await;
    let found = |words: &str| -> Vec<String> {
        bo.search(words, 10).unwrap().into_iter().map(|message| message.body).collect()
    };
    assert_eq!(found("red bu"), ["the red bus"]);
    assert_eq!(found("cafe"), ["Caf\u{e9} au lait"]);
    assert!(found("red train").is_empty());
    assert!(found("\" OR 1").is_empty());
}

#[tokio::test]
async fn a_device_goes_on_where_it_was_and_its_files_say_nothing() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let mut updates = bo.updates();
    ana.session(&session).say("canary-77aa").unwrap();
    hears(&mut updates, "canary-77aa").await;
    bo.stop().await;
    drop(bo);
    ana.session(&session).say("meanwhile").unwrap().delivered().await.unwrap();
    let folder = server.folder("bo");
    assert!(stands_in(&server.data(), "canary-77aa"), "the server keeps it: it was not sealed");
    assert!(!stands_in(&folder, "canary-77aa"), "the cache is closed");
    let wrong = Client::builder(&server.url).folder(&folder).passphrase("guess").resume().await;
    assert!(matches!(wrong, Err(Error::Passphrase)));
    let bare = Client::builder(&server.url).folder(&folder).resume().await;
    assert!(matches!(bare, Err(Error::Passphrase)));
    let resumed = Client::builder(&server.url).folder(&folder).passphrase(PASSPHRASE).resume();
    let bo = started(resumed.await.unwrap()).await;
    while bodies(&bo, &session).len() < 2 {
        hears(&mut bo.updates(), "meanwhile").await;
    }
    assert_eq!(bodies(&bo, &session), ["canary-77aa", "meanwhile"]);
    assert_eq!(bo.search("canary", 5).unwrap().len(), 1);
}

#[tokio::test]
async fn who_was_taken_out_of_a_session_keeps_nothing_of_it() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let mut updates = bo.updates();
    let room = ana.session(&session).info().unwrap().room_id;
    let plans = ana.create_session(&room, "plans", &[bo.user_id()], None).await.unwrap();
    knows(&bo, &mut updates, &plans.id).await;
    ana.session(&plans.id).say("for now").unwrap();
    hears(&mut updates, "for now").await;
    ana.session(&plans.id).remove_member(&bo.user_id()).await.unwrap();
    while bo.session(&plans.id).info().is_ok() {
        heard(&mut updates, |update| matches!(update, Update::Rooms).then_some(())).await;
    }
    assert!(bodies(&bo, &plans.id).is_empty());
    assert!(bo.search("for", 5).unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_password_and_a_login_that_is_over_are_told() {
    let server = Server::start();
    server.account("ana").await;
    let refused = server.device("x").sign_in("ana", "guess guess guess").await.err();
    assert!(matches!(refused, Some(Error::Refused { status: 401, .. })), "{refused:?}");
    let (first, second) = (server.sign_in("ana", "one").await, server.sign_in("ana", "two").await);
    let mut updates = second.updates();
    let path = format!("/me/devices/{}", second.device_id());
    first.request("DELETE", &path, None).await.unwrap();
    heard(&mut updates, |update| matches!(update, Update::SignedOut).then_some(())).await;
    assert!(matches!(second.session("x").page_before(None, 1).await, Err(Error::SignedOut)));
}

#[tokio::test]
async fn whoever_is_signed_out_may_sign_out_again() {
    let server = Server::start();
    let ana = server.person("ana").await;
    // The first answer may be lost.
    for _ in 0..2 {
        ana.sign_out().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_to_disappear_does_so_here_and_on_the_server() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let (at_ana, at_bo) = (ana.session(&session), bo.session(&session));
    let mut updates = bo.updates();
    let glimpse = Draft::text("a glimpse").expiring_in_ms(1_000);
    let id = at_ana.send(glimpse).unwrap().delivered().await.unwrap();
    let message = hears(&mut updates, "a glimpse").await;
    assert!(message.expires_at.is_some());
    let gone = async |updates: &mut _, id: &str| {
        heard(updates, |update| match update {
            Update::Decayed { message_id, .. } if message_id == id => Some(()),
            _ => None,
        })
        .await;
    };
    gone(&mut updates, &id).await;
    assert!(bodies(&bo, &session).is_empty());
    assert!(bo.search("glimpse", 10).unwrap().is_empty());
    // The server's own word, of which somebody hears who came too late for the rest.
    let late = server.sign_in("bo", "late").await;
    let mut told = late.updates();
    knows(&late, &mut told, &session).await;
    let left = async || {
        let page = late.session(&session).page_before(None, 10).await.unwrap();
        page.messages.into_iter().next().unwrap()
    };
    while left().await.deleted_at.is_none() {}
    let left = left().await;
    assert_eq!((left.number, &*left.body), (1, ""));

    let refused = at_bo.set_message_ttl_s(3_600).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    at_ana.set_message_ttl_s(3_600).await.unwrap();
    let set = async || bo.session(&session).info().unwrap().message_ttl_s == Some(3_600);
    while !set().await {
        heard(&mut updates, |update| matches!(update, Update::Rooms).then_some(())).await;
    }
    at_bo.say("for an hour").unwrap().delivered().await.unwrap();
    assert!(hears(&mut updates, "for an hour").await.expires_at.is_some());
}

#[tokio::test]
async fn a_session_that_ends_leaves_nothing_here_either() {
    let server = Server::start();
    let (ana, bo, main) = two_people(&server).await;
    let mut updates = bo.updates();
    let room = ana.session(&main).info().unwrap().room_id;
    let plans = ana.create_session(&room, "plans", &[bo.user_id()], None).await.unwrap();
    knows(&bo, &mut updates, &plans.id).await;
    let at_ana = ana.session(&plans.id);
    let id = at_ana.say("burn after reading").unwrap().delivered().await.unwrap();
    let said = hears(&mut updates, "burn after reading").await;
    let refused = bo.session(&plans.id).set_end(Some(&Ending::Silence(60))).await;
    assert!(matches!(refused, Err(Error::Refused { status: 403, .. })), "{refused:?}");
    at_ana.set_end(Some(&Ending::Silence(3_600))).await.unwrap();
    let end = async || bo.session(&plans.id).info().unwrap().end;
    while end().await != Some(Ending::Silence(3_600)) {
        heard(&mut updates, |update| matches!(update, Update::Rooms).then_some(())).await;
    }
    let said_at: jiff::Timestamp = said.sent_at.parse().unwrap();
    let at = said_at + jiff::SignedDuration::from_secs(5);
    let soon = Ending::At { at: at.to_string(), read_only_s: Some(1) };
    at_ana.set_end(Some(&soon)).await.unwrap();
    heard(&mut updates, |update| match update {
        Update::Decayed { message_id, .. } if *message_id == id => Some(()),
        _ => None,
    })
    .await;
    assert!(bodies(&bo, &plans.id).is_empty());
    assert!(bo.search("burn", 5).unwrap().is_empty());
    let over = bo.session(&plans.id).info().unwrap();
    assert!(over.ended && over.name == "plans", "{over:?}");
    let late = async || bo.session(&plans.id).say("too late").unwrap().delivered().await;
    while late().await.is_ok() {}
    // Somebody who was away over the end reads nothing of it.
    let late = server.sign_in("bo", "late").await;
    let mut told = late.updates();
    knows(&late, &mut told, &main).await;
    assert!(bodies(&late, &plans.id).is_empty());
}
