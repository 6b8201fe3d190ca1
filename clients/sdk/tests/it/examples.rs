//! The examples, as somebody runs them.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use parlor_sdk::{Client, Message, Update};
use tokio::sync::broadcast::Receiver;

use crate::kit::{PASSPHRASE, PASSWORD, Server, heard, hears};

/// An example that runs, and is ended by its own id.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn example(server: &Server, name: &str, login: &str) -> Command {
    let tests: PathBuf = std::env::current_exe().unwrap();
    let binary = tests.parent().and_then(|deps| deps.parent()).unwrap().join("examples").join(name);
    let mut command = Command::new(binary);
    command
        .env("PARLOR_URL", &server.url)
        .env("PARLOR_LOGIN", login)
        .env("PARLOR_PASSWORD", PASSWORD)
        .env("PARLOR_FOLDER", server.folder(&format!("{name}-data")))
        .env("PARLOR_PASSPHRASE", PASSPHRASE);
    command
}

#[tokio::test]
async fn the_echo_repeats_what_is_said() {
    let server = Server::start();
    server.account("echo").await;
    let ana = server.person("ana").await;
    let echo = id_of(&ana, "echo").await;
    let room = ana.create_room("talk", "private", std::slice::from_ref(&echo), None).await.unwrap();
    let mut updates = ana.updates();
    let _echo = Running(example(&server, "echo", "echo").spawn().unwrap());
    comes(&mut updates, &echo).await;
    ana.session(&room.main_session_id).say("hello").unwrap().delivered().await.unwrap();
    let answer = heard(&mut updates, |update| match update {
        Update::Posted(message) if message.sender_id == echo => Some(message.body.clone()),
        _ => None,
    });
    assert_eq!(answer.await, "hello");
}

#[tokio::test]
async fn the_bot_answers_what_it_is_asked_and_marks_it() {
    let server = Server::start();
    server.account("bot").await;
    let ana = server.person("ana").await;
    let bot = id_of(&ana, "bot").await;
    let room = ana.create_room("talk", "private", std::slice::from_ref(&bot), None).await.unwrap();
    let session = ana.session(&room.main_session_id);
    let mut updates = ana.updates();
    let _bot = Running(example(&server, "bot", "bot").spawn().unwrap());
    comes(&mut updates, &bot).await;
    let asked = session.say("!members").unwrap().delivered().await.unwrap();
    let answer = hears(&mut updates, "ana, bot").await;
    assert_eq!(answer.reply_to.as_deref(), Some(&*asked));
    session.say("!ping").unwrap();
    hears(&mut updates, "pong").await;
    assert_eq!(ana.message(&asked).unwrap().reactions[0].emoji, "\u{1f440}");
}

async fn id_of(client: &Client, username: &str) -> String {
    let found = client.request("GET", &format!("/users?query={username}"), None).await.unwrap();
    found["users"][0]["id"].as_str().unwrap().to_owned()
}

/// Waits until somebody is connected: from then on they hear what is said.
async fn comes(updates: &mut Receiver<Update>, user_id: &str) {
    heard(updates, |update| match update {
        Update::Presence { online, .. } => online.iter().any(|id| id == user_id).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn the_export_writes_every_message_as_a_line_of_json() {
    let server = Server::start();
    let ana = server.person("ana").await;
    let room = ana.create_room("notes", "private", &[], None).await.unwrap();
    for n in 1..=130 {
        let sending = ana.session(&room.main_session_id).say(format!("note {n}")).unwrap();
        sending.delivered().await.unwrap();
    }
    let out = example(&server, "export", "ana").stderr(Stdio::inherit()).output().unwrap();
    assert!(out.status.success());
    let text = String::from_utf8(out.stdout).unwrap();
    let messages: Vec<Message> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<_> = messages.iter().map(|message| message.body.clone()).collect();
    assert_eq!(said, (1..=130).map(|n| format!("note {n}")).collect::<Vec<_>>());
}
