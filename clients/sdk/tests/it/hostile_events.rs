//! A malicious server that lies about what was said: whatever the reader is shown is what somebody
//! sealed, where and as whom they did, or is marked.

use parlor_sdk::{Client, Message, Settings, Update};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use crate::hostile::{REFUSED, Scene, decided, full_id, locked, shown};
use crate::kit::{bodies, heard, hears, knows};

/// The frame that posted a message, as the server said it.
fn posted(scene: &Scene, id: &str) -> Value {
    let frames = scene.middle.frames();
    frames.into_iter().find(|frame| frame["posted"]["id"] == id).expect("it was heard")
}

/// The same as the event after the newest one, under another id.
fn as_the_next(mut event: Value, after: &Value) -> (String, Value) {
    let id = uuid::Uuid::now_v7().to_string();
    let next = |name: &str| json!(after["posted"][name].as_i64().unwrap() + 1);
    event["session_id"] = after["session_id"].clone();
    event["seq"] = next("seq");
    for (name, value) in [("id", json!(id)), ("seq", next("seq")), ("number", next("number"))] {
        event["posted"][name] = value;
    }
    event["posted"]["session_id"] = after["session_id"].clone();
    event["posted"]["client_id"] = uuid::Uuid::now_v7().to_string().into();
    (id, event)
}

async fn say(client: &Client, session: &str, body: &str) -> String {
    client.session(session).say(body).unwrap().delivered().await.unwrap()
}

/// Says something and waits until the reader has read it.
async fn read(scene: &Scene, updates: &mut Receiver<Update>, body: &str) -> Message {
    say(&scene.ana, &scene.session, body).await;
    hears(updates, body).await
}

#[tokio::test]
async fn what_was_said_once_is_not_shown_again_under_another_id() {
    let scene = Scene::reader_in_between().await;
    let mut updates = scene.bo.updates();
    let once = read(&scene, &mut updates, "once").await;
    let event = posted(&scene, &once.id);
    let (id, again) = as_the_next(event.clone(), &event);
    scene.middle.say(again);
    let message = decided(&mut updates, &id).await;
    assert_eq!(locked(&message), (format!("it was said before, as message {}", once.id), false));
    assert_eq!(message.body, "");
}

#[tokio::test]
async fn what_was_said_in_one_session_says_nothing_in_another() {
    let scene = Scene::reader_in_between().await;
    let mut updates = scene.bo.updates();
    let here = read(&scene, &mut updates, "here").await;
    let room = scene.ana.session(&scene.session).info().unwrap().room_id;
    let members = [scene.bo.user_id()];
    let other = scene
        .ana
        .create_session(&room, "other", &members, Some(Settings::default()))
        .await
        .unwrap();
    crate::kit::knows(&scene.bo, &mut updates, &other.id).await;
    // What somebody says of it elsewhere, where others may read it, says nothing here.
    scene.ana.session(&other.id).react(&here.id, "+", true).await.unwrap();
    say(&scene.ana, &other.id, "there").await;
    let there = hears(&mut updates, "there").await;
    let kept = scene.bo.session(&scene.session).timeline(None, 1).unwrap();
    assert_eq!((&kept[0].id, kept[0].reactions.len()), (&here.id, 0));
    let moved = as_the_next(posted(&scene, &here.id), &posted(&scene, &there.id));
    scene.middle.say(moved.1);
    let message = shown(&mut updates, &moved.0).await;
    // Its time is one before bo came there.
    assert_eq!(locked(&message).0, "it was said before you came");
}

#[tokio::test]
async fn what_is_said_to_come_from_somebody_else_is_refused_and_opens_by_its_own_name() {
    let scene = Scene::reader_in_between().await;
    let mut updates = scene.bo.updates();
    let own = scene.bo.user_id();
    scene.middle.hears(move |mut frame| {
        if frame["posted"].is_object() {
            frame["posted"]["sender_id"] = own.clone().into();
        }
        vec![frame]
    });
    let id = say(&scene.ana, &scene.session, "by ana").await;
    let message = decided(&mut updates, &id).await;
    let reason = "it was not written by the person that the server names";
    assert_eq!(locked(&message), (reason.to_owned(), false));
    scene.middle.is_honest();
    let page = scene.bo.session(&scene.session).page_before(None, 1).await.unwrap();
    assert_eq!(
        (&*page.messages[0].body, &*page.messages[0].sender_id),
        ("by ana", &*scene.ana.user_id())
    );
}

#[tokio::test]
async fn what_was_touched_on_the_way_is_refused() {
    let scene = Scene::reader_in_between().await;
    let mut updates = scene.bo.updates();
    scene.middle.hears(|mut frame| {
        if let Some(text) = frame["posted"]["encrypted"]["ciphertext"].as_str() {
            let letter = if text.as_bytes()[80] == b'A' { "B" } else { "A" };
            let touched = format!("{}{letter}{}", &text[..80], &text[81..]);
            frame["posted"]["encrypted"]["ciphertext"] = touched.into();
        }
        vec![frame]
    });
    let id = say(&scene.ana, &scene.session, "whole").await;
    let message = decided(&mut updates, &id).await;
    let (reason, later) = locked(&message);
    assert!(reason.starts_with("it cannot be opened") && !later, "{reason}");
}

#[tokio::test]
async fn events_out_of_order_are_read_in_order_and_one_that_was_held_back_is_asked_for() {
    let scene = Scene::reader_in_between().await;
    let mut updates = scene.bo.updates();
    let mut held = None;
    let mut turned = false;
    scene.middle.hears(move |frame| {
        if turned || !frame["posted"].is_object() {
            return vec![frame];
        }
        match held.take() {
            None => {
                held = Some(frame);
                vec![]
            }
            Some(before) => {
                turned = true;
                vec![frame, before]
            }
        }
    });
    for body in ["first", "second", "third"] {
        say(&scene.ana, &scene.session, body).await;
    }
    hears(&mut updates, "third").await;
    assert_eq!(bodies(&scene.bo, &scene.session), ["first", "second", "third"]);
}

#[tokio::test]
async fn ciphertexts_that_changed_places_keep_the_time_of_their_sender() {
    let scene = Scene::reader_in_between().await;
    let mut updates = scene.bo.updates();
    let mut held: Option<Value> = None;
    scene.middle.hears(move |mut frame| {
        if !frame["posted"].is_object() {
            return vec![frame];
        }
        match held.take() {
            None => {
                held = Some(frame);
                vec![]
            }
            Some(mut before) => {
                let early = before["posted"]["encrypted"].take();
                before["posted"]["encrypted"] = frame["posted"]["encrypted"].take();
                frame["posted"]["encrypted"] = early;
                vec![before, frame]
            }
        }
    });
    say(&scene.ana, &scene.session, "first").await;
    say(&scene.ana, &scene.session, "second").await;
    hears(&mut updates, "first").await;
    let kept = scene.bo.session(&scene.session).timeline(None, 10).unwrap();
    // Which came first is the server's word; when they were said is not.
    assert_eq!((&*kept[0].body, &*kept[1].body), ("second", "first"));
    assert!(kept[0].sent_at > kept[1].sent_at, "{} {}", kept[0].sent_at, kept[1].sent_at);
}

#[tokio::test]
async fn nothing_that_comes_in_the_clear_is_believed_in_an_encrypted_session() {
    let scene = Scene::reader_in_between().await;
    let mut updates = scene.bo.updates();
    let real = read(&scene, &mut updates, "real").await;
    let event = posted(&scene, &real.id);
    // As a message of its own …
    let (id, mut forged) = as_the_next(event.clone(), &event);
    forged["posted"]["encrypted"].take();
    forged["posted"]["content"] = "send money".into();
    scene.middle.say(forged.clone());
    let message = decided(&mut updates, &id).await;
    assert_eq!(locked(&message), (REFUSED.to_owned(), false));
    assert_eq!(message.body, "");
    // … as a reaction, as the new wording of one that was read, …
    let seq = forged["seq"].as_i64().unwrap();
    let session = &scene.session;
    let reacted = json!({"message_id": real.id, "user_id": scene.ana.user_id(), "emoji": "+",
        "on": true});
    scene.middle.say(json!({"type": "event", "session_id": session, "seq": seq + 1,
        "reacted": reacted}));
    let mut edited = forged["posted"].clone();
    edited["id"] = real.id.clone().into();
    scene.middle.say(json!({"type": "event", "session_id": session, "seq": seq + 2,
        "edited": edited}));
    let message = decided(&mut updates, &real.id).await;
    assert_eq!((locked(&message).0, message.reactions.len()), (REFUSED.to_owned(), 0));
    // … and beside a ciphertext.
    let (id, mut beside) = as_the_next(event, &forged);
    beside["seq"] = (seq + 3).into();
    beside["posted"]["content"] = "send money".into();
    beside["posted"]["reactions"] = json!([{"emoji": "\u{1f44d}", "count": 9, "user_ids": []}]);
    scene.middle.say(beside);
    let message = decided(&mut updates, &id).await;
    assert!(message.is_locked() && message.body.is_empty() && message.reactions.is_empty());
    assert!(scene.bo.search("money", 9).unwrap().is_empty());
}

#[tokio::test]
async fn nothing_that_is_told_in_another_session_changes_an_encrypted_one() {
    let scene = Scene::reader_in_between().await;
    let mut updates = scene.bo.updates();
    let real = read(&scene, &mut updates, "real").await;
    let room = scene.ana.session(&scene.session).info().unwrap().room_id;
    let members = [scene.bo.user_id()];
    let yard = scene.ana.create_session(&room, "yard", &members, None).await.unwrap();
    knows(&scene.bo, &mut updates, &yard.id).await;
    say(&scene.ana, &yard.id, "in the open").await;
    let open = hears(&mut updates, "in the open").await;
    let (_, mut forged) = as_the_next(posted(&scene, &open.id), &posted(&scene, &open.id));
    let seq = forged["seq"].as_i64().unwrap();
    // The same message, told where nothing is sealed, in other words …
    forged["posted"]["id"] = real.id.clone().into();
    forged["posted"]["content"] = "send money".into();
    scene.middle.say(forged.clone());
    // … one of the encrypted session, told there, …
    let mut elsewhere = forged.clone();
    elsewhere["seq"] = (seq + 1).into();
    elsewhere["posted"]["session_id"] = scene.session.clone().into();
    scene.middle.say(elsewhere);
    // … and what somebody is said to do with it there.
    let reacted = json!({"message_id": real.id, "user_id": scene.ana.user_id(), "emoji": "+",
        "on": true});
    let deleted = json!({"message_id": real.id, "number": real.number, "by": scene.ana.user_id()});
    for (seq, kind, what) in [(seq + 2, "reacted", reacted), (seq + 3, "deleted", deleted)] {
        scene.middle.say(json!({"type": "event", "session_id": yard.id, "seq": seq, kind: what}));
    }
    let (id, mut last) = as_the_next(forged.clone(), &forged);
    last["seq"] = (seq + 4).into();
    last["posted"]["seq"] = (seq + 4).into();
    scene.middle.say(last);
    decided(&mut updates, &id).await;
    let kept = scene.bo.session(&scene.session).timeline(None, 10).unwrap();
    let kept: Vec<_> =
        kept.iter().map(|m| (&*m.body, m.reactions.len(), m.session_id.clone())).collect();
    assert_eq!(kept, [("real", 0, scene.session.clone())]);
}

#[tokio::test]
async fn a_leave_that_the_server_hides_from_the_sender_seals_nothing_for_who_left() {
    let scene = Scene::sender_in_between().await;
    let cy = scene.person("cy").await;
    let mut updates = scene.ana.updates();
    scene.add(&cy).await;
    say(&scene.ana, &scene.session, "with cy").await;
    let name = full_id(&cy).await;
    let shared = || {
        let asked = scene.middle.asked("/e2ee/send_to_device/m.room.encrypted");
        asked.iter().filter(|asked| asked.body["messages"].get(&name).is_some()).count()
    };
    assert_eq!(shared(), 1);
    let gone = cy.user_id();
    scene.middle.hears(
        move |frame| {
            if frame["left"]["user_id"] == gone { vec![] } else { vec![frame] }
        },
    );
    let room = scene.ana.session(&scene.session).info().unwrap().room_id;
    cy.leave_room(&room).await.unwrap();
    say(&scene.ana, &scene.session, "without cy").await;
    assert_eq!(shared(), 1, "the new key did not go to cy");
    let gone = cy.user_id();
    heard(&mut updates, |update| match update {
        Update::Left { user_id, .. } if *user_id == gone => Some(()),
        _ => None,
    })
    .await;
    let old = scene.middle.asked(&format!("/sessions/{}/messages", scene.session));
    let keys: Vec<_> = old.iter().map(|asked| &asked.body["encrypted"]["session_id"]).collect();
    assert_ne!(keys.first(), keys.last());
}

#[tokio::test]
async fn a_key_is_thrown_away_when_somebody_came_or_went_while_it_was_given_out() {
    let scene = Scene::sender_in_between().await;
    let cy = scene.person("cy").await;
    say(&scene.ana, &scene.session, "without cy").await;
    scene.middle.hears(|frame| if frame["joined"].is_object() { vec![] } else { vec![frame] });
    let mut theirs = cy.updates();
    let room = scene.ana.session(&scene.session).info().unwrap().room_id;
    let body = json!({ "users": [cy.user_id()] });
    scene.ana.request("POST", &format!("/rooms/{room}/members"), Some(&body)).await.unwrap();
    knows(&cy, &mut theirs, &scene.session).await;
    say(&scene.ana, &scene.session, "with cy").await;
    let sent = scene.middle.asked(&format!("/sessions/{}/messages", scene.session));
    let sent = sent.iter().filter(|asked| asked.method == "POST");
    let keys: Vec<_> = sent.map(|asked| &asked.body["encrypted"]["session_id"]).collect();
    assert_eq!(keys.len(), 3, "the second was refused once");
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2], "whom the server let have the key is not known");
}
