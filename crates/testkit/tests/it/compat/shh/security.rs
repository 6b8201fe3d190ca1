//! Whose page asks, and where the façade is found.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use serde_json::json;

use super::{Browser, PASSWORD, account, assert_answer, server};
use crate::compat::chat::{Chat, send};

/// Row: 8b.10: a request with the cookies and a foreign Origin, also `null`, is refused on every
/// route; without Origin it is accepted
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_page_cannot_use_the_cookies() {
    let server =
        TestServer::builder().set("allowed_origins", "http://localhost:5173").start().await;
    let mut ana = Browser::of(&server, "ana").await;
    let room = ana.room("general").await;
    let foreign = json!({"detail": "CSRF Failed: Origin checking failed."});
    let routes = [
        ("POST", "/register/".to_owned()),
        ("POST", "/login/".to_owned()),
        ("POST", "/refresh/".to_owned()),
        ("POST", "/logout/".to_owned()),
        ("GET", "/api/users/".to_owned()),
        ("GET", "/rooms/".to_owned()),
        ("POST", "/rooms/create/".to_owned()),
        ("POST", "/room/join/".to_owned()),
        ("DELETE", format!("/room/delete/{room}/")),
    ];
    for origin in ["https://evil.example", "null", "http://localhost:5174"] {
        for (method, path) in &routes {
            let request = ana.request(method, path).header("Origin", origin).bearer(ana.token());
            let refused = send(&server, request).await;
            assert_answer(&refused, 403, foreign.clone());
            assert_eq!(refused.header("set-cookie"), None);
            assert_eq!(refused.header("access-control-allow-origin"), None);
        }
        let cookie = format!("access_token={}", ana.token());
        let headers = [("Cookie", &*cookie), ("Origin", origin)];
        let refused = Chat::try_open(&server, &format!("/ws/chat/{room}/"), &headers).await;
        assert_eq!(refused.err().unwrap().status, 403);
    }
    for origin in ["http://localhost:5173", "http://localhost"] {
        let request = ana.request("GET", "/rooms/").header("Origin", origin);
        assert_eq!(ana.send(request).await.status, 200, "{origin}");
    }
    assert_eq!(ana.get("/rooms/").await.status, 200);
    assert_eq!(ana.post("/refresh/", json!({})).await.status, 200);
    server.stop().await;
}

/// Row: 8b.10: no cookie is set for a foreign page
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sites_page_cannot_sign_a_browser_in() {
    let (server, _) = server().await;
    let ana = Browser::of(&server, "ana").await;
    let form = "email=ana%40example.org&password=correct+horse+battery";
    let login = |origin: &str| {
        let kind = "application/x-www-form-urlencoded";
        let request = Request::new("POST", "/login/").header("Origin", origin);
        send(&server, request.body(kind, form))
    };
    let refused = login("https://evil.example").await;
    assert_eq!((refused.status, refused.header("set-cookie")), (403, None));
    assert_eq!(login("http://localhost").await.status, 200);
    let by_token = Request::new("GET", "/rooms/").bearer(ana.token());
    let by_token = by_token.header("Origin", "https://evil.example");
    assert_eq!(send(&server, by_token).await.status, 200, "a page that has a token may use it");
    server.stop().await;
}

/// Row: the cookies are Secure where the public URL is https
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_the_cookies_go_nowhere_else() {
    let server = TestServer::builder().set("public_url", "https://chat.example").start().await;
    let mut ana = Browser::new(&server);
    ana.post("/register/", account("ana")).await;
    let login = json!({"email": "ana@example.org", "password": PASSWORD});
    let given = ana.post("/login/", login).await;
    let cookies = given.headers.iter().filter(|(name, _)| name == "set-cookie");
    let cookies: Vec<_> = cookies.map(|(_, cookie)| cookie).collect();
    assert_eq!(cookies.len(), 2);
    assert!(cookies.iter().all(|cookie| cookie.ends_with("; SameSite=Lax; Secure")));
    server.stop().await;
}

/// Row: 8b.3: another system's access token as Bearer or `?token=`; the cookie goes before
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_access_token_works_as_bearer_but_a_cookie_goes_before() {
    let (server, _) = server().await;
    let dora = server.person("dora").await;
    let get = |path: &str| Request::new("GET", path);
    for request in [
        get("/rooms/").bearer(&dora.token),
        get(&format!("/rooms/?token={}", dora.token)),
        get("/api/users/").bearer(&dora.token),
    ] {
        assert_eq!(send(&server, request).await.status, 200);
    }
    let both = get("/rooms/").bearer(&dora.token).header("Cookie", "access_token=x");
    assert_answer(&send(&server, both).await, 401, json!({"detail": "Invalid token"}));
    let ours = get("/rooms/").header("Cookie", &dora.cookie);
    assert_eq!(send(&server, ours).await.status, 401, "our own cookie is for our own doors");
    server.stop().await;
}

/// Row: a GET without the slash → 301 to the path with it
/// Row: a façade path never answers HTML, whatever is accepted
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_ends_in_a_slash_and_no_answer_is_a_page() {
    let (server, _) = server().await;
    let ask = |method: &str, path: &str| {
        send(&server, Request::new(method, path).header("Accept", "text/html"))
    };
    for (path, place) in [
        ("/rooms", "http://localhost/rooms/"),
        ("/api/users?a=b", "http://localhost/api/users/?a=b"),
        ("/compat/shh/rooms", "http://localhost/compat/shh/rooms/"),
        ("/compat/shh/login", "http://localhost/compat/shh/login/"),
        ("/compat/shh/room/delete/x", "http://localhost/compat/shh/room/delete/x/"),
    ] {
        let moved = ask("GET", path).await;
        assert_eq!((moved.status, moved.header("location")), (301, Some(place)), "{path}");
        assert!(moved.body.is_empty());
    }
    let none = json!({"detail": "Not found."});
    for (method, path) in [
        ("POST", "/rooms/create"),
        ("POST", "/compat/shh/login"),
        ("GET", "/compat/shh/messages/general/"),
        ("GET", "/compat/shh/"),
        ("GET", "/ws/chat/x/"),
    ] {
        assert_answer(&ask(method, path).await, 404, none.clone());
    }
    let wrong = ask("PUT", "/rooms/").await;
    assert_answer(&wrong, 405, json!({"detail": "Method \"PUT\" not allowed."}));
    assert_eq!(wrong.header("allow"), Some("GET,HEAD"));
    assert_eq!(ask("GET", "/rooms/").await.header("content-type"), Some("application/json"));
    server.stop().await;
}

/// Row: section 6: without a dialect, below /compat/shh/, and by X-Chat-Dialect
/// Row: PARLOR_COMPAT: the façade can be switched off
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_facade_is_found_by_its_paths_by_a_prefix_and_by_a_header() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let room = ana.room("general").await;
    for (base, header) in [("", None), ("/compat/shh", None), ("", Some("shh"))] {
        let headers = header.map(|name: &str| ("X-Chat-Dialect", name.to_owned()));
        let mut browser =
            Browser { base, headers: headers.into_iter().collect(), ..Browser::new(&server) };
        let login = json!({"email": "ana@example.org", "password": PASSWORD});
        assert_eq!(browser.post("/login/", login).await.status, 200);
        assert_eq!(browser.get("/rooms/").await.json()["count"], 2);
        assert_eq!(browser.chat(&room).await.1["type"], "message_history");
    }
    server.stop().await;
    let server = TestServer::builder().set("compat", "rei,groups").start().await;
    let off = send(&server, Request::new("GET", "/rooms/")).await;
    assert_eq!((off.status, &*off.code()), (404, "not_found"), "{}", off.text());
    let off = send(&server, Request::new("POST", "/compat/shh/login/")).await;
    assert_eq!(off.status, 404);
    server.stop().await;
}

/// Row: 8b.9: a deleted account's tokens and cookies open nothing
/// Row: 8b.7: deleting an account closes its sockets with a code other than 4000, 4001 and 4002
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_account_is_out_of_everything() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let room = ana.room("general").await;
    let (mut chat, _) = ana.chat(&room).await;
    // This system cannot delete an account; Chat Room API can.
    let delete = Request::new("DELETE", "/users/me").bearer(ana.token());
    assert_eq!(send(&server, delete).await.status, 200);
    let (code, reason) = chat.closed().await;
    assert!(matches!(code, 4003 | 4010), "{code} {reason}");
    assert_answer(&ana.get("/rooms/").await, 401, json!({"detail": "Invalid token"}));
    let refused = ana.post("/refresh/", json!({})).await;
    assert_answer(&refused, 401, json!({"detail": "Invalid refresh token"}));
    assert_eq!(ana.socket(&room).await.closed().await.0, 4002);
    let login = json!({"email": "ana@example.org", "password": PASSWORD});
    assert_eq!(ana.post("/login/", login).await.status, 400);
    server.stop().await;
}
