//! Rows R24 and R30: requests that two servers could read differently, and floods of HTTP/2.

use parlor_testkit::TestServer;
use parlor_testkit::http::Wire;
use parlor_testkit::watch::Watch;

use super::{bytes_row, try_all};

const GET: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn post(fields: &str, body: &str) -> Vec<u8> {
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n\
        Content-Type: application/json\r\n";
    format!("{head}{fields}\r\n\r\n{body}").into_bytes()
}

fn ambiguous() -> Vec<(&'static str, Vec<u8>)> {
    let chunked = "Transfer-Encoding: chunked";
    let smuggled = format!("0\r\n\r\n{GET}");
    let length = format!("Content-Length: {}", smuggled.len());
    let plain = |text: &str| text.as_bytes().to_vec();
    vec![
        ("length and chunks", post(&format!("{length}\r\n{chunked}"), &smuggled)),
        ("chunks and length", post(&format!("{chunked}\r\n{length}"), &smuggled)),
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 5", "{}GET")),
        ("the same length twice", post("Content-Length: 2\r\nContent-Length: 2", "{}")),
        ("a list of lengths", post("Content-Length: 2, 5", "{}GET")),
        ("a signed length", post("Content-Length: +2", "{}")),
        ("a negative length", post("Content-Length: -2", "{}")),
        ("a length of letters", post("Content-Length: 0x2", "{}")),
        ("an endless length", post("Content-Length: 99999999999999999999", "{}")),
        ("another coding", post("Transfer-Encoding: xchunked", "0\r\n\r\n")),
        ("two codings", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")),
        ("chunks twice", post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n")),
        ("bare line feeds", plain("GET /health HTTP/1.1\nHost: localhost\n\n")),
        ("one bare line feed", plain("GET /health HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n")),
        ("a folded line", plain("GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n")),
        ("a blank in a name", plain("GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n")),
        ("a blank line first", plain("GET /health HTTP/1.1\r\n Host: localhost\r\n\r\n")),
        ("NUL in a value", plain("GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n")),
        ("no version", plain("GET /health\r\nHost: localhost\r\n\r\n")),
        ("another version", plain("GET /health HTTP/3.7\r\nHost: localhost\r\n\r\n")),
        ("no HTTP at all", plain("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_two_readings_is_refused_and_the_connection_closed() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let rows: Vec<_> = ambiguous()
        .into_iter()
        .map(|(what, bytes)| bytes_row(&format!("R24 {what}"), bytes, &[400, 505], ""))
        .collect();
    try_all(&server, &mut watch, &rows).await;
    for row in &rows {
        eprintln!("{}", row.id);
        let mut wire = Wire::open(server.address()).await;
        // The server may close before it has everything.
        let _ = wire.write(&row.bytes).await;
        let said = String::from_utf8_lossy(&wire.closed().await).into_owned();
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{}: {said}", row.id);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_smuggled_request_is_never_answered() {
    let server = TestServer::start().await;
    for (what, bytes) in ambiguous() {
        // However it comes: byte by byte would take long, so cut once inside the head.
        for cut in [10, bytes.len().min(60), bytes.len().min(110)] {
            let mut wire = Wire::open(server.address()).await;
            if wire.write(&bytes[..cut]).await.is_ok() {
                tokio::task::yield_now().await;
                let _ = wire.write(&bytes[cut..]).await;
                let _ = wire.finish().await;
            }
            let said = String::from_utf8_lossy(&wire.closed().await).into_owned();
            let healthy = said.contains("{\"status\":\"ok\"}");
            let smuggled = healthy && bytes.starts_with(b"POST");
            assert!(!smuggled, "R24 {what}, cut at {cut}: {said}");
        }
        // And behind a request that is as it should be.
        let mut wire = Wire::open(server.address()).await;
        let both = [GET.as_bytes(), &bytes].concat();
        let _ = wire.write(&both).await;
        let _ = wire.finish().await;
        let said = String::from_utf8_lossy(&wire.closed().await).into_owned();
        let answers = said.matches("{\"status\":\"ok\"}").count();
        let allowed = if bytes.starts_with(b"POST") { 1 } else { 2 };
        assert!(answers <= allowed, "R24 {what}, as the second request: {said}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_is_measured_in_one_way() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let login = r#"{"login":"nobody","password":"a wrong password"}"#;
    let chunked = |body: &str| post("Connection: close\r\nTransfer-Encoding: chunked", body);
    let whole = format!("{:x}\r\n{login}\r\n0\r\n\r\n", login.len());
    let extended = format!("{:x};a=b\r\n{login}\r\n0\r\n\r\n", login.len());
    let rows = [
        bytes_row("R24 a proper chunk", chunked(&whole), &[401], ""),
        bytes_row("R24 an extension", chunked(&extended), &[400, 401], ""),
        bytes_row("R24 no number", chunked("zz\r\n{}\r\n0\r\n\r\n"), &[400], ""),
        bytes_row("R24 a negative chunk", chunked("-2\r\n{}\r\n0\r\n\r\n"), &[400], ""),
        bytes_row("R24 an endless chunk", chunked("ffffffffffffffffff\r\n{}"), &[400, 413], ""),
        bytes_row("R24 a chunk too long", chunked("1\r\n{}\r\n0\r\n\r\n"), &[400], ""),
    ];
    try_all(&server, &mut watch, &rows).await;
    server.stop().await;
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn preface() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat()
}

/// `GET /health` by the static table, with the authority `a`.
const HEADERS: &[u8] =
    &[0x82, 0x86, 0x01, 0x01, b'a', 0x04, 0x07, b'/', b'h', b'e', b'a', b'l', b't', b'h'];

/// Writes a flood until the server has had enough, and returns what it said.
async fn flood(server: &TestServer, mut next: impl FnMut(u32) -> Vec<u8>) -> Vec<u8> {
    let mut wire = Wire::open(server.address()).await;
    let mut sent = wire.write(&preface()).await;
    for n in 0..20_000 {
        if sent.is_err() {
            break;
        }
        sent = wire.write(&next(n)).await;
    }
    let _ = wire.finish().await;
    wire.closed().await
}

/// Whether a `GOAWAY` is among the frames.
fn goes_away(mut said: &[u8]) -> bool {
    while said.len() >= 9 {
        let length = u32::from_be_bytes([0, said[0], said[1], said[2]]) as usize;
        if said[3] == 7 {
            return true;
        }
        said = said.get(9 + length..).unwrap_or_default();
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_http2_is_ended() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let resets = flood(&server, |n| {
        let stream = 2 * n + 1;
        [frame(1, 5, stream, HEADERS), frame(3, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    // A reset may take the goodbye with it, so that only the end is sure.
    let said = resets.await;
    assert!(said.is_empty() || goes_away(&said), "R30 rapid reset: {said:?}");
    watch.all_is_well("R30 rapid reset").await;
    let said = flood(&server, |n| match n {
        0 => frame(1, 1, 1, HEADERS),
        _ => frame(9, 0, 1, &[0x40, 1, b'x', 1, b'y'].repeat(200)),
    });
    let said = said.await;
    assert!(said.is_empty() || goes_away(&said), "R30 continuations: {said:?}");
    watch.all_is_well("R30 continuations").await;
    flood(&server, |_| frame(6, 0, 0, &[0; 8])).await;
    watch.all_is_well("R30 pings").await;
    flood(&server, |_| frame(4, 0, 0, &[0, 3, 0, 0, 0, 100])).await;
    watch.all_is_well("R30 settings").await;
    server.stop().await;
}
