//! ROOM, row by row.

mod operations;

use parlor_testkit::TestServer;
use parlor_testkit::http::{Answer, Request};
use parlor_testkit::person::Person;
use parlor_testkit::raw_socket::{RawSocket, frame};
use parlor_wire::v1;
use serde_json::{Value, json};

use super::chat::{Chat, send};

/// Somebody with the number that is theirs here.
async fn someone(server: &TestServer, name: &str) -> (Person, i64) {
    let person = server.person(name).await;
    let me: v1::Me = person.get("/me").await.unwrap();
    (person, me.user.unwrap().no)
}

/// The number of a session.
async fn session_no(person: &Person, id: &str) -> i64 {
    let session: v1::Session = person.get(&format!("/sessions/{id}")).await.unwrap();
    session.no
}

fn message(user: i64, session: i64, text: &str) -> Value {
    json!({"mid": 1, "sender_id": user, "session": session, "text": text})
}

/// Posts a message, with what proves the sender.
async fn post(
    server: &TestServer,
    prove: impl FnOnce(Request) -> Request,
    (session, user): (i64, i64),
    body: &Value,
) -> Answer {
    let path = format!("/send_message?session_id={session}&user_id={user}");
    send(server, prove(Request::new("POST", &path)).json(&body.to_string())).await
}

async fn contents(person: &Person, session: &str) -> Vec<String> {
    let path = format!("/sessions/{session}/messages");
    let page: v1::MessagePage = person.get(&path).await.unwrap();
    page.messages.into_iter().map(|message| message.content).collect()
}

async fn listen(server: &TestServer, person: &Person, session: i64) -> Chat {
    let proof = format!("Bearer {}", person.token);
    let path = format!("/message/{session}");
    Chat::open(server, &path, &[("Authorization", &proof)]).await.listened().await
}

/// Row: `POST /send_message?session_id=&user_id=` → 200 `{"message":"Message sent for processing"}`
/// Row: its routes take a Parlor login: Bearer, `?token=`, or the cookie
/// Row: any session that the caller is in, not only main ones
#[tokio::test]
async fn a_message_is_posted_with_any_proof_of_a_login() {
    let server = TestServer::start().await;
    let (ana, no) = someone(&server, "ana").await;
    let room = ana.room("private", "a room", &[]).await;
    let asked = v1::CreateSessionRequest {
        name: "aside".into(),
        members: vec![],
        ..v1::CreateSessionRequest::default()
    };
    let path = format!("/rooms/{}/sessions", room.id);
    let aside: v1::Session = ana.call("POST", &path, Some(&asked)).await.unwrap();
    let sent = json!({"message": "Message sent for processing"});
    for session in [&room.main_session_id, &aside.id] {
        let id = session_no(&ana, session).await;
        let token = |r: Request| r.bearer(&ana.token);
        let by_token = post(&server, token, (id, no), &message(no, id, "a")).await;
        assert_eq!((by_token.status, by_token.json()), (200, sent.clone()));
        let path = format!("/send_message?session_id={id}&user_id={no}&token={}", ana.token);
        let body = message(no, id, "b").to_string();
        let by_query = send(&server, Request::new("POST", &path).json(&body)).await;
        assert_eq!((by_query.status, by_query.json()), (200, sent.clone()));
        let cookie = |r: Request| r.header("Cookie", &ana.cookie);
        let by_cookie = post(&server, cookie, (id, no), &message(no, id, "c")).await;
        assert_eq!((by_cookie.status, by_cookie.json()), (200, sent.clone()));
        assert_eq!(contents(&ana, session).await, ["a", "b", "c"]);
    }
    server.stop().await;
}

/// Row: validation → 422 in the words of pydantic 2
#[tokio::test]
async fn what_is_wrong_is_named_in_the_words_of_pydantic_2() {
    let server = TestServer::start().await;
    let (ana, _) = someone(&server, "ana").await;
    let ask = async |path: &str, body: &str| {
        send(&server, Request::new("POST", path).bearer(&ana.token).json(body)).await
    };
    let given = json!({"mid": "1", "sender_id": "x", "text": 5});
    let answer = ask("/send_message?session_id=one", &given.to_string()).await;
    assert_eq!(answer.status, 422);
    let no_integer = "Input should be a valid integer, unable to parse string as an integer";
    let (missing, int) = ("Field required", no_integer);
    let faults = json!([
        {"type": "int_parsing", "loc": ["query", "session_id"], "msg": int, "input": "one"},
        {"type": "missing", "loc": ["query", "user_id"], "msg": missing, "input": null},
        {"type": "int_parsing", "loc": ["body", "sender_id"], "msg": int, "input": "x"},
        {"type": "missing", "loc": ["body", "session"], "msg": missing, "input": given},
        {"type": "string_type", "loc": ["body", "text"], "msg": "Input should be a valid string",
         "input": 5},
    ]);
    assert_eq!(answer.json(), json!({"detail": faults}));
    for (body, kind) in [("{", "json_invalid"), ("[]", "model_attributes_type"), ("", "missing")] {
        let answer = ask("/send_message?session_id=1&user_id=1", body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.json()["detail"][0]["type"], kind, "{body}");
    }
    server.stop().await;
}

/// Row: no proof, or a bad one → 401 `{"detail":"Not authenticated"}`
/// Row: the cookie with a foreign `Origin`, or `null` → 403
#[tokio::test]
async fn nothing_is_posted_without_a_login() {
    let server = TestServer::start().await;
    let (ana, no) = someone(&server, "ana").await;
    let room = ana.room("private", "a room", &[]).await;
    let id = session_no(&ana, &room.main_session_id).await;
    let body = message(no, id, "hello");
    let bad = |r: Request| r.bearer("nonsense").header("Cookie", &ana.cookie);
    let proofs: [Box<dyn FnOnce(Request) -> Request>; 2] = [Box::new(|r| r), Box::new(bad)];
    for prove in proofs {
        let answer = post(&server, prove, (id, no), &body).await;
        let said = (answer.status, answer.json());
        assert_eq!(said, (401, json!({"detail": "Not authenticated"})));
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    for origin in ["https://evil.example", "null"] {
        let foreign = |r: Request| r.header("Cookie", &ana.cookie).header("Origin", origin);
        let answer = post(&server, foreign, (id, no), &body).await;
        assert_eq!(answer.status, 403, "{origin}");
        assert!(answer.json()["detail"].is_string(), "{}", answer.text());
    }
    let others = format!("access_token={}", ana.token);
    let answer = post(&server, |r| r.header("Cookie", &others), (id, no), &body).await;
    assert_eq!(answer.status, 401, "the cookie of another system");
    assert!(contents(&ana, &room.main_session_id).await.is_empty());
    server.stop().await;
}

/// Row: `user_id` and `sender_id` must be the caller's integer id → 403
/// Row: members only → 404 `{"detail":"Session with id: N does not exists in DB or CACHE"}`
#[tokio::test]
async fn nobody_posts_as_somebody_else_or_where_they_are_not() {
    let server = TestServer::start().await;
    let (ana, ana_no) = someone(&server, "ana").await;
    let (bo, bo_no) = someone(&server, "bo").await;
    let room = ana.room("private", "a room", &[]).await;
    let id = session_no(&ana, &room.main_session_id).await;
    for (user, sender) in [(bo_no, ana_no), (ana_no, bo_no), (bo_no, bo_no)] {
        let body = message(sender, id, "hello");
        let answer = post(&server, |r| r.bearer(&ana.token), (id, user), &body).await;
        let text = "user_id and sender_id are those of whoever is signed in";
        assert_eq!((answer.status, answer.json()), (403, json!({"detail": text})));
    }
    for session in [id, 999, -1] {
        let body = message(bo_no, session, "hello");
        let answer = post(&server, |r| r.bearer(&bo.token), (session, bo_no), &body).await;
        let text = format!("Session with id: {session} does not exists in DB or CACHE");
        assert_eq!((answer.status, answer.json()), (404, json!({"detail": text})));
    }
    let body = message(ana_no, id + 1, "hello");
    let answer = post(&server, |r| r.bearer(&ana.token), (id, ana_no), &body).await;
    assert_eq!(answer.status, 400, "two sessions are named");
    assert!(contents(&ana, &room.main_session_id).await.is_empty());
    server.stop().await;
}

/// Row: `WS /message/{session_id}`: text frames in are stored and told to all as text
/// Row: a message posted by any other door shows as a text frame
#[tokio::test]
async fn texts_go_in_and_out_as_texts() {
    let server = TestServer::start().await;
    let (ana, ana_no) = someone(&server, "ana").await;
    let (bo, _) = someone(&server, "bo").await;
    let room = ana.room("private", "a room", &[&bo]).await;
    let id = session_no(&ana, &room.main_session_id).await;
    let (mut a, mut b) = (listen(&server, &ana, id).await, listen(&server, &bo, id).await);
    for text in ["hello", r#"{"text":"no JSON to it"}"#, " \u{1f600} "] {
        a.say(text).await;
        assert_eq!((a.text().await, b.text().await), (text.to_owned(), text.to_owned()));
    }
    a.say("").await;
    bo.say(&room.main_session_id, "by REST").await.unwrap();
    assert_eq!(a.text().await, "by REST", "what says nothing is passed over");
    assert_eq!(b.text().await, "by REST");
    let body = message(ana_no, id, "by POST");
    post(&server, |r| r.bearer(&ana.token), (id, ana_no), &body).await;
    assert_eq!((a.text().await, b.text().await), ("by POST".to_owned(), "by POST".to_owned()));
    assert_eq!(contents(&bo, &room.main_session_id).await.len(), 5);
    server.stop().await;
}

/// Row: `WS /message/{session_id}`: `?token=`, the cookie, and `user_id` as a query value
#[tokio::test]
async fn a_socket_opens_with_a_token_in_the_query_or_a_cookie() {
    let server = TestServer::start().await;
    let (ana, no) = someone(&server, "ana").await;
    let room = ana.room("private", "a room", &[]).await;
    let id = session_no(&ana, &room.main_session_id).await;
    let by_query = format!("/message/{id}?user_id={no}&token={}", ana.token);
    let mut a = Chat::open(&server, &by_query, &[]).await;
    let own = [("Cookie", &*ana.cookie), ("Origin", "http://localhost")];
    let b = Chat::open(&server, &format!("/message/{id}"), &own).await;
    let mut b = b.listened().await;
    a.say("hello").await;
    assert_eq!((a.text().await, b.text().await), ("hello".to_owned(), "hello".to_owned()));
    server.stop().await;
}

/// Row: `WS /message/{id}`: no integer → the handshake is refused with 403
/// Row: no login, a foreign `Origin`, not a member, another's `user_id` → accepted,
/// then closed with 1008
#[tokio::test]
async fn who_may_not_listen_is_let_in_and_out_again() {
    let server = TestServer::start().await;
    let (ana, _) = someone(&server, "ana").await;
    let (bo, bo_no) = someone(&server, "bo").await;
    let room = ana.room("private", "a room", &[]).await;
    let id = session_no(&ana, &room.main_session_id).await;
    let (own, other) = (format!("/message/{id}"), format!("/message/{id}?user_id={bo_no}"));
    let (ana_token, bo_token) = (format!("Bearer {}", ana.token), format!("Bearer {}", bo.token));
    let cookie = ("Cookie", &*ana.cookie);
    let refused = Chat::try_open(&server, "/message/abc", &[("Authorization", &ana_token)]).await;
    assert_eq!(refused.err().map(|answer| answer.status), Some(403));
    for (path, headers, reason) in [
        (&own, vec![], "not authenticated"),
        (&own, vec![("Authorization", "Bearer nonsense"), cookie], "not authenticated"),
        (&own, vec![cookie, ("Origin", "null")], "a page of another origin asks"),
        (&own, vec![("Authorization", &*bo_token)], "not a member"),
        (&other, vec![("Authorization", &*ana_token)], "user_id is another's"),
    ] {
        let mut chat = Chat::open(&server, path, &headers).await;
        assert_eq!(chat.closed().await, (1008, reason.to_owned()), "{headers:?}");
    }
    server.stop().await;
}

/// Row: leaving, kick and ban close the socket with a code other than 4000 to 4002 (1008)
/// Row: so does the end of the session, of the room and of the login
#[tokio::test]
async fn who_is_sent_away_hears_nothing_more() {
    let server = TestServer::start().await;
    let (ana, _) = someone(&server, "ana").await;
    let (bo, _) = someone(&server, "bo").await;
    let (cy, _) = someone(&server, "cy").await;
    let (dee, eve) = (server.person("dee").await, server.person("eve").await);
    let room = ana.room("private", "a room", &[&bo, &cy, &dee, &eve]).await;
    let id = session_no(&ana, &room.main_session_id).await;
    let mut a = listen(&server, &ana, id).await;
    let (mut b, mut c) = (listen(&server, &bo, id).await, listen(&server, &cy, id).await);
    let (mut d, mut e) = (listen(&server, &dee, id).await, listen(&server, &eve, id).await);
    let asked = v1::CreateSessionRequest {
        name: "aside".into(),
        members: vec![],
        ..v1::CreateSessionRequest::default()
    };
    let path = format!("/rooms/{}/sessions", room.id);
    let aside: v1::Session = ana.call("POST", &path, Some(&asked)).await.unwrap();
    let mut over = listen(&server, &ana, aside.no).await;
    let out = (1008, "not a member".to_owned());
    ana.done("DELETE", &format!("/rooms/{}/members/{}", room.id, bo.id)).await.unwrap();
    assert_eq!(b.closed().await, out);
    dee.done("POST", &format!("/rooms/{}/leave", room.id)).await.unwrap();
    assert_eq!(d.closed().await, out);
    ana.done("PUT", &format!("/rooms/{}/bans/{}", room.id, eve.id)).await.unwrap();
    assert_eq!(e.closed().await, out);
    ana.done("DELETE", &format!("/sessions/{}", aside.id)).await.unwrap();
    assert_eq!(over.closed().await, out);
    cy.done("POST", "/auth/logout").await.unwrap();
    assert_eq!(c.closed().await, (1008, "not authenticated".to_owned()));
    ana.say(&room.main_session_id, "alone").await.unwrap();
    assert_eq!(a.text().await, "alone");
    ana.done("DELETE", &format!("/rooms/{}", room.id)).await.unwrap();
    assert_eq!(a.closed().await, out);
    server.stop().await;
}

/// Row: a text beyond the server's limit closes the socket with 1009, bytes with 1003
/// Row: `POST /send_message`: such a text, and an empty one, are refused
#[tokio::test]
async fn what_cannot_be_stored_is_refused() {
    let server = TestServer::start().await;
    let (ana, no) = someone(&server, "ana").await;
    let room = ana.room("private", "a room", &[]).await;
    let id = session_no(&ana, &room.main_session_id).await;
    let long = "x".repeat(16 * 1024 + 1);
    let mut chat = listen(&server, &ana, id).await;
    chat.say(&long).await;
    assert_eq!(chat.closed().await, (1009, "content is longer than 16384".to_owned()));
    let handshake = Request::new("GET", &format!("/message/{id}"))
        .bearer(&ana.token)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let mut socket = RawSocket::open(server.address(), &handshake).await.unwrap();
    socket.write(&frame(0x82, b"bytes")).await.unwrap();
    assert_eq!(socket.close_code().await, 1003);
    for (text, status) in [(&*long, 413), ("", 422), (" ", 422)] {
        let body = message(no, id, text);
        let answer = post(&server, |r| r.bearer(&ana.token), (id, no), &body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.json()["detail"].is_string(), "{}", answer.text());
    }
    assert!(contents(&ana, &room.main_session_id).await.is_empty());
    server.stop().await;
}

/// Row: `GET /` in this dialect → 200 `["Connected to FastAPI ROOM SERVER"]`
/// Row: unknown path → 404, wrong method → 405 with `Allow`, a slash too many → 307
/// Row: `/docs` and `/openapi.json` are one page and one description for all
#[tokio::test]
async fn the_rest_is_answered_as_fastapi_does() {
    let server = TestServer::start().await;
    let ask = async |method: &str, path: &str| send(&server, Request::new(method, path)).await;
    let hello = json!(["Connected to FastAPI ROOM SERVER"]);
    let root = Request::new("GET", "/").header("X-Chat-Dialect", "room");
    for answer in [ask("GET", "/compat/room/").await, send(&server, root).await] {
        assert_eq!((answer.status, answer.json()), (200, hello.clone()));
    }
    for path in ["/compat/room/nothing", "/compat/room/message/1", "/message/1"] {
        let answer = ask("GET", path).await;
        assert_eq!((answer.status, answer.json()), (404, json!({"detail": "Not Found"})), "{path}");
    }
    let wrong = ask("GET", "/compat/room/send_message").await;
    assert_eq!((wrong.status, wrong.json()), (405, json!({"detail": "Method Not Allowed"})));
    assert_eq!(wrong.header("allow"), Some("POST"));
    let slash = ask("POST", "/compat/room/send_message/?session_id=1").await;
    let location = "http://localhost/compat/room/send_message?session_id=1";
    assert_eq!((slash.status, slash.header("location")), (307, Some(location)));
    assert_eq!(ask("GET", "/docs").await.status, 200);
    assert_eq!(ask("GET", "/openapi.json").await.json()["openapi"], "3.1.0");
    server.stop().await;
}

/// Row: a façade can be switched off
#[tokio::test]
async fn nothing_of_it_is_left_where_it_is_switched_off() {
    let server = TestServer::builder().set("compat", "rei").start().await;
    let (ana, no) = someone(&server, "ana").await;
    let room = ana.room("private", "a room", &[]).await;
    let id = session_no(&ana, &room.main_session_id).await;
    let answer = post(&server, |r| r.bearer(&ana.token), (id, no), &message(no, id, "a")).await;
    assert_eq!((answer.status, answer.code()), (404, "not_found".to_owned()));
    let token = format!("Bearer {}", ana.token);
    let path = format!("/compat/room/message/{id}");
    let refused = Chat::try_open(&server, &path, &[("Authorization", &token)]).await;
    assert_eq!(refused.err().map(|answer| answer.status), Some(404));
    server.stop().await;
}
