//! People, and what they change about themselves.

use parlor_testkit::TestServer;
use serde_json::json;

use super::super::chat::send;
use super::{SECRET, Somebody, ask, asked, message, ok, read};

/// Row: GET /user → 200 with e-mail, username and always no rooms
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sees_oneself() {
    let server = TestServer::start().await;
    let ana = Somebody::new(&server, "Ana").await;
    let details = json!({"email": "ana@example.org", "username": "Ana"});
    let expected = json!({"message": "ok", "user_details": details, "rooms": []});
    assert_eq!(ana.get(&server, "/user").await, (200, expected));
    server.stop().await;
}

/// Row: GET /user/{user_id} → 200 with e-mail and username; 404 "User not found"
/// Row: §8, 8b.11: the real address is seen by people who share a room other than the lobby;
/// everybody else sees the stable no-reply one
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_seen_and_their_address_by_those_who_know_them() {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    let path = format!("/user/{}", bo.id);
    let seen = |email: &str| {
        let details = json!({"email": email, "username": "Bo1"});
        (200, json!({"message": "ok", "user_details": details}))
    };
    assert_eq!(ana.get(&server, &path).await, seen("Bo1@users.noreply.127.0.0.1"));
    assert_eq!(bo.get(&server, &path).await, seen("bo1@example.org"));
    ana.room(&server, "room1").await;
    bo.join(&server, "room1").await;
    assert_eq!(ana.get(&server, &path).await, seen("bo1@example.org"));
    for nobody in ["/user/0190f5c2-7a1e-7000-8000-000000000001", "/user/12", "/user/somebody"] {
        let said = ana.get(&server, nobody).await;
        assert_eq!(said, (404, message("User not found")), "{nobody}");
    }
    server.stop().await;
}

/// Row: PUT /user/username → 200 (the README's example); 400 "Username must be between 3 and 32
/// characters", "Username must be alphanumeric"
/// Row: REI's username is the display name: the handle stays, and two may have one name
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_is_called_otherwise_from_now_on() {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    for who in [&ana, &bo] {
        let body = json!({"username": "NewUsername"});
        assert_eq!(who.ask(&server, "PUT", "/user/username", body).await, (200, ok()));
        let (_, me) = who.get(&server, "/user").await;
        assert_eq!(me["user_details"]["username"], "NewUsername");
    }
    for (name, text) in [
        ("ab", "Username must be between 3 and 32 characters"),
        ("a b!", "Username must be alphanumeric"),
    ] {
        let said = ana.ask(&server, "PUT", "/user/username", json!({"username": name})).await;
        assert_eq!(said, (400, message(text)));
    }
    let seen = ana.get(&server, &format!("/user/{}", bo.id)).await.1;
    assert_eq!(seen["user_details"]["email"], "Bo1@users.noreply.127.0.0.1");
    server.stop().await;
}

/// Row: PUT /user/password → 200 (the README's example); 400 length, "New password cannot be the
/// same as the old password", "Invalid password", in this order
/// Row: the refresh token survives a password change
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let server = TestServer::start().await;
    let ana = Somebody::new(&server, "Ana").await;
    for (old, new, text) in [
        ("short", "short", "Password must be between 8 and 32 characters"),
        ("wrongpassword", "wrongpassword", "New password cannot be the same as the old password"),
        ("wrongpassword", "newsecurepassword", "Invalid password"),
    ] {
        let body = json!({"password": old, "new_password": new});
        let said = ana.ask(&server, "PUT", "/user/password", body).await;
        assert_eq!(said, (400, message(text)));
    }
    let body = json!({"password": SECRET, "new_password": "newsecurepassword"});
    assert_eq!(ana.ask(&server, "PUT", "/user/password", body).await, (200, ok()));
    let refresh = asked("GET", "/refresh", Some(&ana.refresh), None);
    assert_eq!(send(&server, refresh).await.status, 200);
    let login = |password| json!({"email": ana.email, "password": password});
    let old = ask(&server, "POST", "/login", login(SECRET)).await;
    assert_eq!(old, (400, message("Invalid password")));
    assert_eq!(ask(&server, "POST", "/login", login("newsecurepassword")).await.0, 200);
    server.stop().await;
}

/// Row: 401 "Access token" for a token that is bad, empty or not a bearer's (§8: also for none,
/// which was 422), on every path that needs one
/// Row: 8b.10: the cookies of other façades and of our own web client open nothing here
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_token_nothing_is_told() {
    let server = TestServer::start().await;
    let ana = Somebody::new(&server, "Ana").await;
    ana.room(&server, "room1").await;
    let bo = server.person("bo").await;
    let paths = [
        ("GET", "/user"),
        ("GET", "/user/x"),
        ("PUT", "/user/username"),
        ("PUT", "/user/password"),
        ("GET", "/public"),
        ("GET", "/joined"),
        ("POST", "/room"),
        ("GET", "/room/room1"),
        ("PUT", "/room/room1"),
        ("DELETE", "/room/room1"),
        ("POST", "/room/room1/join"),
        ("POST", "/room/room1/leave"),
        ("POST", "/room/room1/kick/x"),
        ("POST", "/room/room1/ban/x"),
        ("POST", "/room/room1/unban/x"),
    ];
    let refused = (401, message("Access token"));
    for (method, path) in paths {
        let request = asked(method, path, None, None);
        for proof in [
            None,
            Some(("Authorization", String::new())),
            Some(("Authorization", "Bearer nonsense".to_owned())),
            Some(("Authorization", format!("Basic {}", ana.access))),
            Some(("Authorization", format!("Bearer {}", ana.refresh))),
            Some(("Cookie", format!("access_token={}", ana.access))),
            Some(("Cookie", bo.cookie.clone())),
        ] {
            let request = match &proof {
                Some((name, value)) => request.clone().header(name, value),
                None => request.clone(),
            };
            let said = read(&send(&server, request).await);
            assert_eq!(said, refused, "{method} {path} {proof:?}");
        }
    }
    server.stop().await;
}
