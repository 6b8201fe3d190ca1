//! Rows R21 to R23 and W16: who takes too long, with the limits cut short so that nobody waits.

use std::time::Duration;

use parlor_testkit::TestServer;
use parlor_testkit::clock::Stopwatch;
use parlor_testkit::http::{Request, Wire};
use parlor_testkit::raw_socket::{RawSocket, handshake};
use parlor_testkit::server::Builder;
use parlor_testkit::watch::Watch;

/// Closed in good time: well above the limits here, well below the defaults.
const SOON: Duration = Duration::from_secs(4);

async fn hasty() -> TestServer {
    hasty_builder().start().await
}

/// As above, and whoever says nothing for a second is gone.
async fn very_hasty() -> TestServer {
    hasty_builder().limit("idle_ms_max", 1_000).start().await
}

fn hasty_builder() -> Builder {
    TestServer::builder()
        .limit("header_ms_max", 300)
        .limit("first_byte_ms_max", 300)
        .limit("body_ms_max", 400)
        .limit("heartbeat_ms", 300)
        .limit("stall_ms_max", 500)
}

/// Waits for the end of a connection, and says what came and how long it took.
async fn end_of(mut wire: Wire) -> (String, Duration) {
    let began = Stopwatch::start();
    let said = wire.closed().await;
    (String::from_utf8_lossy(&said).into_owned(), began.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_says_nothing_is_closed() {
    let server = hasty().await;
    let mut watch = Watch::begin(&server).await;
    let (said, took) = end_of(Wire::open(server.address()).await).await;
    assert!(said.is_empty() && took < SOON, "R22: {said:?} {took:?}");
    watch.all_is_well("R22 silence").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_without_an_end_is_closed() {
    let server = hasty().await;
    let mut watch = Watch::begin(&server).await;
    for start in ["G", "GET /health HTTP/1.1\r\n", "GET /health HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut wire = Wire::open(server.address()).await;
        wire.write(start.as_bytes()).await.expect("it is taken");
        let (said, took) = end_of(wire).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "R21 {start:?}: {said}");
        assert!(took < SOON, "R21 {start:?}: {took:?}");
        watch.all_is_well("R21 no end").await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_slow_heads_slow_nobody_else_down() {
    let server = hasty().await;
    let mut watch = Watch::begin(&server).await;
    let mut wires = Vec::new();
    for _ in 0..500 {
        let mut wire = Wire::open(server.address()).await;
        wire.write(b"GET /health HTTP/1.1\r\nX: ").await.expect("it is taken");
        wires.push(wire);
    }
    let began = Stopwatch::start();
    watch.all_is_well("R22 500 slow heads").await;
    assert!(began.elapsed() < SOON, "R22: others wait {:?}", began.elapsed());
    let began = Stopwatch::start();
    let mut drips = 0_u32;
    for wire in &mut wires {
        // A byte now and then does not help: the whole head has its time.
        while wire.write(b"a").await.is_ok() && drips < 500 {
            drips += 1;
        }
        wire.closed().await;
    }
    assert!(began.elapsed() < SOON, "R22: still there after {:?}", began.elapsed());
    watch.all_is_well("R22 afterwards").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = hasty().await;
    let mut watch = Watch::begin(&server).await;
    for how in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let mut wire = Wire::open(server.address()).await;
        let head = format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/json\r\n{how}\r\n\r\n1"
        );
        wire.write(head.as_bytes()).await.expect("it is taken");
        let (said, took) = end_of(wire).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "R23 {how}: {said}");
        assert!(took < SOON, "R23 {how}: {took:?}");
        watch.all_is_well("R23 a slow body").await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_that_is_idle_is_closed() {
    let server = very_hasty().await;
    let mut wire = Wire::open(server.address()).await;
    let request = Request::new("GET", "/health").header("Connection", "keep-alive");
    for _ in 0..3 {
        let answer = wire.exchange(&request.bytes()).await.expect("it is answered");
        assert_eq!(answer.status, 200);
    }
    let (said, took) = end_of(wire).await;
    assert!(said.is_empty() && took < SOON, "{said:?} {took:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_taken_is_given_up() {
    let server = hasty().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    for _ in 0..60 {
        let said = ana.say(&room.main_session_id, &"x".repeat(16 * 1024)).await;
        assert!(said.is_ok());
    }
    let path = format!("/sessions/{}/messages?limit=100", room.main_session_id);
    let one = ana.request("GET", &path).header("Connection", "keep-alive").bytes();
    let mut wire = Wire::open_narrow(server.address()).await;
    // More answers than any buffer on the way holds, and nobody reads them.
    let asked = wire.write(&one.repeat(40)).await;
    // Others go on meanwhile, for longer than the stalled one is given.
    let began = Stopwatch::start();
    while began.elapsed() < Duration::from_secs(2) {
        watch.all_is_well("R23 while somebody stalls").await;
    }
    let all = wire.closed().await;
    assert!(asked.is_ok(), "R23: {asked:?}");
    assert!(all.len() < 40 * 900_000, "R23: everything was written: {}", all.len());
    watch.all_is_well("R23 a slow reader").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_whose_peer_is_dead_is_closed() {
    let server = very_hasty().await;
    let ana = server.person("ana").await;
    let socket = RawSocket::open(server.address(), &handshake(&ana.token)).await;
    let mut socket = socket.expect("an upgrade");
    // Pings come, and nobody answers them.
    let began = Stopwatch::start();
    let mut pings = 0;
    while let Some(frame) = socket.next().await {
        pings += u32::from(frame.opcode == 9);
    }
    assert!(pings > 0, "W16: no ping came");
    assert!(began.elapsed() < SOON, "W16: {:?}", began.elapsed());
    let user: parlor_wire::v1::User =
        ana.get(&format!("/users/{}", ana.id)).await.expect("oneself");
    assert!(!user.online, "W16: still told to be here");
    Watch::begin(&server).await.all_is_well("W16").await;
    server.stop().await;
}
