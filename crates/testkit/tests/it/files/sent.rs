//! A file in one request, and what is refused.

use parlor_testkit::http::Wire;
use parlor_testkit::{TestServer, soon};
use parlor_wire::v1;

use super::{begin, beginning, inventory, noise, offset, piece, send, sending};

#[tokio::test]
async fn a_file_is_what_its_content_says_and_its_senders_alone() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let html = b"<!DOCTYPE html><script>alert(1)</script>";
    let file = send(&ana, "cat.png", html).await;
    assert_eq!((&*file.name, &*file.media_type, file.size), ("cat.png", "text/html", 40));
    let path = format!("/files/{}", file.id);
    assert_eq!(ana.get::<v1::File>(&path).await.unwrap(), file);
    assert_eq!(bo.get::<v1::File>(&path).await.unwrap_err().status, 404);
    assert_eq!(bo.done("DELETE", &path).await.unwrap_err().status, 404);
    ana.done("DELETE", &path).await.unwrap();
    assert_eq!(ana.get::<v1::File>(&path).await.unwrap_err().status, 404);
    assert!(inventory(server.data_dir()).await.blobs.is_empty(), "deleted means gone");
    server.stop().await;
}

#[tokio::test]
async fn any_name_is_a_name_and_never_a_path() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    for (given, called) in [
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("C%3A%5Cx.txt", "x.txt"),
        ("%2Fetc%2Fpasswd", "passwd"),
        ("a%00b", "ab"),
        ("cat%E2%80%AEgpj.exe", "catgpj.exe"),
        ("CON", "CON"),
        ("a%0D%0ASet-Cookie%3A%20x", "aSet-Cookie: x"),
        ("", "file"),
    ] {
        assert_eq!(send(&ana, given, b"words").await.name, called, "{given}");
    }
    let long = send(&ana, &"x".repeat(300), b"words").await.name;
    assert_eq!(long.chars().count(), 255);
    // All eight are one blob, under a name that nobody chose.
    assert_eq!(inventory(server.data_dir()).await.blobs, [*blake3::hash(b"words").as_bytes()]);
    server.stop().await;
}

#[tokio::test]
async fn nothing_and_too_much_are_refused_before_they_come() {
    let server = TestServer::builder()
        .limit("upload_once_bytes_max", 1_000)
        .limit("upload_bytes_max", 2_000)
        .start()
        .await;
    let ana = server.person("ana").await;
    let status = async |request| ana.send(request).await.status;
    assert_eq!(status(sending(&ana, "x", b"")).await, 422);
    assert_eq!(status(sending(&ana, "x", &noise(1_000, 1))).await, 201);
    assert_eq!(status(sending(&ana, "x", &noise(1_001, 1))).await, 413);
    assert_eq!(status(beginning(&ana, 0, "x")).await, 422);
    assert_eq!(status(beginning(&ana, 2_000, "x")).await, 201);
    assert_eq!(status(beginning(&ana, 2_001, "x")).await, 413);
    // Of one that is too long, nothing is read.
    let mut wire = Wire::open(server.address()).await;
    let length = ("Content-Length", "1000000000000");
    let request = ana.request("POST", "/files").header(length.0, length.1);
    wire.write(&request.bytes()).await.unwrap();
    assert_eq!(wire.answer().await.unwrap().status, 413);
    let endless = ana.request("POST", "/files").header("Transfer-Encoding", "chunked");
    assert_eq!(status(endless).await, 411);
    server.stop().await;
}

#[tokio::test]
async fn nobody_sends_more_than_they_have_room_for() {
    let server = TestServer::builder().limit("user_files_bytes_max", 1_000).start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    send(&ana, "x", &noise(999, 1)).await;
    let two = ana.send(sending(&ana, "x", b"ab")).await;
    assert_eq!((two.status, &*two.code()), (413, "quota_exceeded"));
    send(&bo, "x", b"ab").await;
    let tries = (0..50).map(|n| ana.send(sending(&ana, &format!("{n}"), b"a")));
    let answers = soon("fifty answers", futures_util::future::join_all(tries)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 413)));
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_cut_in_its_one_request_leaves_nothing() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let whole = sending(&ana, "x", &noise(500_000, 1)).bytes();
    let mut wire = Wire::open(server.address()).await;
    wire.write(&whole[..300_000]).await.unwrap();
    wire.finish().await.unwrap();
    wire.closed().await;
    drop(wire);
    // Whoever sends next is counted as if nothing had happened; what is left of it goes soon.
    let gone = async {
        while !inventory(server.data_dir()).await.uploads.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    soon("nothing to be left", gone).await;
    server.stop().await;
}

#[tokio::test]
async fn a_piece_comes_in_its_place_or_not_at_all() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let bytes = noise(1_000, 1);
    let path = begin(&ana, 1_000, "x").await;
    let status = async |request| ana.send(request).await.status;
    assert_eq!(status(piece(&ana, &path, 5, &bytes[5..])).await, 409);
    assert_eq!(status(piece(&ana, &path, 0, &bytes[..600])).await, 204);
    assert_eq!(status(piece(&ana, &path, 0, &bytes[..600])).await, 409);
    assert_eq!(status(piece(&ana, &path, 600, &noise(401, 2))).await, 413, "it is longer");
    assert_eq!(offset(&ana, &path).await, 600);
    assert_eq!(bo.send(piece(&bo, &path, 600, &bytes[600..])).await.status, 404);
    assert_eq!(status(piece(&ana, &path, 600, &bytes[600..])).await, 204);
    assert_eq!(status(piece(&ana, &path, 1_000, b"")).await, 404, "it is a file now");
    let file: v1::File = ana.get(&path.replace("uploads", "files")).await.unwrap();
    assert_eq!((file.size, &*file.media_type), (1_000, "application/octet-stream"));
    server.stop().await;
}
