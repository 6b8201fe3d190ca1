//! Who is let into encrypted sessions.

use parlor_testkit::{Person, TestServer};
use parlor_wire::v1;
use serde_json::{Value, json};

use super::{Device, called, direct, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_who_was_let_in_are_kept_in_order_for_the_members() {
    let server = TestServer::start().await;
    let [ana, bo, cy] = [server.person("ana"), server.person("bo"), server.person("cy")];
    let (ana, bo, cy) = (ana.await, bo.await, cy.await);
    let (_, session) = direct(&ana, &bo).await;
    let path = format!("/e2ee/statements/{}", session.id);
    let statement =
        |n: usize| json!({ "text": format!("{n}"), "signatures": { "ed25519:A": "s" } });
    let all = |range: std::ops::Range<usize>| -> Vec<Value> { range.map(statement).collect() };
    for range in [1..3, 3..103] {
        let body = json!({ "statements": all(range) });
        let added = called(&ana, "POST", &path, Some(body)).await;
        assert_eq!((added.status, added.json()), (200, json!({})), "{}", added.text());
    }
    let told = |range: std::ops::Range<usize>| -> Vec<Value> {
        let number = |(mut one, n): (Value, usize)| {
            one["number"] = n.into();
            one
        };
        all(range.clone()).into_iter().zip(range).map(number).collect()
    };
    let page = called(&bo, "GET", &path, None).await.json();
    assert_eq!(page, json!({ "statements": told(1..101), "more": true }));
    let page = called(&bo, "GET", &format!("{path}?after=100"), None).await.json();
    assert_eq!(page, json!({ "statements": told(101..103), "more": false }));
    for (method, body) in [("GET", None), ("POST", Some(json!({ "statements": all(1..2) })))] {
        assert_eq!(called(&cy, method, &path, body).await.status, 404, "{method}");
    }
    for bad in [json!({}), json!({ "statements": [{ "text": "x" }] })] {
        assert_eq!(called(&ana, "POST", &path, Some(bad)).await.status, 400);
    }
    let plain = ana.room("private", "Yard", &[&bo]).await;
    let plain = format!("/e2ee/statements/{}", plain.main_session_id);
    let refused = called(&ana, "POST", &plain, Some(json!({ "statements": all(1..2) }))).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes_into_an_encrypted_session_that_would_have_too_many_devices() {
    let server = TestServer::builder().limit("session_devices_max", 2).start().await;
    let [ana, bo, cy] = [server.person("ana"), server.person("bo"), server.person("cy")];
    let (ana, bo, cy) = (ana.await, bo.await, cy.await);
    for person in [&ana, &bo, &cy] {
        Device::new(person, 0).await;
    }
    let encryption = Some(v1::Encryption {
        algorithm: "m.megolm.v1.aes-sha2".to_owned(),
        ..v1::Encryption::default()
    });
    let vault = |members: &[&Person]| v1::CreateRoomRequest {
        name: "Vault".to_owned(),
        kind: Some("private".to_owned()),
        members: members.iter().map(|member| member.id.clone()).collect(),
        encryption: encryption.clone(),
        ..v1::CreateRoomRequest::default()
    };
    let full = refused(409, "conflict");
    assert_eq!(ana.make_room(&vault(&[&bo, &cy])).await.unwrap_err(), full);
    let two = ana.make_room(&vault(&[&bo])).await.unwrap();
    let add = async |by: &Person, path: &str, who: &Person| {
        called(by, "POST", path, Some(json!({ "users": [who.id] }))).await.status
    };
    let members = format!("/rooms/{}/members", two.id);
    assert_eq!(add(&ana, &members, &cy).await, 409);
    assert_eq!(add(&ana, &members, &bo).await, 200, "bo is in it already");
    assert_eq!(add(&cy, &members, &cy).await, 404, "who may not see the room learns nothing");

    // The session decides, not the room: what is plain has no such end.
    let yard = ana.room("private", "Yard", &[&bo, &cy]).await;
    let open = |members: &[&Person], encryption| v1::CreateSessionRequest {
        name: "Side".to_owned(),
        members: members.iter().map(|member| member.id.clone()).collect(),
        encryption,
        message_ttl_s: None,
        end: None,
    };
    let sessions = format!("/rooms/{}/sessions", yard.id);
    let all = open(&[&bo, &cy], encryption.clone());
    let made: Result<v1::Session, _> = ana.call("POST", &sessions, Some(&all)).await;
    assert_eq!(made.unwrap_err(), full);
    let side = open(&[&bo], encryption.clone());
    let side: v1::Session = ana.call("POST", &sessions, Some(&side)).await.unwrap();
    let members = format!("/sessions/{}/members", side.id);
    assert_eq!(add(&ana, &members, &cy).await, 409);
    assert_eq!(add(&cy, &members, &cy).await, 404);
    ana.done("DELETE", &format!("{members}/{}", bo.id)).await.unwrap();
    assert_eq!(add(&ana, &members, &cy).await, 200);
    let plain = open(&[&bo, &cy], None);
    let _: v1::Session = ana.call("POST", &sessions, Some(&plain)).await.unwrap();
    server.stop().await;
}
