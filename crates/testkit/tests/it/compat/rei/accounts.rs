//! Registering, proving an address, signing in, and new tokens for old.

use std::sync::Arc;
use std::time::Duration;

use parlor_testkit::{TestServer, VirtualClock};
use serde_json::{Value, json};

use super::super::chat::send;
use super::super::post::PostOffice;
use super::{SECRET, Somebody, ask, asked, message, ok, read};

const EMAIL: &str = "user@example.com";

fn registering() -> Value {
    json!({"email": EMAIL, "password": SECRET, "username": "JohnDoe"})
}

/// Row: POST /register → 201 `{"message":"ok"}` (the README's example)
/// Row: POST /verify → 200 `{"message":"ok"}` with the mailed code (the README's example), also
/// where nothing has to be proved
/// Row: POST /verify → 404 "Verification not found", also after success
/// Row: POST /login → 200 with tokens and user_id (the README's example)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readmes_way_from_registering_to_signing_in_works() {
    let server = TestServer::start().await;
    assert_eq!(ask(&server, "POST", "/register", registering()).await, (201, ok()));
    let code = server.letters().code(EMAIL, 1).await;
    assert_eq!(code.len(), 6);
    let proof = json!({"email": EMAIL, "code": code});
    assert_eq!(ask(&server, "POST", "/verify", proof.clone()).await, (200, ok()));
    let again = ask(&server, "POST", "/verify", proof).await;
    assert_eq!(again, (404, message("Verification not found")));
    let login = json!({"email": EMAIL, "password": SECRET});
    let (status, mut said) = ask(&server, "POST", "/login", login).await;
    let refresh = said["tokens"]["refresh_token"].take();
    assert_eq!(refresh.as_str().unwrap().len(), 171);
    let access = said["tokens"]["access_token"].take();
    assert_eq!(access.as_str().unwrap().split('.').count(), 3);
    let id = said["user_id"].take();
    assert!(uuid::Uuid::parse_str(id.as_str().unwrap()).is_ok());
    let tokens = json!({"type": "Bearer", "access_token": null, "refresh_token": null});
    let expected = json!({"message": "ok", "tokens": tokens, "user_id": null});
    assert_eq!((status, said), (200, expected));
    server.stop().await;
}

/// Row: POST /register → 400 "Invalid email", "Password must be between 8 and 32 characters",
/// "Username must be between 3 and 32 characters", "Username must be alphanumeric", in this order
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_an_account_is_said_in_the_systems_own_order() {
    let server = TestServer::start().await;
    let (long, longest) = ("x".repeat(33), "ä".repeat(32));
    let table = [
        ("", "", "", "Invalid email"),
        ("user@localhost", "short", "a b", "Invalid email"),
        ("us er@example.com", SECRET, "JohnDoe", "Invalid email"),
        (EMAIL, "1234567", "a", "Password must be between 8 and 32 characters"),
        (EMAIL, &long, "a", "Password must be between 8 and 32 characters"),
        (EMAIL, SECRET, "a!", "Username must be between 3 and 32 characters"),
        (EMAIL, SECRET, &long, "Username must be between 3 and 32 characters"),
        (EMAIL, SECRET, "John Doe", "Username must be alphanumeric"),
        (EMAIL, SECRET, "John_Doe", "Username must be alphanumeric"),
    ];
    for (email, password, name, text) in table {
        let body = json!({"email": email, "password": password, "username": name});
        let said = ask(&server, "POST", "/register", body).await;
        assert_eq!(said, (400, message(text)), "{email} {password} {name}");
    }
    let body = json!({"email": EMAIL, "password": longest, "username": longest});
    assert_eq!(ask(&server, "POST", "/register", body).await, (201, ok()));
    server.stop().await;
}

/// Row: POST /register → 409 "User already exists" for an address that has an account
/// Row: §8: where accounts are usable at once, registering an address again does not take it over
/// Row: usernames are not unique
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_one_account_and_a_name_may_have_many() {
    let server = TestServer::start().await;
    assert_eq!(ask(&server, "POST", "/register", registering()).await, (201, ok()));
    let taken =
        json!({"email": "USER@example.com", "password": "otherpassword", "username": "Eve"});
    let said = ask(&server, "POST", "/register", taken).await;
    assert_eq!(said, (409, message("User already exists")));
    let _still = Somebody::sign_in(&server, EMAIL).await;
    let twin = json!({"email": "twin@example.com", "password": SECRET, "username": "JohnDoe"});
    assert_eq!(ask(&server, "POST", "/register", twin).await, (201, ok()));
    server.stop().await;
}

/// Row: POST /register → 422 for absent and mistyped values, in FastAPI's form
/// Row: 422 for a body that is missing, no JSON or no object
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_the_wrong_form_is_answered_as_fastapi_does() {
    let server = TestServer::start().await;
    let given = json!({"email": 5, "password": SECRET});
    let faults = json!({"detail": [
        {"type": "string_type", "loc": ["body", "email"], "msg": "Input should be a valid string",
         "input": 5},
        {"type": "missing", "loc": ["body", "username"], "msg": "Field required", "input": given},
    ]});
    assert_eq!(ask(&server, "POST", "/register", given).await, (422, faults));
    let empty = read(&send(&server, asked("POST", "/login", None, None)).await);
    let fault = json!({"type": "missing", "loc": ["body"], "msg": "Field required", "input": null});
    assert_eq!(empty, (422, json!({"detail": [fault]})));
    let (status, list) = ask(&server, "POST", "/verify", json!([1])).await;
    assert_eq!((status, &list["detail"][0]["type"]), (422, &json!("model_attributes_type")));
    let broken = asked("POST", "/login", None, None).json("{\"email\": ");
    let (status, said) = read(&send(&server, broken).await);
    assert_eq!((status, &said["detail"][0]["type"]), (422, &json!("json_invalid")));
    server.stop().await;
}

/// Row: POST /register → a pending record only, where addresses are proved; registering again is
/// 201 and replaces code and data
/// Row: POST /verify → 400 "Invalid verification code", "Invalid email"
/// Row: POST /login → 400 "Invalid password" for an account that is not verified (§8: one answer)
/// Row: POST /register → 409 for a verified address
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_proved_before_it_opens_anything() {
    let office = PostOffice::open().await;
    let server = TestServer::builder().set("smtp_url", &office.url()).start().await;
    assert_eq!(ask(&server, "POST", "/register", registering()).await, (201, ok()));
    let first = office.code(EMAIL, 1).await;
    let login = json!({"email": EMAIL, "password": SECRET});
    let early = ask(&server, "POST", "/login", login.clone()).await;
    assert_eq!(early, (400, message("Invalid password")));
    let second = json!({"email": EMAIL, "password": "otherpassword", "username": "Other"});
    assert_eq!(ask(&server, "POST", "/register", second).await, (201, ok()));
    let code = office.code(EMAIL, 2).await;
    if first != code {
        let old = json!({"email": EMAIL, "code": first});
        let said = ask(&server, "POST", "/verify", old).await;
        assert_eq!(said, (400, message("Invalid verification code")));
    }
    let bad = ask(&server, "POST", "/verify", json!({"email": "user", "code": code})).await;
    assert_eq!(bad, (400, message("Invalid email")));
    let proof = json!({"email": EMAIL, "code": code});
    assert_eq!(ask(&server, "POST", "/verify", proof).await, (200, ok()));
    let replaced = ask(&server, "POST", "/login", login).await;
    assert_eq!(replaced, (400, message("Invalid password")));
    let login = json!({"email": EMAIL, "password": "otherpassword"});
    assert_eq!(ask(&server, "POST", "/login", login).await.0, 200);
    let again = ask(&server, "POST", "/register", registering()).await;
    assert_eq!(again, (409, message("User already exists")));
    server.stop().await;
}

/// Row: POST /verify → 400 "Verification code expired" after 10 minutes
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_good_for_ten_minutes() {
    let clock = Arc::new(VirtualClock::new());
    let server = TestServer::builder().clock(clock.clone()).start().await;
    assert_eq!(ask(&server, "POST", "/register", registering()).await, (201, ok()));
    let code = server.letters().code(EMAIL, 1).await;
    clock.advance(Duration::from_mins(10));
    let late = ask(&server, "POST", "/verify", json!({"email": EMAIL, "code": code})).await;
    assert_eq!(late, (400, message("Verification code expired")));
    server.stop().await;
}

/// Row: POST /login → 400 "Invalid password" (§8: unknown, unverified and wrong are one answer),
/// 400 "Invalid email"
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_does_not_tell_who_has_an_account() {
    let server = TestServer::start().await;
    let ana = Somebody::new(&server, "Ana").await;
    let wrong = "wrongpassword".to_owned();
    for (email, password) in [
        (&*ana.email, &wrong),
        ("nobody@example.org", &wrong),
        (&*ana.email, &String::new()),
        (&*ana.email, &"x".repeat(2_000)),
        ("nobody@example.org", &"x".repeat(2_000)),
    ] {
        let said = ask(&server, "POST", "/login", json!({"email": email, "password": password}));
        assert_eq!(said.await, (400, message("Invalid password")), "{email}");
    }
    let said = ask(&server, "POST", "/login", json!({"email": "Ana", "password": SECRET})).await;
    assert_eq!(said, (400, message("Invalid email")));
    server.stop().await;
}

/// Row: GET /refresh → 200 with a new access token; the refresh token is not rotated
/// Row: GET /refresh → 401 "Refresh token" without one, with a bad one, and with an access token
/// Row: a new login voids the refresh token of an earlier one
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_stays_until_the_next_login() {
    let server = TestServer::start().await;
    let ana = Somebody::new(&server, "Ana").await;
    let refresh = async |token: Option<&str>| {
        read(&send(&server, asked("GET", "/refresh", token, None)).await)
    };
    for _ in 0..2 {
        let (status, mut said) = refresh(Some(&ana.refresh)).await;
        let access = said["tokens"]["access_token"].take();
        let tokens = json!({"type": "Bearer", "access_token": null});
        assert_eq!((status, said), (200, json!({"message": "ok", "tokens": tokens})));
        let renewed = Somebody { access: access.as_str().unwrap().to_owned(), ..copy(&ana) };
        assert_eq!(renewed.get(&server, "/user").await.0, 200);
    }
    for bad in [None, Some(""), Some("nonsense"), Some(&*ana.access)] {
        assert_eq!(refresh(bad).await, (401, message("Refresh token")), "{bad:?}");
    }
    let anew = Somebody::sign_in(&server, &ana.email).await;
    assert_eq!(refresh(Some(&ana.refresh)).await, (401, message("Refresh token")));
    assert_eq!(refresh(Some(&anew.refresh)).await.0, 200);
    // What the earlier login gave for a quarter of an hour stays good for it.
    assert_eq!(ana.get(&server, "/user").await.0, 200);
    server.stop().await;
}

/// Row: access tokens live 15 minutes, refresh tokens 7 days
/// Row: 401 "Access token" for one that is expired
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_end_when_their_time_is_over() {
    let clock = Arc::new(VirtualClock::new());
    let server = TestServer::builder().clock(clock.clone()).start().await;
    let ana = Somebody::new(&server, "Ana").await;
    clock.advance(Duration::from_secs(15 * 60 - 1));
    assert_eq!(ana.get(&server, "/user").await.0, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(ana.get(&server, "/user").await, (401, message("Access token")));
    let refresh = asked("GET", "/refresh", Some(&ana.refresh), None);
    assert_eq!(send(&server, refresh.clone()).await.status, 200);
    clock.advance(Duration::from_hours(7 * 24));
    assert_eq!(read(&send(&server, refresh).await), (401, message("Refresh token")));
    server.stop().await;
}

/// Row: the access token's claims: HS256, `sub` is the user's uuid, `exp` and `iat` 15 minutes
/// apart
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_names_its_owner() {
    let server = TestServer::start().await;
    let ana = Somebody::new(&server, "Ana").await;
    let part = |n: usize| -> Value {
        let text = ana.access.split('.').nth(n).unwrap();
        serde_json::from_slice(&from_base64(text)).unwrap()
    };
    assert_eq!(part(0), json!({"typ": "JWT", "alg": "HS256"}));
    let claims = part(1);
    assert_eq!(claims["sub"], json!(ana.id));
    let lives = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lives, 15 * 60);
    server.stop().await;
}

/// Row: 8b.12: limits per address answer 429 with `Retry-After` of at most 5 s
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_is_slowed_down() {
    let server =
        TestServer::builder().alone().limits_on().limit("login_tries_per_min", 12).start().await;
    let mut statuses = Vec::new();
    for _ in 0..14 {
        let body = json!({"email": EMAIL, "password": "wrongpassword"});
        let answer = send(&server, asked("POST", "/login", None, Some(body))).await;
        if answer.status == 429 {
            let after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=5).contains(&after), "{after}");
            assert_eq!(answer.json(), message("Too many requests"));
        }
        statuses.push(answer.status);
    }
    assert!(statuses.starts_with(&[400; 12]), "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    server.stop().await;
}

fn copy(somebody: &Somebody) -> Somebody {
    Somebody {
        id: somebody.id.clone(),
        email: somebody.email.clone(),
        access: somebody.access.clone(),
        refresh: somebody.refresh.clone(),
    }
}

/// Reads base64 as tokens have it.
fn from_base64(text: &str) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut bits, mut kept) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = letters.iter().position(|known| *known == letter).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        kept += 6;
        if kept >= 8 {
            kept -= 8;
            bytes.push((bits >> kept) as u8);
            bits &= (1 << kept) - 1;
        }
    }
    bytes
}
