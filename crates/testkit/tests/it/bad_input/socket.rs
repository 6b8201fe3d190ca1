//! Rows W1 to W21: handshakes, frames, commands and manners on a WebSocket.

use std::time::Duration;

use parlor_testkit::clock::Stopwatch;
use parlor_testkit::http::Request;
use parlor_testkit::person::fresh_id;
use parlor_testkit::raw_socket::{RawSocket, bare_handshake, frame, handshake, head};
use parlor_testkit::socket::{Heard, Socket};
use parlor_testkit::watch::Watch;
use parlor_testkit::{Person, TestServer};
use parlor_wire::command::{Codec, Command};
use parlor_wire::frame::Frame;
use parlor_wire::v1;

async fn open(server: &TestServer, person: &Person) -> RawSocket {
    let opened = RawSocket::open(server.address(), &handshake(&person.token)).await;
    let mut socket = opened.unwrap_or_else(|answer| panic!("no upgrade: {answer:?}"));
    let hello = socket.next().await.expect("a greeting");
    assert!(hello.payload.starts_with(b"{\"type\":\"hello\""), "{hello:?}");
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_shows_no_good_token_is_let_in_and_told() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    for (what, request) in [
        ("W1 no token", bare_handshake()),
        ("W1 a bad token", handshake("x.y.z")),
        ("W1 a bad cookie", bare_handshake().header("Cookie", "parlor_login=AAAA")),
    ] {
        let opened = RawSocket::open(server.address(), &request).await;
        let mut socket = opened.unwrap_or_else(|answer| panic!("{what}: {answer:?}"));
        assert_eq!(socket.close_code().await, 4001, "{what}");
        // Who speaks at once is told all the same.
        let mut bytes = request.bytes();
        bytes.extend(frame(0x81, b"{\"type\":\"ping\",\"ref\":1}"));
        let mut wire = parlor_testkit::http::Wire::open(server.address()).await;
        assert!(wire.write(&bytes).await.is_ok());
        let said = wire.closed().await;
        let told = said.windows(2).any(|code| code == 4001_u16.to_be_bytes());
        assert!(told, "{what}, speaking at once: {}", String::from_utf8_lossy(&said));
        watch.all_is_well(what).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_is_none_is_refused() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let replaced = |line: &str, by: &str| {
        let text = String::from_utf8(handshake(&ana.token).bytes()).expect("ASCII");
        text.replace(line, by).into_bytes()
    };
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let rows = [
        ("W3 version 8", replaced(version, "Sec-WebSocket-Version: 8\r\n"), 426),
        ("W3 no version", replaced(version, ""), 426),
        ("W3 two versions", replaced(version, &version.repeat(2)), 426),
        ("W3 no key", replaced(key, ""), 400),
        ("W3 a short key", replaced(key, "Sec-WebSocket-Key: dGhlIHM=\r\n"), 400),
        ("W3 no base64", replaced(key, "Sec-WebSocket-Key: !!!!\r\n"), 400),
        ("W3 HTTP/1.0", replaced("HTTP/1.1", "HTTP/1.0"), 400),
        ("W3 no upgrade", replaced("Upgrade: websocket\r\n", ""), 426),
        ("W3 another upgrade", replaced("Upgrade: websocket", "Upgrade: h2c"), 426),
        ("W3 no connection", replaced("Connection: Upgrade", "Connection: close"), 426),
        ("W3 POST", replaced("GET ", "POST "), 405),
    ];
    for (what, bytes, status) in rows {
        let mut wire = parlor_testkit::http::Wire::open(server.address()).await;
        let answer = wire.exchange(&bytes).await.unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        watch.all_is_well(what).await;
    }
    server.stop().await;
}

/// A violation, and the close code that answers it.
fn violations() -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let unmasked = vec![0x81, 2, b'{', b'}'];
    let close = |payload: &[u8]| frame(0x88, payload);
    let started = frame(0x01, b"{\"type\":");
    let cut = [frame(0x01, b"\"\xe2\x82"), frame(0x80, b"\x41\"")].concat();
    let long = head(0x82, i64::MAX.unsigned_abs());
    let top_bit = head(0x82, u64::MAX);
    vec![
        ("W4 unmasked", unmasked, &[1002]),
        ("W4 a reserved bit", frame(0xc1, b"{}"), &[1002]),
        ("W4 another reserved bit", frame(0xa1, b"{}"), &[1002]),
        ("W4 opcode 3", frame(0x83, b"{}"), &[1002]),
        ("W4 opcode 11", frame(0x8b, b""), &[1002]),
        ("W4 a ping in pieces", frame(0x09, b""), &[1002]),
        ("W4 a ping of 126", frame(0x89, &[0; 126]), &[1002]),
        ("W4 an end without a beginning", frame(0x80, b"{}"), &[1002]),
        ("W4 two beginnings", [started.clone(), started].concat(), &[1002]),
        (
            "W4 a length that is too long",
            [&[0x81, 0xfe, 0, 2], &[0; 4][..], b"{}"].concat(),
            &[1002],
        ),
        ("W5 no UTF-8", frame(0x81, b"\"\xff\""), &[1007]),
        ("W5 a surrogate", frame(0x81, b"\"\xed\xa0\x80\""), &[1007]),
        ("W5 cut, and wrong later", cut, &[1007]),
        ("W6 2^63-1 bytes", long, &[1009]),
        ("W6 2^64-1 bytes", top_bit, &[1002, 1009]),
        ("W6 one byte over", head(0x81, 64 * 1024 + 1), &[1009]),
        ("W7 17 pieces", pieces(17), &[1008, 1009]),
        ("W7 a million pieces", pieces(20_000), &[1008, 1009]),
        ("W9 code 1005", close(&1005_u16.to_be_bytes()), &[1002]),
        ("W9 code 1006", close(&1006_u16.to_be_bytes()), &[1002]),
        ("W9 code 999", close(&999_u16.to_be_bytes()), &[1002]),
        ("W9 code 5000", close(&5000_u16.to_be_bytes()), &[1002]),
        ("W9 half a code", close(&[3]), &[1002]),
        ("W9 a long reason", close(&[&1000_u16.to_be_bytes()[..], &[b'x'; 124]].concat()), &[1002]),
        ("W9 a reason that is no text", close(&[3, 232, 0xff]), &[1007, 1002]),
        ("W18 10,000 pings", frame(0x89, b"x").repeat(10_000), &[1008]),
        ("the other kind of frame", frame(0x82, b"{}"), &[1003]),
    ]
}

fn pieces(count: usize) -> Vec<u8> {
    [frame(0x01, b""), frame(0x00, b"").repeat(count)].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_violation_is_answered_by_its_close_code() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let mut faults = Vec::new();
    for (what, bytes, codes) in violations() {
        let mut socket = open(&server, &ana).await;
        // The server may close before it has everything.
        let _ = socket.write(&bytes).await;
        let code = socket.close_code().await;
        if !codes.contains(&code) {
            faults.push(format!("{what}: {codes:?} expected: {code}"));
        }
        watch.all_is_well(what).await;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compression_is_agreed_on_or_left_out() {
    let server = TestServer::builder().set("deflate", "on").start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    for (offer, agreed) in [
        ("permessage-deflate", true),
        ("permessage-deflate; client_max_window_bits", true),
        ("permessage-deflate; server_max_window_bits=7", false),
        ("permessage-deflate; server_max_window_bits=16", false),
        ("permessage-deflate; client_max_window_bits=x", false),
        ("permessage-deflate; made_up", false),
        ("x-webkit-deflate-frame", false),
        (";;;=,,", false),
    ] {
        let request = handshake(&ana.token).header("Sec-WebSocket-Extensions", offer);
        let mut wire = parlor_testkit::http::Wire::open(server.address()).await;
        let answer = wire.exchange(&request.bytes()).await.expect("an answer");
        assert_eq!(answer.status, 101, "W8 {offer}");
        let said = answer.header("sec-websocket-extensions");
        assert_eq!(said.is_some(), agreed, "W8 {offer}: {said:?}");
        watch.all_is_well("W8").await;
    }
    let request = handshake(&ana.token).header("Sec-WebSocket-Extensions", "permessage-deflate");
    let opened = RawSocket::open(server.address(), &request).await;
    let mut socket = opened.expect("an upgrade");
    assert!(socket.write(&frame(0xc1, b"\xff\xff no deflate")).await.is_ok());
    assert_eq!(socket.close_code().await, 1007, "W8 what cannot be inflated");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goodbye_is_answered_in_kind() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    for (payload, code) in [(&b"\x03\xe8bye"[..], 1000), (b"", 1005), (b"\x0f\xa0", 4000)] {
        let mut socket = open(&server, &ana).await;
        assert!(socket.write(&frame(0x88, payload)).await.is_ok());
        assert_eq!(socket.close_code().await, code);
        assert!(socket.next().await.is_none(), "the server closes first");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_says_nothing_is_answered_and_the_third_is_the_last() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let deep = "[".repeat(1000);
    for text in [
        "[]",
        "null",
        "\"x\"",
        "7",
        "{}",
        "{",
        "",
        "{\"type\":1}",
        "{\"type\":\"fly\"}",
        &deep,
        "{\"type\":\"ping\",\"type\":\"ping\",\"ref\":1}",
        "{\"type\":\"ping\",\"ref\":\"1\"}",
        "{\"type\":\"ping\",\"ref\":9223372036854775808}",
        "{\"type\":\"ping\",\"ref\":1e400}",
        "{\"type\":\"send\",\"ref\":1,\"session_id\":null}",
        "{\"type\":\"__proto__\"}",
        "{\"type\":\"subscribe\",\"ref\":1,\"session_id\":[],\"after\":1}",
        "{\"type\":\"subscribe\",\"ref\":1,\"after\":-1e30}",
    ] {
        let mut socket = open(&server, &ana).await;
        for _ in 0..3 {
            assert!(socket.text(text).await.is_ok());
            let answer = socket.next().await.expect("an answer");
            let json: serde_json::Value =
                serde_json::from_slice(&answer.payload).unwrap_or_default();
            assert_eq!(json["type"], "error", "W10 {text:.60}: {json}");
            assert_eq!(json["code"], "bad_request", "W10 {text:.60}: {json}");
        }
        assert_eq!(socket.close_code().await, 1008, "W10 {text:.60}");
        watch.all_is_well("W10").await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_about_what_one_may_not_see_is_refused() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let (ana, eve) = (server.person("ana").await, server.person("eve").await);
    let room = ana.room("private", "Garden", &[]).await;
    let (session, none) = (room.main_session_id, fresh_id());
    let message = ana.say(&session, "hello").await.expect("it is said");
    let mut socket = Socket::open(&eve, Codec::Json).await;
    let (mut heard, mut refusals) = (Vec::new(), Vec::new());
    for (session_id, message_id) in [(&session, &message.id), (&none, &none), (&room.id, &room.id)]
    {
        let send = |r#ref| v1::Send {
            r#ref,
            session_id: session_id.clone(),
            client_id: fresh_id(),
            content: "hi".to_owned(),
            ..v1::Send::default()
        };
        let (session_id, message_id) = (session_id.clone(), message_id.clone());
        let (read, edited, deleted) = (session_id.clone(), message_id.clone(), message_id);
        let content = "mine".to_owned();
        let tried = [
            socket.ask(|r| Command::Send(send(r)), &mut heard).await.map(drop),
            socket.subscribe(&session_id, None, &mut heard).await.map(drop),
            socket.subscribe(&session_id, Some(0), &mut heard).await.map(drop),
            socket
                .ask(
                    |r#ref| Command::Read(v1::Read { r#ref, session_id: read, number: 1 }),
                    &mut heard,
                )
                .await
                .map(drop),
            socket
                .ask(
                    |r#ref| {
                        Command::Edit(v1::Edit {
                            r#ref,
                            message_id: edited,
                            content,
                            ..v1::Edit::default()
                        })
                    },
                    &mut heard,
                )
                .await
                .map(drop),
            socket
                .ask(|r#ref| Command::Delete(v1::Delete { r#ref, message_id: deleted }), &mut heard)
                .await
                .map(drop),
        ];
        refusals.extend(tried.map(|tried| tried.err().map(|refused| refused.code)));
    }
    assert!(refusals.iter().all(|code| code.as_deref() == Some("not_found")), "W13 {refusals:?}");
    assert!(heard.is_empty(), "W13: {heard:?}");
    let typing = Command::Typing(v1::Typing { session_id: session.clone() });
    assert!(socket.tell(typing).await.is_ok());
    let page: v1::MessagePage =
        ana.get(&format!("/sessions/{session}/messages")).await.expect("her own");
    assert_eq!(page.messages.len(), 1, "W13: something was stored");
    watch.all_is_well("W13").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_stays_within_what_there_is() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    for n in 0..3 {
        assert!(ana.say(&room.main_session_id, &n.to_string()).await.is_ok());
    }
    let mut socket = Socket::open(&bo, Codec::Json).await;
    for (number, expected) in [(2, 2), (1, 2), (i64::MAX, 3), (0, 3)] {
        let session_id = room.main_session_id.clone();
        let read = |r#ref| Command::Read(v1::Read { r#ref, session_id, number });
        assert!(socket.ask(read, &mut Vec::new()).await.is_ok(), "W12 {number}");
        let path = format!("/sessions/{}", room.main_session_id);
        let session: v1::Session = bo.get(&path).await.expect("his own");
        assert_eq!(session.read_number, expected, "W12 {number}");
    }
    let session_id = room.main_session_id.clone();
    let back = |r#ref| Command::Read(v1::Read { r#ref, session_id, number: -1 });
    let refused = socket.ask(back, &mut Vec::new()).await.expect_err("it is before everything");
    assert_eq!(refused.code, "invalid", "W12");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_far_too_fast_is_told_and_then_cut_off() {
    let server =
        TestServer::builder().limit("messages_per_s", 1).limit("messages_burst", 20).start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let mut socket = Socket::open(&ana, Codec::Json).await;
    for n in 0..1000 {
        let send = v1::Send {
            r#ref: n,
            session_id: room.main_session_id.clone(),
            client_id: fresh_id(),
            content: "spam".to_owned(),
            ..v1::Send::default()
        };
        if socket.tell(Command::Send(send)).await.is_err() {
            break;
        }
    }
    let (mut done, mut refused) = (0, 0);
    let code = loop {
        match socket.next().await {
            Heard::Frame(Frame::Ok(_)) => done += 1,
            Heard::Frame(Frame::Error(error)) => {
                assert_eq!(error.code, "rate_limited", "W14");
                assert!(error.retry_after_ms.is_some_and(|ms| ms > 0), "W14: {error:?}");
                refused += 1;
            }
            Heard::Frame(other) => panic!("W14: {other:?}"),
            Heard::Closed(code) => break code,
        }
    };
    assert_eq!(code, 4008, "W14: after {done} done and {refused} refused");
    assert!((20..40).contains(&done), "W14: {done} are stored");
    watch.all_is_well("W14").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_nothing_is_cut_off_and_nobody_waits() {
    let server = TestServer::builder()
        .limit("stall_ms_max", 400)
        .limit("heartbeat_ms", 400)
        .limit("backlog_bytes_max", 64 * 1024)
        .start()
        .await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let mut deaf = Socket::open(&ana, Codec::Json).await;
    let heard = deaf.subscribe(&room.main_session_id, None, &mut Vec::new()).await;
    assert!(heard.is_ok());
    let mut spent = Vec::new();
    for _ in 0..600 {
        let began = Stopwatch::start();
        let said = ana.say(&room.main_session_id, &"x".repeat(16 * 1024)).await;
        assert!(said.is_ok(), "W15: {said:?}");
        spent.push(began.elapsed());
    }
    // A machine can hold its breath once; whoever waited for the slow would do so again and again.
    spent.sort();
    let most = spent[spent.len() * 99 / 100];
    assert!(most < Duration::from_secs(1), "W15: senders wait for the slow: {most:?}");
    let (mut last, mut count) = (None, 0);
    let code = loop {
        match deaf.next().await {
            Heard::Frame(Frame::Event(event)) => {
                assert!(last.is_none_or(|last| event.seq == Some(last + 1)), "W15: a hole");
                last = event.seq;
                count += 1;
            }
            Heard::Frame(_) => {}
            Heard::Closed(code) => break code,
        }
    };
    // What could not be written any more includes the goodbye.
    assert!(matches!(code, 4008 | 1006), "W15: {code}");
    assert!(count < 600, "W15: everything was kept for it");
    // Resuming is safe: everything after the last one heard comes now.
    let mut back = Socket::open(&ana, Codec::Json).await;
    let head = back.subscribe(&room.main_session_id, last, &mut Vec::new()).await;
    let mut next = last.unwrap_or_default() + 1;
    while Ok(next - 1) != head {
        if let Heard::Frame(Frame::Event(event)) = back.next().await
            && event.session_id.is_some()
        {
            assert_eq!(event.seq, Some(next), "W15: a hole after the resume");
            next += 1;
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_counted() {
    for (limit, what) in
        [("connections_per_device_max", "of a device"), ("connections_per_user_max", "of a user")]
    {
        let server = TestServer::builder().limit(limit, 3).start().await;
        let mut watch = Watch::begin(&server).await;
        let ana = server.person("ana").await;
        let mut open_ones = Vec::new();
        for _ in 0..3 {
            open_ones.push(open(&server, &ana).await);
        }
        let refused = RawSocket::open(server.address(), &handshake(&ana.token)).await.err();
        let answer = refused.unwrap_or_else(|| panic!("W17: a fourth {what}"));
        assert_eq!((answer.status, &*answer.code()), (429, "rate_limited"), "W17 {what}");
        assert!(answer.header("retry-after").is_some(), "W17 {what}");
        let stream = ana.send(ana.request("GET", "/events")).await;
        assert_eq!(stream.status, 429, "W17 {what}: a stream is a connection, too");
        let mut last = open_ones.pop().expect("one of three");
        assert!(last.write(&frame(0x88, b"")).await.is_ok());
        last.close_code().await;
        watch.all_is_well("W17").await;
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_an_address_are_counted() {
    let server = TestServer::builder().limit("connections_per_address_max", 8).start().await;
    let mut wires = Vec::new();
    for _ in 0..8 {
        let mut wire = parlor_testkit::http::Wire::open(server.address()).await;
        let request = Request::new("GET", "/health").header("Connection", "keep-alive");
        let answer = wire.exchange(&request.bytes()).await.expect("it is answered");
        assert_eq!(answer.status, 200);
        wires.push(wire);
    }
    let ninth = Request::new("GET", "/health").send(server.address()).await;
    assert_eq!(ninth.status, 429, "W17");
    assert!(ninth.header("retry-after").is_some(), "W17");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_of_another_history_is_refused() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let tried = [
        (Some(1_000_000), None, room.main_session_id.clone(), false),
        (Some(-1), None, room.main_session_id.clone(), false),
        (Some(i64::MAX), None, room.main_session_id.clone(), false),
        (Some(0), Some("another".to_owned()), room.main_session_id.clone(), false),
        (Some(1_000_000), None, String::new(), true),
    ];
    for (after, epoch, session_id, user_log) in tried {
        let mut socket = Socket::open(&ana, Codec::Json).await;
        let what = format!("W19 {after:?} {epoch:?}");
        let subscribe =
            Command::Subscribe(v1::Subscribe { r#ref: 1, session_id, after, user_log, epoch });
        assert!(socket.tell(subscribe).await.is_ok());
        match socket.next().await {
            Heard::Frame(Frame::Error(error)) => {
                assert_eq!(error.code, "resync_required", "{what}")
            }
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(socket.closed().await, 4009, "{what}");
        watch.all_is_well(&what).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_is_forgotten() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    for (what, bytes) in [
        ("W20 inside a head", vec![0x81]),
        ("W20 inside a payload", [head(0x81, 100), vec![0; 20]].concat()),
        ("W20 inside a message", frame(0x01, b"{\"type\":")),
        ("W20 nothing", vec![]),
    ] {
        let mut socket = open(&server, &ana).await;
        assert!(socket.write(&bytes).await.is_ok());
        let mut wire = socket.into_wire();
        assert!(wire.finish().await.is_ok());
        let began = Stopwatch::start();
        wire.closed().await;
        assert!(began.elapsed() < Duration::from_secs(5), "{what}");
        watch.all_is_well(what).await;
    }
    let mut after = open(&server, &ana).await;
    let both = [frame(0x88, b""), frame(0x81, b"{\"type\":\"ping\",\"ref\":1}")].concat();
    assert!(after.write(&both).await.is_ok());
    assert_eq!(after.close_code().await, 1005, "W20 after the goodbye");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_is_told_once_however_often_it_is_said() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let session_id = room.main_session_id;
    let mut listener = Socket::open(&bo, Codec::Json).await;
    assert!(listener.subscribe(&session_id, None, &mut Vec::new()).await.is_ok());
    let mut typist = Socket::open(&ana, Codec::Json).await;
    let began = Stopwatch::start();
    for _ in 0..500 {
        let typing = Command::Typing(v1::Typing { session_id: session_id.clone() });
        assert!(typist.tell(typing).await.is_ok());
    }
    let ping = |r#ref| Command::Ping(v1::Ping { r#ref });
    assert!(typist.ask(ping, &mut Vec::new()).await.is_ok());
    assert!(ana.say(&session_id, "there").await.is_ok());
    let mut told = 0;
    loop {
        match listener.next().await {
            Heard::Frame(Frame::Typing(_)) => told += 1,
            Heard::Frame(Frame::Event(event)) if event.seq.is_some() => break,
            Heard::Frame(_) => {}
            Heard::Closed(code) => panic!("W21: {code}"),
        }
    }
    let most = 2 + began.elapsed().as_secs() / 3;
    assert!(told <= most, "W21: told {told} times in {:?}", began.elapsed());
    server.stop().await;
}
