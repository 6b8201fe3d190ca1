//! Small pictures: drawn later by whoever comes first, and gone with what they are of.

use image::{DynamicImage, ImageFormat};
use parlor_testkit::{Person, ServerProcess, TestServer, soon};
use parlor_wire::v1;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::carried::say;
use super::{drawn, inventory, picture, send, sending, small, ticket};

const BINARY: &str = env!("CARGO_BIN_EXE_parlor-tested");

/// The sides of a picture.
fn sides(bytes: &[u8]) -> (u32, u32) {
    let read = image::load_from_memory(bytes).expect("it is a picture");
    (read.width(), read.height())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_picture_is_seen_with_the_message_and_by_nobody_else() {
    let server = TestServer::start().await;
    let (ana, bo, cyn) =
        (server.person("ana").await, server.person("bo").await, server.person("cyn").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let file = send(&ana, "cat.png", &drawn(&picture(900, 300, 1), ImageFormat::Png)).await;
    assert!(file.thumbnail, "it is told before it is drawn");
    let said = say(&ana, &room.main_session_id, "look", &[&file.id]).await;
    assert!(said.files[0].thumbnail);
    let (his, theirs) = (ticket(&bo).await, ticket(&cyn).await);
    let got = small(&bo, &file.id, &his).await;
    assert_eq!((got.status, got.header("content-type")), (200, Some("image/jpeg")));
    assert_eq!(sides(&got.body), (480, 160));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
    ] {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    assert_eq!(small(&cyn, &file.id, &theirs).await.status, 404);
    let described: v1::File = bo.get(&format!("/files/{}", file.id)).await.unwrap();
    assert!(described.thumbnail, "and when it is drawn");
    ana.done("DELETE", &format!("/messages/{}", said.id)).await.unwrap();
    assert_eq!(small(&bo, &file.id, &his).await.status, 404, "at once");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_picture_goes_from_the_disk_with_its_file() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let ticket = ticket(&ana).await;
    for (n, drawn_before) in [(1, true), (2, false)] {
        let bytes = drawn(&picture(1_200, 1_200, n), ImageFormat::Jpeg);
        let file = send(&ana, "cat.jpg", &bytes).await;
        if drawn_before {
            assert_eq!(small(&ana, &file.id, &ticket).await.status, 200);
        }
        ana.done("DELETE", &format!("/files/{}", file.id)).await.unwrap();
        // One that is drawn just now is noticed when it is done.
        let gone = async {
            while !inventory(server.data_dir()).await.blobs.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        soon("the end of both", gone).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_picture_or_cannot_be_drawn_has_none() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let ticket = ticket(&ana).await;
    let words = send(&ana, "x.txt", b"words").await;
    assert!(!words.thumbnail);
    assert_eq!(small(&ana, &words.id, &ticket).await.status, 404);
    // Whole to whoever counts its parts; its pixels are not there.
    let mut torn = drawn(&picture(400, 400, 1), ImageFormat::Png);
    let pixels = torn.windows(4).position(|name| name == b"IDAT").unwrap();
    torn[pixels + 4..pixels + 40].fill(0xa5);
    let torn = send(&ana, "torn.png", &torn).await;
    let answer = small(&ana, &torn.id, &ticket).await;
    assert_eq!(answer.status, 404, "none will be: {}", answer.text());
    let described: v1::File = ana.get(&format!("/files/{}", torn.id)).await.unwrap();
    assert!(!described.thumbnail && described.width == Some(400));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_too_long_is_told_to_come_back() {
    let settings = TestServer::builder().limit("thumbnail_wait_ms_max", 0);
    let server = settings.start().await;
    let ana = server.person("ana").await;
    let ticket = ticket(&ana).await;
    let file = send(&ana, "cat.png", &drawn(&picture(2_000, 2_000, 1), ImageFormat::Png)).await;
    let answer = small(&ana, &file.id, &ticket).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    server.stop().await;
}

/// A JPEG that has more to say than there are pixels.
fn long_jpeg() -> Vec<u8> {
    let mut bytes = drawn(&picture(40, 40, 1), ImageFormat::Jpeg);
    let end = bytes.len() - 2;
    bytes.splice(end..end, vec![0x11; 40 << 20]);
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u3_a_bomb_that_is_drawn_does_not_exceed_the_memory() {
    const LIMIT_KIB: u64 = 8 * 1024;
    // What is on its way in, and what an allocator keeps: less than two of the bombs.
    const SLACK_KIB: u64 = 40 * 1024;
    let settings =
        TestServer::builder().set("log", "info").limit("image_memory_bytes_max", LIMIT_KIB * 1024);
    let mut server = ServerProcess::start_with(BINARY, &settings);
    let ana = server.person("ana").await;
    let ticket = ticket(&ana).await;
    let flat = DynamicImage::new_rgba8(3_000, 3_000);
    let bombs = [
        drawn(&flat, ImageFormat::Png),
        drawn(&DynamicImage::new_rgba16(2_200, 2_200), ImageFormat::Png),
        drawn(&DynamicImage::new_rgb8(3_500, 3_500), ImageFormat::Jpeg),
        drawn(&flat, ImageFormat::WebP),
        drawn(&flat, ImageFormat::Gif),
        long_jpeg(),
    ];
    // What comes is streamed, and cleaned as it comes.
    let before = server.memory_peak_kib();
    let mut sending = JoinSet::new();
    for bytes in bombs {
        let (ana, ticket) = (ana.clone(), ticket.clone());
        sending.spawn(async move {
            let file = send(&ana, "bomb", &bytes).await;
            small(&ana, &file.id, &ticket).await.status
        });
    }
    let statuses = soon("the end of all bombs", sending.join_all()).await;
    assert_eq!(statuses, [404; 6], "each is refused cleanly");
    let most = before + 2 * LIMIT_KIB + SLACK_KIB;
    let peak = server.memory_peak_kib();
    assert!(peak <= most, "{before} KiB before, {peak} KiB at most, allowed are {most}");
    assert!(server.lives() && !server.log().contains("panic"), "{}", server.log());
    let cat = send(&ana, "cat", &drawn(&picture(900, 900, 1), ImageFormat::Png)).await;
    assert_eq!(small(&ana, &cat.id, &ticket).await.status, 200, "others are drawn");
}

/// What of the jobs is so.
fn jobs(folder: &TempDir, so: &str) -> i64 {
    let path = folder.path().join("data/parlor.sqlite");
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    conn.query_row(&format!("select count(*) from jobs where {so}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_while_it_draws_gives_back_its_jobs() {
    let folder = TempDir::new().unwrap();
    let settings = TestServer::builder().set("public_url", "http://parlor.test");
    let mut process = ServerProcess::start_in(BINARY, &settings, folder.path());
    let ana = process.person("ana").await;
    let bytes = drawn(&picture(3_000, 3_000, 1), ImageFormat::Png);
    let mut ids = vec![];
    for _ in 0..6 {
        ids.push(send(&ana, "cat", &bytes).await.id);
    }
    assert!(process.terminate(), "{}", process.log());
    assert_eq!(jobs(&folder, "worker is not null"), 0);
    drop(process);
    let process = ServerProcess::start_in(BINARY, &settings, folder.path());
    let mut ana: Person = ana;
    ana.reach(process.address());
    let ticket = ticket(&ana).await;
    for id in ids {
        assert_eq!(small(&ana, &id, &ticket).await.status, 200);
    }
    assert_eq!(jobs(&folder, "true"), 0, "what is done is forgotten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_picture_is_drawn_for_many_at_once() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let ticket = ticket(&ana).await;
    let bytes = drawn(&picture(700, 700, 1), ImageFormat::Png);
    let all = (0..8).map(|_| async {
        let answer = ana.send(sending(&ana, "x", &bytes)).await;
        let file: v1::File = serde_json::from_slice(&answer.body).unwrap();
        (small(&ana, &file.id, &ticket).await.status, file.id)
    });
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(|(status, _)| *status == 200));
    assert_eq!(inventory(server.data_dir()).await.blobs.len(), 2, "one of each");
    for (_, id) in all {
        ana.done("DELETE", &format!("/files/{id}")).await.unwrap();
    }
    assert_eq!(inventory(server.data_dir()).await.blobs.len(), 0);
    server.stop().await;
}
