//! `kill -9` of the server and of a client at random moments: every letter between devices takes
//! effect exactly once.
//!
//! Each message has a key of its own, so that each makes a letter to the listening device; a
//! message that opens in the end has had its letter. The listener is a program, which goes on from
//! its folder after each kill. What it is told and what it acknowledges passes through somebody in
//! between, who writes it down: a letter has taken effect when the listener's next word covers it,
//! also when that word comes after a kill, since effect and position are stored in one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use parlor_sdk::{Client, Message, Secrecy, Update, Verdict};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::dice::{Dice, number};
use crate::hostile::somebody;
use crate::kit::{PASSPHRASE, PASSWORD, PATIENCE, Server, heard, knows, started};
use crate::middle::{Frame, Middle};

/// Kills unless `PARLOR_LETTER_KILLS` says otherwise.
const KILLS: u64 = 40;

/// What each writer says after a kill: no more than the listener keeps up with.
const MESSAGES: usize = 3;

/// Who writes.
const WRITERS: [&str; 2] = ["ana", "cy"];

/// The listening program, ended by its own id.
struct Listener(Child);

impl Listener {
    fn start(server: &Server, url: &str) -> Self {
        let tests = std::env::current_exe().unwrap();
        let examples: PathBuf = tests.parent().unwrap().parent().unwrap().join("examples");
        let mut command = Command::new(examples.join("bot"));
        command
            .env("PARLOR_URL", url)
            .env("PARLOR_LOGIN", "bot")
            .env("PARLOR_PASSWORD", PASSWORD)
            .env("PARLOR_FOLDER", server.folder("bot"))
            .env("PARLOR_PASSPHRASE", PASSPHRASE)
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Whether it still runs: one that starts while there is no server ends.
    fn lives(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says a few things after each kill; gives the messages that the server has.
async fn write(
    client: Client,
    session: String,
    mut kills: watch::Receiver<u64>,
    said: watch::Sender<u64>,
) -> Vec<String> {
    let mut ids = Vec::new();
    while kills.changed().await.is_ok() {
        for _ in 0..MESSAGES {
            let text = format!("{} {}", client.username(), ids.len());
            ids.push(client.session(&session).say(text).unwrap().delivered().await.unwrap());
            said.send_modify(|said| *said += 1);
        }
    }
    client.stop().await;
    ids
}

/// An encrypted session of the writers and the bot, where every message has a key of its own.
async fn open_session(writers: &[Client], bot: &str) -> String {
    let members: Vec<String> =
        writers.iter().map(Client::user_id).chain([bot.to_owned()]).collect();
    let mut updates = writers[0].updates();
    let room = json!({"name": "den", "kind": "private", "members": members, "encryption":
        {"algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": 1}});
    let room = writers[0].request("POST", "/rooms", Some(&room)).await.unwrap();
    let session = room["main_session_id"].as_str().unwrap();
    knows(&writers[0], &mut updates, session).await;
    let mut updates = writers[1].updates();
    knows(&writers[1], &mut updates, session).await;
    session.to_owned()
}

/// Waits until the bot has an identity which has signed its device.
async fn is_there(writer: &Client, bot: &str) {
    let mut updates = writer.updates();
    loop {
        let devices = writer.encryption().unwrap().devices(bot).await.unwrap();
        if devices.iter().any(|device| device.signed) {
            return;
        }
        heard(&mut updates, |update| matches!(update, Update::Keys).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_takes_effect_exactly_once_whoever_is_killed() {
    let kills = number("PARLOR_LETTER_KILLS").unwrap_or(KILLS);
    let seed = number("PARLOR_SEED").unwrap_or(0x6c65_7474);
    let mut server = Server::start();
    let (middle, line) = (Middle::before(&server.url).await, Middle::before(&server.url).await);
    server.account("bot").await;
    let mut writers = Vec::new();
    for name in WRITERS {
        writers.push(somebody(&server, &line.url, name).await);
    }
    let found = writers[0].request("GET", "/users?query=bot", None).await.unwrap();
    let bot = found["users"][0]["id"].as_str().unwrap().to_owned();
    let session = open_session(&writers, &bot).await;
    let mut listener = Listener::start(&server, &middle.url);
    is_there(&writers[0], &bot).await;
    let (killed, kill) = watch::channel(0);
    let (said, mut is_said) = watch::channel(0);
    let mut writing = JoinSet::new();
    for writer in writers {
        writing.spawn(write(writer, session.clone(), kill.clone(), said.clone()));
    }
    let mut dice = Dice::new(seed);
    for _ in 0..kills {
        // Every other one waits for something to have come through since the one before.
        if *killed.borrow() > 0 && dice.one_in(2) {
            tokio::time::timeout(PATIENCE, is_said.changed()).await.unwrap().unwrap();
        }
        // Not a wait for something: the moment of the kill is what is random. A listener takes a
        // while to start, and is killed while it does, too.
        let longest = *dice.pick(&[300, 2_000]);
        let moment = Duration::from_millis(5 + dice.below(longest) as u64);
        let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
        if dice.one_in(2) && listener.lives() {
            server.kill_and_start();
            middle.retarget(&server.url);
            line.retarget(&server.url);
        } else {
            listener.kill();
            listener = Listener::start(&server, &middle.url);
        }
        killed.send_modify(|kills| *kills += 1);
    }
    drop(killed);
    let written: BTreeSet<String> = writing.join_all().await.into_iter().flatten().collect();
    listener.kill();
    let opened = hears_the_rest(&server, &middle, &session, written.len()).await;
    assert_eq!(opened, written, "seed {seed:#x}");
    let letters = took_effect(&middle.dialogue());
    let odd: Vec<_> = letters.iter().filter(|(_, times)| **times != 1).collect();
    assert!(odd.is_empty(), "{} of {} letters: {odd:?} (seed {seed:#x})", odd.len(), letters.len());
    assert!(letters.len() >= written.len());
    println!("{kills} kills, {} messages, {} letters: each once", written.len(), letters.len());
}

/// Goes on with the listener's folder until it has so many messages opened, and has acknowledged
/// what opened them; gives their ids.
async fn hears_the_rest(
    server: &Server,
    middle: &Middle,
    session: &str,
    count: usize,
) -> BTreeSet<String> {
    let builder = Client::builder(&middle.url).folder(server.folder("bot"));
    let client = builder.passphrase(PASSPHRASE).resume().await.unwrap();
    let (mut updates, mut passes) = (client.updates(), middle.passes());
    let client = started(client).await;
    let waiting = async {
        while !has_all(&client, middle, session, count) {
            tokio::select! {
                // One that has lagged has missed nothing that is not looked at here.
                _ = updates.recv() => {}
                passed = passes.changed() => passed.unwrap(),
            }
            while updates.try_recv().is_ok() {}
        }
    };
    let came = tokio::time::timeout(PATIENCE * 2, waiting).await;
    client.stop().await;
    let kept = kept(&client, session);
    let (opened, locked): (Vec<_>, Vec<_>) = kept.iter().partition(|message| is_proven(message));
    let letters = took_effect(&middle.dialogue());
    let untaken: Vec<_> = letters.iter().filter(|(_, times)| **times == 0).collect();
    assert!(
        came.is_ok(),
        "{} of {count} messages are open, of {} letters untaken {untaken:?}; not open {locked:?}",
        opened.len(),
        letters.len()
    );
    opened.into_iter().map(|message| message.id.clone()).collect()
}

fn kept(client: &Client, session: &str) -> Vec<Message> {
    client.session(session).timeline(None, usize::MAX).unwrap()
}

fn is_proven(message: &Message) -> bool {
    message.secrecy == Secrecy::Opened { verdict: Verdict::FirstSeen }
}

/// Whether all messages are open, and every letter that was told is acknowledged.
fn has_all(client: &Client, middle: &Middle, session: &str, count: usize) -> bool {
    let kept = kept(client, session);
    kept.len() >= count
        && kept.iter().all(is_proven)
        && took_effect(&middle.dialogue()).values().all(|times| *times > 0)
}

/// How often each letter took effect: it was told, and the listener's next word covers it. What a
/// socket brings that the listener has left is told to nobody, and what still comes of it was said
/// before.
fn took_effect(dialogue: &[Frame]) -> BTreeMap<String, u32> {
    let mut times = BTreeMap::new();
    let (mut newest, mut told) = (0, Vec::new());
    for Frame { line, by_server, said } in dialogue {
        let pos = said["pos"].as_i64().unwrap_or_default();
        match said["type"].as_str() {
            Some("e2ee") if *by_server && *line == newest => {
                for event in said["to_device"]["events"].as_array().into_iter().flatten() {
                    let letter = event["content"].to_string();
                    times.entry(letter.clone()).or_insert(0);
                    told.push((pos, letter));
                }
            }
            Some("e2ee_ack") if *line >= newest => {
                for (_, letter) in told.extract_if(.., |(told, _)| *told <= pos) {
                    *times.entry(letter).or_insert(0) += 1;
                }
                if *line > newest {
                    told.clear();
                }
                newest = *line;
            }
            _ => {}
        }
    }
    times
}
