//! Encrypted sessions through a real server: it hands on, and sees nothing of what is said.

use parlor_sdk::{
    Client, CodeError, Draft, Error, Message, Secrecy, Settings, Stage, Update, Verdict,
};
use serde_json::json;

use crate::kit::{Server, bodies, heard, hears, knows, stands_in, started};

/// Somebody with an identity.
async fn person(server: &Server, name: &str) -> Client {
    let client = server.person(name).await;
    client.encryption().expect("the server has a key service").set_up().await.unwrap();
    client
}

/// Ana and Bo in a private room whose main session is encrypted.
async fn two_people(server: &Server) -> (Client, Client, String) {
    let (ana, bo) = (person(server, "ana").await, person(server, "bo").await);
    let mut updates = bo.updates();
    let room = ana
        .create_room("den", "private", &[bo.user_id()], Some(Settings::default()))
        .await
        .unwrap();
    knows(&bo, &mut updates, &room.main_session_id).await;
    (ana, bo, room.main_session_id)
}

fn is_opened(message: &Message) -> bool {
    matches!(message.secrecy, Secrecy::Opened { verdict: Verdict::FirstSeen | Verdict::Verified })
}

#[tokio::test]
async fn what_is_said_is_read_by_the_members_and_stands_nowhere_on_the_server() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    assert!(ana.session(&session).info().unwrap().encryption.is_some());
    let mut updates = bo.updates();
    let canary = "canary-5e2d90";
    ana.session(&session).say(canary).unwrap().delivered().await.unwrap();
    let message = hears(&mut updates, canary).await;
    assert!(is_opened(&message), "{:?}", message.secrecy);
    let raw = ana.request("GET", &format!("/messages/{}", message.id), None).await.unwrap();
    assert_eq!(raw["content"], "");
    assert!(raw["encrypted"]["ciphertext"].is_string());
    assert!(!stands_in(&server.data(), canary), "not on the server's disk");
    assert!(!stands_in(&server.folder("bo"), canary), "nor in the clear on one's own");
    assert_eq!(bo.search("canary", 5).unwrap().len(), 1);
}

#[tokio::test]
async fn who_comes_later_is_told_that_what_is_older_was_said_before() {
    let server = Server::start();
    let (ana, _bo, session) = two_people(&server).await;
    ana.session(&session).say("before").unwrap().delivered().await.unwrap();
    let cy = person(&server, "cy").await;
    let mut updates = cy.updates();
    ana.session(&session).add_members(&[cy.user_id()]).await.unwrap();
    knows(&cy, &mut updates, &session).await;
    let page = cy.session(&session).page_before(None, 10).await.unwrap();
    let reasons: Vec<_> = page.messages.iter().map(|message| &message.secrecy).collect();
    let reason = "it was said before you came".to_owned();
    assert_eq!(reasons, [&Secrecy::Locked { reason, later: true }]);
}

#[tokio::test]
async fn who_is_added_to_a_session_of_a_room_is_let_in_by_everybody() {
    let server = Server::start();
    let (ana, bo, den) = two_people(&server).await;
    let cy = person(&server, "cy").await;
    ana.session(&den).add_members(&[cy.user_id()]).await.unwrap();
    let (mut at_bos, mut at_cys) = (bo.updates(), cy.updates());
    let room = ana.session(&den).info().unwrap().room_id;
    let members = [bo.user_id()];
    let session = ana.create_session(&room, "plans", &members, Some(Settings::default()));
    let session = session.await.unwrap().id;
    knows(&bo, &mut at_bos, &session).await;
    ana.session(&session).add_members(&[cy.user_id()]).await.unwrap();
    knows(&cy, &mut at_cys, &session).await;
    for client in [&ana, &bo] {
        let text = format!("by {}", client.username());
        client.session(&session).say(&*text).unwrap().delivered().await.unwrap();
        assert!(is_opened(&hears(&mut at_cys, &text).await));
        assert!(client.encryption().unwrap().unvouched(&session).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn answers_rewordings_reactions_and_files_are_sealed_like_messages() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let (at_ana, at_bo) = (ana.session(&session), bo.session(&session));
    let (mut at_bos, mut at_anas) = (bo.updates(), ana.updates());
    let id = at_ana.say("tpyo").unwrap().delivered().await.unwrap();
    hears(&mut at_bos, "tpyo").await;
    at_ana.edit(&id, "typo").await.unwrap();
    assert!(is_opened(&hears(&mut at_bos, "typo").await));
    at_bo.reply(&id, "an answer").unwrap().delivered().await.unwrap();
    assert_eq!(hears(&mut at_anas, "an answer").await.reply_to.as_deref(), Some(&*id));
    at_bo.react(&id, "\u{1f44d}", true).await.unwrap();
    let emoji = heard(&mut at_anas, |update| match update {
        Update::Changed(message) if message.id == id => {
            message.reactions.first().map(|reaction| reaction.emoji.clone())
        }
        _ => None,
    });
    assert_eq!(emoji.await, "\u{1f44d}");
    let bytes = b"canary-file-1122 ".repeat(1_000);
    let file = at_ana.upload("plan.txt", "text/plain", bytes.clone()).await.unwrap();
    let draft = Draft::text("a file").with_file(file);
    at_ana.send(draft).unwrap().delivered().await.unwrap();
    let message = hears(&mut at_bos, "a file").await;
    assert_eq!(
        (&*message.files[0].name, &*message.files[0].media_type),
        ("plan.txt", "text/plain")
    );
    assert_eq!(at_bo.download(&message.files[0]).await.unwrap(), bytes);
    at_ana.edit(&message.id, "the file").await.unwrap();
    assert_eq!(hears(&mut at_bos, "the file").await.files, message.files);
    for secret in ["canary-file-1122", "plan.txt", "tpyo", "an answer"] {
        assert!(!stands_in(&server.data(), secret), "{secret}");
    }
}

#[tokio::test]
async fn nothing_is_said_in_the_clear_in_an_encrypted_session() {
    let server = Server::start();
    let (ana, _bo, session) = two_people(&server).await;
    let body = json!({"client_id": "0190d7a0-0000-7000-8000-00000000aaaa", "content": "plain"});
    let path = format!("/sessions/{session}/messages");
    let refused = ana.request("POST", &path, Some(&body)).await.unwrap_err();
    assert!(refused.is_code("session_encrypted"), "{refused}");
    // Without a passphrase there are no keys, and then nothing is sent at all.
    let bare = Client::builder(&server.url).sign_in("ana", crate::kit::PASSWORD).await.unwrap();
    let bare = started(bare).await;
    assert!(matches!(bare.encryption(), Err(Error::NoEncryption)));
    assert!(bare.session(&session).say("plain").unwrap().delivered().await.is_err());
}

#[tokio::test]
async fn who_was_taken_out_is_not_sealed_for_although_the_sender_did_not_know() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let cy = person(&server, "cy").await;
    let room = ana.session(&session).info().unwrap().room_id;
    let mut at_bos = bo.updates();
    ana.session(&session).add_members(&[cy.user_id()]).await.unwrap();
    heard(&mut at_bos, |update| matches!(update, Update::Joined { .. }).then_some(())).await;
    let before = bo.session(&session).say("before").unwrap().delivered().await.unwrap();
    // Bo is cut off, does not hear that Cy left, and seals for the members that he knows.
    let raw = bo.request("GET", &format!("/messages/{before}"), None).await.unwrap();
    cy.leave_room(&room).await.unwrap();
    bo.session(&session).say("after").unwrap().delivered().await.unwrap();
    let page = bo.session(&session).page_before(None, 1).await.unwrap();
    let after = &page.messages[0];
    let sealed = bo.request("GET", &format!("/messages/{}", after.id), None).await.unwrap();
    assert_ne!(raw["encrypted"]["session_id"], sealed["encrypted"]["session_id"]);
    assert_eq!(bodies(&bo, &session).last().map(String::as_str), Some("after"));
}

#[tokio::test]
async fn a_new_device_reads_the_history_after_recovery() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let mut updates = ana.updates();
    bo.session(&session).say("long ago").unwrap().delivered().await.unwrap();
    hears(&mut updates, "long ago").await;
    let key = ana.encryption().unwrap().set_up_recovery().await.unwrap();
    let second = server.sign_in("ana", "ana-second").await;
    let encryption = second.encryption().unwrap();
    assert!(!encryption.standing().await.unwrap().device_signed);
    assert!(second.session(&session).say("too early").unwrap().delivered().await.is_err());
    let wrong = encryption.recover("EsTa EsTa EsTa").await;
    assert!(matches!(wrong, Err(Error::Encryption(_))));
    encryption.recover(&key.text()).await.unwrap();
    assert!(encryption.standing().await.unwrap().device_signed);
    let kept = second.session(&session).timeline(None, 10).unwrap();
    assert_eq!(kept[0].body, "long ago");
    assert_eq!(kept[0].secrecy, Secrecy::Opened { verdict: Verdict::FromBackup });
    let mut at_bos = bo.updates();
    second.session(&session).say("from the new one").unwrap().delivered().await.unwrap();
    assert!(is_opened(&hears(&mut at_bos, "from the new one").await));
}

#[tokio::test]
async fn what_a_device_did_not_hear_before_it_was_signed_out_is_read_by_the_next_one() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let key = bo.encryption().unwrap().set_up_recovery().await.unwrap();
    bo.stop().await;
    ana.session(&session).say("while you were away").unwrap().delivered().await.unwrap();
    bo.sign_out().await.unwrap();
    let next = server.sign_in("bo", "bo-next").await;
    next.encryption().unwrap().recover(&key.text()).await.unwrap();
    let page = next.session(&session).page_before(None, 10).await.unwrap();
    assert_eq!(page.messages.last().unwrap().body, "while you were away");
}

#[tokio::test]
async fn two_people_verify_each_other_by_emoji() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let (at_ana, at_bo) = (ana.encryption().unwrap(), bo.encryption().unwrap());
    let mut at_bos = bo.updates();
    let mut at_anas = ana.updates();
    at_ana.devices(&bo.user_id()).await.unwrap();
    at_bo.devices(&ana.user_id()).await.unwrap();
    let asking = at_ana.ask_to_verify(&bo.user_id(), &bo.device_id()).await.unwrap();
    let (user, name) = heard(&mut at_bos, |update| match update {
        Update::Verification { user_id, name } => Some((user_id.clone(), name.clone())),
        _ => None,
    })
    .await;
    let answering = at_bo.verification(&user, &name).unwrap();
    let keys = |update: &Update| matches!(update, Update::Keys).then_some(());
    answering.accept().unwrap();
    at_bo.flush().await.unwrap();
    while asking.stage() != Stage::Ready {
        heard(&mut at_anas, keys).await;
    }
    asking.begin().await.unwrap();
    at_ana.flush().await.unwrap();
    while answering.stage() != Stage::Asked {
        heard(&mut at_bos, keys).await;
    }
    answering.accept().unwrap();
    at_bo.flush().await.unwrap();
    while !matches!(asking.stage(), Stage::Compare(_)) {
        heard(&mut at_anas, keys).await;
    }
    while !matches!(answering.stage(), Stage::Compare(_)) {
        heard(&mut at_bos, keys).await;
    }
    assert_eq!(asking.stage(), answering.stage());
    asking.confirm().await.unwrap();
    answering.confirm().await.unwrap();
    at_ana.flush().await.unwrap();
    at_bo.flush().await.unwrap();
    while asking.stage() != Stage::Done || !at_ana.is_verified(&bo.user_id()).await.unwrap() {
        heard(&mut at_anas, keys).await;
    }
    while answering.stage() != Stage::Done || !at_bo.is_verified(&ana.user_id()).await.unwrap() {
        heard(&mut at_bos, keys).await;
    }
    ana.session(&session).say("it is me").unwrap().delivered().await.unwrap();
    let message = hears(&mut at_bos, "it is me").await;
    assert_eq!(message.secrecy, Secrecy::Opened { verdict: Verdict::Verified });
}

#[tokio::test]
async fn a_new_device_is_verified_by_the_code_that_it_shows() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    let second = server.sign_in("ana", "ana-second").await;
    let (old, new) = (ana.encryption().unwrap(), second.encryption().unwrap());
    assert!(!new.standing().await.unwrap().device_signed);
    let (mut at_old, mut at_new) = (ana.updates(), second.updates());
    let keys = |update: &Update| matches!(update, Update::Keys).then_some(());
    old.devices(&ana.user_id()).await.unwrap();
    new.devices(&ana.user_id()).await.unwrap();
    let asking = old.ask_to_verify(&ana.user_id(), &second.device_id()).await.unwrap();
    let (user, name) = heard(&mut at_new, |update| match update {
        Update::Verification { user_id, name } => Some((user_id.clone(), name.clone())),
        _ => None,
    })
    .await;
    let answering = new.verification(&user, &name).unwrap();
    answering.accept().unwrap();
    new.flush().await.unwrap();
    while asking.stage() != Stage::Ready {
        heard(&mut at_old, keys).await;
    }
    let code = answering.show_code().await.unwrap();
    let refused = asking.take_code("no such code").await.unwrap_err();
    assert_eq!(refused.to_string(), CodeError::Malformed.to_string());
    asking.take_code(&code).await.unwrap();
    old.flush().await.unwrap();
    while answering.stage() != Stage::Taken {
        heard(&mut at_new, keys).await;
    }
    assert_eq!(asking.stage(), Stage::Matched);
    answering.confirm().await.unwrap();
    new.flush().await.unwrap();
    while asking.stage() != Stage::Done {
        heard(&mut at_old, keys).await;
    }
    while answering.stage() != Stage::Done || !new.standing().await.unwrap().device_signed {
        heard(&mut at_new, keys).await;
    }
    let mut at_bos = bo.updates();
    second.session(&session).say("from the new one").unwrap().delivered().await.unwrap();
    assert!(is_opened(&hears(&mut at_bos, "from the new one").await));
}

#[tokio::test]
async fn a_sealed_message_survives_the_death_of_the_program_and_is_there_once() {
    let server = Server::start();
    let (ana, bo, session) = two_people(&server).await;
    ana.stop().await;
    drop(ana.session(&session).say("from beyond").unwrap());
    drop(ana);
    let mut at_bos = bo.updates();
    let again = started(server.device("ana").resume().await.unwrap()).await;
    hears(&mut at_bos, "from beyond").await;
    assert!(again.unsent().unwrap().is_empty());
    assert_eq!(bodies(&bo, &session), ["from beyond"]);
}
