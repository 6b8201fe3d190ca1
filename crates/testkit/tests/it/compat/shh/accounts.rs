//! Coming in, staying in, going.

use std::time::Duration;

use parlor_testkit::TestServer;
use parlor_testkit::http::{Request, Wire};
use serde_json::json;

use super::{Browser, PASSWORD, account, assert_answer, server};
use crate::compat::chat::send;

/// Row: POST /register/ (README) → 201 with the user
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_made_and_can_be_used_at_once() {
    let (server, _) = server().await;
    let mut ana = Browser::new(&server);
    let made = ana.post("/register/", account("ana")).await;
    let id = made.json()["user"]["id"].as_i64().unwrap();
    let user = json!({"id": id, "email": "ana@example.org", "username": "ana"});
    assert_answer(&made, 201, json!({"user": user, "message": "Registration successful"}));
    assert!(ana.cookies.is_empty(), "signing in is another step");
    let login = json!({"email": "ana@example.org", "password": PASSWORD});
    assert_eq!(ana.post("/login/", login).await.status, 200);
    let any = "Ana  Böll, 3rd floor!";
    let asked = json!({"username": any, "email": "x@example.org", "password": PASSWORD});
    assert_eq!(ana.post("/register/", asked).await.json()["user"]["username"], any);
    let asked = json!({"username": any, "password": PASSWORD});
    assert_eq!(ana.post("/login/", asked).await.json()["user"]["username"], any);
    server.stop().await;
}

/// Row: POST /register/ without username (its own client) → 201, named by first and last name or
/// by the address
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_no_username_is_called_by_their_names_or_their_address() {
    let (server, _) = server().await;
    let mut browser = Browser::new(&server);
    let tries = [
        (json!({"first_name": "Ana", "last_name": "Bo"}), "a@example.org", "Ana Bo"),
        (json!({"first_name": "Ana", "last_name": "Bo"}), "b@example.org", "Ana Bo"),
        (json!({"first_name": " ", "last_name": "Cyn"}), "c@example.org", "Cyn"),
        (json!({"first_name": "", "last_name": ""}), "dora.d@example.org", "dora.d"),
        (json!({}), "eve@example.org", "eve"),
    ];
    for (mut asked, email, name) in tries {
        asked["email"] = json!(email);
        asked["password"] = json!(PASSWORD);
        let made = browser.post("/register/", asked).await;
        assert_eq!((made.status, &made.json()["user"]["username"]), (201, &json!(name)));
        let login = json!({"email": email, "password": PASSWORD});
        assert_eq!(browser.post("/login/", login).await.json()["user"]["email"], email);
    }
    server.stop().await;
}

/// Row: POST /register/ → 400 "This field is required."
/// Row: POST /register/ → 400 "Enter a valid email address."
/// Row: POST /register/ → 400 "user with this email already exists."
/// Row: POST /register/ → 400 "user with this username already exists."
/// Row: POST /register/ → 400 "This password is too short. It must contain at least 8 characters."
/// Row: POST /register/ → 400 "This password is too common."
/// Row: POST /register/ → 400 "This password is entirely numeric."
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_an_account_is_said_of_each_field() {
    let (server, _) = server().await;
    let mut browser = Browser::of(&server, "ana").await;
    let required = json!(["This field is required."]);
    let short = "This password is too short. It must contain at least 8 characters.";
    let (common, digits) = ("This password is too common.", "This password is entirely numeric.");
    let long = "Ensure this field has no more than 150 characters.";
    let tries = [
        (json!({}), json!({"email": required, "password": required})),
        (
            json!({"username": "", "email": null, "password": [1]}),
            json!({
                "username": ["This field may not be blank."],
                "email": ["This field may not be null."],
                "password": ["Not a valid string."],
            }),
        ),
        (
            json!({"username": "bo", "email": "bo@", "password": PASSWORD}),
            json!({"email": ["Enter a valid email address."]}),
        ),
        (
            json!({"username": "bo", "email": "bo@home", "password": "short"}),
            json!({"email": ["Enter a valid email address."], "password": [short]}),
        ),
        (
            json!({"username": "bo", "email": "ANA@example.org", "password": PASSWORD}),
            json!({"email": ["user with this email already exists."]}),
        ),
        (
            json!({"username": "Ana", "email": "bo@example.org", "password": PASSWORD}),
            json!({"username": ["user with this username already exists."]}),
        ),
        (
            json!({"username": "x".repeat(151), "email": "bo@example.org", "password": PASSWORD}),
            json!({"username": [long]}),
        ),
    ];
    for (asked, fault) in tries {
        assert_answer(&browser.post("/register/", asked.clone()).await, 400, fault);
    }
    let passwords = [
        ("7654321", json!([short, digits])),
        ("Password123", json!([common])),
        ("12345678", json!([common, digits])),
        ("83726152", json!([digits])),
    ];
    for (password, faults) in passwords {
        let asked = json!({"username": "bo", "email": "bo@example.org", "password": password});
        let refused = browser.post("/register/", asked).await;
        assert_answer(&refused, 400, json!({"password": faults}));
    }
    let most = json!({
        "username": "x".repeat(150), "email": "bo@example.org", "password": PASSWORD,
    });
    assert_eq!(browser.post("/register/", most).await.status, 201);
    server.stop().await;
}

/// Row: any body that is no JSON → 400 {"detail": "JSON parse error - …"}
/// Row: JSON, form and multipart bodies are accepted
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_may_be_json_or_a_form_of_either_kind() {
    let server = TestServer::start().await;
    let post = |kind: &str, body: &str| {
        send(&server, Request::new("POST", "/register/").body(kind, body.as_bytes()))
    };
    for bad in ["{", "{\"a\":1,\"a\":2}", "nonsense"] {
        let refused = post("application/json", bad).await;
        let said = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(refused.status == 400 && said.starts_with("JSON parse error - "), "{said}");
    }
    let list = post("application/json", "[]").await;
    let text = "Invalid data. Expected a dictionary, but got list.";
    assert_answer(&list, 400, json!({"non_field_errors": [text]}));
    let form = "username=bo&email=bo%40example.org&password=correct+horse+battery";
    assert_eq!(post("application/x-www-form-urlencoded", form).await.status, 201);
    let part = |name: &str, value: &str| {
        format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = [part("username", "cyn"), part("email", "c@x.org"), part("password", PASSWORD)];
    let kind = "multipart/form-data; boundary=cut";
    let made = post(kind, &format!("{}--cut--\r\n", parts.concat())).await;
    assert_eq!(made.json()["user"]["username"], "cyn", "{}", made.text());
    assert_eq!(post(kind, &parts.concat()).await.status, 400);
    let whole = format!("{{\"username\":\"{}\"}}", "x".repeat(64 * 1024));
    let refused = post("application/json", &whole).await;
    assert_eq!((refused.status, &*refused.code()), (413, "too_long"), "{}", refused.text());
    let text = "Unsupported media type \"text/plain\" in request.";
    assert_answer(&post("text/plain", form).await, 415, json!({"detail": text}));
    server.stop().await;
}

/// Row U5 of the abuse catalogue, on the one path that reads forms in parts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_in_parts_that_is_broken_or_too_much_is_refused() {
    let server = TestServer::builder().limit("body_ms_max", 500).start().await;
    let kind = "multipart/form-data; boundary=cut";
    let post = |kind: &str, body: &[u8]| Request::new("POST", "/register/").body(kind, body);
    let part = b"--cut\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    let whole = |parts: usize| [&part.repeat(parts)[..], b"--cut--\r\n"].concat();
    let long = [&b"--cut\r\nX: "[..], &vec![b'x'; 1 << 20], b"\r\n\r\n1\r\n--cut--\r\n"].concat();
    for (what, kind, body, status) in [
        ("no boundary", "multipart/form-data", whole(1), 400),
        ("an empty boundary", "multipart/form-data; boundary=", whole(1), 400),
        ("another boundary", "multipart/form-data; boundary=x", whole(1), 400),
        ("a thousand parts", kind, whole(1_000), 400),
        ("ten thousand parts", kind, whole(10_000), 413),
        ("a long head", kind, long, 413),
    ] {
        assert_eq!(send(&server, post(kind, &body)).await.status, status, "{what}");
    }
    let said = post(kind, &whole(1)).bytes();
    let said = String::from_utf8(said).unwrap();
    let length = format!("Content-Length: {}", whole(1).len());
    assert!(said.contains(&length), "{said}");
    for (lie, status) in [("Content-Length: 20", 400), ("Content-Length: 900", 408)] {
        let mut wire = Wire::open(server.address()).await;
        let answer = wire.exchange(said.replace(&length, lie).as_bytes()).await.unwrap();
        assert_eq!(answer.status, status, "{lie}, which is none of it");
    }
    server.stop().await;
}

/// Row: POST /login/ {email, password} → 200 with the user, and both cookies
/// Row: POST /login/ (README) {username, password} → 200
/// Row: POST /login/ (README) → `token` in the body
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_gives_two_cookies_and_a_token() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    ana.cookies.insert("access_token".to_owned(), "stale".to_owned());
    let (password, email) = (PASSWORD, "ana@example.org");
    for login in [
        json!({"email": email, "password": password}),
        json!({"username": "ana", "password": password}),
        json!({"username": email, "password": password}),
        json!({"email": "Ana", "password": password}),
    ] {
        let given = ana.post("/login/", login).await;
        let token = ana.token().to_owned();
        let user = json!({"id": given.json()["user"]["id"], "email": email, "username": "ana"});
        let said = json!({"user": user, "message": "Login successful", "token": token});
        assert_answer(&given, 200, said);
        assert!(given.json()["user"]["id"].is_i64());
        let cookies = given.headers.iter().filter(|(name, _)| name == "set-cookie");
        let ends = cookies.map(|(_, cookie)| cookie.split_once("; ").unwrap().1);
        let (short, long) = ("Path=/; Max-Age=900", "Path=/; Max-Age=604800");
        let rest = "; HttpOnly; SameSite=Lax";
        assert_eq!(ends.collect::<Vec<_>>(), [format!("{short}{rest}"), format!("{long}{rest}")]);
    }
    server.stop().await;
}

/// Row: POST /login/ → 400 "Invalid email or password"
/// Row: POST /login/ without email → 400 {"email": ["This field is required."]}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_an_unknown_address_look_alike() {
    let (server, _) = server().await;
    let mut browser = Browser::of(&server, "ana").await;
    let wrong = json!({"non_field_errors": ["Invalid email or password"]});
    for (email, password) in [("ana@example.org", "wrong horse"), ("x@example.org", PASSWORD)] {
        let login = json!({"email": email, "password": password});
        assert_answer(&browser.post("/login/", login).await, 400, wrong.clone());
    }
    let required = json!(["This field is required."]);
    let none = browser.post("/login/", json!({})).await;
    assert_answer(&none, 400, json!({"email": required, "password": required}));
    let half = browser.post("/login/", json!({"password": PASSWORD})).await;
    assert_answer(&half, 400, json!({"email": required}));
    server.stop().await;
}

/// Row: POST /refresh/ → 200, both cookies anew, the old refresh token stays good
/// Row: POST /refresh/ → 400 "No refresh token", 400 "Invalid token type", 401 "Invalid refresh
/// token", 401 "Refresh token expired"
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_buys_new_cookies_as_long_as_it_is_good() {
    let (server, clock) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let (first, access) = (ana.cookies["refresh_token"].clone(), ana.token().to_owned());
    clock.advance(Duration::from_hours(1));
    let login = json!({"email": "ana@example.org", "password": PASSWORD});
    let id = Browser::new(&server).post("/login/", login).await.json()["user"]["id"].clone();
    for _ in 0..2 {
        ana.cookies.insert("refresh_token".to_owned(), first.clone());
        let renewed = ana.post("/refresh/", json!({})).await;
        let said = json!({"message": "Token refreshed successfully", "user_id": id});
        assert_answer(&renewed, 200, said);
        assert_ne!(ana.token(), access);
        assert_ne!(ana.cookies["refresh_token"], first);
        assert_eq!(ana.get("/rooms/").await.status, 200);
    }
    let with = async |token: &str| {
        let mut browser = Browser::new(&server);
        browser.cookies.insert("refresh_token".to_owned(), token.to_owned());
        browser.send(browser.request("POST", "/refresh/")).await
    };
    assert_answer(&with("").await, 400, json!({"detail": "No refresh token"}));
    assert_answer(&with(&access).await, 400, json!({"detail": "Invalid token type"}));
    assert_answer(&with("x.y.z").await, 401, json!({"detail": "Invalid refresh token"}));
    clock.advance(Duration::from_hours(7 * 24));
    assert_answer(&with(&first).await, 401, json!({"detail": "Refresh token expired"}));
    server.stop().await;
}

/// Row: POST /logout/ → 200 "Logged out", clears both cookies; works unauthenticated
/// Row: 8b.9: POST /logout/ revokes the refresh token
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_ends_the_login_whichever_token_is_left() {
    let (server, clock) = server().await;
    let out = json!({"message": "Logged out"});
    assert_answer(&Browser::new(&server).post("/logout/", json!({})).await, 200, out.clone());
    for (name, wait_min) in [("ana", 0), ("bo", 20)] {
        let mut browser = Browser::of(&server, name).await;
        let kept = browser.cookies.clone();
        clock.advance(Duration::from_mins(wait_min));
        let answer = browser.post("/logout/", json!({})).await;
        assert_answer(&answer, 200, out.clone());
        assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
        let cleared = answer.header("set-cookie").unwrap();
        assert_eq!(cleared, "access_token=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        browser.cookies = kept;
        assert_eq!(browser.get("/rooms/").await.status, 401);
        let refused = browser.post("/refresh/", json!({})).await;
        assert_answer(&refused, 401, json!({"detail": "Invalid refresh token"}));
    }
    server.stop().await;
}

/// Row: GET /api/users/ → 200, everybody but oneself
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_else_is_listed_with_the_address_that_may_be_seen() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let mut bo = Browser::of(&server, "bo").await;
    let _cyn = Browser::of(&server, "cyn").await;
    let room = ana.room("general").await;
    bo.join(&room).await;
    let listed = ana.get("/api/users/").await;
    let id = |n: usize| listed.json()[n]["id"].clone();
    assert!(id(0).is_i64() && id(0) != id(1));
    let person = |email: &str, n: usize| {
        let id = id(n);
        json!({"email": email, "first_name": "", "last_name": "", "id": id})
    };
    let all = [person("bo@example.org", 0), person("cyn@users.noreply.127.0.0.1", 1)];
    assert_answer(&listed, 200, json!(all));
    server.stop().await;
}

/// Row: no token → 401 (the original: 400, 500, or as if nothing were wrong)
/// Row: bad token → 401 "Invalid token", "Access token expired", "Authentication error: Invalid
/// token type" (the original: 403)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_token_there_is_nothing_but_401() {
    let (server, clock) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let room = ana.room("general").await;
    let refresh = ana.cookies["refresh_token"].clone();
    let access = ana.token().to_owned();
    let routes = [
        ("GET", "/api/users/".to_owned()),
        ("GET", "/rooms/".to_owned()),
        ("POST", "/rooms/create/".to_owned()),
        ("POST", "/room/join/".to_owned()),
        ("DELETE", format!("/room/delete/{room}/")),
    ];
    let none = "Authentication credentials were not provided.";
    let kind = "Authentication error: Invalid token type";
    let tries = [
        ("", none, 0),
        ("x.y.z", "Invalid token", 0),
        (&*refresh, kind, 0),
        (&*access, "Access token expired", 15),
    ];
    for (token, detail, wait_min) in tries {
        clock.advance(Duration::from_mins(wait_min));
        for (method, path) in &routes {
            let mut browser = Browser::new(&server);
            browser.cookies.insert("access_token".to_owned(), token.to_owned());
            let refused = browser.send(browser.request(method, path)).await;
            assert_answer(&refused, 401, json!({"detail": detail}));
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        }
    }
    server.stop().await;
}

/// Row: where passwords are guessed, 429 with Retry-After
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_passwords_is_slowed_down() {
    let server =
        TestServer::builder().alone().limits_on().limit("login_tries_per_min", 2).start().await;
    let mut browser = Browser::new(&server);
    let login = json!({"email": "ana@example.org", "password": PASSWORD});
    for _ in 0..2 {
        assert_eq!(browser.post("/login/", login.clone()).await.status, 400);
    }
    let slowed = browser.post("/login/", login).await;
    let wait = slowed.header("retry-after").unwrap();
    let text = format!("Request was throttled. Expected available in {wait} seconds.");
    assert_answer(&slowed, 429, json!({"detail": text}));
    server.stop().await;
}
