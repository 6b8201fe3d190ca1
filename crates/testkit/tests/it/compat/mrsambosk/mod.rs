//! Mrsambosk, row by row.

mod http;
mod socket;
mod together;
mod web_app;

use parlor_testkit::TestServer;
use parlor_testkit::http::{Answer, Request};
use parlor_testkit::person::Person;
use parlor_wire::v1;
use serde_json::{Value, json};

use super::chat::{Chat, send};

/// Where it alone is spoken.
const BASE: &str = "/compat/mrsambosk";
const PASSWORD: &str = "long enough";

/// Somebody who came by this façade.
struct Member {
    no: i64,
    cookie: String,
}

impl Member {
    /// Registers somebody and signs them in, at the paths of this façade alone.
    async fn new(server: &TestServer, name: &str) -> Self {
        let answer = register(server, BASE, &format!("{name}@example.org"), name).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        Self::sign_in(server, name).await
    }

    async fn sign_in(server: &TestServer, name: &str) -> Self {
        let answer = login(server, BASE, &format!("{name}@example.org"), PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let no = answer.json()["user"].as_i64().unwrap();
        Self { no, cookie: cookie_of(&answer) }
    }

    async fn ask(&self, server: &TestServer, method: &str, path: &str) -> Answer {
        let path = format!("{BASE}{path}");
        send(server, Request::new(method, &path).header("Cookie", &self.cookie)).await
    }

    async fn contents(&self, server: &TestServer) -> Vec<String> {
        let said = self.ask(server, "GET", "/messages").await.json();
        let texts = said["data"].as_array().unwrap().iter().map(|row| row["content"].as_str());
        texts.map(|text| text.unwrap().to_owned()).collect()
    }

    /// Opens their own socket.
    async fn socket(&self, server: &TestServer) -> Chat {
        let path = format!("{BASE}/ws/{}", self.no);
        Chat::open(server, &path, &[("Cookie", &self.cookie)]).await.listened().await
    }

    /// Sees that somebody is here, or gone.
    async fn sees_online(&self, server: &TestServer, no: i64, online: bool) {
        let so = async || self.is_online(server, no).await == online;
        server.sees("who is here and who is not", so).await;
    }

    async fn is_online(&self, server: &TestServer, no: i64) -> bool {
        let users = self.ask(server, "GET", "/get_all_users").await.json();
        let mut users = users["users"].as_array().unwrap().iter();
        users.any(|user| user["id"] == no && user["online"] == true)
    }
}

async fn register(server: &TestServer, base: &str, email: &str, name: &str) -> Answer {
    let body = json!({"email": email, "username": name, "password": PASSWORD}).to_string();
    send(server, Request::new("POST", &format!("{base}/register")).json(&body)).await
}

async fn login(server: &TestServer, base: &str, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password}).to_string();
    send(server, Request::new("POST", &format!("{base}/login")).json(&body)).await
}

fn cookie_of(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").expect("signing in sets a cookie");
    cookie.split(';').next().unwrap().to_owned()
}

/// The next frame, whose time is one of the day; it is taken out.
async fn frame(chat: &mut Chat) -> Value {
    let mut frame = chat.json().await;
    let time = frame.as_object_mut().unwrap().remove("time").unwrap();
    let (hours, minutes) = time.as_str().unwrap().split_once(':').unwrap();
    assert!(hours.len() == 2 && minutes.len() == 2, "{time}");
    assert!(hours.parse::<u8>().unwrap() < 24 && minutes.parse::<u8>().unwrap() < 60, "{time}");
    frame
}

fn told(no: i64, text: &str) -> Value {
    json!({"clientId": no, "message": text})
}

fn offline(no: i64) -> Value {
    json!({"clientId": no, "message": "Offline", "type_offline": true})
}

/// The lobby, as our own API has it.
async fn lobby(person: &Person) -> v1::Room {
    let rooms: v1::RoomList = person.get("/rooms").await.unwrap();
    rooms.rooms.into_iter().find(|room| room.lobby).unwrap()
}
