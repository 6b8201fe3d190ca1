//! The system's own web client, as it behaves: it sends no username, refreshes on 401 and on 4001
//! and at no other time, and joins by a link.

use std::time::Duration;

use parlor_testkit::TestServer;
use parlor_testkit::http::Answer;
use serde_json::{Value, json};

use super::{Browser, PASSWORD, server};
use crate::compat::chat::Chat;

/// The client's own rules over a browser.
struct Client<'a>(Browser<'a>);

impl<'a> Client<'a> {
    /// Fills in the form for a new account, and then the one to sign in. A link to a room is
    /// followed at once.
    async fn come(server: &'a TestServer, first: &str, last: &str, link: Option<&str>) -> Self {
        let mut browser = Browser::new(server);
        let email = format!("{first}.{last}@example.org").to_lowercase();
        let form = json!({
            "email": email, "password": PASSWORD, "first_name": first, "last_name": last,
        });
        assert_eq!(browser.post("/register/", form).await.status, 201);
        let login = json!({"email": email, "password": PASSWORD});
        assert_eq!(browser.post("/login/", login).await.status, 200);
        if let Some(room) = link {
            let joined = browser.post("/room/join/", json!({"room_id": room})).await;
            assert_eq!(joined.status, 200, "{}", joined.text());
        }
        Self(browser)
    }

    /// Asks; a 401 has it refresh and ask once more.
    async fn get(&mut self, path: &str) -> (Answer, bool) {
        let answer = self.0.get(path).await;
        if answer.status != 401 {
            return (answer, false);
        }
        assert_eq!(self.0.post("/refresh/", json!({})).await.status, 200);
        (self.0.get(path).await, true)
    }

    /// Opens a room; a close of 4001 has it refresh and come back.
    async fn enter(&mut self, room: &str) -> (Chat, Vec<Value>, bool) {
        let mut chat = self.0.socket(room).await;
        let mut first = chat.json_or_close().await;
        let refreshed = first == Err(4001);
        if refreshed {
            assert_eq!(self.0.post("/refresh/", json!({})).await.status, 200);
            chat = self.0.socket(room).await;
            first = chat.json_or_close().await;
        }
        let history = first.expect("the room is open to its members");
        assert_eq!(history["type"], "message_history");
        (chat, history["messages"].as_array().unwrap().clone(), refreshed)
    }

    async fn say(&self, chat: &mut Chat, text: &str) {
        let said = json!({
            "type": "message", "username": "me", "email": "me@example.org", "message": text,
            "timestamp": "2020-01-01T00:00:00.000Z",
        });
        chat.say(&said.to_string()).await;
    }
}

/// Row: the React client: registers without a username, signs in, makes a room, joins by a link,
/// talks
/// Row: the React client: an expired token → 401 → POST /refresh/ → the call again, 200
/// Row: the React client: close 4001 → POST /refresh/ → reconnects
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shipped_client_registers_talks_and_refreshes() {
    let (server, clock) = server().await;
    let mut ana = Client::come(&server, "Ana", "Ars", None).await;
    let room = ana.0.room("general").await;
    let mut bo = Client::come(&server, "Bo", "Bit", Some(&room)).await;
    let (mut hers, history, _) = ana.enter(&room).await;
    assert!(history.is_empty());
    let (mut his, ..) = bo.enter(&room).await;
    ana.say(&mut hers, "hello").await;
    for chat in [&mut hers, &mut his] {
        let heard = chat.json().await;
        assert_eq!((&heard["message"], &heard["username"]), (&json!("hello"), &json!("Ana Ars")));
        assert_eq!(heard["user"], "ana.ars@example.org");
    }
    clock.advance(Duration::from_mins(16));
    let (rooms, refreshed) = ana.get("/rooms/").await;
    assert!(refreshed, "the token was still good");
    assert_eq!((rooms.status, &rooms.json()["rooms"][1]["room_name"]), (200, &json!("general")));
    assert!(!ana.get("/rooms/").await.1, "the new one is not");
    drop(his);
    let (mut his, history, refreshed) = bo.enter(&room).await;
    assert!(refreshed && history.len() == 1, "{history:?}");
    bo.say(&mut his, "back again").await;
    assert_eq!(hers.json().await["message"], "back again");
    assert_eq!(his.json().await["message"], "back again");
    server.stop().await;
}
