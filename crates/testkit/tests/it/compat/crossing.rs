//! From one door to all others: what is said at one is heard at all, and what is reworded or
//! deleted at one is seen wherever that system can show it.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use parlor_wire::v1;
use serde_json::{Value, json};

use super::chat::{Chat, send};
use super::seat::{Door, Lobby, sit};

/// Row: a message sent at each door is heard at all others, in order, exactly once
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_at_one_door_is_heard_at_all() {
    let server = TestServer::start().await;
    let mut seats = Vec::new();
    for door in Door::ALL {
        let person = server.person(&format!("at{door:?}")).await;
        let lobby = Lobby::find(&person).await;
        seats.push(sit(person, door, lobby).await);
    }
    let said: Vec<String> = Door::ALL.iter().map(|door| format!("from {door:?}")).collect();
    for n in 0..seats.len() {
        seats[n].0.say(&said[n]).await;
        for (_, ear) in &mut seats {
            let door = ear.door();
            let heard = parlor_testkit::soon("a message", ear.text()).await;
            assert_eq!(heard, said[n], "at {door:?}");
        }
    }
    drop(seats);
    server.stop().await;
}

async fn get(server: &TestServer, path: &str, token: &str) -> (u16, Value) {
    let answer = send(server, Request::new("GET", path).bearer(token)).await;
    (answer.status, answer.json())
}

/// The texts of shh's history, which comes with every new socket.
async fn history(server: &TestServer, room: &str, token: &str) -> Vec<Value> {
    let cookie = format!("access_token={token}");
    let mut socket = Chat::open(server, &format!("/ws/chat/{room}/"), &[("Cookie", &cookie)]).await;
    let said = socket.json().await;
    said["messages"].as_array().unwrap().iter().map(|message| message["message"].clone()).collect()
}

/// The texts that Rei's range holds.
async fn range(server: &TestServer, token: &str) -> Vec<Value> {
    let mut socket = Chat::open(server, &format!("/ws/chat/lobby?token={token}"), &[]).await;
    let said = socket.json().await;
    said["messages"].as_array().unwrap().iter().map(|message| message["content"].clone()).collect()
}

/// Row: an edit and a deletion show in every system that can show them
#[tokio::test]
async fn rewording_and_deleting_show_everywhere() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let lobby = Lobby::find(&ana).await;
    let me: v1::Me = ana.get("/me").await.unwrap();
    let at_mrsambosk = format!("/ws/{}", me.user.unwrap().no);
    let mut poked = Chat::open(&server, &at_mrsambosk, &[("Cookie", &ana.cookie)]).await;
    let said = ana.say(&lobby.session, "first words").await.unwrap();
    let kept = ana.say(&lobby.session, "kept").await.unwrap();
    assert_eq!(poked.json().await["message"], "first words");
    assert_eq!(poked.json().await["message"], "kept");
    let path = format!("/messages/{}", said.no);
    let reworded = json!({"content": "other words"}).to_string();
    let edit = Request::new("PUT", &path).bearer(&ana.token).json(&reworded);
    assert_eq!(send(&server, edit).await.status, 200);
    assert_eq!(poked.json().await["message"], "", "something changed: look again");
    assert_eq!(history(&server, &lobby.room, &ana.token).await, ["other words", "kept"]);
    assert_eq!(range(&server, &ana.token).await, ["other words", "kept"]);
    let seen: v1::Message = ana.get(&format!("/messages/{}", said.id)).await.unwrap();
    assert_eq!(seen.content, "other words");
    let by_cookie = Request::new("GET", "/messages").header("Cookie", &ana.cookie);
    let listed = send(&server, by_cookie.clone()).await.json();
    assert_eq!(listed["data"][0]["content"], "other words");

    let delete = Request::new("DELETE", &format!("/message/{}", said.no));
    let delete = delete.header("Cookie", &ana.cookie);
    assert_eq!(send(&server, delete).await.status, 200);
    assert_eq!(poked.json().await["message"], "", "something changed: look again");
    assert_eq!(history(&server, &lobby.room, &ana.token).await, ["kept"]);
    assert_eq!(range(&server, &ana.token).await, ["", "kept"], "ids stay dense");
    let gone = get(&server, &path, &ana.token).await;
    assert_eq!(gone, (404, json!({"error": "Message has been deleted"})));
    let listed = send(&server, by_cookie).await.json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["data"][0]["id"], kept.no);
    server.stop().await;
}
