//! shh-chatroom: a browser with its cookies, and what it finds.

mod accounts;
mod client;
mod rooms;
mod security;
mod socket;

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_testkit::http::{Answer, Request};
use parlor_testkit::{TestServer, VirtualClock};
use serde_json::{Value, json};

use super::chat::{Chat, send};

/// Everybody's password.
const PASSWORD: &str = "correct horse battery";

/// When the clock stands still.
const NOW: &str = "2026-01-01T00:00:00.000000+00:00";

/// A server whose clock goes on when it is told to.
async fn server() -> (TestServer, Arc<VirtualClock>) {
    let clock = Arc::new(VirtualClock::new());
    (TestServer::builder().clock(clock.clone()).start().await, clock)
}

/// A browser: keeps the cookies that it is given, and sends them.
struct Browser<'a> {
    server: &'a TestServer,
    /// Before every path.
    base: &'static str,
    /// Sent with every request.
    headers: Vec<(&'static str, String)>,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    fn new(server: &'a TestServer) -> Self {
        Self { server, base: "", headers: vec![], cookies: BTreeMap::new() }
    }

    /// Somebody who has an account and is signed in.
    async fn of(server: &'a TestServer, name: &str) -> Self {
        let mut browser = Self::new(server);
        let made = browser.post("/register/", account(name)).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let email = format!("{name}@example.org");
        let login = json!({"email": email, "password": PASSWORD});
        assert_eq!(browser.post("/login/", login).await.status, 200);
        browser
    }

    /// A request with what the browser adds to it.
    fn request(&self, method: &str, path: &str) -> Request {
        let request = Request::new(method, &format!("{}{path}", self.base));
        self.all_headers().iter().fold(request, |full, (name, value)| full.header(name, value))
    }

    /// Sends a request, and keeps the cookies of the answer.
    async fn send(&mut self, request: Request) -> Answer {
        let answer = send(self.server, request).await;
        self.keep(&answer);
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send(self.request("POST", path).json(&body.to_string())).await
    }

    async fn delete(&mut self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    /// Makes a room, and returns its id.
    async fn room(&mut self, name: &str) -> String {
        let made = self.post("/rooms/create/", json!({"chat_room_name": name})).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["room_id"].as_str().unwrap().to_owned()
    }

    /// Comes into a room.
    async fn join(&mut self, room: &str) {
        let joined = self.post("/room/join/", json!({"room_id": room})).await;
        assert_eq!(joined.status, 200, "{}", joined.text());
    }

    /// Opens a room's socket.
    async fn socket(&self, room: &str) -> Chat {
        let headers = self.all_headers();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Chat::open(self.server, &format!("{}/ws/chat/{room}/", self.base), &headers).await
    }

    /// Opens a room's socket, and returns it after its history.
    async fn chat(&self, room: &str) -> (Chat, Value) {
        let mut chat = self.socket(room).await;
        let history = chat.json().await;
        (chat, history)
    }

    /// Calls our own API with the access token, as the same person.
    async fn ours(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::new(method, &format!("/api/v1{path}")).bearer(self.token());
        let answer = send(self.server, request.json(&body.to_string())).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text());
        answer
    }

    /// Their long id.
    async fn id(&self) -> String {
        self.ours("GET", "/me", Value::Null).await.json()["user"]["id"].as_str().unwrap().to_owned()
    }

    fn token(&self) -> &str {
        &self.cookies["access_token"]
    }

    fn all_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = self.headers.clone();
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        if !cookies.is_empty() {
            headers.push(("Cookie", cookies));
        }
        headers
    }

    fn keep(&mut self, answer: &Answer) {
        let given = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
        for (_, cookie) in given {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            match value {
                "" => _ = self.cookies.remove(name),
                _ => _ = self.cookies.insert(name.to_owned(), value.to_owned()),
            }
        }
    }
}

fn account(name: &str) -> Value {
    json!({"username": name, "email": format!("{name}@example.org"), "password": PASSWORD})
}

/// Checks a whole answer.
#[track_caller]
fn assert_answer(answer: &Answer, status: u16, body: Value) {
    assert_eq!((answer.status, answer.json()), (status, body), "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

/// The lobby, which is the first of everybody's rooms.
fn lobby(rooms: &Value) -> Value {
    rooms["rooms"][0].clone()
}
