//! A façade's own web app, served from our origin.

use parlor_testkit::TestServer;
use parlor_testkit::http::{Answer, Request};
use serde_json::json;
use tempfile::TempDir;

use super::send;

const PAGE: &str = "<!doctype html><title>its own</title>";
const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// A folder as a build of such an app leaves one, with files in the way of paths of ours.
fn built() -> TempDir {
    let outer = tempfile::tempdir().unwrap();
    std::fs::write(outer.path().join("secret"), "secret").unwrap();
    let folder = outer.path().join("build");
    for sub in ["static", "api/v1", "app", "users"] {
        std::fs::create_dir_all(folder.join(sub)).unwrap();
    }
    for (name, text) in [
        ("index.html", PAGE),
        ("static/main.js", "main()"),
        ("messages", "in the way"),
        ("login", "in the way"),
        ("health", "in the way"),
        ("api/v1/nothing", "in the way"),
        ("app/nothing", "in the way"),
        ("users/index.html", "in the way"),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    outer
}

async fn serving(outer: &TempDir) -> TestServer {
    let folder = outer.path().join("build");
    let folder = folder.to_str().unwrap();
    TestServer::builder().set("compat_static", folder).start().await
}

async fn get(server: &TestServer, path: &str, accept: &str) -> Answer {
    send(server, Request::new("GET", path).header("Accept", accept)).await
}

/// Row: the app is served from our own origin; JSON at `/` for everybody else
#[tokio::test]
async fn its_page_is_at_the_root_for_browsers_only() {
    let (outer, accept_all) = (built(), "*/*");
    let server = serving(&outer).await;
    let page = get(&server, "/", HTML).await;
    assert_eq!((page.status, &*page.text()), (200, PAGE));
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'self'") && policy.contains("connect-src 'self'"));
    for accept in [accept_all, "application/json", "application/json, text/html;q=0.5"] {
        let answer = get(&server, "/", accept).await;
        assert_eq!(answer.json()["message"], "ok", "{accept}: {}", answer.text());
    }
    let script = get(&server, "/static/main.js", accept_all).await;
    assert_eq!((script.status, &*script.text()), (200, "main()"));
    assert!(script.header("content-type").unwrap().contains("javascript"));
    let missing = get(&server, "/static/other.js", accept_all).await;
    assert_eq!((missing.status, missing.code()), (404, "not_found".to_owned()));
    server.stop().await;
}

/// Row: a deep link of the app gives its page to a browser, on paths that no façade knows
#[tokio::test]
async fn a_deep_link_gives_the_page_to_a_browser_only() {
    let outer = built();
    let server = serving(&outer).await;
    for path in ["/chat", "/chat/room/7", "/profile?tab=1"] {
        assert_eq!(get(&server, path, HTML).await.text(), PAGE, "{path}");
        let answer = get(&server, path, "*/*").await;
        assert_eq!((answer.status, answer.code()), (404, "not_found".to_owned()), "{path}");
        let posted = send(&server, Request::new("POST", path).header("Accept", HTML)).await;
        assert_eq!(posted.status, 404, "{path}");
    }
    server.stop().await;
}

/// Row: a façade path never answers HTML
#[tokio::test]
async fn the_app_is_never_in_the_way_of_an_api() {
    let outer = built();
    let server = serving(&outer).await;
    for (path, status) in [
        ("/messages", 401),
        ("/get_all_users/", 401),
        ("/login", 405),
        ("/user/1", 401),
        ("/message/1", 404),
        ("/api/v1/nothing", 404),
        ("/api/v1/me", 401),
        ("/compat/mrsambosk/", 404),
        ("/compat/nobody/", 404),
        ("/health", 200),
        ("/openapi.json", 200),
    ] {
        let answer = get(&server, path, HTML).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(!kind.contains("html"), "{path}: {kind}");
        assert_ne!(answer.text(), "in the way", "{path}");
    }
    for path in ["/users", "/users/", "/app/nothing"] {
        let answer = get(&server, path, HTML).await;
        assert_ne!(answer.text(), "in the way", "{path}");
    }
    server.stop().await;
}

/// Row: nothing outside the folder of the app is served
#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let outer = built();
    let server = serving(&outer).await;
    for path in [
        "/../secret",
        "/static/../../secret",
        "/%2e%2e/secret",
        "/static/%2e%2e/%2e%2e/secret",
        "/..%2fsecret",
        "/..%5csecret",
        "//secret",
    ] {
        for accept in [HTML, "*/*"] {
            let answer = get(&server, path, accept).await;
            assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        }
    }
    assert_eq!(get(&server, "/secret", "*/*").await.status, 404);
    server.stop().await;
}

/// Row: without the folder, `/` sends a browser to our own client
#[tokio::test]
async fn without_an_app_a_browser_is_sent_to_ours() {
    let server = TestServer::start().await;
    let answer = get(&server, "/", HTML).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/app/")));
    let answer = get(&server, "/chat", HTML).await;
    assert_eq!(answer.json()["error"]["code"], json!("not_found"));
    server.stop().await;
}
