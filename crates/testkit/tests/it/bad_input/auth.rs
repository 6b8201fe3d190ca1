//! Rows A1 to A11: guessing, forging, reusing, and coming back after one was sent away.

use std::sync::Arc;
use std::time::Duration;

use parlor_testkit::clock::Stopwatch;
use parlor_testkit::http::{Answer, Request};
use parlor_testkit::person::{self, PASSWORD};
use parlor_testkit::socket::Socket;
use parlor_testkit::watch::Watch;
use parlor_testkit::{Person, TestServer, VirtualClock};
use parlor_wire::command::Codec;
use parlor_wire::v1;

use super::{Row, row, try_all};

fn post(path: &str, json: &str) -> Request {
    Request::new("POST", &format!("/api/v1/auth/{path}")).json(json)
}

fn login(name: &str, password: &str) -> Request {
    post("login", &serde_json::json!({"login": name, "password": password}).to_string())
}

fn register(body: &serde_json::Value) -> Request {
    post("register", &body.to_string())
}

/// An answer without what is different in every answer.
fn anonymous(answer: &Answer) -> String {
    let mut json = answer.json();
    json["error"]["request_id"] = "".into();
    let named = |name: &&(String, String)| !matches!(&*name.0, "x-request-id" | "date");
    let headers: Vec<_> = answer.headers.iter().filter(named).collect();
    format!("{} {headers:?} {json}", answer.status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_login_and_a_wrong_password_look_alike() {
    // The mail server is never asked: with one, an account is not usable before it is verified.
    let server = TestServer::builder()
        .set("limits", "on")
        .set("smtp_url", "smtp://127.0.0.1:9")
        .limit("login_tries_per_min", 100_000)
        .limit("registrations_per_min", 1_000)
        .start()
        .await;
    let body = serde_json::json!({
        "username": "ana", "password": PASSWORD, "email": "ana@example.org"
    });
    assert_eq!(server.send(register(&body)).await.status, 201);
    let count = std::env::var("PARLOR_LOGINS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let tries = [
        ("unknown", login("nobody", "a wrong password")),
        ("known", login("ana", "a wrong password")),
        ("unverified", login("ana", PASSWORD)),
    ];
    let mut spent = [const { Vec::new() }; 3];
    let mut answers = Vec::new();
    for _ in 0..count / 3 {
        for (kind, (_, request)) in tries.iter().enumerate() {
            let began = Stopwatch::start();
            let answer = request.send(server.address()).await;
            spent[kind].push(began.elapsed());
            assert_eq!(answer.status, 401, "A1 {}: {}", tries[kind].0, answer.text());
            answers.push(anonymous(&answer));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "A1: the answers differ: {answers:#?}");
    let medians = spent.map(|mut all| {
        all.sort();
        all[all.len() / 2]
    });
    let (fast, slow) = (medians.iter().min(), medians.iter().max());
    // Without a hash to check, a login would take a twentieth of the time.
    assert!(slow < fast.map(|fast| *fast * 4).as_ref(), "A1: the times differ: {medians:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slowed_down_and_locks_nobody_out() {
    let server = TestServer::builder()
        .limit("login_tries_per_min", 5)
        .set("trusted_proxies", "127.0.0.1")
        .start()
        .await;
    let ana = server.person("ana").await;
    let from = |request: Request, address: &str| request.header("X-Forwarded-For", address);
    for _ in 0..5 {
        let answer = server.send(from(login("ana", "a wrong password"), "10.0.0.1")).await;
        assert_eq!(answer.status, 401);
    }
    let slowed = server.send(from(login("ana", "a wrong password"), "10.0.0.1")).await;
    assert_eq!((slowed.status, &*slowed.code()), (429, "rate_limited"), "A2");
    let after: Option<u64> = slowed.header("retry-after").and_then(|s| s.parse().ok());
    assert!(after.is_some_and(|seconds| (1..=60).contains(&seconds)), "A2: {slowed:?}");
    let there = server.send(from(login("ana", PASSWORD), "10.0.0.2")).await;
    assert_eq!(there.status, 200, "A2: somebody else's guesses lock ana out");
    let spoofed = from(login("ana", PASSWORD), "10.0.0.3, 10.0.0.1");
    assert_eq!(server.send(spoofed).await.status, 429, "A2: a forged hop is believed");
    for n in 0..5 {
        let answer = server.send(from(login(&format!("x{n}"), "a wrong one"), "10.0.0.4")).await;
        assert_eq!(answer.status, 401);
    }
    let sprayed = server.send(from(login("y", "a wrong one"), "10.0.0.4")).await;
    assert_eq!(sprayed.status, 429, "A2: many accounts from one address");
    for _ in 0..5 {
        assert_eq!(change_password(&ana, "not my password").await.status, 403, "A11");
    }
    assert_eq!(change_password(&ana, "not my password").await.status, 429, "A11");
    server.stop().await;
}

async fn change_password(person: &Person, old: &str) -> Answer {
    let body = serde_json::json!({"old": old, "new": "battery staple horse"}).to_string();
    person.send(person.request("POST", "/me/password").json(&body)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_neither_cut_nor_endless() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let of =
        |password: &str| register(&serde_json::json!({"username": "long", "password": password}));
    let rows = [
        row("A3 1 MiB", &of(&"x".repeat(1024 * 1024)), &[413, 422], ""),
        row("A3 1,025 bytes", &of(&"x".repeat(1025)), &[413, 422], ""),
        row("A3 seven characters", &of("1234567"), &[422], "invalid"),
        row("A3 long at sign-in", &login("bystander", &"x".repeat(1025)), &[401, 413, 422], ""),
    ];
    try_all(&server, &mut watch, &rows).await;
    let prefix = "x".repeat(72);
    assert_eq!(server.send(of(&format!("{prefix}a"))).await.status, 201);
    assert_eq!(server.send(login("long", &format!("{prefix}b"))).await.status, 401, "A3: cut");
    assert_eq!(server.send(login("long", &prefix)).await.status, 401, "A3: cut");
    assert_eq!(server.send(login("long", &format!("{prefix}a"))).await.status, 200);
    let most = serde_json::json!({"username": "most", "password": "é".repeat(512)});
    assert_eq!(server.send(register(&most)).await.status, 201);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_dead_after_five_wrong_tries() {
    let server = TestServer::start().await;
    for (name, tries, status) in [("right", 4, 204), ("dead", 5, 422)] {
        let email = format!("{name}@example.org");
        let body = serde_json::json!({"username": name, "password": PASSWORD, "email": email});
        assert_eq!(server.send(register(&body)).await.status, 201);
        let code = server.letters().code(&email, 1).await;
        let verify = |code: &str| {
            post("verify", &serde_json::json!({"email": email, "code": code}).to_string())
        };
        let wrong = if code == "000000" { "000001" } else { "000000" };
        for _ in 0..tries {
            assert_eq!(server.send(verify(wrong)).await.status, 422);
        }
        assert_eq!(server.send(verify(&code)).await.status, status, "A4 {name}");
        assert_eq!(server.send(verify(&code)).await.status, 422, "A4: a code works twice");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_looks_like_another_is_taken() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    for name in ["Admin", "á"] {
        let body = serde_json::json!({"username": name, "password": PASSWORD});
        assert_eq!(server.send(register(&body)).await.status, 201, "{name}");
    }
    let of = |name: &str| register(&serde_json::json!({"username": name, "password": PASSWORD}));
    let rows = [
        row("A5 small letters", &of("admin"), &[409], "conflict"),
        row("A5 a Cyrillic letter", &of("\u{430}dmin"), &[409], "conflict"),
        row("A5 full width", &of("\u{ff41}dmin"), &[409], "conflict"),
        row("A5 composed otherwise", &of("a\u{301}"), &[409], "conflict"),
        row("A5 blanks around", &of(" admin "), &[409, 422], ""),
        row("A5 turned round", &of("admin\u{202e}"), &[409, 422], ""),
        row("A5 zero width", &of("ad\u{200b}min"), &[409, 422], ""),
        row("A5 nothing", &of(""), &[422], "invalid"),
        row("A5 a line break", &of("ad\nmin"), &[422], "invalid"),
        row("A5 markup", &of("<b>"), &[422], "invalid"),
    ];
    try_all(&server, &mut watch, &rows).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_address_is_one_mailbox() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let long = format!("{}@example.org", "a".repeat(300));
    let mut rows: Vec<Row> = Vec::new();
    for email in [
        "a@b.org\r\nBcc: c@d.org",
        "a@b.org,c@d.org",
        "a@b.org c@d.org",
        "a@b.org\n",
        "a",
        "@b.org",
        "a@",
        "a@b@c",
        "Ana <a@b.org>",
        "a@ex\u{430}mple.org",
        "a\0@b.org",
        "a@-b.org",
        "a@b..org",
        &*long,
    ] {
        let body = serde_json::json!({"username": "mail", "password": PASSWORD, "email": email});
        let shown: String = email.chars().take(30).collect();
        // A line break at the end is trimmed off like any other blank.
        let statuses: &[u16] = if email == "a@b.org\n" { &[201, 422] } else { &[413, 422] };
        rows.push(row(&format!("A6 {shown:?}"), &register(&body), statuses, ""));
        let forgot = post("forgot", &serde_json::json!({"email": email}).to_string());
        let statuses: &[u16] = if email == "a@b.org\n" { &[204, 422] } else { &[413, 422] };
        rows.push(row(&format!("A6 forgot {shown:?}"), &forgot, statuses, ""));
    }
    try_all(&server, &mut watch, &rows).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_goes_to_one_mailbox_and_links_to_this_server() {
    let server = TestServer::builder().set("public_url", "https://chat.example.org").start().await;
    let email = "ana@example.org";
    let body = serde_json::json!({"username": "ana", "password": PASSWORD, "email": email});
    let request = register(&body).header("Host", "evil.example");
    let request = request.header("X-Forwarded-Host", "evil.example");
    assert_eq!(server.send(request).await.status, 201);
    server.letters().code(email, 1).await;
    let letter = server.letters().to(email).concat();
    assert!(letter.contains("https://chat.example.org/app/verify"), "R25: {letter}");
    assert!(!letter.contains("evil.example"), "R25: {letter}");
    let lines = letter.lines().take_while(|line| !line.is_empty());
    let to: Vec<_> = lines.filter(|line| line.to_lowercase().starts_with("to:")).collect();
    assert_eq!(to, ["To: ana@example.org"], "A6");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_ours_or_none() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let parts: Vec<_> = ana.token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("a token has three parts") };
    let forged = |header: &str| format!("{}.{claims}.{signature}", base64(header.as_bytes()));
    let unsigned = format!("{}.{claims}.", base64(br#"{"typ":"JWT","alg":"none"}"#));
    let mut tokens = vec![
        ("A7 no algorithm", unsigned),
        ("A7 no algorithm, signed", forged(r#"{"typ":"JWT","alg":"none"}"#)),
        ("A7 another algorithm", forged(r#"{"typ":"JWT","alg":"RS256"}"#)),
        ("A7 a key id", forged(r#"{"typ":"JWT","alg":"HS256","kid":"../../dev/null"}"#)),
        ("A7 a key's address", forged(r#"{"alg":"HS256","jku":"http://127.0.0.1:9/k"}"#)),
        ("A7 no signature", format!("{header}.{claims}.")),
        ("A7 two parts", format!("{header}.{claims}")),
        ("A7 four parts", format!("{}.x", ana.token)),
        ("A7 nothing", String::new()),
        ("A7 a word", "token".to_owned()),
        ("A7 8 KiB", "a".repeat(8192)),
        ("A8 the refresh token", ana.refresh_token.clone()),
    ];
    for (at, _) in signature.char_indices().step_by(6) {
        let other = if &signature[at..=at] == "A" { "B" } else { "A" };
        let changed = format!("{}{other}{}", &signature[..at], &signature[at + 1..]);
        tokens.push(("A7 another signature", format!("{header}.{claims}.{changed}")));
    }
    let me = |token: &str| Request::new("GET", "/api/v1/me").bearer(token);
    let mut rows: Vec<_> =
        tokens.iter().map(|(id, token)| row(id, &me(token), &[401], "unauthorized")).collect();
    let body = |token: &str| serde_json::json!({"refresh_token": token}).to_string();
    for (id, token) in
        [("A8 the access token", &*ana.token), ("A8 a word", "x"), ("A8 nothing", "")]
    {
        rows.push(row(id, &post("refresh", &body(token)), &[401], "unauthorized"));
    }
    let twice = me(&ana.token).bearer(&ana.token);
    rows.push(row("A7 two tokens", &twice, &[401], "unauthorized"));
    try_all(&server, &mut watch, &rows).await;
    assert_eq!(ana.send(ana.request("GET", "/me")).await.status, 200);
    server.stop().await;
}

/// Base64 for URLs, without padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0_u8; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let number = u32::from_be_bytes(group);
        for digit in 0..=chunk.len() {
            let six = number >> (18 - 6 * digit) & 63;
            text.push(char::from(DIGITS[six as usize]));
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_used_twice_ends_the_login() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let mut socket = Socket::open(&ana, Codec::Json).await;
    let refresh =
        |token: &str| post("refresh", &serde_json::json!({"refresh_token": token}).to_string());
    let first = server.send(refresh(&ana.refresh_token)).await;
    assert_eq!(first.status, 200);
    let next: v1::LoginResult = serde_json::from_slice(&first.body).expect("a login");
    assert_ne!(next.refresh_token, ana.refresh_token);
    assert_eq!(server.send(refresh(&ana.refresh_token)).await.status, 401, "A8: used twice");
    assert_eq!(server.send(refresh(&next.refresh_token)).await.status, 401, "A8: the family");
    let me = Request::new("GET", "/api/v1/me").bearer(&next.access_token);
    assert_eq!(server.send(me).await.status, 401, "A8: the access token");
    assert_eq!(socket.closed().await, 4010, "A8: the socket");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_every_other_login() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let thief = server.device("ana").await;
    let mut stolen = Socket::open(&thief, Codec::Json).await;
    let mut own = Socket::open(&ana, Codec::Json).await;
    assert_eq!(change_password(&ana, PASSWORD).await.status, 204);
    assert_eq!(stolen.closed().await, 4010, "A9");
    assert_eq!(thief.send(thief.request("GET", "/me")).await.status, 401, "A9");
    let body = serde_json::json!({"refresh_token": thief.refresh_token}).to_string();
    assert_eq!(server.send(post("refresh", &body)).await.status, 401, "A9");
    let cookie = Request::new("GET", "/api/v1/me").header("Cookie", &thief.cookie);
    assert_eq!(server.send(cookie).await.status, 401, "A9: the cookie");
    assert!(own.subscribe("", None, &mut Vec::new()).await.is_ok(), "A9: one's own socket");
    assert_eq!(server.send(login("ana", PASSWORD)).await.status, 401);
    assert_eq!(server.send(login("ana", "battery staple horse")).await.status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_is_set_anew_by_mail_and_ends_every_login() {
    let server = TestServer::start().await;
    let email = "ana@example.org";
    let body = serde_json::json!({"username": "ana", "password": PASSWORD, "email": email});
    assert_eq!(server.send(register(&body)).await.status, 201);
    server.letters().code(email, 1).await;
    let ana = server.device("ana").await;
    let mut socket = Socket::open(&ana, Codec::Json).await;
    let forgot = post("forgot", &serde_json::json!({"email": email}).to_string());
    let nobody = post("forgot", r#"{"email":"nobody@example.org"}"#);
    let (known, unknown) = (server.send(forgot).await, server.send(nobody).await);
    assert_eq!((known.status, unknown.status), (204, 204));
    assert_eq!(anonymous(&known), anonymous(&unknown), "A1: forgot tells who is here");
    let code = server.letters().code(email, 2).await;
    let reset = |password: &str| {
        let body = serde_json::json!({"email": email, "code": code, "password": password});
        post("reset", &body.to_string())
    };
    assert_eq!(server.send(reset("short")).await.status, 422);
    assert_eq!(server.send(reset("battery staple horse")).await.status, 204);
    assert_eq!(socket.closed().await, 4010, "A9");
    assert_eq!(ana.send(ana.request("GET", "/me")).await.status, 401);
    assert_eq!(server.send(reset("another long one")).await.status, 422, "a code works twice");
    let address = server.address();
    Person::sign_in(address, email, "battery staple horse", None).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_good_for_its_time_and_not_a_second_more() {
    let clock = Arc::new(VirtualClock::new());
    let server = TestServer::builder().clock(clock.clone()).start().await;
    let ana = server.person("ana").await;
    let me = || ana.send(ana.request("GET", "/me"));
    clock.advance(Duration::from_secs(15 * 60 - 1));
    assert_eq!(me().await.status, 200, "A10: a second before");
    clock.advance(Duration::from_secs(1));
    assert_eq!(me().await.status, 401, "A10: at the end");
    clock.set(parlor_domain::Time(1_767_225_600_000_000 - 3_600_000_000));
    // A clock that was set back finds a token that lives longer than it would make one.
    assert_eq!(me().await.status, 401, "A10: from the future");
    clock.set(parlor_domain::Time(1_767_225_600_000_000));
    let code = {
        let email = "bo@example.org";
        let body = serde_json::json!({"username": "bo", "password": PASSWORD, "email": email});
        assert_eq!(server.send(register(&body)).await.status, 201);
        server.letters().code(email, 1).await
    };
    clock.advance(Duration::from_mins(10));
    let late = serde_json::json!({"email": "bo@example.org", "code": code}).to_string();
    assert_eq!(server.send(post("verify", &late)).await.status, 422, "A4: an old code");
    clock.advance(Duration::from_hours(7 * 24));
    let body = serde_json::json!({"refresh_token": ana.refresh_token}).to_string();
    assert_eq!(server.send(post("refresh", &body)).await.status, 401, "A8: an old login");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_anybody_without_a_proof() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let me = || Request::new("GET", "/api/v1/me");
    let basic = me().header("Authorization", "Basic YW5hOmFuYQ==");
    let query = Request::new("GET", "/api/v1/me?access_token=x");
    let cookie = me().header("Cookie", "parlor_login=AAAA");
    let rows = [
        row("nothing", &me(), &[401], "unauthorized"),
        row("another scheme", &basic, &[401], "unauthorized"),
        row("in the query", &query, &[401], "unauthorized"),
        row("a made-up cookie", &cookie, &[401], "unauthorized"),
    ];
    try_all(&server, &mut watch, &rows).await;
    let id = person::fresh_id();
    let none = Request::new("DELETE", &format!("/api/v1/me/devices/{id}"));
    let answer = server.send(none).await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    server.stop().await;
}
