//! A malicious server that lies about keys, members and settings: nothing is sealed for whom it
//! makes up, and whom it names as a member is shown as unvouched.

use parlor_sdk::{Client, Error, Secrecy, Settings, Update, Verdict};
use serde_json::{Value, json};

use crate::forged::{Forged, ZERO};
use crate::hostile::{Scene, full_id, joins, locked, refused, sessions_in, shown};
use crate::kit::{heard, hears};

const QUERY: &str = "/e2ee/keys/query";
const CLAIM: &str = "/e2ee/keys/claim";

/// A key of a device that nobody has.
const SOME: [u8; 32] = [9; 32];

#[tokio::test]
async fn a_device_whose_keys_were_swapped_gets_nothing_and_is_not_listed() {
    let scene = Scene::sender_in_between().await;
    let cy = scene.person("cy").await;
    let (user, device) = (full_id(&cy).await, cy.device_id());
    let (name, own) = (user.clone(), device.clone());
    scene.middle.answers(move |asked, answer| {
        let keys = &mut answer["device_keys"][&name][&own]["keys"];
        if asked.path.starts_with(QUERY) && keys.is_object() {
            keys[format!("curve25519:{own}")] =
                "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk".into();
        }
    });
    scene.add(&cy).await;
    let mut updates = cy.updates();
    let said = scene.ana.session(&scene.session).say("for two").unwrap();
    let id = said.delivered().await.unwrap();
    assert!(scene.ana.encryption().unwrap().devices(&cy.user_id()).await.unwrap().is_empty());
    assert!(!scene.recipients().contains(&format!("{user} {device}")));
    assert_eq!(locked(&shown(&mut updates, &id).await).0, "the key is not here");
}

#[tokio::test]
async fn an_all_zero_key_is_given_nothing_although_its_owner_has_signed_it() {
    // The last one shows that it is the zeros.
    let keys = [(ZERO, SOME, false), (SOME, ZERO, false), (ZERO, ZERO, false), (SOME, SOME, true)];
    for (curve, one_time, is_given) in keys {
        let scene = Scene::sender_in_between().await;
        let eve = scene.server.person("eve").await;
        let user = full_id(&eve).await;
        let forged = Forged::new(&user, "EVIL", curve);
        scene.middle.answers(move |asked, answer| {
            if asked.path.starts_with(QUERY) {
                forged.replace_identity(answer);
                forged.add_device(answer, true);
            } else if asked.path.starts_with(CLAIM) {
                forged.give_one_time_key(answer, one_time);
            }
        });
        scene.add(&eve).await;
        let mut updates = scene.bo.updates();
        scene.ana.session(&scene.session).say("x").unwrap().delivered().await.unwrap();
        hears(&mut updates, "x").await;
        let listed = scene.ana.encryption().unwrap().devices(&eve.user_id()).await.unwrap();
        let evil = listed.iter().find(|device| device.device_id == "EVIL");
        assert!(evil.is_some_and(|device| device.signed));
        let given = scene.recipients().contains(&format!("{user} EVIL"));
        assert_eq!(given, is_given, "{curve:?} {one_time:?}");
    }
}

#[tokio::test]
async fn a_one_time_key_that_somebody_else_signed_is_not_used() {
    let scene = Scene::sender_in_between().await;
    let (user, device) = (full_id(&scene.bo).await, scene.bo.device_id());
    let forged = Forged::new(&user, &device, SOME);
    scene.middle.answers(move |asked, answer| {
        if asked.path.starts_with(CLAIM) {
            forged.give_one_time_key(answer, SOME);
        }
    });
    let mut updates = scene.bo.updates();
    let said = scene.ana.session(&scene.session).say("x").unwrap();
    let id = said.delivered().await.unwrap();
    assert!(!scene.recipients().contains(&format!("{user} {device}")));
    assert_eq!(locked(&shown(&mut updates, &id).await).0, "the key is not here");
}

#[tokio::test]
async fn a_one_time_key_that_two_people_got_leaves_the_second_ones_message_locked() {
    let scene = Scene::sender_in_between().await;
    let cy = scene.in_between_with_identity("cy").await;
    scene.add(&cy).await;
    let (user, device) = (full_id(&scene.bo).await, scene.bo.device_id());
    let mut first: Option<Value> = None;
    scene.middle.answers(move |asked, answer| {
        let key = &mut answer["one_time_keys"][&user][&device];
        if asked.path.starts_with(CLAIM) && key.is_object() {
            *key = first.get_or_insert_with(|| key.clone()).clone();
        }
    });
    let mut updates = scene.bo.updates();
    scene.ana.session(&scene.session).say("by ana").unwrap().delivered().await.unwrap();
    hears(&mut updates, "by ana").await;
    let id = cy.session(&scene.session).say("by cy").unwrap().delivered().await.unwrap();
    assert_eq!(locked(&shown(&mut updates, &id).await).0, "the key is not here");
}

#[tokio::test]
async fn a_ghost_device_is_listed_as_unsigned_and_gets_nothing() {
    let scene = Scene::sender_in_between().await;
    let user = full_id(&scene.bo).await;
    for signed in [false, true] {
        let name = format!("GHOST-{signed}");
        let forged = Forged::new(&user, &name, SOME);
        scene.middle.answers(move |asked, answer| {
            if asked.path.starts_with(QUERY) {
                forged.add_device(answer, signed);
            } else if asked.path.starts_with(CLAIM) {
                forged.give_one_time_key(answer, SOME);
            }
        });
        scene.ana_hears_of_new_keys(&user).await;
        let mut updates = scene.bo.updates();
        scene.ana.session(&scene.session).say(&*name).unwrap().delivered().await.unwrap();
        hears(&mut updates, &name).await;
        let listed = scene.ana.encryption().unwrap().devices(&scene.bo.user_id()).await.unwrap();
        let ghost = listed.iter().find(|device| device.device_id == name).expect("it is listed");
        assert!(!ghost.signed && !ghost.verified);
        assert!(!scene.recipients().contains(&format!("{user} {name}")));
    }
}

#[tokio::test]
async fn a_replaced_master_key_stops_sending_and_is_shown() {
    let scene = Scene::sender_in_between().await;
    let (session, bo) = (&scene.session, scene.bo.user_id());
    let mut updates = scene.bo.updates();
    scene.ana.session(session).say("before").unwrap().delivered().await.unwrap();
    hears(&mut updates, "before").await;
    let user = full_id(&scene.bo).await;
    let forged = Forged::new(&user, "EVIL", SOME);
    scene.middle.answers(move |asked, answer| {
        if asked.path.starts_with(QUERY) {
            forged.replace_identity(answer);
            forged.add_device(answer, true);
        }
    });
    scene.ana_hears_of_new_keys(&user).await;
    let encryption = scene.ana.encryption().unwrap();
    let everybody = [bo.clone(), scene.ana.user_id()];
    assert_eq!(encryption.changed_identities(&everybody).await.unwrap(), [&*bo]);
    let sent = scene.sent();
    let why = refused(&scene.ana, session, "a secret").await;
    assert!(why.contains(&format!("the identity of {bo} changed")), "{why}");
    assert_eq!(scene.sent(), sent, "nothing went out");
    assert!(!scene.recipients().contains(&format!("{user} EVIL")));
    assert_eq!(scene.ana.unsent().unwrap().len(), 1, "it waits until somebody has looked");
    let mut updates = scene.ana.updates();
    let id = scene.bo.session(session).say("it is me").unwrap().delivered().await.unwrap();
    let message = shown(&mut updates, &id).await;
    let warned = Secrecy::Opened { verdict: Verdict::IdentityChanged };
    assert!(message.is_locked() || message.secrecy == warned, "{:?}", message.secrecy);
}

async fn say(client: &Client, session: &str, body: &str) -> String {
    client.session(session).say(body).unwrap().delivered().await.unwrap()
}

/// Whom the server from now on lists as a member of a session, who is none.
async fn ghost(scene: &Scene, session: &str) -> Client {
    let eve = scene.person("eve").await;
    // She shares some other room with ana, so that her keys can be looked up.
    scene.ana.create_room("other", "private", &[eve.user_id()], None).await.unwrap();
    let eves = json!({"id": eve.user_id(), "username": "eve", "name": "eve"});
    let path = format!("/sessions/{session}/members");
    scene.middle.answers(move |asked, answer| {
        if asked.path.starts_with(&path) {
            let mut ghost = answer["members"][0].clone();
            for (name, value) in eves.as_object().unwrap() {
                ghost["user"][name] = value.clone();
            }
            answer["members"].as_array_mut().unwrap().push(ghost);
        }
    });
    eve
}

#[tokio::test]
async fn where_only_verified_people_read_a_ghost_user_gets_no_key() {
    let scene = Scene::sender_in_between().await;
    let settings = Settings { verified_only: true, ..Settings::default() };
    let room = scene.ana.create_room("strict", "private", &[], Some(settings)).await.unwrap();
    let eve = ghost(&scene, &room.main_session_id).await;
    let session = scene.ana.session(room.main_session_id);
    session.say("who reads this").unwrap().delivered().await.unwrap();
    let members = session.members().await.unwrap();
    assert!(members.iter().any(|member| member.user_id == eve.user_id()), "she is listed");
    assert_eq!(scene.recipients(), Vec::<String>::new());
}

#[tokio::test]
async fn a_ghost_user_is_shown_as_unvouched_and_gets_no_key() {
    let scene = Scene::sender_in_between().await;
    let eve = ghost(&scene, &scene.session).await;
    // The server hides her until the moment before a send: an event about nobody makes the list
    // be read anew.
    scene.ana.session(&scene.session).unread().await.unwrap();
    let seq = scene.ana.session(&scene.session).info().unwrap().head_seq;
    let (mut updates, mut at_bos) = (scene.ana.updates(), scene.bo.updates());
    scene.middle.say(json!({"type": "event", "session_id": scene.session, "seq": seq + 1,
        "left": {"user_id": scene.bo.user_id()}}));
    heard(&mut updates, |update| matches!(update, Update::Left { .. }).then_some(())).await;
    let sending = scene.ana.session(&scene.session).say("who reads this").unwrap();
    joins(&mut updates, &eve.user_id()).await;
    sending.delivered().await.unwrap();
    hears(&mut at_bos, "who reads this").await;
    let unvouched = scene.ana.encryption().unwrap().unvouched(&scene.session).await.unwrap();
    assert_eq!(unvouched, [eve.user_id()]);
    let user = full_id(&eve).await;
    assert!(!scene.recipients().iter().any(|device| device.starts_with(&user)));
}

#[tokio::test]
async fn a_ghost_user_of_a_room_that_is_just_being_made_gets_no_key() {
    let scene = Scene::sender_in_between().await;
    let eve = scene.person("eve").await;
    let (id, put) = (eve.user_id(), json!([eve.user_id(), scene.bo.user_id()]));
    // Ana names bo, and the server hears of eve, too.
    let body = json!({"name": "den", "kind": "private", "members": put,
        "encryption": Settings::default()});
    let made = scene.ana.request("POST", "/rooms", Some(&body)).await.unwrap();
    let answer = made.clone();
    scene.middle.answers(move |asked, said| {
        if asked.method == "POST" && asked.path == "/rooms" {
            *said = answer.clone();
        }
    });
    let members = [scene.bo.user_id()];
    let room = scene.ana.create_room("den", "private", &members, Some(Settings::default()));
    let room = room.await.unwrap();
    assert_eq!(made["id"], *room.id);
    let session = scene.ana.session(&room.main_session_id);
    session.say("who reads this").unwrap().delivered().await.unwrap();
    let encryption = scene.ana.encryption().unwrap();
    assert_eq!(encryption.unvouched(session.id()).await.unwrap(), [id]);
    let user = full_id(&eve).await;
    assert!(!scene.recipients().iter().any(|device| device.starts_with(&user)));
}

#[tokio::test]
async fn whom_the_server_adds_reads_once_a_member_lets_them_in_and_not_before() {
    let scene = Scene::sender_in_between().await;
    let cy = scene.person("cy").await;
    scene.add(&cy).await;
    let eve = scene.person("eve").await;
    scene.add_unvouched(&eve).await;
    let (mut at_bos, mut at_eves) = (scene.bo.updates(), eve.updates());
    let id = say(&scene.ana, &scene.session, "not for eve").await;
    hears(&mut at_bos, "not for eve").await;
    assert_eq!(locked(&shown(&mut at_eves, &id).await).0, "the key is not here");
    // What she says of herself counts for nobody.
    eve.encryption().unwrap().let_in(&scene.session, &eve.user_id()).await.unwrap();
    for client in [&scene.ana, &scene.bo, &cy] {
        let unvouched = client.encryption().unwrap().unvouched(&scene.session).await.unwrap();
        assert_eq!(unvouched, [eve.user_id()]);
    }
    scene.bo.encryption().unwrap().let_in(&scene.session, &eve.user_id()).await.unwrap();
    for client in [&scene.ana, &scene.bo, &cy] {
        let text = format!("for all, by {}", client.username());
        say(client, &scene.session, &text).await;
        hears(&mut at_eves, &text).await;
        let unvouched = client.encryption().unwrap().unvouched(&scene.session).await.unwrap();
        assert_eq!(unvouched, Vec::<String>::new());
    }
    let stranger = scene.ana.encryption().unwrap();
    let refused = stranger.let_in(&scene.session, "0190d7a0-0000-7000-8000-000000000001").await;
    assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
}

#[tokio::test]
async fn an_old_statement_brings_nobody_back_under_whatever_number() {
    let scene = Scene::sender_in_between().await;
    let (cy, session) = (scene.person("cy").await, &scene.session);
    let mut at_cys = cy.updates();
    scene.add(&cy).await;
    say(&scene.ana, session, "with cy").await;
    hears(&mut at_cys, "with cy").await;
    let room = scene.ana.session(session).info().unwrap().room_id;
    let out = format!("/rooms/{room}/members/{}", cy.user_id());
    scene.ana.request("DELETE", &out, None).await.unwrap();
    say(&scene.ana, session, "without cy").await;
    scene.middle.answers(|asked, answer| {
        if asked.method == "GET" && asked.path.starts_with("/e2ee/statements/") {
            let all = answer["statements"].as_array_mut().unwrap();
            let again = all.iter().cloned().map(|mut one| {
                one["number"] = json!(one["number"].as_i64().unwrap() + 1_000);
                one
            });
            let again: Vec<_> = again.collect();
            all.extend(again);
        }
    });
    scene.add_unvouched(&cy).await;
    let id = say(&scene.ana, session, "still without cy").await;
    assert_eq!(locked(&shown(&mut at_cys, &id).await).0, "the key is not here");
    let encryption = scene.ana.encryption().unwrap();
    assert_eq!(encryption.unvouched(session).await.unwrap(), [cy.user_id()]);
    let heard = scene.middle.asked(&format!("/e2ee/statements/{session}?after="));
    assert!(!heard.is_empty(), "it was looked for");
    scene.middle.is_honest();
    encryption.let_in(session, &cy.user_id()).await.unwrap();
    say(&scene.ana, session, "with cy again").await;
    hears(&mut at_cys, "with cy again").await;
}

#[tokio::test]
async fn a_session_that_loses_its_encryption_is_not_spoken_to() {
    let scene = Scene::sender_in_between().await;
    scene.middle.answers(|_, answer| {
        sessions_in(answer, &mut |session| session["encryption"] = Value::Null);
    });
    scene.ana.create_room("another", "private", &[], None).await.unwrap();
    assert!(scene.ana.session(&scene.session).info().unwrap().encryption.is_none());
    let why = refused(&scene.ana, &scene.session, "a secret").await;
    assert!(why.contains("not encrypted any more"), "{why}");
    assert_eq!(scene.sent(), 0);
}

#[tokio::test]
async fn a_session_whose_encryption_is_weakened_is_not_spoken_to_and_others_go_on() {
    let scene = Scene::sender_in_between().await;
    let own = scene.session.clone();
    scene.middle.answers(move |_, answer| {
        sessions_in(answer, &mut |session| {
            if session["id"] == *own {
                session["encryption"]["rotation_period_msgs"] = 10_000.into();
            }
        });
    });
    let room =
        scene.ana.create_room("another", "private", &[], Some(Settings::default())).await.unwrap();
    let why = refused(&scene.ana, &scene.session, "a secret").await;
    assert!(why.contains("encryption of this session was changed"), "{why}");
    assert_eq!(scene.sent(), 0);
    let other = scene.ana.session(room.main_session_id);
    other.say("elsewhere").unwrap().delivered().await.unwrap();
}

#[tokio::test]
async fn a_stale_or_foreign_backup_is_refused() {
    let scene = Scene::sender_in_between().await;
    let (ana, bo) = (scene.ana.encryption().unwrap(), scene.bo.encryption().unwrap());
    scene.ana.session(&scene.session).say("kept").unwrap().delivered().await.unwrap();
    ana.set_up_recovery().await.unwrap();
    let version = "/e2ee/room_keys/version";
    let stale = scene.ana.request("GET", version, None).await.unwrap();
    let key = ana.set_up_recovery().await.unwrap();
    bo.set_up_recovery().await.unwrap();
    let foreign = scene.bo.request("GET", version, None).await.unwrap();
    for (n, shown) in [stale, foreign].into_iter().enumerate() {
        let second = scene.in_between("ana", &format!("ana-{n}")).await;
        scene.middle.answers(move |asked, answer| {
            if asked.path.starts_with("/e2ee/room_keys/version") {
                answer["auth_data"] = shown["auth_data"].clone();
            }
        });
        let restored = second.encryption().unwrap().recover(&key.text()).await;
        let why = restored.expect_err("it is refused").to_string();
        assert!(why.contains("the backup's public key is malformed"), "{why}");
        scene.middle.is_honest();
        let restored = second.encryption().unwrap().recover(&key.text()).await.unwrap();
        assert_eq!(restored.found, 1);
    }
}

#[tokio::test]
async fn a_backup_that_another_one_has_replaced_is_not_written_to_and_that_is_shown() {
    let scene = Scene::sender_in_between().await;
    let ana = scene.ana.encryption().unwrap();
    let key = ana.set_up_recovery().await.unwrap();
    assert!(ana.standing().await.unwrap().backup);
    let second = scene.in_between("ana", "ana-second").await;
    second.encryption().unwrap().recover(&key.text()).await.unwrap();
    second.encryption().unwrap().set_up_recovery().await.unwrap();
    scene.ana.session(&scene.session).say("x").unwrap().delivered().await.unwrap();
    ana.flush().await.unwrap();
    assert!(!ana.standing().await.unwrap().backup);
}
