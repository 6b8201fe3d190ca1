//! Plain HTTP beside TLS.

use parlor_testkit::http::Request;

use super::Paper;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_leads_to_tls_and_shows_a_proof_of_the_domain() {
    let paper = Paper::new();
    let server = paper
        .server()
        .set("http_listen", "127.0.0.1:0")
        .set("public_url", "https://chat.example")
        .set("compat_hosts", "rei.example=rei")
        .start()
        .await;
    let to = server.plain_address();
    for (host, path, location) in [
        ("chat.example", "/app/?a=b", "https://chat.example/app/?a=b"),
        ("rei.example", "/", "https://rei.example/"),
        ("evil.example", "/x", "https://chat.example/x"),
    ] {
        let answer = Request::new("POST", path).header("Host", host).send(to).await;
        assert_eq!((answer.status, answer.header("location")), (308, Some(location)));
    }
    let folder = server.data_dir().join("webroot/.well-known/acme-challenge");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("to-ken_1"), "to-ken_1.thumbprint").unwrap();
    let get = |name: &str| Request::new("GET", &format!("/.well-known/acme-challenge/{name}"));
    let answer = get("to-ken_1").send(to).await;
    assert_eq!((answer.status, answer.text()), (200, "to-ken_1.thumbprint".to_owned()));
    for bad in ["nobody", "..%2f..%2f..%2fparlor.sqlite", "%2e%2e"] {
        assert_eq!(get(bad).send(to).await.status, 404, "{bad}");
    }
    server.stop().await;
}
