//! Files in a bucket that speaks S3, instead of a folder.

use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use parlor_testkit::TestServer;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{begin, fetch, noise, piece, send, ticket};

/// Serves the folders in `home` as buckets, for as long as the tasks are kept; its URL.
async fn serve(home: &Path) -> (String, JoinSet<()>) {
    let mut builder = S3ServiceBuilder::new(FileSystem::new(home).unwrap());
    builder.set_auth(SimpleAuth::from_single("ana", "a secret of ana"));
    let service = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut visits = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            visits.spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                // Whoever hangs up is no fault of the server.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (url, tasks)
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path.file_name().unwrap().to_string_lossy().into_owned()),
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn files_come_and_go_in_a_bucket_as_in_a_folder() {
    let home = tempfile::tempdir().unwrap();
    let bucket = home.path().join("chat");
    std::fs::create_dir(&bucket).unwrap();
    let (url, _tasks) = serve(home.path()).await;
    let server = TestServer::builder()
        .alone()
        .set("s3_url", &format!("{url}/chat/here"))
        .set("s3_access_key", "ana")
        .set("s3_secret_key", "a secret of ana")
        .start()
        .await;
    let ana = server.person("ana").await;
    let bytes = noise(300_000, 1);
    let path = begin(&ana, 300_000, "x").await;
    for (at, to) in [(0, 100_000), (100_000, 300_000)] {
        let answer = ana.send(piece(&ana, &path, at as u64, &bytes[at..to])).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }
    let twice = send(&ana, "y", &bytes).await;
    assert_eq!(files(&bucket), [parlor_blobs::hex(blake3::hash(&bytes).as_bytes())]);
    let (id, ticket) = (path.trim_start_matches("/uploads/"), ticket(&ana).await);
    let part = fetch(&ana, id, &ticket, &[("Range", "bytes=99990-100009")]).await;
    assert_eq!((part.status, &part.body[..]), (206, &bytes[99_990..100_010]));
    assert!(fetch(&ana, &twice.id, &ticket, &[]).await.body[..] == bytes);
    ana.done("DELETE", &format!("/files/{id}")).await.unwrap();
    assert_eq!(files(&bucket).len(), 1, "another file has the same bytes");
    ana.done("DELETE", &format!("/files/{}", twice.id)).await.unwrap();
    assert!(files(&bucket).is_empty(), "deleted means gone");
    assert!(!server.data_dir().join("blobs").exists());
    server.stop().await;
}
