//! Which system a request speaks to.

use parlor_testkit::http::Request;
use parlor_testkit::{Person, TestServer, http::Answer};
use serde_json::{Value, json};

use super::chat::send;

/// The same sign-in with a wrong password, which every system refuses in its own words.
fn wrong_login() -> Request {
    let body = json!({"email": "nobody@example.org", "password": "a wrong password"});
    Request::new("POST", "/login").json(&body.to_string())
}

fn is_rei(answer: &Answer) -> bool {
    (answer.status, answer.json()) == (400, json!({"message": "Invalid password"}))
}

fn is_mrsambosk(answer: &Answer) -> bool {
    (answer.status, answer.json()) == (401, json!({"detail": "Incorrect email or password"}))
}

/// Row: no choice → an answer for all: 401 with `message`, `detail` and `error`
#[tokio::test]
async fn without_a_choice_both_systems_find_their_words() {
    let server = TestServer::start().await;
    let answer = send(&server, wrong_login()).await;
    let text = "Incorrect email or password";
    let all = json!({"message": text, "detail": text, "error": text});
    assert_eq!((answer.status, answer.json()), (401, all));
    server.stop().await;
}

/// Row: a host name of its own → the strict answers of that system
#[tokio::test]
async fn a_host_name_chooses_a_system() {
    let server = TestServer::builder().set("compat_hosts", "rei.test=rei").start().await;
    let answer = send(&server, wrong_login().header("Host", "REI.test:80")).await;
    assert!(is_rei(&answer), "{}", answer.text());
    let root = Request::new("GET", "/").header("Host", "rei.test").header("Accept", "text/html");
    assert_eq!(send(&server, root).await.json(), json!({"message": "ok"}));
    server.stop().await;
}

/// Row: an address of its own → the strict answers of that system
#[tokio::test]
async fn an_address_chooses_a_system() {
    let listen = "127.0.0.1:0=rei,127.0.0.1:0=mrsambosk";
    let server = TestServer::builder().set("compat_listen", listen).start().await;
    let answer = wrong_login().send(server.address_of("rei")).await;
    assert!(is_rei(&answer), "{}", answer.text());
    let named = wrong_login().header("X-Chat-Dialect", "rei");
    let answer = named.send(server.address_of("mrsambosk")).await;
    assert!(is_mrsambosk(&answer), "the address comes first: {}", answer.text());
    let ours = Request::new("GET", "/api/v1/me").send(server.address_of("rei")).await;
    assert_eq!(ours.status, 401, "our own API is there, too");
    server.stop().await;
}

/// Row: `/compat/<name>/…` → the strict answers of that system
#[tokio::test]
async fn a_prefix_chooses_a_system() {
    let server = TestServer::start().await;
    let body = json!({"email": "nobody@example.org", "password": "a wrong password"});
    for (name, is) in [("rei", is_rei as fn(&Answer) -> bool), ("mrsambosk", is_mrsambosk)] {
        let request = Request::new("POST", &format!("/compat/{name}/login"));
        let answer = send(&server, request.json(&body.to_string())).await;
        assert!(is(&answer), "{name}: {}", answer.text());
    }
    for unknown in ["/compat/nobody/login", "/compat/", "/compat"] {
        let answer = send(&server, Request::new("GET", unknown)).await;
        assert_eq!(answer.status, 404, "{unknown}");
    }
    server.stop().await;
}

/// Row: `X-Chat-Dialect: <name>` → the strict answers of that system
#[tokio::test]
async fn a_header_chooses_a_system() {
    let server = TestServer::start().await;
    let answer = send(&server, wrong_login().header("X-Chat-Dialect", "rei")).await;
    assert!(is_rei(&answer), "{}", answer.text());
    let answer = send(&server, wrong_login().header("X-Chat-Dialect", "mrsambosk")).await;
    assert!(is_mrsambosk(&answer), "{}", answer.text());
    server.stop().await;
}

/// Row: `User-Agent: Rei's Chatroom` → Rei; an `Origin` at `/login` → Mrsambosk
#[tokio::test]
async fn known_clients_are_known_by_what_they_show() {
    let server = TestServer::start().await;
    let answer = send(&server, wrong_login().header("User-Agent", "Rei's Chatroom")).await;
    assert!(is_rei(&answer), "{}", answer.text());
    let own =
        wrong_login().header("Origin", &server.url()).header("Host", &server.address().to_string());
    let answer = send(&server, own).await;
    assert!(is_mrsambosk(&answer), "{}", answer.text());
    server.stop().await;
}

/// Row: the address comes before the prefix, the prefix before the header, the header before hints
#[tokio::test]
async fn the_stronger_choice_stands() {
    let server = TestServer::builder().set("compat_hosts", "rei.test=rei").start().await;
    let by_host = wrong_login().header("Host", "rei.test").header("X-Chat-Dialect", "mrsambosk");
    assert!(is_rei(&send(&server, by_host).await));
    let by_header =
        wrong_login().header("User-Agent", "Rei's Chatroom").header("X-Chat-Dialect", "mrsambosk");
    assert!(is_mrsambosk(&send(&server, by_header).await));
    server.stop().await;
}

/// Row: `GET /` → JSON for clients, the web client for browsers
#[tokio::test]
async fn the_root_has_something_for_everybody() {
    let server = TestServer::start().await;
    let answer = send(&server, Request::new("GET", "/")).await;
    let said = answer.json();
    assert_eq!((answer.status, &said["message"]), (200, &Value::from("ok")));
    assert_eq!(said["endpoints"]["groups"], "/groups");
    let browser = Request::new("GET", "/").header("Accept", "text/html,*/*;q=0.8");
    let answer = send(&server, browser).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/app/")));
    server.stop().await;
}

/// Row: `GET /messages` with a token or a page → Chat Room API, otherwise Mrsambosk
#[tokio::test]
async fn messages_are_listed_for_whoever_asks() {
    let server = TestServer::start().await;
    let ana: Person = server.person("ana").await;
    let by_token = Request::new("GET", "/messages").bearer(&ana.token);
    let listed = send(&server, by_token).await.json();
    assert!(listed["pagination"].is_object() && listed["messages"].is_array(), "{listed}");
    let by_cookie = Request::new("GET", "/messages").header("Cookie", &ana.cookie);
    let listed = send(&server, by_cookie).await.json();
    assert!(listed["data"].is_array(), "{listed}");
    server.stop().await;
}

/// Row: slashes count: `/login` and `/login/`, `/rooms/` and `/rooms` are different paths
#[tokio::test]
async fn a_slash_is_never_added_or_taken_away() {
    let server = TestServer::start().await;
    let body = json!({"email": "nobody@example.org", "password": "a wrong password"}).to_string();
    let shh = send(&server, Request::new("POST", "/login/").json(&body)).await;
    let refused = json!({"non_field_errors": ["Invalid email or password"]});
    assert_eq!((shh.status, shh.json()), (400, refused));
    let rooms = send(&server, Request::new("GET", "/rooms")).await;
    assert_eq!(rooms.status, 301, "{}", rooms.text());
    assert!(rooms.header("location").is_some_and(|to| to.ends_with("/rooms/")));
    let joined = send(&server, Request::new("GET", "/joined/")).await;
    assert_eq!(joined.status, 307, "{}", joined.text());
    assert!(joined.header("location").is_some_and(|to| to.ends_with("/joined")));
    server.stop().await;
}

/// Row: pages of any origin may use Chat Room API, which takes no cookie
#[tokio::test]
async fn chat_room_api_is_open_to_pages_of_every_origin() {
    let server = TestServer::start().await;
    let asks = Request::new("OPTIONS", "/groups")
        .header("Origin", "https://elsewhere.example")
        .header("Access-Control-Request-Method", "POST");
    let answer = send(&server, asks).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let elsewhere = Request::new("OPTIONS", "/joined")
        .header("Origin", "https://elsewhere.example")
        .header("Access-Control-Request-Method", "GET");
    assert_eq!(send(&server, elsewhere).await.header("access-control-allow-origin"), None);
    server.stop().await;
}
