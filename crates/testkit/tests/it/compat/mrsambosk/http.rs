//! Its requests and their answers.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use serde_json::{Value, json};

use super::{BASE, Member, PASSWORD, login, register, send};

/// Row: `POST /register` → 201 `{"message":"User created successfully"}`, usable at once
/// Row: `POST /login` → 200 `{"message":"Login successful","user":<number>}`
/// Row: signing in sets an HttpOnly cookie, which is what proves anybody
#[tokio::test]
async fn who_has_registered_can_sign_in_at_once_and_gets_a_cookie() {
    let server = TestServer::start().await;
    let answer = register(&server, BASE, "alice@example.org", "alice").await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json(), json!({"message": "User created successfully"}));
    assert_eq!(answer.header("set-cookie"), None);
    let answer = login(&server, BASE, "alice@example.org", PASSWORD).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"message": "Login successful", "user": 1}));
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    server.stop().await;
}

/// Row: `POST /register` → 400 `{"detail":"Email already registered"}`
/// Row: `POST /register`: the username need not be unique
#[tokio::test]
async fn an_address_is_registered_once_and_a_name_as_often_as_people_like() {
    let server = TestServer::start().await;
    let alice = Member::new(&server, "alice").await;
    let again = register(&server, BASE, "Alice@example.org", "somebody").await;
    assert_eq!(again.status, 400);
    assert_eq!(again.json(), json!({"detail": "Email already registered"}));
    let namesake = register(&server, BASE, "other@example.org", "alice").await;
    assert_eq!(namesake.status, 201);
    let user = alice.ask(&server, "GET", "/user/2").await.json();
    assert_eq!(user["user"]["username"], "alice");
    server.stop().await;
}

/// Row: `POST /register`: an empty username passes
/// Row: `POST /register` → 400 for what is no address and for a password of under 8 characters
#[tokio::test]
async fn a_name_may_be_empty_but_an_address_and_a_password_may_not() {
    let server = TestServer::start().await;
    let answer = register(&server, BASE, "alice@example.org", " ").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let alice = Member::sign_in(&server, "alice").await;
    let user = alice.ask(&server, "GET", "/user/1").await.json();
    assert_eq!(user["user"]["username"], "alice", "they go by their address");
    for (email, password) in [("", PASSWORD), ("nobody", PASSWORD), ("b@example.org", "short")] {
        let body = json!({"email": email, "username": "b", "password": password}).to_string();
        let asked = Request::new("POST", "/compat/mrsambosk/register").json(&body);
        let answer = send(&server, asked).await;
        assert_eq!(answer.status, 400, "{email} {password}");
        assert!(answer.json()["detail"].is_string(), "{}", answer.text());
    }
    server.stop().await;
}

/// Row: `POST /login` → 401 `{"detail":"Incorrect email or password"}`
/// Row: unknown and wrong are one answer
#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_one_answer() {
    let server = TestServer::start().await;
    Member::new(&server, "alice").await;
    for (email, password) in [("alice@example.org", "wrong enough"), ("x@example.org", PASSWORD)] {
        let answer = login(&server, BASE, email, password).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json(), json!({"detail": "Incorrect email or password"}));
        assert_eq!(answer.header("set-cookie"), None);
    }
    server.stop().await;
}

fn fault(name: &str, msg: &str, kind: &str) -> Value {
    json!({"loc": ["body", name], "msg": msg, "type": kind})
}

/// Row: validation → 422 in the words of pydantic 1
#[tokio::test]
async fn what_is_missing_is_named_in_the_words_of_pydantic_1() {
    let server = TestServer::start().await;
    let ask = async |path: &str, body: &str| {
        send(&server, Request::new("POST", &format!("{BASE}{path}")).json(body)).await
    };
    let missing = |name: &str| fault(name, "field required", "value_error.missing");
    let answer = ask("/register", r#"{"email":"a@example.org"}"#).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json(), json!({"detail": [missing("username"), missing("password")]}));
    let answer = ask("/login", r#"{"email":null,"password":[]}"#).await;
    assert_eq!(answer.status, 422);
    let no_text = |name: &str| fault(name, "str type expected", "type_error.str");
    assert_eq!(answer.json(), json!({"detail": [no_text("email"), no_text("password")]}));
    let answer = ask("/login", "").await;
    assert_eq!(answer.status, 422);
    let nothing = json!({"loc": ["body"], "msg": "field required", "type": "value_error.missing"});
    assert_eq!(answer.json(), json!({"detail": [nothing]}));
    let answer = ask("/login", "{").await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["detail"][0]["type"], "value_error.jsondecode");
    server.stop().await;
}

/// Row: `GET /messages` → 200 `{"data":[{id, sender_id, sender, online, content}]}`, oldest
/// first, all
#[tokio::test]
async fn all_messages_are_read_the_oldest_first() {
    let server = TestServer::start().await;
    let (alice, bo) = (Member::new(&server, "alice").await, Member::new(&server, "bo").await);
    let empty = alice.ask(&server, "GET", "/messages").await;
    assert_eq!((empty.status, empty.json()), (200, json!({"data": []})));
    let (mut a, mut b) = (alice.socket(&server).await, bo.socket(&server).await);
    a.say("hello").await;
    b.text().await;
    b.say("hi").await;
    a.text().await;
    a.text().await;
    b.text().await;
    drop(b);
    a.text().await;
    let data = json!({"data": [
        {"id": 1, "sender_id": 1, "sender": "alice", "online": true, "content": "hello"},
        {"id": 2, "sender_id": 2, "sender": "bo", "online": false, "content": "hi"},
    ]});
    let so = async || {
        let answer = bo.ask(&server, "GET", "/messages").await;
        (answer.status, answer.json()) == (200, data.clone())
    };
    server.sees("all messages, and who of their senders is here", so).await;
    server.stop().await;
}

/// Row: `DELETE /message/{int}` → 200 `{"message":"Message Deleted Successfully"}`, gone from
/// the list
/// Row: `DELETE /message/{int}` → 404 `{"detail":"Message not found"}`; also when deleted twice
/// Row: `DELETE /message/{int}` → 422 for no integer
#[tokio::test]
async fn ones_own_message_is_deleted_for_everybody() {
    let server = TestServer::start().await;
    Member::new(&server, "first").await;
    let alice = Member::new(&server, "alice").await;
    let mut chat = alice.socket(&server).await;
    chat.say("hello").await;
    chat.text().await;
    let answer = alice.ask(&server, "DELETE", "/message/1").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"message": "Message Deleted Successfully"}));
    assert!(alice.contents(&server).await.is_empty());
    for id in ["1", "2", "-1", "99999999999999999999"] {
        let answer = alice.ask(&server, "DELETE", &format!("/message/{id}")).await;
        assert_eq!(answer.status, 404, "{id}");
        assert_eq!(answer.json(), json!({"detail": "Message not found"}));
    }
    let answer = alice.ask(&server, "DELETE", "/message/x").await;
    assert_eq!(answer.status, 422);
    let fault = json!({
        "loc": ["path", "message_id"], "msg": "value is not a valid integer",
        "type": "type_error.integer",
    });
    assert_eq!(answer.json(), json!({"detail": [fault]}));
    server.stop().await;
}

/// Row: deleting another's message → 403, unless one moderates the lobby
#[tokio::test]
async fn anothers_message_is_deleted_by_who_moderates_and_by_nobody_else() {
    let server = TestServer::start().await;
    let owner = Member::new(&server, "owner").await;
    let (alice, bo) = (Member::new(&server, "alice").await, Member::new(&server, "bo").await);
    let mut chat = alice.socket(&server).await;
    chat.say("hello").await;
    chat.text().await;
    let refused = bo.ask(&server, "DELETE", "/message/1").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json(), json!({"detail": "your role does not allow it"}));
    assert_eq!(bo.contents(&server).await, ["hello"]);
    assert_eq!(owner.ask(&server, "DELETE", "/message/1").await.status, 200);
    assert!(bo.contents(&server).await.is_empty());
    server.stop().await;
}

/// Row: `GET /get_all_users` → 200 `{"users":[{id, username, email, online}]}`, oneself too
/// Row: `GET /get_all_users/` is answered directly
/// Row: others' addresses are no-reply ones in the lobby
#[tokio::test]
async fn everybody_is_listed_with_and_without_the_slash() {
    let server = TestServer::start().await;
    let alice = Member::new(&server, "alice").await;
    Member::new(&server, "bo").await;
    let chat = alice.socket(&server).await;
    let users = json!({"users": [
        {"id": 1, "username": "alice", "email": "alice@example.org", "online": true},
        {"id": 2, "username": "bo", "email": "bo@users.noreply.127.0.0.1", "online": false},
    ]});
    for path in ["/get_all_users", "/get_all_users/"] {
        let so = async || {
            let answer = alice.ask(&server, "GET", path).await;
            (answer.status, answer.json()) == (200, users.clone())
        };
        server.sees(path, so).await;
    }
    drop(chat);
    server.stop().await;
}

/// Row: `GET /user/{int}` → 200 `{"user":{username, email, id}}`
/// Row: `GET /user/{int}` → 404 `{"detail":"User not found"}`; 422 for no integer
#[tokio::test]
async fn a_person_is_found_by_their_number() {
    let server = TestServer::start().await;
    let alice = Member::new(&server, "alice").await;
    Member::new(&server, "bo").await;
    let answer = alice.ask(&server, "GET", "/user/1").await;
    let oneself = json!({"username": "alice", "email": "alice@example.org", "id": 1});
    assert_eq!((answer.status, answer.json()), (200, json!({"user": oneself})));
    let answer = alice.ask(&server, "GET", "/user/2").await;
    let other = json!({"username": "bo", "email": "bo@users.noreply.127.0.0.1", "id": 2});
    assert_eq!((answer.status, answer.json()), (200, json!({"user": other})));
    let answer = alice.ask(&server, "GET", "/user/3").await;
    assert_eq!((answer.status, answer.json()), (404, json!({"detail": "User not found"})));
    let answer = alice.ask(&server, "GET", "/user/abc").await;
    let fault = json!({
        "loc": ["path", "user_id"], "msg": "value is not a valid integer",
        "type": "type_error.integer",
    });
    assert_eq!((answer.status, answer.json()), (422, json!({"detail": [fault]})));
    server.stop().await;
}

/// Row: unknown path → 404 `{"detail":"Not Found"}`
/// Row: wrong method → 405 `{"detail":"Method Not Allowed"}` with `Allow`
/// Row: a trailing slash → 307 to the slash-less path, with an absolute `Location`
#[tokio::test]
async fn paths_and_methods_it_does_not_know_are_answered_in_its_own_way() {
    let server = TestServer::start().await;
    let ask = async |method: &str, path: &str| {
        let asked = Request::new(method, &format!("{BASE}{path}"));
        send(&server, asked.header("Accept", "text/html")).await
    };
    for path in ["/nothing", "/", "/ws/1", "/user"] {
        let answer = ask("GET", path).await;
        let said = (answer.status, answer.json());
        assert_eq!(said, (404, json!({"detail": "Not Found"})), "{path}");
    }
    for (method, path, allowed) in
        [("GET", "/login", "POST"), ("POST", "/messages", "GET"), ("GET", "/message/1", "DELETE")]
    {
        let answer = ask(method, path).await;
        let said = (answer.status, answer.json());
        assert_eq!(said, (405, json!({"detail": "Method Not Allowed"})), "{path}");
        assert!(answer.header("allow").unwrap().contains(allowed), "{path}");
    }
    for (method, path) in [
        ("POST", "/register"),
        ("POST", "/login"),
        ("GET", "/messages"),
        ("DELETE", "/message/1"),
        ("GET", "/user/1"),
    ] {
        let answer = ask(method, &format!("{path}/?a=b")).await;
        assert_eq!(answer.status, 307, "{path}");
        let location = format!("http://localhost{BASE}{path}?a=b");
        assert_eq!(answer.header("location"), Some(&*location));
    }
    server.stop().await;
}

/// Row: history, addresses and deletes → 401 without the cookie
/// Row: the cookies `access_token` and `refresh_token`, and Bearer tokens, are
/// ignored
#[tokio::test]
async fn without_the_cookie_nothing_is_read_or_deleted() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let others = format!("access_token={0}; refresh_token={0}", ana.token);
    for (method, path) in [
        ("GET", "/messages"),
        ("GET", "/get_all_users"),
        ("GET", "/get_all_users/"),
        ("GET", "/user/1"),
        ("DELETE", "/message/1"),
    ] {
        let asked = Request::new(method, &format!("{BASE}{path}"));
        for asked in
            [asked.clone(), asked.clone().header("Cookie", &others), asked.bearer(&ana.token)]
        {
            let answer = send(&server, asked).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert_eq!(answer.json(), json!({"detail": "Not authenticated"}));
        }
    }
    server.stop().await;
}

/// Row: a request by cookie from a foreign `Origin`, or from `null`, is refused
#[tokio::test]
async fn a_page_of_another_origin_does_nothing_with_the_cookie() {
    let server = TestServer::start().await;
    let alice = Member::new(&server, "alice").await;
    let mut chat = alice.socket(&server).await;
    chat.say("hello").await;
    chat.text().await;
    for origin in ["https://evil.example", "null"] {
        for (method, path) in [("GET", "/messages"), ("DELETE", "/message/1")] {
            let asked = Request::new(method, &format!("{BASE}{path}"))
                .header("Cookie", &alice.cookie)
                .header("Origin", origin);
            assert_eq!(send(&server, asked).await.status, 403, "{origin} {path}");
        }
        let body = json!({"email": "alice@example.org", "password": PASSWORD}).to_string();
        let asked = Request::new("POST", "/login").header("Origin", origin).json(&body);
        let answer = send(&server, asked).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{origin}");
    }
    let own = Request::new("GET", &format!("{BASE}/messages"))
        .header("Cookie", &alice.cookie)
        .header("Origin", "http://localhost");
    assert_eq!(send(&server, own).await.json()["data"][0]["content"], "hello");
    server.stop().await;
}

/// Row: limits per address → 429 with `Retry-After` of at most 5 s
#[tokio::test]
async fn who_tries_too_many_passwords_is_told_when_to_come_back() {
    let server =
        TestServer::builder().alone().limits_on().limit("login_tries_per_min", 12).start().await;
    for _ in 0..12 {
        assert_eq!(login(&server, BASE, "a@example.org", "wrong enough").await.status, 401);
    }
    let answer = login(&server, BASE, "a@example.org", "wrong enough").await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert_eq!(answer.json(), json!({"detail": "slow down"}));
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    server.stop().await;
}

/// Row: a façade can be switched off
#[tokio::test]
async fn nothing_of_it_is_left_where_it_is_switched_off() {
    let server = TestServer::builder().set("compat", "rei,groups").start().await;
    for (method, path) in
        [("POST", "/compat/mrsambosk/login"), ("GET", "/get_all_users"), ("DELETE", "/message/1")]
    {
        let answer = send(&server, Request::new(method, path)).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(answer.json()["detail"].is_null(), "{}", answer.text());
    }
    server.stop().await;
}
