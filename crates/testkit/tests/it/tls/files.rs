//! A certificate in files: renewed under a running server, and wrong in every way.

use parlor_server::SystemClock;
use parlor_server::config::Raw;
use parlor_testkit::http::Request;
use parlor_testkit::soon;

use super::Paper;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let mut paper = Paper::new();
    let server = paper.server().start().await;
    let (to, old) = (server.address(), paper.client());
    assert!(old.connect(to, "localhost").await.is_ok());
    paper.renew();
    let new = paper.client();
    let shown = async {
        while new.connect(to, "localhost").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon("the new certificate", shown).await;
    assert!(old.connect(to, "localhost").await.is_err());
    // A file that is half written does no harm.
    std::fs::write(paper.cert(), "-----BEGIN CERTIFICATE-----\n").unwrap();
    let health = Request::new("GET", "/health");
    assert!(new.send(to, &health).await.starts_with("HTTP/1.1 200 "));
    server.stop().await;
}

/// Why a server does not start.
async fn refusal(cert: &str, key: &str) -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let keys =
        [("listen", "127.0.0.1:0"), ("data_dir", data), ("tls_cert", cert), ("tls_key", key)];
    let mut raw = Raw::new();
    raw.add("test", keys.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let config = raw.read().unwrap();
    let started = parlor_server::Running::start(config, std::sync::Arc::new(SystemClock), None);
    match started.await {
        Ok(_) => panic!("it starts"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_keeps_the_server_from_starting() {
    let (paper, other) = (Paper::new(), Paper::new());
    let path = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let (cert, key) = (path(paper.cert()), path(paper.key()));
    for (cert, key, why) in [
        ("/no/such/file", &*key, "tls_cert: failed to read /no/such/file"),
        (&*key, &*key, "tls_cert: holds no certificate"),
        (&*cert, &*cert, "tls_key: holds no private key"),
        (&*cert, &*path(other.key()), "tls_key: cannot be used with tls_cert"),
    ] {
        let said = refusal(cert, key).await;
        assert!(said.starts_with(why), "{said}");
    }
}
