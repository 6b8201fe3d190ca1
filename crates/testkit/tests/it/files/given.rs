//! How files are given out.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;

use super::{fetch, noise, send, ticket};

#[tokio::test]
async fn bytes_are_given_for_a_ticket_and_by_nothing_else() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let bytes = noise(200_000, 1);
    let file = send(&ana, "x.bin", &bytes).await;
    let (hers, his) = (ticket(&ana).await, ticket(&bo).await);
    let got = fetch(&ana, &file.id, &hers, &[]).await;
    assert_eq!((got.status, &got.body), (200, &bytes));
    assert_eq!(fetch(&ana, &file.id, &his, &[]).await.status, 404);
    for bad in ["", "x", &hers[1..], &format!("{hers}A")] {
        assert_eq!(fetch(&ana, &file.id, bad, &[]).await.status, 401, "{bad}");
    }
    let bearer = format!("Bearer {}", ana.token);
    for proof in [("Cookie", &*ana.cookie), ("Authorization", &bearer)] {
        assert_eq!(fetch(&ana, &file.id, "", &[proof]).await.status, 401, "{}", proof.0);
    }
    ana.done("POST", "/auth/logout").await.unwrap();
    assert_eq!(fetch(&ana, &file.id, &hers, &[]).await.status, 401, "the login is over");
    server.stop().await;
}

#[tokio::test]
async fn what_a_browser_could_run_is_only_to_be_kept() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let ticket = ticket(&ana).await;
    let gif = b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
    let polyglot = [&gif[..gif.len() - 1], b"!\xfe\x0a*/alert(1)\0;"].concat();
    for (bytes, media_type, how) in [
        (&b"<script>alert(1)</script>"[..], "application/octet-stream", "attachment"),
        (b"<svg xmlns='x' onload='alert(1)'/>", "application/octet-stream", "attachment"),
        (b"<?xml version='1.0'?><x/>", "application/octet-stream", "attachment"),
        (b"%PDF-1.4 /JS (app.alert(1))", "application/octet-stream", "attachment"),
        (b"words", "application/octet-stream", "attachment"),
        (&gif[..], "image/gif", "inline"),
        (&polyglot, "image/gif", "inline"),
    ] {
        let file = send(&ana, "cat.png", bytes).await;
        let answer = fetch(&ana, &file.id, &ticket, &[]).await;
        assert_eq!(answer.header("content-type"), Some(media_type));
        let disposition = answer.header("content-disposition").unwrap();
        assert!(disposition.starts_with(&format!("{how}; filename=\"cat.png\"")), "{disposition}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "private, no-cache"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert!(!answer.text().contains("alert(1)") || how == "attachment", "{media_type}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_part_of_a_file_is_given() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let bytes = noise(100_000, 1);
    let file = send(&ana, "x", &bytes).await;
    let ticket = ticket(&ana).await;
    let range = async |text: &str| fetch(&ana, &file.id, &ticket, &[("Range", text)]).await;
    let part = range("bytes=10-19").await;
    assert_eq!((part.status, &*part.body), (206, &bytes[10..20]));
    assert_eq!(part.header("content-range"), Some("bytes 10-19/100000"));
    let part = range("bytes=-5").await;
    assert_eq!((part.status, &*part.body), (206, &bytes[99_995..]));
    let beyond = range("bytes=100000-").await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */100000")));
    let many = format!("bytes={}", vec!["0-99999"; 1_000].join(","));
    let whole = range(&many).await;
    assert_eq!((whole.status, whole.body.len()), (200, 100_000), "once");
    let tag = whole.header("etag").unwrap().to_owned();
    let known = fetch(&ana, &file.id, &ticket, &[("If-None-Match", &tag)]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    let of = async |tag: &str| {
        let more = [("Range", "bytes=0-0"), ("If-Range", tag)];
        fetch(&ana, &file.id, &ticket, &more).await.status
    };
    assert_eq!((of(&tag).await, of("\"other\"").await), (206, 200));
    let path = format!("/media/{}/x?ticket={ticket}", file.id);
    let head = ana.send(Request::new("HEAD", &path)).await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("100000")));
    server.stop().await;
}
