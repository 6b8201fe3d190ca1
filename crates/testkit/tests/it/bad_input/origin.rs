//! Rows A12 and W2: what a page of another site may have a browser do, and what every answer says
//! to browsers.

use parlor_testkit::http::{Answer, Request};
use parlor_testkit::person::PASSWORD;
use parlor_testkit::raw_socket::{RawSocket, bare_handshake, handshake};
use parlor_testkit::{Person, TestServer};

const FOREIGN: [&str; 5] = [
    "https://evil.example",
    "null",
    "https://chat.example.org.evil.example",
    "http://chat.example.org",
    "https://chat.example.org:8443",
];

async fn public_server() -> TestServer {
    TestServer::builder()
        .set("public_url", "https://chat.example.org")
        .set("allowed_origins", "https://friend.example")
        .start()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_page_changes_nothing_with_a_cookie() {
    let server = public_server().await;
    let ana = server.person("ana").await;
    assert!(ana.cookie.starts_with("__Host-parlor_login="), "{}", ana.cookie);
    let make = || {
        let request = Request::new("POST", "/api/v1/rooms").header("Host", "chat.example.org");
        request.header("Cookie", &ana.cookie).json("{\"name\":\"Garden\"}")
    };
    for origin in FOREIGN {
        let answer = server.send(make().header("Origin", origin)).await;
        assert_eq!(answer.status, 403, "A12 {origin}: {}", answer.text());
    }
    let site = server.send(make().header("Sec-Fetch-Site", "cross-site")).await;
    assert_eq!(site.status, 403, "A12: a form of another site");
    let sibling = server.send(make().header("Sec-Fetch-Site", "same-site")).await;
    assert_eq!(sibling.status, 403, "A12: a form of a neighbour");
    for origin in ["https://chat.example.org", "https://friend.example"] {
        let answer = server.send(make().header("Origin", origin)).await;
        assert_eq!(answer.status, 201, "{origin}: {}", answer.text());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_page_signs_nobody_in() {
    let server = public_server().await;
    server.person("ana").await;
    let body = serde_json::json!({"login": "ana", "password": PASSWORD}).to_string();
    for origin in FOREIGN {
        let login = Request::new("POST", "/api/v1/auth/login").header("Host", "chat.example.org");
        let answer = server.send(login.header("Origin", origin).json(&body)).await;
        assert_eq!(answer.status, 403, "A12 {origin}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_page_opens_no_socket() {
    let server = public_server().await;
    let ana = server.person("ana").await;
    let by_cookie = || {
        let request = bare_handshake().header("Host", "chat.example.org");
        request.header("Cookie", &ana.cookie)
    };
    for origin in FOREIGN {
        for request in [by_cookie(), handshake(&ana.token).header("Host", "chat.example.org")] {
            let refused =
                RawSocket::open(server.address(), &request.header("Origin", origin)).await;
            assert_eq!(refused.err().map(|answer| answer.status), Some(403), "W2 {origin}");
        }
    }
    for origin in ["https://chat.example.org", "https://friend.example"] {
        let request = by_cookie().header("Origin", origin);
        let mut socket = RawSocket::open(server.address(), &request).await.ok();
        let hello = socket.as_mut().expect("an upgrade").next().await;
        assert!(hello.is_some_and(|frame| frame.payload.starts_with(b"{\"type\":\"hello\"")));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_page_reads_nothing() {
    let server = public_server().await;
    let ana = server.person("ana").await;
    let me = |origin: &str| {
        let request = Request::new("GET", "/api/v1/me").header("Host", "chat.example.org");
        request.header("Cookie", &ana.cookie).header("Origin", origin)
    };
    for origin in FOREIGN {
        let answer = server.send(me(origin)).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        let ask = Request::new("OPTIONS", "/api/v1/rooms").header("Origin", origin);
        let answer = server.send(ask.header("Access-Control-Request-Method", "POST")).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
    let friend = server.send(me("https://friend.example")).await;
    assert_eq!(friend.header("access-control-allow-origin"), Some("https://friend.example"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cookie_is_for_this_host_and_no_script() {
    for (url, secure) in [("https://chat.example.org", true), ("http://127.0.0.1:8000", false)] {
        let server = TestServer::builder().set("public_url", url).start().await;
        server.person("ana").await;
        let body = serde_json::json!({"login": "ana", "password": PASSWORD}).to_string();
        let answer = server.send(Request::new("POST", "/api/v1/auth/login").json(&body)).await;
        let cookie = answer.header("set-cookie").unwrap_or_default();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite="), "{cookie}");
        assert!(cookie.contains("Path=/") && !cookie.contains("Domain"), "{cookie}");
        assert_eq!(cookie.contains("Secure"), secure, "{cookie}");
        assert_eq!(cookie.starts_with("__Host-"), secure, "{cookie}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_tells_browsers_to_be_careful() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let contract = server.contract().await;
    let mut requests = vec![
        Request::new("GET", "/"),
        Request::new("GET", "/app/"),
        Request::new("GET", "/app/assets/none.js"),
        Request::new("GET", "/docs"),
        Request::new("GET", "/health"),
        Request::new("GET", "/openapi.json"),
        Request::new("GET", "/nowhere"),
        Request::new("GET", "/%ff"),
        Request::new("POST", "/api/v1/rooms").bearer(&ana.token).json("{"),
    ];
    let id = parlor_testkit::person::fresh_id();
    for (method, path) in contract.routes() {
        if path.ends_with("/events") && path.starts_with("/api/v1/events") {
            continue; // The stream, whose head is checked where it is read.
        }
        let path = path.replace("{id}", &id).replace("{user}", &id);
        requests.push(Request::new(&method, &path));
    }
    for request in requests {
        let answer = server.send(request.clone()).await;
        check_headers(&request, &answer);
    }
    server.stop().await;
}

fn check_headers(request: &Request, answer: &Answer) {
    let what = format!("{} {}: {}", request.method(), request.path(), answer.status);
    let policy = answer.header("content-security-policy").unwrap_or_default();
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    // The page compiles the program that encrypts, which is no script.
    let others = policy.replace("'wasm-unsafe-eval'", "");
    assert!(!others.contains("unsafe"), "{what}: {policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}: {name}");
    }
    let kept = answer.header("cache-control").unwrap_or_default();
    let secret = request.path().starts_with("/api/");
    assert!(!secret || kept == "no-store", "{what}: {kept}");
    assert_eq!(answer.header("server"), None, "{what}: says what it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tokens_bearer_is_no_browser_that_was_talked_into_it() {
    let server = public_server().await;
    let ana: Person = server.person("ana").await;
    let request = ana.request("POST", "/rooms").header("Origin", "https://evil.example");
    assert_eq!(ana.send(request.json("{\"name\":\"Garden\"}")).await.status, 201);
    server.stop().await;
}
