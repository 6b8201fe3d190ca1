//! Accounts from outside: what their owners rely on.

use std::fs::File;
use std::net::TcpListener;

use parlor_testkit::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_outlives_a_restart_on_another_port() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().to_string_lossy().into_owned();
    let server = TestServer::builder().set("data_dir", &folder).start().await;
    let (ana, before) = (server.person("ana").await, server.address());
    server.stop().await;
    // The writer's thread lets the database go a moment after the server has stopped.
    File::open(home.path().join("parlor.sqlite-lock")).unwrap().lock().unwrap();
    let _taken = TcpListener::bind(before).unwrap();
    let server = TestServer::builder().set("data_dir", &folder).start().await;
    assert_ne!(server.address(), before);
    let me = ana.request("GET", "/me").send(server.address()).await;
    assert_eq!(me.status, 200, "{}", me.text());
    server.stop().await;
}
