//! tus 1.0, by its own words.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use parlor_testkit::http::{Request, Wire};
use parlor_testkit::{TestServer, VirtualClock, soon};
use parlor_wire::v1;
use sha2::{Digest as _, Sha256};

use super::{begin, beginning, inventory, noise, number, offset, piece, tus};

#[tokio::test]
async fn the_server_says_what_it_speaks() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let options = server.send(Request::new("OPTIONS", "/api/v1/uploads")).await;
    assert_eq!(options.status, 204);
    assert_eq!(options.header("tus-version"), Some("1.0.0"));
    assert_eq!(number(&options, "tus-max-size"), 5 << 30);
    for extension in ["creation", "creation-with-upload", "checksum", "termination", "expiration"] {
        let said = options.header("tus-extension").unwrap().split(',').any(|e| e == extension);
        assert!(said, "{extension}");
    }
    let old = ana.request("POST", "/uploads").header("Tus-Resumable", "0.2.2");
    let answer = ana.send(old.header("Upload-Length", "5")).await;
    assert_eq!((answer.status, answer.header("tus-version")), (412, Some("1.0.0")));
    let path = begin(&ana, 5, "x").await;
    for answer in [
        ana.send(tus(&ana, "HEAD", &path)).await,
        ana.send(piece(&ana, &path, 3, b"ab")).await,
        ana.send(piece(&ana, &path, 0, b"ab")).await,
        ana.send(tus(&ana, "DELETE", &path)).await,
        ana.send(tus(&ana, "HEAD", &path)).await,
    ] {
        assert_eq!(answer.header("tus-resumable"), Some("1.0.0"), "{}", answer.status);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_file_may_begin_with_its_first_piece() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let kind = "application/offset+octet-stream";
    let answer = ana.send(beginning(&ana, 6, "x").body(kind, *b"abc")).await;
    assert_eq!((answer.status, number(&answer, "upload-offset")), (201, 3));
    assert!(answer.header("upload-expires").is_some_and(|date| date.ends_with(" GMT")));
    let answer = ana.send(beginning(&ana, 6, "x").body(kind, *b"abcdef")).await;
    assert_eq!((answer.status, number(&answer, "upload-offset")), (201, 6));
    let place = answer.header("location").unwrap().trim_start_matches("/api/v1").to_owned();
    let file: v1::File = ana.get(&place.replace("uploads", "files")).await.unwrap();
    assert_eq!(file.size, 6);
    assert_eq!(offset(&ana, &place).await, 6, "who missed the answer can ask");
    let other = ana.send(beginning(&ana, 6, "x").body("text/plain", *b"abc")).await;
    assert_eq!(other.status, 415);
    server.stop().await;
}

#[tokio::test]
async fn a_piece_with_a_wrong_checksum_does_not_count() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let bytes = noise(100_000, 1);
    let path = begin(&ana, 100_000, "x").await;
    let sum = |bytes: &[u8]| format!("sha256 {}", BASE64.encode(Sha256::digest(bytes)));
    let send = |at: usize, to: usize, sum: &str| {
        piece(&ana, &path, at as u64, &bytes[at..to]).header("Upload-Checksum", sum)
    };
    assert_eq!(ana.send(send(0, 60_000, &sum(b"other"))).await.status, 460);
    assert_eq!(offset(&ana, &path).await, 0);
    assert_eq!(ana.send(send(0, 60_000, "md5 AAAA")).await.status, 400);
    assert_eq!(ana.send(send(0, 60_000, &sum(&bytes[..60_000]))).await.status, 204);
    assert_eq!(ana.send(send(60_000, 100_000, &sum(&bytes[60_000..]))).await.status, 204);
    let hash = *blake3::hash(&bytes).as_bytes();
    assert_eq!(inventory(server.data_dir()).await.blobs, [hash]);
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_not_the_announced_one_is_given_up() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let bytes = noise(1_000, 1);
    let announced = async |bytes: &[u8]| {
        let hash: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        let request = tus(&ana, "POST", "/uploads").header("Upload-Length", "1000");
        let sha256 = format!("sha256 {}", BASE64.encode(hash));
        let answer = ana.send(request.header("Upload-Metadata", &sha256)).await;
        let path = answer.header("location").unwrap().trim_start_matches("/api/v1").to_owned();
        assert_eq!(ana.send(piece(&ana, &path, 0, &bytes[..500])).await.status, 204);
        path
    };
    let path = announced(&bytes).await;
    assert_eq!(ana.send(piece(&ana, &path, 500, &noise(500, 2))).await.status, 409);
    assert_eq!(ana.send(tus(&ana, "HEAD", &path)).await.status, 404);
    let found = inventory(server.data_dir()).await;
    assert!(found.blobs.is_empty() && found.uploads.is_empty());
    let path = announced(&bytes).await;
    assert_eq!(ana.send(piece(&ana, &path, 500, &bytes[500..])).await.status, 204);
    server.stop().await;
}

#[tokio::test]
async fn what_does_not_grow_is_given_up_in_its_time() {
    let clock = Arc::new(VirtualClock::default());
    let server = TestServer::builder().clock(clock.clone()).limit("sweep_s", 1).start().await;
    let ana = server.person("ana").await;
    let path = begin(&ana, 1_000_000, "x").await;
    assert_eq!(ana.send(piece(&ana, &path, 0, &noise(990_000, 1))).await.status, 204);
    clock.advance(Duration::from_mins(59));
    assert_eq!(inventory(server.data_dir()).await.uploads.len(), 1);
    clock.advance(Duration::from_mins(1));
    let gone = async {
        while !inventory(server.data_dir()).await.uploads.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the upload", gone).await;
    server.stop().await;
}

#[tokio::test]
async fn who_comes_back_takes_over_from_a_connection_that_hangs() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let bytes = noise(1_000_000, 1);
    let path = begin(&ana, 1_000_000, "x").await;
    let mut hanging = Wire::open(ana.server()).await;
    let head = piece(&ana, &path, 0, &bytes).bytes();
    hanging.write(&head[..head.len() - 400_000]).await.unwrap();
    let partial = server.data_dir().join("blobs").join("partial").join(id_of(&path));
    let came = async {
        while std::fs::metadata(&partial).map_or(0, |file| file.len()) < 600_000 {
            tokio::task::yield_now().await;
        }
    };
    soon("what was sent", came).await;
    // All of it that came is here, though the connection is still open.
    let at = offset(&ana, &path).await;
    assert_eq!(at, 600_000);
    let rest = &bytes[usize::try_from(at).unwrap()..];
    assert_eq!(ana.send(piece(&ana, &path, at, rest)).await.status, 204);
    let hash = *blake3::hash(&bytes).as_bytes();
    assert_eq!(inventory(server.data_dir()).await.blobs, [hash]);
    server.stop().await;
}

/// The name of an upload's file.
fn id_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().replace('-', "")
}
