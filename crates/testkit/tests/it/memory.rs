//! Memory comes back: the real binary, before and after it was abused.

use parlor_testkit::http::{Request, Wire};
use parlor_testkit::raw_socket::{RawSocket, frame, handshake, head};
use parlor_testkit::server::Builder;
use parlor_testkit::stream::EventStream;
use parlor_testkit::watch::Watch;
use parlor_testkit::{Person, ServerProcess, TestServer};

const BINARY: &str = env!("CARGO_BIN_EXE_parlor-tested");

/// What an allocator may keep for itself.
const SLACK_KIB: u64 = 20 * 1024;

const KIB: usize = 1024;

/// The binary, somebody who abuses it, and a bystander.
struct Abuse {
    server: ServerProcess,
    watch: Watch,
    ana: Person,
    session: String,
    before_kib: u64,
}

impl Abuse {
    async fn begin(settings: Builder) -> Self {
        let server = ServerProcess::start_with(BINARY, &settings);
        let mut watch = Watch::of(server.person("bystander").await).await;
        let ana = server.person("ana").await;
        let session = ana.room("private", "Garden", &[]).await.main_session_id;
        // What is made once and kept is made now.
        assert!(ana.say(&session, "hello").await.is_ok());
        watch.all_is_well("the beginning").await;
        let before_kib = server.memory_kib();
        Self { server, watch, ana, session, before_kib }
    }

    async fn socket(&self) -> RawSocket {
        let opened = RawSocket::open(self.server.address(), &handshake(&self.ana.token)).await;
        let mut socket = opened.unwrap_or_else(|answer| panic!("no upgrade: {answer:?}"));
        socket.next().await;
        socket
    }

    /// Fails when more memory is held than before, give or take.
    async fn check(&mut self, what: &str) {
        self.watch.all_is_well(what).await;
        let now_kib = self.server.memory_kib();
        let most = self.before_kib + SLACK_KIB;
        eprintln!("{what}: {} KiB before, {now_kib} KiB now", self.before_kib);
        assert!(now_kib <= most, "{what}: {} KiB before, {now_kib} KiB now", self.before_kib);
        let log = self.server.log();
        assert!(!log.contains("panic"), "{what}: {log}");
    }

    /// Sends a request many times over.
    async fn repeat(&mut self, what: &str, bytes: &[u8]) {
        for _ in 0..200 {
            let mut wire = Wire::open(self.server.address()).await;
            let answer = wire.exchange(bytes).await;
            assert!(answer.is_ok_and(|answer| answer.status < 500), "{what}");
        }
        self.check(what).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_comes_back_after_large_requests() {
    let mut abuse = Abuse::begin(TestServer::builder()).await;
    let post = |body: Vec<u8>| abuse.ana.request("POST", "/rooms").body("application/json", body);
    let deep = post(vec![b'['; 60 * KIB]).bytes();
    let over = post(vec![b' '; 1024 * KIB]).bytes();
    let chunked = post(Vec::new()).header("Transfer-Encoding", "chunked").bytes();
    let chunk = [format!("{:x}\r\n", 1024 * KIB).into_bytes(), vec![b' '; 1024 * KIB]].concat();
    let packed = post(vec![0x1f; 60 * KIB]).header("Content-Encoding", "gzip").bytes();
    abuse.repeat("R2 depth", &deep).await;
    abuse.repeat("R3 a body over the limit", &over).await;
    abuse.repeat("R3 in chunks", &[chunked, chunk].concat()).await;
    abuse.repeat("R27 a packed body", &packed).await;
    let lie = [&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x07][..], &vec![0; 1000]].concat();
    let lie = abuse.ana.request("POST", "/rooms").body("application/x-protobuf", lie).bytes();
    abuse.repeat("B1 a length that lies", &lie).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_comes_back_after_slow_heads() {
    let settings = TestServer::builder().limit("header_ms_max", 500);
    let mut abuse = Abuse::begin(settings).await;
    let mut wires = Vec::new();
    for _ in 0..500 {
        let mut wire = Wire::open(abuse.server.address()).await;
        let start = [&b"GET / HTTP/1.1\r\nX: "[..], &vec![b'a'; 12 * KIB]].concat();
        wire.write(&start).await.expect("it is taken");
        wires.push(wire);
    }
    for wire in &mut wires {
        wire.closed().await;
    }
    abuse.check("R22 slow heads").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_comes_back_after_violations() {
    let settings = TestServer::builder().set("deflate", "on");
    let mut abuse = Abuse::begin(settings).await;
    for (what, bytes, code) in [
        ("W6 2^63-1 bytes", head(0x81, i64::MAX.unsigned_abs()), 1009),
        ("W18 pings", frame(0x89, &[0; 125]).repeat(1_000), 1008),
    ] {
        for _ in 0..100 {
            let mut socket = abuse.socket().await;
            // The server may close before it has everything.
            let _ = socket.write(&bytes).await;
            assert_eq!(socket.close_code().await, code, "{what}");
        }
        abuse.check(what).await;
    }
    let bomb = frame(0xc1, &bomb());
    let greet = handshake(&abuse.ana.token).header(
        "Sec-WebSocket-Extensions",
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
    );
    for _ in 0..20 {
        let opened = RawSocket::open(abuse.server.address(), &greet).await;
        let mut socket = opened.expect("an upgrade");
        socket.next().await;
        let _ = socket.write(&bomb).await;
        assert_eq!(socket.close_code().await, 1009, "W8");
    }
    abuse.check("W8 a bomb").await;
}

/// 60 KiB that inflate to 9 MiB: deflate that repeats one byte 258 at a time.
fn bomb() -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    // The last block, with fixed codes; the literal 0; then (length 258, distance 1) over and over.
    bits.extend([true, true, false]);
    bits.extend([false, false, true, true, false, false, false, false]);
    for _ in 0..37_000 {
        bits.extend([true, true, false, false, false, true, false, true]);
        bits.extend([false; 5]);
    }
    bits.extend([false; 7]);
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks(8).map(byte).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_comes_back_after_readers_that_do_not_read() {
    let settings = TestServer::builder()
        .limit("backlog_bytes_max", 256 * 1024)
        .limit("backlog_events_max", 512)
        .limit("stall_ms_max", 500)
        .limit("body_ms_max", 500);
    let mut abuse = Abuse::begin(settings).await;
    let subscribe =
        format!("{{\"type\":\"subscribe\",\"ref\":1,\"session_id\":\"{}\"}}", abuse.session);
    let (mut sockets, mut streams) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        let mut socket = abuse.socket().await;
        assert!(socket.text(&subscribe).await.is_ok());
        socket.next().await;
        sockets.push(socket);
        let following = [(abuse.session.clone(), None)];
        let stream = EventStream::open(&abuse.ana, &following, None, None).await;
        streams.push(stream.expect("a stream"));
    }
    for _ in 0..300 {
        assert!(abuse.ana.say(&abuse.session, &"x".repeat(16 * KIB)).await.is_ok());
    }
    for socket in &mut sockets {
        socket.close_code().await;
    }
    drop(streams);
    abuse.check("W15, E4 readers that do not read").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_bounded_while_answers_are_not_read() {
    let mut abuse = Abuse::begin(TestServer::builder()).await;
    let patience = std::time::Duration::from_secs(3);
    let greet = handshake(&abuse.ana.token).header("Sec-WebSocket-Protocol", "parlor.v1.proto");
    let wire = Wire::open_narrow(abuse.server.address()).await;
    let mut socket = RawSocket::open_on(wire, &greet).await.expect("an upgrade");
    // The shortest command with an answer, as fast as it is taken; nobody reads what answers it.
    let pings = frame(0x82, &[0x42, 0x02, 0x08, 0x01]).repeat(10_000);
    let flood = async { while socket.write(&pings).await.is_ok() {} };
    let _ = tokio::time::timeout(patience, flood).await;
    abuse.check("W15 answers that nobody reads").await;
    drop(socket);
    let mut wire = Wire::open_narrow(abuse.server.address()).await;
    let get = Request::new("GET", "/openapi.json").header("Connection", "keep-alive").bytes();
    let flood = async { while wire.write(&get.repeat(100)).await.is_ok() {} };
    let _ = tokio::time::timeout(patience, flood).await;
    abuse.check("R23 answers that nobody reads").await;
}
