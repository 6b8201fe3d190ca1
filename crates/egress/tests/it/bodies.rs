//! How much may come, and how slowly: row S3 of the catalogue of bad input.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use parlor_domain::Limits;
use parlor_egress::EgressError;

use super::site::{Say, Site, head_of};
use super::{PAGE, PICTURE, get, town, within};

/// Nobody in a test waits for five seconds.
fn impatient() -> Limits {
    Limits { egress_ms_max: 200, ..Limits::default() }
}

const HTML: &str = "content-type: text/html\r\n";

#[tokio::test]
async fn of_an_endless_body_the_beginning_is_taken_or_nothing() {
    for fields in [HTML.to_owned(), format!("{HTML}content-length: 1073741824\r\n")] {
        let said = Say::Endless(head_of("200 OK", &fields), vec![b'a'; 1000]);
        let site = Site::open(move |_| said.clone()).await;
        let fetched = get(&town(&site).await, "http://example.org/", &PAGE).await.unwrap();
        assert_eq!(fetched.bytes, vec![b'a'; 4096]);
    }
    let head = head_of("200 OK", "content-type: image/png\r\n");
    let site = Site::open(move |_| Say::Endless(head.clone(), vec![0; 1000])).await;
    let got = get(&town(&site).await, "http://example.org/", &PICTURE).await;
    assert_eq!(got, Err(EgressError::TooLarge));
}

#[tokio::test]
async fn something_that_says_it_is_too_large_is_not_read() {
    let head = head_of("200 OK", "content-type: image/png\r\ncontent-length: 4097\r\n");
    let site = Site::open(move |_| Say::Silence(head.clone())).await;
    let got = get(&town(&site).await, "http://example.org/", &PICTURE).await;
    assert_eq!(got, Err(EgressError::TooLarge));
}

#[tokio::test]
async fn who_takes_too_long_is_left() {
    let slow = [
        Say::Silence(vec![]),
        Say::Silence(b"HTTP/1.1 200".to_vec()),
        Say::Drip(b"HTTP/1.1 200 OK\r\nx: ".to_vec()),
        Say::Silence(head_of("200 OK", HTML)),
        Say::Drip(head_of("200 OK", HTML)),
        Say::Silence(head_of("200 OK", &format!("{HTML}content-length: 3\r\n"))),
    ];
    for said in slow {
        let site = Site::open(move |_| said.clone()).await;
        let got = within(&town(&site).await, &impatient(), "http://example.org/", &PAGE).await;
        assert_eq!(got, Err(EgressError::TooSlow));
    }
}

#[tokio::test]
async fn the_time_counts_for_the_whole_way() {
    // Each answer alone is quick enough.
    let site = Site::open(|path| match path {
        "/end" => Say::Silence(vec![]),
        _ => Say::elsewhere(302, "/end"),
    })
    .await;
    let got = within(&town(&site).await, &impatient(), "http://example.org/", &PAGE).await;
    assert_eq!(got, Err(EgressError::TooSlow));
}

#[tokio::test]
async fn an_endless_head_is_not_read() {
    for more in ["x: y\r\n".to_owned(), "y".repeat(1000)] {
        let head = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
        let site = Site::open(move |_| Say::Endless(head.clone(), more.clone().into())).await;
        let got = get(&town(&site).await, "http://example.org/", &PAGE).await;
        assert_eq!(got, Err(EgressError::Garbled));
    }
}

#[tokio::test]
async fn gzip_is_unpacked_and_a_bomb_of_it_is_not() {
    let site = Site::open(|path| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let text = if path == "/bomb" { vec![b'0'; 1 << 20] } else { b"small".to_vec() };
        encoder.write_all(&text).unwrap();
        let packed = encoder.finish().unwrap();
        let fields = format!("{HTML}content-encoding: gzip\r\n");
        Say::Bytes([head_of("200 OK", &fields), packed].concat())
    })
    .await;
    let town = town(&site).await;
    let fetched = get(&town, "http://example.org/", &PAGE).await.unwrap();
    assert_eq!(fetched.bytes, b"small");
    let fetched = get(&town, "http://example.org/bomb", &PAGE).await.unwrap();
    assert_eq!(fetched.bytes, vec![b'0'; 4096]);
    assert!(fetched.bytes.capacity() < 64 << 10, "{}", fetched.bytes.capacity());
}

#[tokio::test]
async fn what_is_of_no_use_is_not_taken() {
    for (path, fault) in [
        ("/png", EgressError::Type),
        ("/none", EgressError::Type),
        ("/br", EgressError::Packing),
        ("/404", EgressError::Status(404)),
        ("/204", EgressError::Status(204)),
        ("/206", EgressError::Status(206)),
        ("/304", EgressError::Status(304)),
        ("/503", EgressError::Status(503)),
        ("/ssh", EgressError::Garbled),
        ("/cut", EgressError::Garbled),
    ] {
        let site = Site::open(|path| match path {
            "/png" => Say::typed("image/png", b"x"),
            "/none" => Say::Bytes(head_of("200 OK", "content-length: 0\r\n")),
            "/br" => Say::Bytes(head_of("200 OK", &format!("{HTML}content-encoding: br\r\n"))),
            "/ssh" => Say::Bytes(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()),
            "/cut" => Say::Bytes(head_of("200 OK", &format!("{HTML}content-length: 9\r\n"))),
            status => Say::status(status[1..].parse().unwrap()),
        })
        .await;
        let url = format!("http://example.org{path}");
        assert_eq!(get(&town(&site).await, &url, &PAGE).await, Err(fault), "{path}");
    }
}

#[test]
fn what_may_pass_is_told_from_what_stays() {
    for passes in [EgressError::TooSlow, EgressError::Unresolved, EgressError::Status(503)] {
        assert!(passes.may_pass(), "{passes}");
    }
    for stays in [EgressError::NotPublic, EgressError::Type, EgressError::Status(404)] {
        assert!(!stays.may_pass(), "{stays}");
    }
}
