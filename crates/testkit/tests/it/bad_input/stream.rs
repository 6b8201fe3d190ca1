//! Rows E1 to E5: event streams.

use std::collections::BTreeSet;

use parlor_testkit::http::Request;
use parlor_testkit::person::fresh_id;
use parlor_testkit::stream::{EventStream, Told};
use parlor_testkit::watch::Watch;
use parlor_testkit::{Person, TestServer};
use parlor_wire::frame::Frame;
use parlor_wire::v1;
use parlor_wire::v1::event::Kind;

use super::{row, try_all};

async fn open(person: &Person, session: &str) -> EventStream {
    let following = [(session.to_owned(), None)];
    let stream = EventStream::open(person, &following, None, None).await;
    stream.unwrap_or_else(|answer| panic!("no stream: {answer:?}"))
}

async fn next_content(stream: &mut EventStream) -> String {
    loop {
        match stream.next().await {
            Told::Frame(Frame::Event(v1::Event { kind: Some(Kind::Posted(message)), .. })) => {
                return message.content;
            }
            Told::Frame(_) => {}
            other => panic!("no event: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_somebody_writes_becomes_an_event_of_its_own() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let mut stream = open(&ana, &room.main_session_id).await;
    for content in [
        "a\n\ndata: x",
        "a\rb",
        "a\r\n\r\nevent: admin\r\ndata: {}",
        "\nevent: admin",
        "id: 7",
        "retry: 1",
        ": comment",
        "a\u{2028}b\u{2029}c",
        "a\u{85}b",
    ] {
        let said = ana.say(&room.main_session_id, content).await;
        assert!(said.is_ok(), "E1 {content:?}: {said:?}");
        assert_eq!(next_content(&mut stream).await, content, "E1");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_this_stream_did_not_give_is_refused() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let other = ana.room("private", "Yard", &[]).await;
    let mut stream = open(&ana, &room.main_session_id).await;
    assert!(ana.say(&room.main_session_id, "hello").await.is_ok());
    next_content(&mut stream).await;
    let id = stream.last_id.clone().expect("an event has an id");
    let resume = |person: &Person, session: &str, id: &str| {
        let request = person.request("GET", &format!("/events?session={session}"));
        request.header("Last-Event-ID", id)
    };
    let main = &room.main_session_id;
    let resync = [
        ("E2 a word", resume(&ana, main, "made-up")),
        ("E2 nothing", resume(&ana, main, "")),
        ("E2 10 KiB", resume(&ana, main, &"A".repeat(10 * 1024))),
        ("E2 another stream", resume(&ana, &other.main_session_id, &id)),
        ("E2 somebody else's", resume(&bo, main, &id)),
        ("E2 cut", resume(&ana, main, &id[..id.len() - 2])),
        ("E2 longer", resume(&ana, main, &format!("{id}AAAA"))),
        ("E2 ahead", resume(&ana, &format!("{main}:100000"), "")),
    ];
    let rows: Vec<_> =
        resync.iter().map(|(what, request)| row(what, request, &[400, 410], "")).collect();
    try_all(&server, &mut watch, &rows).await;
    let following = [(main.clone(), None)];
    let resumed = EventStream::open(&ana, &following, None, Some(&id)).await;
    assert!(resumed.is_ok(), "E2: one's own cursor");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_for_what_one_may_hear() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let (ana, eve) = (server.person("ana").await, server.person("eve").await);
    let room = ana.room("private", "Garden", &[]).await;
    let main = &room.main_session_id;
    let many: Vec<_> = (0..65).map(|_| format!("session={}", fresh_id())).collect();
    let get = |query: &str| eve.request("GET", &format!("/events?{query}"));
    let rows = [
        row("E3 a stranger", &get(&format!("session={main}")), &[404], "not_found"),
        row("E3 a stranger, resuming", &get(&format!("session={main}:0")), &[404], "not_found"),
        row("E3 nothing", &get(&format!("session={}", fresh_id())), &[404], "not_found"),
        row("E3 no id", &get("session=x"), &[404], "not_found"),
        row("E3 65 sessions", &get(&many.join("&")), &[422], "invalid"),
        row("E3 another parameter", &get("group_uuid=x"), &[422], "invalid"),
        row("E3 a negative place", &get("user_after=-1"), &[422], "invalid"),
        row("E3 nobody", &Request::new("GET", "/api/v1/events"), &[401], "unauthorized"),
    ];
    try_all(&server, &mut watch, &rows).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_says_when_one_is_out() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let mut stream = open(&bo, &room.main_session_id).await;
    let path = format!("/rooms/{}/members/{}", room.id, bo.id);
    assert!(ana.done("DELETE", &path).await.is_ok());
    assert!(ana.say(&room.main_session_id, "without bo").await.is_ok());
    let mut told = Vec::new();
    loop {
        match stream.next().await {
            Told::Over => break,
            event => told.push(event),
        }
    }
    let revoked = |event: &Told| {
        matches!(event, Told::Named(name, data)
        if name == "revoked" && data.contains(&room.main_session_id))
    };
    assert!(told.iter().any(revoked), "E3: {told:?}");
    let text = format!("{told:?}");
    assert!(!text.contains("without bo"), "E3: heard afterwards: {text}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_login() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let mut stream = EventStream::open(&ana, &[], None, None).await.expect("a stream");
    assert!(ana.done("POST", "/auth/logout").await.is_ok());
    let mut names = BTreeSet::new();
    loop {
        match stream.next().await {
            Told::Over => break,
            Told::Named(name, _) => drop(names.insert(name)),
            Told::Frame(_) => {}
        }
    }
    assert!(names.contains("revoked"), "{names:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_nobody_reads_are_ended() {
    let server = TestServer::builder()
        .limit("backlog_bytes_max", 64 * 1024)
        .limit("body_ms_max", 500)
        .start()
        .await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let mut streams = Vec::new();
    for _ in 0..50 {
        streams.push(open(&ana, &room.main_session_id).await);
    }
    for _ in 0..400 {
        assert!(ana.say(&room.main_session_id, &"x".repeat(16 * 1024)).await.is_ok());
    }
    watch.all_is_well("E4").await;
    for stream in &mut streams {
        let mut count = 0;
        loop {
            match stream.next().await {
                Told::Over => break,
                Told::Frame(Frame::Event(_)) => count += 1,
                Told::Frame(_) | Told::Named(..) => {}
            }
        }
        assert!(count < 400, "E4: everything was kept for it");
    }
    watch.all_is_well("E4").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_health_of_the_server_tells_nobody_anything_else() {
    let server = TestServer::start().await;
    let health = server.send(Request::new("GET", "/health")).await;
    assert_eq!((health.status, &*health.text()), (200, "{\"status\":\"ok\"}"), "E5");
    let ready = server.send(Request::new("GET", "/ready")).await;
    let expected = serde_json::json!({"status": "ok", "dependencies": {"store": "ok"}});
    assert_eq!((ready.status, ready.json()), (200, expected), "E5");
    let forwarded = Request::new("GET", "/metrics").header("X-Forwarded-For", "127.0.0.1");
    assert_eq!(server.send(forwarded).await.status, 404, "E5: the metrics by a proxy");
    server.stop().await;
}
