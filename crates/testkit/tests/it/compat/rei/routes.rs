//! Paths, prefixes and what is said of those that nobody knows.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use serde_json::json;

use super::super::chat::{Chat, send};
use super::{SECRET, Somebody, ask, asked, ok, read};

/// Row: GET / → exactly `{"message":"ok"}`, by prefix, header and client
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_root_says_that_all_is_well() {
    let server = TestServer::start().await;
    let plain = |path: &str| Request::new("GET", path);
    for request in [
        plain("/compat/rei/"),
        plain("/compat/rei"),
        plain("/").header("X-Chat-Dialect", "rei"),
        asked("GET", "/", None, None),
        plain("/compat/rei/").header("Accept", "text/html"),
    ] {
        assert_eq!(read(&send(&server, request).await), (200, ok()));
    }
    server.stop().await;
}

/// Row: unknown path 404 `{"detail":"Not Found"}`; wrong method 405 `{"detail":"Method Not
/// Allowed"}` with `Allow`
/// Row: a façade path never answers HTML
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_said_as_fastapi_does() {
    let server = TestServer::start().await;
    let html = |method, path| asked(method, path, None, None).header("Accept", "text/html");
    for path in ["/nothing", "/room", "/room/x/nothing", "/ws/chat/room1", "/docs/x", "/ws/x"] {
        let method = if path == "/room" { "PATCH" } else { "GET" };
        let said = read(&send(&server, html(method, path)).await);
        let expected = match path {
            "/room" => (405, json!({"detail": "Method Not Allowed"})),
            _ => (404, json!({"detail": "Not Found"})),
        };
        assert_eq!(said, expected, "{path}");
    }
    let wrong = send(&server, html("DELETE", "/register")).await;
    assert_eq!(read(&wrong), (405, json!({"detail": "Method Not Allowed"})));
    assert_eq!(wrong.header("allow"), Some("POST"));
    server.stop().await;
}

/// Row: a trailing slash → 307 to the path without it, absolute, by the Host header
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slash_too_many_leads_to_the_path_without_it() {
    let server = TestServer::start().await;
    for (path, there) in [
        ("/register/", "/register"),
        ("/user/?a=b%20c", "/user?a=b%20c"),
        ("/room/room1/join/", "/room/room1/join"),
        ("/compat/rei/joined/", "/compat/rei/joined"),
    ] {
        let request = asked("POST", path, None, None).header("Host", "chat.example.org:8000");
        let answer = send(&server, request).await;
        assert_eq!(answer.status, 307, "{path}");
        let expected = format!("http://chat.example.org:8000{there}");
        assert_eq!(answer.header("location"), Some(&*expected));
        assert_eq!(answer.body, b"");
    }
    server.stop().await;
}

/// Row: §6: by prefix and by header the same answers as by the client's name, without it
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_facade_is_also_reached_by_prefix_and_header() {
    let server = TestServer::start().await;
    let body = json!({"email": "ana@example.org", "password": SECRET, "username": "Ana"});
    let made = Request::new("POST", "/compat/rei/register").json(&body.to_string());
    assert_eq!(read(&send(&server, made).await), (201, ok()));
    let unknown = json!({"email": "bo@example.org", "password": SECRET}).to_string();
    for request in [
        Request::new("POST", "/compat/rei/login"),
        Request::new("POST", "/login").header("X-Chat-Dialect", "rei"),
    ] {
        let said = read(&send(&server, request.json(&unknown)).await);
        assert_eq!(said, (400, json!({"message": "Invalid password"})));
    }
    let ana = Somebody::sign_in(&server, "ana@example.org").await;
    ana.room(&server, "room1").await;
    let path = format!("/compat/rei/ws/chat/room1?token={}", ana.access);
    let mut chat = Chat::open(&server, &path, &[]).await;
    assert_eq!(chat.json().await["type"], "initial_state");
    server.stop().await;
}

/// Row: §6: without any choice of dialect this system's own paths answer at the root
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_own_paths_need_no_choice() {
    let server = TestServer::start().await;
    let ana = Somebody::new(&server, "Ana").await;
    let bare = |method: &str, path: &str| Request::new(method, path).bearer(&ana.access);
    let room = json!({"room_id": "room1", "name": "N", "description": ""}).to_string();
    assert_eq!(read(&send(&server, bare("POST", "/room").json(&room)).await), (201, ok()));
    for path in ["/user", "/public", "/joined", "/room/room1", &format!("/user/{}", ana.id)] {
        assert_eq!(send(&server, bare("GET", path)).await.status, 200, "{path}");
    }
    let refresh = Request::new("GET", "/refresh").bearer(&ana.refresh);
    assert_eq!(send(&server, refresh).await.status, 200);
    server.stop().await;
}

/// Row: a façade can be switched off (`PARLOR_COMPAT`): its paths are not there
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switched_off_it_is_not_there() {
    let server = TestServer::builder().set("compat", "shh").start().await;
    for path in ["/public", "/compat/rei/public", "/room/room1"] {
        assert_eq!(send(&server, asked("GET", path, None, None)).await.status, 404, "{path}");
    }
    server.stop().await;
}

/// Row: no CORS headers
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_others_read_nothing() {
    let server = TestServer::start().await;
    let request = asked("GET", "/", None, None).header("Origin", "https://example.org");
    let answer = send(&server, request).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let (status, _) = ask(&server, "POST", "/login", json!({})).await;
    assert_eq!(status, 422);
    server.stop().await;
}
