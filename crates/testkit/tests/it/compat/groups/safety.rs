//! Where this system would let anybody do anything, and we do not.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use parlor_testkit::person::PASSWORD;
use serde_json::{Value, json};

use super::super::chat::send;
use super::{Caller, error, group_object, told};

async fn login(server: &TestServer, name: &str) -> (u16, Value) {
    let body = json!({"name": name}).to_string();
    told(&send(server, Request::new("POST", "/auth/login").json(&body)).await)
}

/// Row: section 8: a name never opens an account that has a password
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_never_opens_an_account_that_has_a_password() {
    let server = TestServer::start().await;
    server.person("ana").await;
    let bo = json!({"username": "bo", "email": "bo@example.org", "password": PASSWORD});
    let bo = Request::new("POST", "/api/v1/auth/register").json(&bo.to_string());
    assert_eq!(send(&server, bo).await.status, 201);
    for name in ["ana", "Ana", "bo", "bo@example.org", " ana "] {
        assert_eq!(login(&server, name).await, (404, error("User not found")), "{name}");
    }
    // Nor does a guest who calls himself so let in who says that name: the guest is opened.
    let bo = Caller::guest(&server, "robert").await;
    bo.put(&server, "/users/me", &json!({"name": "ana"})).await;
    assert_eq!(login(&server, "ana").await.1["user"]["uuid"], json!(bo.uuid));
    server.stop().await;
}

/// Row: section 8: guests only where they are allowed
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_no_guests_where_they_are_switched_off() {
    let server = TestServer::builder().set("compat_guests", "off").start().await;
    for path in ["/auth/register", "/auth/login"] {
        let answer = send(&server, Request::new("POST", path).json(r#"{"name": "ana"}"#)).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
    }
    // Whoever has a password still comes in with their token.
    let ana = Caller::with_password(&server, "ana").await;
    assert_eq!(ana.get(&server, "/auth/me").await, (200, ana.user()));
    server.stop().await;
}

/// Row: section 8: tokens expire, and name who they are for
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_after_its_time() {
    let clock = std::sync::Arc::new(parlor_testkit::VirtualClock::new());
    let server = TestServer::builder().clock(clock.clone()).start().await;
    let ana = Caller::guest(&server, "ana").await;
    let claims = claims(&ana.token);
    assert_eq!(claims["sub"], json!(ana.uuid));
    assert_eq!(claims["type"], "access");
    assert!(claims["id"].is_i64() && claims["exp"].as_i64() > claims["iat"].as_i64());
    assert_eq!(ana.get(&server, "/auth/me").await.0, 200);
    clock.advance(std::time::Duration::from_mins(15));
    assert_eq!(ana.get(&server, "/auth/me").await, (400, json!("Invalid token")));
    assert_eq!(login(&server, "ana").await.0, 200);
    server.stop().await;
}

fn claims(token: &str) -> Value {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let body = token.split('.').nth(1).unwrap();
    let mut bits = String::new();
    for byte in body.bytes() {
        let value = alphabet.iter().position(|known| *known == byte).unwrap();
        bits += &format!("{value:06b}");
    }
    let bytes = bits.as_bytes().chunks_exact(8);
    let bytes = bytes.map(|bits| std::str::from_utf8(bits).unwrap());
    let bytes: Vec<u8> = bytes.map(|bits| u8::from_str_radix(bits, 2).unwrap()).collect();
    serde_json::from_slice(&bytes).unwrap()
}

/// Row: section 8: only members read a group's messages and participants
/// Row: section 8b: bans hold for who knows a group's uuid
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_members_read_what_is_in_a_group() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let group = ana.group(&server).await;
    let id = ana.say(&server, &group, "between us").await;
    let outside = (403, error("Not a member of this group"));
    let reads_nothing = async |who: &Caller| {
        for inside in ["participants", "messages"] {
            let read = who.get(&server, &format!("/groups/{group}/{inside}")).await;
            assert_eq!(read, outside, "{inside}");
        }
        let message = who.get(&server, &format!("/messages/{id}")).await;
        assert_eq!(message, (404, error("Message not found")));
        for (path, list) in [
            (format!("/messages?group_uuid={group}"), "messages"),
            (format!("/messages?sender_uuid={}", ana.uuid), "messages"),
            ("/messages/search?q=between".to_owned(), "results"),
            (format!("/users/{}/messages", ana.uuid), "messages"),
            (format!("/users/{}/groups", ana.uuid), "groups"),
        ] {
            let (status, said) = who.get(&server, &path).await;
            assert_eq!((status, &said[list]), (200, &json!([])), "{path}");
        }
    };
    reads_nothing(&bo).await;
    bo.join(&server, &group).await;
    assert_eq!(bo.get(&server, &format!("/messages/{id}")).await.0, 200);
    bo.go(&server, &format!("/groups/{group}/leave")).await;
    reads_nothing(&bo).await;
    server.stop().await;
}

/// Row: section 8: what one may not see does not exist
/// Row: section 8b: passwords of rooms and bans hold here
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_rooms_are_closed_here_too() {
    let server = TestServer::start().await;
    let owner = server.person("ana").await;
    let bo = Caller::guest(&server, "bo").await;
    let private = owner.room("private", "ours", &[]).await;
    let banned = owner.room("public", "theirs", &[]).await;
    let ban = owner.request("PUT", &format!("/rooms/{}/bans/{}", banned.id, bo.uuid)).json("{}");
    assert!(owner.send(ban).await.status < 300);
    for room in [&private.id, &banned.id] {
        let missing = (404, error("Group not found"));
        assert_eq!(bo.get(&server, &format!("/groups/{room}")).await, missing);
        assert_eq!(bo.go(&server, &format!("/groups/{room}/join")).await, missing);
        for (inside, list) in [("participants", "participants"), ("messages", "messages")] {
            let read = bo.get(&server, &format!("/groups/{room}/{inside}")).await;
            assert_eq!(read, (200, json!({list: []})));
        }
        let (_, all) = bo.get(&server, "/groups").await;
        assert!(!all.to_string().contains(&**room));
    }
    let body = json!({"name": "locked", "kind": "public", "password": "sesame"}).to_string();
    let made = owner.send(owner.request("POST", "/rooms").json(&body)).await.json();
    let locked = made["id"].as_str().or(made["room"]["id"].as_str()).unwrap().to_owned();
    let (status, said) = bo.go(&server, &format!("/groups/{locked}/join")).await;
    assert_eq!(status, 403, "{said}");
    let read = bo.get(&server, &format!("/groups/{locked}/messages")).await;
    assert_eq!(read, (403, error("Not a member of this group")));
    server.stop().await;
}

/// Row: section 8b: REI's access token is good here, as Bearer and as `?token=` on streams
/// Row: section 8b: everybody with a password is in the lobby, and guests are not
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_with_a_password_uses_the_token_of_another_interface() {
    let server = TestServer::start().await;
    let body = json!({"email": "bo@example.org", "username": "bobby", "password": PASSWORD});
    let rei =
        |path| Request::new("POST", path).header("X-Chat-Dialect", "rei").json(&body.to_string());
    assert_eq!(send(&server, rei("/register")).await.status, 201);
    let said = send(&server, rei("/login")).await.json();
    let bo = Caller {
        uuid: said["user_id"].as_str().unwrap().to_owned(),
        name: "bobby".to_owned(),
        token: said["tokens"]["access_token"].as_str().unwrap().to_owned(),
    };
    assert_eq!(bo.get(&server, "/auth/me").await, (200, bo.user()));
    let (_, all) = bo.get(&server, "/groups").await;
    let lobby = all["groups"][0]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(all, json!({"groups": [group_object(&lobby)]}));
    let id = bo.say(&server, &lobby, "hello").await;
    let (_, messages) = bo.get(&server, "/messages").await;
    assert_eq!(messages["messages"], json!([bo.message(id, &lobby, "hello")]));
    let guest = Caller::guest(&server, "guest").await;
    let outside = guest.get(&server, &format!("/groups/{lobby}/messages")).await;
    assert_eq!(outside, (403, error("Not a member of this group")));
    let mut events = super::Events::open(
        &server,
        Request::new("GET", &format!("/stream/all?token={}", bo.token)),
    )
    .await;
    assert_eq!(events.next().await, Some(json!({"type": "connected", "groups": [lobby]})));
    server.stop().await;
}

/// Row: section 8b: the cookies of other systems prove nobody here
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_proves_nobody() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let cookies = format!("{}; access_token={}; token={}", ana.cookie, ana.token, ana.token);
    for path in ["/auth/me", "/users", "/groups"] {
        let request = Request::new("GET", path).header("Cookie", &cookies);
        assert_eq!(told(&send(&server, request).await), (401, error("Not authenticated")));
    }
    let request = Request::new("GET", "/stream/all").header("Cookie", &cookies);
    let said = send(&server, request).await;
    assert_eq!(said.text(), "data: {\"error\":\"Not authenticated\"}\n\n");
    server.stop().await;
}

/// Row: section 8: a façade can be switched off
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_not_there_when_it_is_switched_off() {
    let server = TestServer::builder().set("compat", "rei").start().await;
    for path in ["/auth/register", "/compat/groups/auth/register"] {
        let request = Request::new("POST", path).json(r#"{"name": "ana"}"#);
        let answer = send(&server, request.header("X-Chat-Dialect", "groups")).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
    }
    server.stop().await;
}

/// Row: section 8b: who comes too often is told to come back within five seconds
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_too_much_at_once_is_told_when_to_go_on() {
    let server = TestServer::builder().limits_on().start().await;
    let ana = Caller::guest(&server, "ana").await;
    let group = ana.group(&server).await;
    let body = json!({"content": "spam", "group_uuid": group}).to_string();
    let mut refused = None;
    for _ in 0..100 {
        let answer = ana.send(&server, Request::new("POST", "/messages").json(&body)).await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a hundred messages at once are too many");
    assert_eq!(refused.status, 429, "{}", refused.text());
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&seconds));
    assert!(refused.json()["error"].is_string());
    server.stop().await;
}

/// Row: what one list holds is bounded
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_as_long_as_its_texts_may_be_together() {
    let server = TestServer::builder().limit("facade_bytes_max", 10).start().await;
    let ana = Caller::guest(&server, "ana").await;
    let group = ana.group(&server).await;
    for text in ["aaaa1", "aaaa2", "aaaa3"] {
        ana.say(&server, &group, text).await;
    }
    for (path, list) in [
        (format!("/groups/{group}/messages"), "messages"),
        ("/messages/search?q=a&limit=5000".to_owned(), "results"),
    ] {
        let (_, said) = ana.get(&server, &path).await;
        let texts: Vec<_> = said[list].as_array().unwrap().iter().map(|m| &m["content"]).collect();
        assert_eq!(texts, ["aaaa3", "aaaa2"], "{path}");
    }
    server.stop().await;
}
