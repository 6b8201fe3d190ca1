//! Rei's Chatroom.

mod accounts;
mod example;
mod members;
mod rooms;
mod routes;
mod socket;
mod users;

use parlor_testkit::TestServer;
use parlor_testkit::http::{Answer, Request};
use serde_json::{Value, json};

use super::chat::{Chat, send};

/// What Rei's Android client calls itself: by it, this façade alone answers.
const AGENT: (&str, &str) = ("User-Agent", "Rei's Chatroom");

/// Everybody's password.
const SECRET: &str = "securepassword";

/// Somebody with an account.
struct Somebody {
    id: String,
    email: String,
    access: String,
    refresh: String,
}

/// A request as the Android client makes it.
fn asked(method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Request {
    let mut request = Request::new(method, path).header(AGENT.0, AGENT.1);
    if let Some(token) = token {
        request = request.bearer(token);
    }
    match body {
        Some(body) => request.json(&body.to_string()),
        None => request,
    }
}

/// Status and body.
fn read(answer: &Answer) -> (u16, Value) {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{}", answer.text());
    (answer.status, answer.json())
}

/// Asks as nobody.
async fn ask(server: &TestServer, method: &str, path: &str, body: Value) -> (u16, Value) {
    read(&send(server, asked(method, path, None, Some(body))).await)
}

impl Somebody {
    /// Registers and signs in where nothing has to be proved.
    async fn new(server: &TestServer, name: &str) -> Self {
        let email = format!("{}@example.org", name.to_lowercase());
        let body = json!({"email": email, "password": SECRET, "username": name});
        assert_eq!(ask(server, "POST", "/register", body).await, (201, ok()));
        Self::sign_in(server, &email).await
    }

    async fn sign_in(server: &TestServer, email: &str) -> Self {
        let body = json!({"email": email, "password": SECRET});
        let (status, said) = ask(server, "POST", "/login", body).await;
        assert_eq!(status, 200, "{said}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            id: text(&said["user_id"]),
            email: email.to_owned(),
            access: text(&said["tokens"]["access_token"]),
            refresh: text(&said["tokens"]["refresh_token"]),
        }
    }

    async fn get(&self, server: &TestServer, path: &str) -> (u16, Value) {
        read(&send(server, asked("GET", path, Some(&self.access), None)).await)
    }

    async fn ask(&self, server: &TestServer, how: &str, path: &str, body: Value) -> (u16, Value) {
        read(&send(server, asked(how, path, Some(&self.access), Some(body))).await)
    }

    async fn post(&self, server: &TestServer, path: &str) -> (u16, Value) {
        read(&send(server, asked("POST", path, Some(&self.access), None)).await)
    }

    /// Makes a room without a password.
    async fn room(&self, server: &TestServer, id: &str) {
        let body = json!({"room_id": id, "name": "RoomName", "description": "About it"});
        assert_eq!(self.ask(server, "POST", "/room", body).await, (201, ok()));
    }

    /// Comes into a room without a password.
    async fn join(&self, server: &TestServer, id: &str) {
        let joined = self.ask(server, "POST", &format!("/room/{id}/join"), json!({})).await;
        assert_eq!(joined, (200, ok()));
    }

    /// Opens the room's socket, as the README has it.
    async fn open(&self, server: &TestServer, id: &str) -> Chat {
        Chat::open(server, &format!("/ws/chat/{id}?token={}", self.access), &[]).await
    }

    /// Opens the socket of an empty room and listens.
    async fn listen(&self, server: &TestServer, id: &str) -> Chat {
        let mut chat = self.open(server, id).await;
        let first = chat.json().await;
        assert_eq!(first["type"], "initial_state", "{first}");
        listen(&mut chat).await;
        chat
    }
}

/// Has a socket listen; the answer to the next question shows that it does.
async fn listen(chat: &mut Chat) {
    chat.say(r#"{"type":"listen_latest"}"#).await;
    assert_eq!(fetched(chat, 1, 0).await, json!([]));
}

/// Asks for a range.
async fn fetched(chat: &mut Chat, from: i64, to: i64) -> Value {
    chat.say(&json!({"type": "fetch", "from_id": from, "to_id": to}).to_string()).await;
    let said = chat.json().await;
    assert_eq!(said["type"], "fetch_response", "{said}");
    said["messages"].clone()
}

async fn post(chat: &mut Chat, content: &str) {
    chat.say(&json!({"type": "message", "content": content}).to_string()).await;
}

fn ok() -> Value {
    json!({"message": "ok"})
}

fn message(text: &str) -> Value {
    json!({"message": text})
}

/// Replaces a moment, which must be one as Python writes it.
fn unstamped(value: &mut Value) {
    let text = value.as_str().unwrap();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000+00:00");
    *value = json!("WHEN");
}

/// A message without its moment.
fn told(mut message: Value) -> Value {
    unstamped(&mut message["timestamp"]);
    message
}
