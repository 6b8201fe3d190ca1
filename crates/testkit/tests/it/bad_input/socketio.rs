//! Rows I1 to I8, and the limits of a connection, at the door for Socket.IO.

use std::net::SocketAddr;

use parlor_testkit::http::{Answer, Request, Wire};
use parlor_testkit::raw_socket::{RawSocket, bare_handshake, frame};
use parlor_testkit::socket::{Heard, Socket};
use parlor_testkit::watch::Watch;
use parlor_testkit::{Person, TestServer, soon};
use parlor_wire::command::Command;
use parlor_wire::frame::Frame;
use parlor_wire::v1;
use serde_json::json;

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// A connection that is polled, request by request.
struct Polled {
    server: SocketAddr,
    path: String,
}

impl Polled {
    async fn open(server: &TestServer) -> Self {
        let answer = Request::new("GET", POLLING).send(server.address()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        Self { server: server.address(), path: polled_at(&answer) }
    }

    async fn post(&self, packets: &str) -> Answer {
        let request = Request::new("POST", &self.path).body("text/plain;charset=UTF-8", packets);
        request.send(self.server).await
    }

    async fn poll(&self) -> Answer {
        soon("a poll's answer", Request::new("GET", &self.path).send(self.server)).await
    }

    /// A poll that is on its way when this returns: what is asked later comes later.
    async fn begin_poll(&self) -> Waiting {
        let mut wire = Wire::open(self.server).await;
        wire.write(&Request::new("GET", &self.path).bytes()).await.unwrap();
        Waiting(wire)
    }

    /// Connects and greets, and has everything taken that comes with it.
    async fn connect(&self, person: &Person, more: serde_json::Value) {
        let mut auth = json!({"token": person.token});
        auth.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        assert_eq!(self.post(&format!("40{auth}")).await.text(), "ok");
        let said = self.poll().await.text();
        assert!(said.starts_with("40{") && said.contains("42[\"hello\","), "{said}");
    }
}

/// Where the connection that was just opened is polled.
fn polled_at(opened: &Answer) -> String {
    let open: serde_json::Value = serde_json::from_slice(&opened.body[1..]).unwrap();
    assert_eq!(open["upgrades"], json!(["websocket"]));
    format!("{POLLING}&sid={}", open["sid"].as_str().unwrap())
}

/// A poll that is under way.
struct Waiting(Wire);

impl Waiting {
    async fn answer(mut self) -> Answer {
        self.0.answer().await.unwrap()
    }
}

/// A WebSocket without a client behind it, after the packet that opens it.
async fn raw(server: &TestServer) -> RawSocket {
    let opened = RawSocket::open(server.address(), &bare_handshake().at(WEBSOCKET)).await;
    let mut socket = opened.unwrap_or_else(|answer| panic!("no upgrade: {answer:?}"));
    let open = socket.next().await.expect("it is opened");
    assert_eq!(open.payload[0], b'0');
    socket
}

async fn connected(server: &TestServer, person: &Person) -> RawSocket {
    let mut socket = raw(server).await;
    let connect = format!("40{}", json!({"token": person.token}));
    socket.text(&connect).await.unwrap();
    for begin in ["40{", "42[\"hello\""] {
        let said = socket.next().await.expect("it goes on").payload;
        assert!(said.starts_with(begin.as_bytes()), "{}", String::from_utf8_lossy(&said));
    }
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_none_of_the_protocol_are_answered_by_its_numbers() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let sid = "0".repeat(32);
    for (method, path, code) in [
        ("GET", "/socket.io/".to_owned(), 0),
        ("GET", "/socket.io/?EIO=4".to_owned(), 0),
        ("GET", "/socket.io/?EIO=4&transport=x".to_owned(), 0),
        ("GET", "/socket.io/?EIO=3&transport=polling".to_owned(), 5),
        ("GET", "/socket.io/?transport=polling".to_owned(), 5),
        ("GET", format!("{POLLING}&sid={sid}"), 1),
        ("GET", format!("{POLLING}&sid=splice"), 1),
        ("GET", format!("{POLLING}&sid="), 1),
        ("POST", format!("{POLLING}&sid={sid}"), 1),
        ("GET", format!("{WEBSOCKET}&sid={sid}"), 1),
        ("POST", POLLING.to_owned(), 2),
        ("POST", format!("{WEBSOCKET}&sid={sid}"), 3),
    ] {
        let answer = Request::new(method, &path).send(server.address()).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(code)), "I1 {path}");
    }
    for (method, path, status) in
        [("PUT", POLLING, 405), ("DELETE", POLLING, 405), ("GET", WEBSOCKET, 426)]
    {
        let answer = Request::new(method, path).send(server.address()).await;
        assert_eq!(answer.status, status, "I1 {method} {path}");
    }
    watch.all_is_well("I1").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_listed_origins_may_poll_and_others_may_not() {
    let listed = "https://app.example.org";
    let server = TestServer::builder().set("allowed_origins", listed).start().await;
    let ana = server.person("ana").await;
    let open = |origin: &str| {
        let request = Request::new("GET", POLLING).header("Origin", origin);
        request.header("Cookie", &ana.cookie)
    };
    let answer = open(listed).send(server.address()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(listed));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    let path = polled_at(&answer);
    for origin in
        ["https://evil.example", "null", "https://app.example.org.evil", "http://app.example.org"]
    {
        let answer = open(origin).send(server.address()).await;
        assert_eq!((answer.status, &*answer.code()), (403, "forbidden"), "W2 {origin}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "W2 {origin}");
        let post = Request::new("POST", &path).header("Origin", origin);
        let answer = post.body("text/plain", "40").send(server.address()).await;
        assert_eq!(answer.status, 403, "W2 {origin}");
        let shake = bare_handshake().at(WEBSOCKET).header("Origin", origin);
        let refused = RawSocket::open(server.address(), &shake).await.err();
        assert_eq!(refused.map(|answer| answer.status), Some(403), "W2 {origin}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_polls_at_a_time_end_the_connection() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let polled = Polled::open(&server).await;
    polled.connect(&ana, json!({})).await;
    let polls = [polled.begin_poll().await, polled.begin_poll().await];
    let mut answers = Vec::new();
    for poll in polls {
        let answer = poll.answer().await;
        answers.push((answer.status, answer.text()));
    }
    answers.sort();
    assert_eq!(answers[0], (200, "1".to_owned()), "I2: {answers:?}");
    assert_eq!(answers[1].0, 400, "I2: {answers:?}");
    assert_eq!(polled.poll().await.json()["code"], 1, "I2");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_that_are_none_end_the_connection() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    for (row, packet) in [
        ("I3", r#"451-["x",{"_placeholder":true,"num":1000000000}]"#),
        ("I3", r#"451-["x",{"_placeholder":true,"num":"splice"}]"#),
        ("I5", r#"4510000000-["x"]"#),
        ("I5", "bAAAA"),
        ("I7", "40"),
        ("I7", r#"42/admin,["ping"]"#),
        ("I8", r#"4218446744073709551616["ping"]"#),
        ("I8", "0{}"),
        ("I8", "x"),
    ] {
        let mut socket = connected(&server, &ana).await;
        socket.text(packet).await.unwrap();
        assert_eq!(socket.close_code().await, 1008, "{row} {packet}");
        watch.all_is_well(row).await;
    }
    let mut socket = connected(&server, &ana).await;
    socket.write(&frame(0x82, b"bytes")).await.unwrap();
    assert_eq!(socket.close_code().await, 1003, "I5");
    let mut socket = raw(&server).await;
    socket.text(r#"42["ping"]"#).await.unwrap();
    assert_eq!(socket.close_code().await, 1008, "I7: a command before connecting");
    // An acknowledgement of nothing, and whatever else concerns nobody.
    let mut socket = connected(&server, &ana).await;
    for packet in ["437[1]", "3", "6", "5"] {
        socket.text(packet).await.unwrap();
    }
    socket.text(r#"420["ping"]"#).await.unwrap();
    let said = socket.next().await.expect("it goes on").payload;
    assert_eq!(String::from_utf8_lossy(&said), r#"430[{"type":"ok","ref":0}]"#, "I8");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_has_a_size() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let polled = Polled::open(&server).await;
    polled.connect(&ana, json!({})).await;
    let answer = polled.post(&"x".repeat(64 * 1024 + 1)).await;
    assert_eq!((answer.status, &*answer.code()), (413, "too_long"), "I6");
    assert_eq!(polled.post("42[\"ping\"]").await.text(), "ok", "I6: the connection lives");
    let answer = polled.post(&"3\u{1e}".repeat(30_000)).await;
    assert_eq!(answer.status, 400, "I6: too many packets");
    watch.all_is_well("I6").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_say_who_they_are_does_not_stay() {
    let settings = TestServer::builder().limit("stall_ms_max", 200).limit("header_ms_max", 1_000);
    let server = settings.start().await;
    assert_eq!(raw(&server).await.close_code().await, 4001, "I7");
    let polled = Polled::open(&server).await;
    assert_eq!(polled.poll().await.text(), "1", "I7");
    let mut guesser = raw(&server).await;
    for _ in 0..3 {
        guesser.text(r#"40{"token":"guess"}"#).await.unwrap();
        let said = guesser.next().await.expect("it is refused").payload;
        assert!(said.starts_with(br#"44{"data":{"code":"unauthorized""#), "{said:?}");
    }
    assert_eq!(guesser.close_code().await, 4001, "A2");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_every_kind_are_counted_together() {
    let server = TestServer::builder().limit("connections_per_device_max", 2).start().await;
    let ana = server.person("ana").await;
    let polled = Polled::open(&server).await;
    polled.connect(&ana, json!({})).await;
    let _second = connected(&server, &ana).await;
    let third = Socket::open_io(&ana, None, [].into_iter()).await.err();
    assert_eq!(third.expect("W17: a third").code, "rate_limited");
    server.stop().await;
    let server = TestServer::builder().limit("connections_per_address_max", 4).start().await;
    for _ in 0..4 {
        Polled::open(&server).await;
    }
    let fifth = Request::new("GET", POLLING).send(server.address()).await;
    assert_eq!((fifth.status, &*fifth.code()), (429, "rate_limited"), "W17: guests");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_may_wait_longer_than_any_other_request() {
    let limits = TestServer::builder().limit("answer_ms_max", 500).limit("heartbeat_ms", 1_000);
    let server = limits.start().await;
    let polled = Polled::open(&server).await;
    assert_eq!(polled.poll().await.text(), "2", "the next ping answers it");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_polls_too_seldom_is_told_and_resumes() {
    let server = TestServer::builder().limit("backlog_events_max", 8).start().await;
    let ana = server.person("ana").await;
    let session = ana.room("private", "Garden", &[]).await.main_session_id;
    let polled = Polled::open(&server).await;
    let resume = json!({"resume": [{"session_id": session}]});
    polled.connect(&ana, resume).await;
    let first = ana.say(&session, "first").await.unwrap();
    let heard = polled.poll().await.text();
    assert!(heard.contains("\"first\""), "{heard}");
    for n in 0..40 {
        ana.say(&session, &format!("number {n}")).await.unwrap();
    }
    let lagged = polled.poll().await.text();
    assert!(lagged.ends_with(r#"42["lagged",{}]"#) && !lagged.contains("number 39"), "{lagged}");
    assert_eq!(polled.poll().await.text(), "1");

    let resume = [(session.clone(), first.seq)];
    let resume = resume.iter().map(|(session, seq)| (session, seq));
    let mut back = Socket::open_io(&ana, None, resume).await.expect("it resumes");
    for next in first.seq + 1..=first.seq + 40 {
        let seq = loop {
            match back.next().await {
                Heard::Frame(Frame::Event(event)) => break event.seq,
                Heard::Frame(_) => {}
                Heard::Closed(code) => panic!("closed {code}"),
            }
        };
        assert_eq!(seq, Some(next), "W15: a hole after the resume");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_is_left() {
    let settings = TestServer::builder().limit("stall_ms_max", 400).limit("backlog_events_max", 16);
    let server = settings.start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let session = ana.room("private", "Garden", &[]).await.main_session_id;
    let mut deaf = connected(&server, &ana).await;
    let subscribe = format!(r#"421["subscribe",{{"session_id":"{session}"}}]"#);
    deaf.text(&subscribe).await.unwrap();
    let long = "x".repeat(15 * 1024);
    // More than the buffers of both kernels hold.
    for _ in 0..600 {
        ana.say(&session, &long).await.unwrap();
    }
    let code = deaf.close_code().await;
    assert!(matches!(code, 4008 | 1006), "W15: {code}");
    watch.all_is_well("W15").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_no_ping_is_dead() {
    let settings = TestServer::builder().limit("heartbeat_ms", 200).limit("idle_ms_max", 1_000);
    let server = settings.start().await;
    let ana = server.person("ana").await;
    let mut silent = connected(&server, &ana).await;
    let mut pings = 0;
    while let Some(said) = silent.next().await {
        pings += u32::from(said.payload == b"2");
    }
    assert!(pings >= 2, "W16: {pings} pings");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_down_says_when_to_come_back() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let polled = Polled::open(&server).await;
    polled.connect(&ana, json!({})).await;
    let mut socket = Socket::open_io(&ana, None, [].into_iter()).await.expect("it connects");
    let ping = |r#ref| Command::Ping(v1::Ping { r#ref });
    assert!(socket.ask(ping, &mut Vec::new()).await.is_ok());
    let poll = polled.begin_poll().await;
    let _guest = Polled::open(&server).await;
    server.stop().await;
    let told = poll.answer().await.text();
    assert!(told.contains(r#"42["reconnect",{"type":"reconnect","after_ms":"#), "{told}");
    let mut reconnect = false;
    let code = loop {
        match socket.next().await {
            Heard::Frame(frame) => reconnect |= matches!(frame, Frame::Reconnect(_)),
            Heard::Closed(code) => break code,
        }
    };
    assert_eq!((reconnect, code), (true, 1012));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_polling_when_signed_out_is_told_with_the_next_poll() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let session = ana.room("private", "Garden", &[]).await.main_session_id;
    let polled = Polled::open(&server).await;
    polled.connect(&ana, json!({"resume": [{"session_id": session}]})).await;
    ana.say(&session, "hello").await.unwrap();
    ana.done("POST", "/auth/logout").await.unwrap();
    assert_eq!(polled.poll().await.text(), "42[\"revoked\",{}]\u{1e}41");
    assert_eq!(polled.poll().await.text(), "1");
    assert_eq!(polled.poll().await.status, 400);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_with_the_change_of_transport_is_heard() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let polled = Polled::open(&server).await;
    polled.connect(&ana, json!({})).await;
    let waiting = polled.begin_poll().await;
    let path = polled.path.replace("polling", "websocket");
    let opened = RawSocket::open(server.address(), &bare_handshake().at(&path)).await;
    let mut socket = opened.unwrap_or_else(|answer| panic!("no upgrade: {answer:?}"));
    socket.text("2probe").await.unwrap();
    assert_eq!(socket.next().await.expect("a pong").payload, b"3probe");
    assert_eq!(waiting.answer().await.text(), "6");
    let mut both = frame(0x81, b"5");
    both.extend(frame(0x81, br#"427["ping"]"#));
    socket.write(&both).await.unwrap();
    let said = socket.next().await.expect("an answer").payload;
    assert_eq!(String::from_utf8_lossy(&said), r#"437[{"type":"ok","ref":7}]"#);
    assert_eq!(polled.poll().await.status, 400, "nothing is polled any more");
    server.stop().await;
}
