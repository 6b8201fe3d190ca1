//! Two systems at one path, where nothing says which of them is meant: the answers that serve both.

use parlor_testkit::TestServer;
use parlor_testkit::http::{Answer, Request};
use serde_json::{Value, json};

use super::chat::{Chat, send};
use super::post::PostOffice;

const EMAIL: &str = "user@example.com";
const SECRET: &str = "securepassword";

async fn ask(server: &TestServer, path: &str, body: &Value) -> Answer {
    let request = Request::new("POST", path).json(&body.to_string());
    send(server, request).await
}

fn account() -> Value {
    json!({"email": EMAIL, "password": SECRET, "username": "John Doe"})
}

fn login() -> Value {
    json!({"email": EMAIL, "password": SECRET})
}

/// A refusal, with the one text under the names that all clients look for.
fn refusal(text: &str) -> Value {
    json!({"message": text, "detail": text, "error": text})
}

/// Row: §6.1: POST /register → 201 with a `message`, usable at once where nothing has to be proved
/// Row: §6.2: POST /login → 200 with `user`, `user_id` and `tokens`, which serve both systems
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_login_serves_both_systems() {
    let server = TestServer::start().await;
    let made = ask(&server, "/register", &account()).await;
    assert_eq!((made.status, made.json()), (201, json!({"message": "User created successfully"})));
    let answer = ask(&server, "/login", &login()).await;
    let mut said = answer.json();
    let user = said["user"].take().as_i64().unwrap();
    let id = said["user_id"].take();
    let access = said["tokens"]["access_token"].take().as_str().unwrap().to_owned();
    let refresh = said["tokens"]["refresh_token"].take().as_str().unwrap().to_owned();
    let tokens = json!({"type": "Bearer", "access_token": null, "refresh_token": null});
    let expected = json!({"message": "ok", "user": null, "user_id": null, "tokens": tokens});
    assert_eq!((answer.status, said), (200, expected));
    assert!(user > 0);
    let me = Request::new("GET", &format!("/user/{}", id.as_str().unwrap())).bearer(&access);
    let details = json!({"email": EMAIL, "username": "John Doe"});
    let expected = json!({"message": "ok", "user_details": details});
    assert_eq!(send(&server, me).await.json(), expected);
    let renew = Request::new("GET", "/refresh").bearer(&refresh);
    assert_eq!(send(&server, renew).await.status, 200);
    let mut chat = Chat::open(&server, &format!("/ws/chat/lobby?token={access}"), &[]).await;
    assert_eq!(chat.json().await["type"], "initial_state");
    let cookie = answer.header("set-cookie").expect("a browser keeps a cookie");
    assert!(cookie.contains("HttpOnly"), "{cookie}");
    server.stop().await;
}

/// Row: §6.1: POST /register → 409 with the text under `message`, `detail` and `error` for an
/// address that has an account
/// Row: §6.1: POST /register → 400 with the text under all three for values that no system takes
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_account_says_why_in_the_words_of_all() {
    let server = TestServer::start().await;
    assert_eq!(ask(&server, "/register", &account()).await.status, 201);
    let twice = ask(&server, "/register", &account()).await;
    assert_eq!((twice.status, twice.json()), (409, refusal("Email already registered")));
    for (change, text) in [
        (json!({"email": ""}), "Invalid email"),
        (json!({"email": "nobody"}), "Invalid email"),
        (json!({"email": format!("{}@b.org", "a".repeat(300))}), "Invalid email"),
        (json!({"password": "short"}), "Password must be at least 8 characters"),
        (json!({"password": "x".repeat(2_000)}), "password: too long"),
        (json!({"username": " "}), "username: must not be blank"),
        (json!({"username": "x".repeat(151)}), "username is longer than 150"),
    ] {
        let mut body = account();
        body["email"] = json!("other@example.com");
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let said = ask(&server, "/register", &body).await;
        assert_eq!((said.status, said.json()), (400, refusal(text)), "{body}");
    }
    server.stop().await;
}

/// Row: §6.2, 8b.1: POST /login → 401 with the same text under all three names for an unknown
/// address and a wrong password
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_login_does_not_tell_who_has_an_account() {
    let server = TestServer::start().await;
    assert_eq!(ask(&server, "/register", &account()).await.status, 201);
    let expected = refusal("Incorrect email or password");
    for (email, password) in [
        (EMAIL, "wrongpassword"),
        (EMAIL, ""),
        (EMAIL, &*"x".repeat(2_000)),
        ("nobody@example.com", SECRET),
        ("", ""),
        ("not an address", SECRET),
    ] {
        let said = ask(&server, "/login", &json!({"email": email, "password": password})).await;
        assert_eq!((said.status, said.json()), (401, expected.clone()), "{email}");
        assert_eq!(said.header("set-cookie"), None);
    }
    server.stop().await;
}

/// Row: §6.1: POST /register and POST /login → 422 in FastAPI's form for what is absent or of the
/// wrong type
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_the_wrong_form_is_answered_as_fastapi_does() {
    let server = TestServer::start().await;
    for (path, missing) in [("/register", 2), ("/login", 1)] {
        let said = ask(&server, path, &json!({"email": EMAIL})).await;
        let faults = said.json()["detail"].as_array().unwrap().clone();
        assert_eq!((said.status, faults.len()), (422, missing), "{path}");
        assert!(faults.iter().all(|fault| fault["type"] == "missing"), "{faults:?}");
        for body in [json!([]), json!({"email": 1, "password": [], "username": null})] {
            assert_eq!(ask(&server, path, &body).await.status, 422, "{path} {body}");
        }
        let empty = send(&server, Request::new("POST", path)).await;
        assert_eq!(empty.status, 422);
    }
    server.stop().await;
}

/// Row: §6.1: where nothing has to be proved there is a pending code, so that POST /verify with it
/// answers `{"message":"ok"}`
/// Row: 8b.2: the code is the only six-digit number in the mail
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_needs_no_proof_can_be_proved() {
    let server = TestServer::start().await;
    assert_eq!(ask(&server, "/register", &account()).await.status, 201);
    assert_eq!(ask(&server, "/login", &login()).await.status, 200);
    let code = server.letters().code(EMAIL, 1).await;
    let letter = server.letters().to(EMAIL).remove(0);
    // Digits within a longer word, as an id of the letter may have them, are no number.
    let words = letter.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() == 6);
    let numbers = words.filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    assert!(numbers.clone().count() > 0 && numbers.clone().all(|text| text == code), "{letter}");
    let said = ask(&server, "/verify", &json!({"email": EMAIL, "code": code})).await;
    assert_eq!((said.status, said.json()), (200, json!({"message": "ok"})));
    assert_eq!(ask(&server, "/login", &login()).await.status, 200);
    server.stop().await;
}

/// Row: 8b.2: with a mail server POST /register wants verification; until then a login is 401 like
/// any other that fails
/// Row: §8: registering an address again replaces the account only while it is pending
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_mail_server_an_address_is_proved_first() {
    let office = PostOffice::open().await;
    let server = TestServer::builder().set("smtp_url", &office.url()).start().await;
    assert_eq!(ask(&server, "/register", &account()).await.status, 201);
    let early = ask(&server, "/login", &login()).await;
    assert_eq!((early.status, early.json()), (401, refusal("Incorrect email or password")));
    // Letters are written behind the answers, and not one after the other.
    office.code(EMAIL, 1).await;
    assert_eq!(ask(&server, "/register", &account()).await.status, 201);
    let code = office.code(EMAIL, 2).await;
    let said = ask(&server, "/verify", &json!({"email": EMAIL, "code": code})).await;
    assert_eq!((said.status, said.json()), (200, json!({"message": "ok"})));
    assert_eq!(ask(&server, "/login", &login()).await.status, 200);
    let twice = ask(&server, "/register", &account()).await;
    assert_eq!((twice.status, twice.json()), (409, refusal("Email already registered")));
    server.stop().await;
}

/// Row: 8b.1: by `User-Agent: Rei's Chatroom` /register and /login speak as Rei's alone
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_says_its_name_is_answered_by_its_system() {
    let server = TestServer::start().await;
    let by_rei = |path: &str, body: &Value| {
        let request = Request::new("POST", path).header("User-Agent", "Rei's Chatroom");
        request.json(&body.to_string())
    };
    let named = send(&server, by_rei("/register", &account())).await;
    let text = "Username must be alphanumeric";
    assert_eq!((named.status, named.json()), (400, json!({"message": text})));
    let unknown = send(&server, by_rei("/login", &login())).await;
    assert_eq!((unknown.status, unknown.json()), (400, json!({"message": "Invalid password"})));
    server.stop().await;
}

/// Row: 8b.12: limits per address answer 429 with `Retry-After` of at most 5 s, in the words of all
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_is_slowed_down() {
    let server =
        TestServer::builder().alone().limits_on().limit("login_tries_per_min", 12).start().await;
    let mut slowed = None;
    for _ in 0..20 {
        let said = ask(&server, "/login", &login()).await;
        if said.status == 429 {
            slowed = Some(said);
            break;
        }
        assert_eq!(said.status, 401);
    }
    let slowed = slowed.expect("guessing has an end");
    let after: u64 = slowed.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&after), "{after}");
    assert_eq!(slowed.json(), refusal("slow down"));
    server.stop().await;
}

/// Row: §6.4: GET /user/{id} → Mrsambosk's for digits, Rei's for everything else
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_that_is_no_number_is_asked_of_rei() {
    let server = TestServer::start().await;
    let said = send(&server, Request::new("GET", "/user/somebody")).await;
    assert_eq!((said.status, said.json()), (401, json!({"message": "Access token"})));
    server.stop().await;
}
