//! Coming by a name, and oneself.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use serde_json::json;

use super::super::chat::send;
use super::{Caller, error, fails, told};

/// Row: GET / → what this is
/// Row: GET /auth/me → 200 U
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_root_says_what_this_is_to_who_asks_for_this_system() {
    let server = TestServer::start().await;
    let endpoints = json!({
        "auth": "/auth", "users": "/users", "groups": "/groups", "messages": "/messages",
        "stream": "/stream",
    });
    let root = json!({"message": "Chat Room API", "version": "1.0.0", "endpoints": endpoints});
    let named = Request::new("GET", "/").header("X-Chat-Dialect", "groups");
    for request in [named, Request::new("GET", "/compat/groups/")] {
        assert_eq!(told(&send(&server, request).await), (200, root.clone()));
    }
    // Whoever names no system still finds this one's paths there.
    let shared = send(&server, Request::new("GET", "/")).await.json();
    for path in ["auth", "users", "groups", "messages", "stream"] {
        assert_eq!(shared["endpoints"][path], endpoints[path]);
    }
    let ana = Caller::guest(&server, "ana").await;
    for prefix in ["", "/compat/groups"] {
        assert_eq!(ana.get(&server, &format!("{prefix}/auth/me")).await, (200, ana.user()));
    }
    server.stop().await;
}

/// Row: POST /auth/register → 201 a token and U
/// Row: POST /auth/register → 400 for a name that somebody has
/// Row: POST /auth/register → 400 `Registration failed: …`
/// Row: example “Register a User”
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_makes_an_account() {
    let server = TestServer::start().await;
    let register = async |body: &str| {
        told(&send(&server, Request::new("POST", "/auth/register").json(body)).await)
    };
    let (status, said) = register(r#"{"name": "john_doe"}"#).await;
    let uuid = said["user"]["uuid"].clone();
    let user = json!({
        "uuid": uuid, "name": "john_doe", "created_date": "TIME", "updated_at": "TIME",
    });
    let made = json!({
        "message": "User created successfully", "access_token": "TOKEN", "user": user,
    });
    assert_eq!((status, said), (201, made));
    let taken = (400, error("User with this name already exists"));
    assert_eq!(register(r#"{"name": "john_doe"}"#).await, taken);
    server.person("ana").await;
    assert_eq!(register(r#"{"name": "ana"}"#).await, taken);
    assert_eq!(register(r#"{"name": ""}"#).await.0, 201);
    assert_eq!(register(&json!({"name": "x".repeat(25)}).to_string()).await.0, 201);
    let long = json!({"name": "x".repeat(26)}).to_string();
    for bad in [&*long, "{}", r#"{"name": 5}"#, r#"{"name": null}"#, "[]", "{", ""] {
        let (status, said) = register(bad).await;
        assert!(status == 400 && fails(&said, "Registration failed: "), "{bad}: {status} {said}");
    }
    server.stop().await;
}

/// Row: POST /auth/login → 200 a token and U
/// Row: POST /auth/login → 404 for an unknown name
/// Row: example “Login”
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_opens_the_account_that_it_made() {
    let server = TestServer::start().await;
    let ana = Caller::guest(&server, "john_doe").await;
    let login = async |body: &str| {
        told(&send(&server, Request::new("POST", "/auth/login").json(body)).await)
    };
    let opened = json!({
        "message": "Login successful", "access_token": "TOKEN", "user": ana.user(),
    });
    assert_eq!(login(r#"{"name": "john_doe"}"#).await, (200, opened));
    assert_eq!(login(r#"{"name": "nobody"}"#).await, (404, error("User not found")));
    let (status, said) = login("{}").await;
    assert!(status == 400 && fails(&said, "Login failed: "), "{said}");
    server.stop().await;
}

/// Row: a protected path without a token → 401
/// Row: any path with a malformed or unknown token → 400 `Invalid token`
/// Row: the scheme is read in any case, and other schemes are ignored
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_refused_everywhere_when_it_is_not_good() {
    let server = TestServer::start().await;
    let ana = Caller::guest(&server, "ana").await;
    let uuid = &ana.uuid;
    let protected = [
        ("GET", "/auth/me".to_owned()),
        ("GET", "/users".to_owned()),
        ("GET", "/users/".to_owned()),
        ("PUT", "/users/me".to_owned()),
        ("DELETE", "/users/me".to_owned()),
        ("GET", format!("/users/{uuid}")),
        ("GET", format!("/users/{uuid}/messages")),
        ("GET", format!("/users/{uuid}/groups")),
        ("POST", "/groups".to_owned()),
        ("GET", "/groups".to_owned()),
        ("GET", format!("/groups/{uuid}")),
        ("DELETE", format!("/groups/{uuid}")),
        ("POST", format!("/groups/{uuid}/join")),
        ("POST", format!("/groups/{uuid}/leave")),
        ("GET", format!("/groups/{uuid}/participants")),
        ("GET", format!("/groups/{uuid}/messages")),
        ("POST", "/messages".to_owned()),
        ("GET", "/messages/".to_owned()),
        ("GET", "/messages?page=1".to_owned()),
        ("GET", "/messages/search?q=x".to_owned()),
        ("GET", "/messages/1".to_owned()),
        ("PUT", "/messages/1".to_owned()),
        ("DELETE", "/messages/1".to_owned()),
    ];
    let public = [
        ("POST", "/auth/register".to_owned()),
        ("POST", "/auth/login".to_owned()),
        ("GET", "/stream/group".to_owned()),
        ("GET", "/stream/all".to_owned()),
        ("GET", "/stream/health".to_owned()),
        ("GET", "/auth/me/".to_owned()),
        ("PATCH", "/users/me".to_owned()),
        ("GET", "/compat/groups/nothing".to_owned()),
        ("GET", "/compat/groups/".to_owned()),
    ];
    for (method, path) in &protected {
        let answer = send(&server, Request::new(method, path)).await;
        assert_eq!(told(&answer), (401, error("Not authenticated")), "{method} {path}");
    }
    for (method, path) in protected.iter().chain(&public) {
        for bad in ["Bearer", "Bearer x", "bearer a.b.c"] {
            let request = Request::new(method, path).header("Authorization", bad);
            let answer = send(&server, request).await;
            assert_eq!(told(&answer), (400, json!("Invalid token")), "{method} {path} {bad}");
        }
    }
    for (shown, status) in [("bEaReR ", 200), ("Basic ", 401), ("", 401)] {
        let request = Request::new("GET", "/auth/me");
        let request = request.header("Authorization", &format!("{shown}{}", ana.token));
        assert_eq!(send(&server, request).await.status, status, "{shown}");
    }
    server.stop().await;
}

/// Row: PUT /users/me → 200 U
/// Row: PUT /users/me → 400 `Failed to update user: …`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_takes_another_name() {
    let server = TestServer::start().await;
    let mut ana = Caller::guest(&server, "ana").await;
    Caller::guest(&server, "bo").await;
    let updated =
        |ana: &Caller| (200, json!({"message": "User updated successfully", "user": ana.user()}));
    // Names are not unique here; a body that says nothing changes nothing.
    for name in ["anna", "bo"] {
        ana.name = name.to_owned();
        let changed = ana.put(&server, "/users/me", &json!({"name": name})).await;
        assert_eq!(changed, updated(&ana));
    }
    for nothing in [json!({}), json!({"name": null}), json!({"color": "red"})] {
        assert_eq!(ana.put(&server, "/users/me", &nothing).await, updated(&ana));
    }
    assert_eq!(ana.get(&server, "/auth/me").await, (200, ana.user()));
    for bad in [json!({"name": "x".repeat(26)}), json!({"name": 5}), json!([])] {
        let (status, said) = ana.put(&server, "/users/me", &bad).await;
        assert!(status == 400 && fails(&said, "Failed to update user: "), "{bad}: {said}");
    }
    server.stop().await;
}

/// Row: DELETE /users/me → 200
/// Row: DELETE /users/me, GET /auth/me → 404 afterwards
/// Row: DELETE /users/me takes the user's messages and memberships along
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_user_is_gone_with_all_that_they_said() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let group = bo.group(&server).await;
    ana.join(&server, &group).await;
    let said = ana.say(&server, &group, "for a while").await;
    let deleted = (200, json!({"message": "User deleted successfully"}));
    assert_eq!(ana.delete(&server, "/users/me").await, deleted);
    let gone = (404, error("User not found"));
    assert_eq!(ana.get(&server, "/auth/me").await, gone);
    assert_eq!(ana.delete(&server, "/users/me").await, gone);
    assert_eq!(ana.get(&server, "/groups").await, gone);
    assert_eq!(bo.get(&server, &format!("/users/{}", ana.uuid)).await, gone);
    assert_eq!(bo.get(&server, "/users").await, (200, json!({"users": [bo.user()]})));
    let messages = bo.get(&server, &format!("/groups/{group}/messages")).await;
    assert_eq!(messages, (200, json!({"messages": []})));
    let message = bo.get(&server, &format!("/messages/{said}")).await;
    assert_eq!(message, (404, error("Message has been deleted")));
    let (_, there) = bo.get(&server, &format!("/groups/{group}/participants")).await;
    assert_eq!(there["participants"].as_array().unwrap().len(), 1);
    let again = json!({"name": "ana"}).to_string();
    let again = send(&server, Request::new("POST", "/auth/login").json(&again)).await;
    assert_eq!(told(&again), gone);
    server.stop().await;
}
