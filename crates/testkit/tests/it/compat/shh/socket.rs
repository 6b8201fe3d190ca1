//! A room's socket.

use std::time::Duration;

use parlor_testkit::person::fresh_id;
use serde_json::{Value, json};

use super::{Browser, NOW, lobby, server};
use crate::compat::chat::Chat;

fn message(name: &str, text: &str) -> Value {
    let email = format!("{name}@example.org");
    json!({
        "type": "message", "message": text, "user": email, "username": name, "timestamp": NOW,
    })
}

fn typing(name: &str) -> Value {
    json!({"type": "typing", "user": format!("{name}@example.org"), "username": name})
}

fn error(text: &str) -> Value {
    json!({"type": "error", "message": text})
}

/// Row: WS /ws/chat/{room_id}/ → `message_history` on accept, the oldest first
/// Row: WS → `message` to everybody in the room, the sender included
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_reaches_everybody_and_is_in_the_history() {
    let (server, _) = server().await;
    let (mut ana, mut bo) = (Browser::of(&server, "ana").await, Browser::of(&server, "bo").await);
    let room = ana.room("general").await;
    bo.join(&room).await;
    let (mut hers, history) = ana.chat(&room).await;
    assert_eq!(history, json!({"type": "message_history", "messages": []}));
    let (mut his, _) = bo.chat(&room).await;
    let theirs = json!({
        "type": "message", "username": "ana", "email": "ana@example.org", "message": " hi ",
        "timestamp": "2020-01-01T00:00:00Z",
    });
    hers.say(&theirs.to_string()).await;
    his.say("{\"message\":\"{\\\"not\\\":\\\"read\\\"}\"}").await;
    for chat in [&mut hers, &mut his] {
        let mut heard = [chat.json().await, chat.json().await];
        heard.sort_by_key(|said| said["username"].to_string());
        assert_eq!(heard, [message("ana", " hi "), message("bo", "{\"not\":\"read\"}")]);
    }
    let (_, history) = bo.chat(&room).await;
    let mut said = history["messages"].as_array().unwrap().clone();
    said.sort_by_key(|said| said["username"].to_string());
    let kept = |name: &str, text: &str| {
        let mut kept = message(name, text);
        kept.as_object_mut().unwrap().remove("type");
        kept
    };
    assert_eq!(said, [kept("ana", " hi "), kept("bo", "{\"not\":\"read\"}")]);
    server.stop().await;
}

/// Row: WS → the history is the oldest first, without deleted messages
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_is_in_order_and_without_what_was_deleted() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let room = ana.room("general").await;
    let (mut chat, _) = ana.chat(&room).await;
    for n in 1..=4 {
        chat.say(&json!({"message": format!("m{n}")}).to_string()).await;
        assert_eq!(chat.json().await, message("ana", &format!("m{n}")));
    }
    let main = ana.ours("GET", &format!("/rooms/{room}"), Value::Null).await.json();
    let main = main["main_session_id"].as_str().unwrap().to_owned();
    let page = ana.ours("GET", &format!("/sessions/{main}/messages"), Value::Null).await.json();
    let second = page["messages"][1]["id"].as_str().unwrap();
    ana.ours("DELETE", &format!("/messages/{second}"), Value::Null).await;
    let (_, history) = ana.chat(&room).await;
    let said = history["messages"].as_array().unwrap().iter().map(|m| m["message"].clone());
    assert_eq!(said.collect::<Vec<_>>(), ["m1", "m3", "m4"]);
    server.stop().await;
}

/// Row: WS {"message": "typing"} → `typing` to everybody, the sender included; nothing is stored
/// Row: WS (README) `user_typing`, `chat_message` inbound
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_text_typing_says_that_somebody_writes_and_is_no_message() {
    let (server, _) = server().await;
    let (mut ana, mut bo) = (Browser::of(&server, "ana").await, Browser::of(&server, "bo").await);
    let room = ana.room("general").await;
    bo.join(&room).await;
    let (mut hers, _) = ana.chat(&room).await;
    let (mut his, _) = bo.chat(&room).await;
    for said in [json!({"message": "typing"}), json!({"type": "user_typing"})] {
        hers.say(&said.to_string()).await;
        assert_eq!(hers.json().await, typing("ana"));
        assert_eq!(his.json().await, typing("ana"));
    }
    his.say(&json!({"message": "typing"}).to_string()).await;
    assert_eq!(hers.json().await, typing("bo"));
    hers.say(&json!({"type": "chat_message", "message": "done"}).to_string()).await;
    assert_eq!(hers.json().await, message("ana", "done"));
    let (_, history) = ana.chat(&room).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1, "{history}");
    server.stop().await;
}

/// Row: WS → `error` frames: "Invalid JSON format.", "Message is empty.", "Received empty
/// message.", "An error occurred."; the socket stays open
/// Row: WS: a number is stored as text
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_answered_and_the_socket_stays_open() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let room = ana.room("general").await;
    let (mut chat, _) = ana.chat(&room).await;
    let long = json!({"message": "x".repeat(16 * 1024 + 1)}).to_string();
    let tries = [
        ("{", "Invalid JSON format."),
        ("hello", "Invalid JSON format."),
        ("{}", "Message is empty."),
        ("{\"message\":\"\"}", "Message is empty."),
        ("{\"message\":null}", "Message is empty."),
        ("{\"message\":\"  \"}", "Message is empty."),
        ("", "Received empty message."),
        ("[]", "An error occurred."),
        ("\"hi\"", "An error occurred."),
        (&long, "Message is too long."),
    ];
    for (said, text) in tries {
        chat.say(said).await;
        assert_eq!(chat.json().await, error(text), "{said}");
    }
    chat.say_bytes(b"{\"message\":\"hi\"}").await;
    assert_eq!(chat.json().await, error("Received empty message."));
    chat.say("{\"message\":5}").await;
    assert_eq!(chat.json().await, message("ana", "5"));
    server.stop().await;
}

/// Row: WS close 4000 without a cookie, 4001 expired, 4002 otherwise invalid, after accept
/// Row: WS of a room that one is not in, or that is not there → accepted, closed 4003
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_listen_is_let_in_and_told_why() {
    let (server, clock) = server().await;
    let (mut ana, mut bo) = (Browser::of(&server, "ana").await, Browser::of(&server, "bo").await);
    let room = ana.room("general").await;
    let closed = async |browser: &Browser<'_>, room: &str| {
        let mut chat = browser.socket(room).await;
        chat.closed().await.0
    };
    let strange = fresh_id();
    for other in [&*room, &strange, "general"] {
        assert_eq!(closed(&bo, other).await, 4003, "{other}");
    }
    let refresh = ana.cookies["refresh_token"].clone();
    let nobody = Browser::new(&server);
    assert_eq!(closed(&nobody, &room).await, 4000);
    assert_eq!(closed(&nobody, &strange).await, 4000);
    for (token, code) in [("x", 4002), (&*refresh, 4002), ("", 4000)] {
        let mut browser = Browser::new(&server);
        browser.cookies.insert("access_token".to_owned(), token.to_owned());
        assert_eq!(closed(&browser, &room).await, code, "{token}");
    }
    let kept = bo.cookies.clone();
    bo.post("/logout/", json!({})).await;
    bo.cookies = kept;
    assert_eq!(closed(&bo, &room).await, 4002);
    clock.advance(Duration::from_mins(15));
    assert_eq!(closed(&ana, &room).await, 4001);
    server.stop().await;
}

/// Row: 8b.7: leaving, kick and ban close the room's sockets with a code other than 4000, 4001
/// and 4002
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_out_of_the_room_hears_nothing_more() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let mut bo = Browser::of(&server, "bo").await;
    let (room, id) = (ana.room("general").await, bo.id().await);
    let (mut hers, _) = ana.chat(&room).await;
    let ends = [
        (false, "POST", format!("/rooms/{room}/leave")),
        (true, "DELETE", format!("/rooms/{room}/members/{id}")),
        (true, "PUT", format!("/rooms/{room}/bans/{id}")),
    ];
    for (by_owner, method, path) in ends {
        bo.join(&room).await;
        let (mut his, _) = bo.chat(&room).await;
        let who = if by_owner { &ana } else { &bo };
        who.ours(method, &path, json!({})).await;
        hers.say(&json!({"message": "secret"}).to_string()).await;
        assert_eq!(hers.json().await, message("ana", "secret"));
        let (code, reason) = his.closed().await;
        assert_eq!((code, &*reason), (4003, "Not a member of this room"), "{path}");
        assert_eq!(bo.socket(&room).await.closed().await.0, 4003);
    }
    server.stop().await;
}

/// Row: POST /logout/ closes the login's sockets
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_closes_the_sockets_of_that_login() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let room = ana.room("general").await;
    let (mut chat, _) = ana.chat(&room).await;
    ana.post("/logout/", json!({})).await;
    assert_eq!(chat.closed().await, (4010, "Signed out".to_owned()));
    server.stop().await;
}

/// Row: section 7: what is said and typed through any other door appears here
/// Row: 8b.11: in the lobby nobody sees a real address
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_elsewhere_is_heard_here() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let dora = server.person("dora").await;
    let rooms = ana.get("/rooms/").await.json();
    let id = lobby(&rooms)["room_id"].as_str().unwrap().to_owned();
    let room = ana.ours("GET", &format!("/rooms/{id}"), Value::Null).await.json();
    let main = room["main_session_id"].as_str().unwrap();
    let (mut chat, _) = ana.chat(&id).await;
    dora.say(main, "hello").await.unwrap();
    let said = |name: &str, text: &str| {
        let mut said = message(name, text);
        said["user"] = json!(format!("{name}@users.noreply.127.0.0.1"));
        said
    };
    assert_eq!(chat.json().await, said("dora", "hello"));
    dora.done("POST", &format!("/sessions/{main}/typing")).await.unwrap();
    let mut writes = typing("dora");
    writes["user"] = json!("dora@users.noreply.127.0.0.1");
    assert_eq!(chat.json().await, writes);
    chat.say(&json!({"message": "hi dora"}).to_string()).await;
    assert_eq!(chat.json().await, said("ana", "hi dora"));
    server.stop().await;
}

/// Row: WS with `Authorization: Bearer` or `?token=` (8b.3); the cookie goes before
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_opens_the_socket_unless_a_cookie_says_otherwise() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let room = ana.room("general").await;
    let path = format!("/ws/chat/{room}/");
    let bearer = format!("Bearer {}", ana.token());
    let query = format!("{path}?token={}", ana.token());
    let by_bearer = [("Authorization", &*bearer)];
    assert_eq!(
        Chat::open(&server, &path, &by_bearer).await.json().await["type"],
        "message_history"
    );
    assert_eq!(Chat::open(&server, &query, &[]).await.json().await["type"], "message_history");
    let both = [("Authorization", &*bearer), ("Cookie", "access_token=x")];
    assert_eq!(Chat::open(&server, &path, &both).await.closed().await.0, 4002);
    server.stop().await;
}
