//! Limits hold before a handshake, during it, and after.

use std::io;

use parlor_testkit::http::Request;
use parlor_testkit::soon;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Paper;

/// What a peer is told that says these bytes and waits.
async fn told(server: std::net::SocketAddr, said: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(said).await.unwrap();
    let mut told = Vec::new();
    soon("the end", stream.read_to_end(&mut told)).await.map(|_| told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_handshake_is_cut_and_so_is_silence() {
    let paper = Paper::new();
    let builder = paper.server().limit("first_byte_ms_max", 100).limit("header_ms_max", 200);
    let server = builder.start().await;
    // The beginning of a record that says that 512 bytes follow.
    assert_eq!(told(server.address(), &[0x16, 3, 1, 2, 0, 1]).await.unwrap(), b"");
    assert_eq!(told(server.address(), b"").await.unwrap(), b"");
    // A handshake, and then nothing.
    let mut stream = paper.client().connect(server.address(), "localhost").await.unwrap();
    let end = soon("the end", stream.read(&mut [0; 16])).await;
    assert!(end.is_err() || end.is_ok_and(|n| n == 0));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_is_told_what_is_spoken() {
    let paper = Paper::new();
    let server = paper.server().start().await;
    let said = told(server.address(), &Request::new("GET", "/health").bytes()).await.unwrap();
    let said = String::from_utf8(said).unwrap();
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
    assert!(said.ends_with("\r\n\r\nonly https is spoken on this port"), "{said}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_counts_before_its_handshake() {
    let paper = Paper::new();
    let builder = paper.server().limit("connections_per_address_max", 1);
    let server = builder.limit("first_byte_ms_max", 60_000).start().await;
    let silent = TcpStream::connect(server.address()).await.unwrap();
    let client = paper.client();
    assert!(client.connect(server.address(), "localhost").await.is_err());
    drop(silent);
    let free = async {
        while client.connect(server.address(), "localhost").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon("a free place", free).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_two_readers_read_differently_is_refused_under_tls_too() {
    let paper = Paper::new();
    let server = paper.server().start().await;
    let mut stream = paper.client().connect(server.address(), "localhost").await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\nHost: localhost\n\n").await.unwrap();
    let mut told = Vec::new();
    soon("the end", stream.read_to_end(&mut told)).await.unwrap();
    assert!(told.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&told));
    server.stop().await;
}
