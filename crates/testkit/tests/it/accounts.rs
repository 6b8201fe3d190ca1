//! Accounts from outside: what their owners rely on.

use std::fs::File;
use std::net::TcpListener;

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use parlor_testkit::person::PASSWORD;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_mail_goes_out_who_asks_for_a_code_is_told() {
    let server = TestServer::builder().limits_on().set("listen", "0.0.0.0:0").start().await;
    let post = |what: &str, body: serde_json::Value| {
        Request::new("POST", &format!("/api/v1/auth/{what}")).json(&body.to_string())
    };
    let email = "ana@example.org";
    let ana = serde_json::json!({"username": "ana", "email": email, "password": PASSWORD});
    let made = server.send(post("register", ana)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["verification_required"], false);
    let login = serde_json::json!({"login": email, "password": PASSWORD});
    assert_eq!(server.send(post("login", login)).await.status, 200);
    for (what, email) in [("forgot", email), ("forgot", "nobody@example.org"), ("resend", email)] {
        let refused = server.send(post(what, serde_json::json!({"email": email}))).await;
        assert_eq!((refused.status, &*refused.code()), (403, "forbidden"), "{what} {email}");
    }
    let folder = server.data_dir().join("mail");
    server.stop().await;
    assert!(!folder.exists(), "a code lies in a file of a server that others reach");
}
