//! At the root, among the other façades: how its own client gets its own answers.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use serde_json::json;

use super::{PASSWORD, cookie_of, frame, login, offline, register, send, told};
use crate::compat::chat::Chat;

/// Row: the superset's `POST /login` has `user`, and sets the cookie
/// Row: what the React client does: sign in, open the socket, poke, read three lists, say,
/// delete, poke
#[tokio::test]
async fn its_client_finds_everything_at_the_root() {
    let server = TestServer::start().await;
    let answer = register(&server, "", "alice@example.org", "alice").await;
    assert_eq!(answer.status, 201);
    assert!(answer.json()["message"].is_string(), "it shows this");
    let answer = login(&server, "", "alice@example.org", PASSWORD).await;
    assert_eq!((answer.status, &answer.json()["user"]), (200, &json!(1)));
    let cookie = cookie_of(&answer);
    let mut chat = Chat::open(&server, "/ws/1", &[("Cookie", &cookie)]).await;
    chat.say("").await;
    assert_eq!(frame(&mut chat).await, told(1, ""));
    let ask = async |method: &str, path: &str| {
        send(&server, Request::new(method, path).header("Cookie", &cookie)).await.json()
    };
    assert_eq!(ask("GET", "/messages").await, json!({"data": []}));
    let alice = json!({
        "id": 1, "username": "alice", "email": "alice@example.org", "online": true,
    });
    let listed = json!({"users": [alice]});
    let so = async || ask("GET", "/get_all_users/").await == listed;
    server.sees("everybody, and that they are here", so).await;
    let alice = json!({"username": "alice", "email": "alice@example.org", "id": 1});
    assert_eq!(ask("GET", "/user/1").await, json!({"user": alice}));
    chat.say("hello").await;
    assert_eq!(frame(&mut chat).await, told(1, "hello"));
    let deleted = json!({"message": "Message Deleted Successfully"});
    assert_eq!(ask("DELETE", "/message/1").await, deleted);
    assert_eq!(frame(&mut chat).await, told(1, ""));
    let other = Chat::open(&server, "/ws/1", &[("Cookie", &cookie)]).await;
    let mut other = other.listened().await;
    drop(chat);
    assert_eq!(frame(&mut other).await, offline(1));
    server.stop().await;
}

/// Row: a browser's `Origin` on `/login` and `/register` chooses this façade
/// Row: so does the header `X-Chat-Dialect`
#[tokio::test]
async fn a_browser_that_signs_in_at_the_root_is_answered_in_its_words() {
    let server = TestServer::start().await;
    let body = json!({"email": "a@example.org", "username": "a", "password": PASSWORD});
    for (name, value, status) in
        [("Origin", "http://localhost", 201), ("X-Chat-Dialect", "mrsambosk", 400)]
    {
        let asked = Request::new("POST", "/register").header(name, value);
        let answer = send(&server, asked.json(&body.to_string())).await;
        assert_eq!(answer.status, status, "{name}: a second time it is its own 400, not 409");
        let asked = Request::new("POST", "/login").header(name, value).json(&body.to_string());
        let answer = send(&server, asked).await;
        assert_eq!(answer.json(), json!({"message": "Login successful", "user": 1}), "{name}");
        cookie_of(&answer);
    }
    server.stop().await;
}

/// Row: `GET /messages` is this façade's without `Authorization` and paging
#[tokio::test]
async fn messages_are_its_own_unless_a_token_or_a_page_is_shown() {
    let server = TestServer::start().await;
    register(&server, "", "alice@example.org", "alice").await;
    let cookie = cookie_of(&login(&server, "", "alice@example.org", PASSWORD).await);
    let ask = |path: &str| Request::new("GET", path).header("Cookie", &cookie);
    let own = send(&server, ask("/messages")).await;
    assert_eq!((own.status, own.json()), (200, json!({"data": []})));
    for other in [ask("/messages?page=1"), ask("/messages").bearer("x")] {
        assert!(send(&server, other).await.json()["data"].is_null());
    }
    let strict = ask("/messages?page=1").header("X-Chat-Dialect", "mrsambosk");
    assert_eq!(send(&server, strict).await.json(), json!({"data": []}));
    server.stop().await;
}
