//! Whatever people did with what they said: after its deadline no file holds any of it, and no
//! backup from before gives it back, with every key that is there then.

use std::path::Path;
use std::time::Duration;

use parlor_testkit::person::fresh_id;
use parlor_testkit::{Person, ServerProcess, TestServer, soon};
use parlor_wire::v1;
use tempfile::TempDir;

use super::{done, holds};
use crate::simulation::dice::Dice;
use crate::simulation::number;

/// Messages, and for how many seconds they live at least: long enough for all to be said, and for a
/// backup to be made of all; unless `PARLOR_MARKERS` and `PARLOR_MARKERS_SECONDS` say otherwise.
const MESSAGES: u64 = 40;
const SECONDS: u64 = 20;

/// By how many seconds more some of them live.
const MORE_S: u64 = 5;

/// Until when no byte of it is left, from the last deadline.
const GONE: Duration = Duration::from_secs(60);

/// What every text, name and file holds.
const MARK: &str = "marker-";

fn start(folder: &Path, data: &str) -> ServerProcess {
    let binary = env!("CARGO_BIN_EXE_parlor-tested");
    let settings = TestServer::builder().set("public_url", "http://parlor.test");
    ServerProcess::start_in(binary, &settings.set("data_dir", data), folder)
}

/// Sends a file that is full of marks, and is called by one.
async fn upload(ana: &Person, n: u64) -> String {
    let path = format!("/files?name={MARK}name-{n}.bin");
    let bytes = format!("{MARK}file-{n} ").repeat(1_000);
    let request = ana.request("POST", &path).body("application/octet-stream", bytes.as_bytes());
    let answer = ana.send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Says a thing, and does with it what people do: rewords it, answers it, reacts to it, pins it,
/// passes it on, looks for it.
async fn speak(ana: &Person, session: &str, n: u64, life_s: u64) {
    let ttl_s = Some(i64::try_from(life_s).unwrap());
    let files = if n.is_multiple_of(4) { vec![upload(ana, n).await] } else { vec![] };
    let path = format!("/sessions/{session}/messages");
    let asked = |content: String| v1::SendRequest {
        client_id: fresh_id(),
        content,
        ttl_s,
        ..v1::SendRequest::default()
    };
    let first = v1::SendRequest { files, ..asked(format!("{MARK}text-{n}")) };
    let said: v1::Message = ana.call("POST", &path, Some(&first)).await.unwrap();
    let at = format!("/messages/{}", said.id);
    match n % 5 {
        0 => {
            let again =
                v1::EditRequest { content: format!("{MARK}again-{n}"), ..Default::default() };
            ana.call::<v1::Message>("PATCH", &at, Some(&again)).await.unwrap();
        }
        1 => {
            let answer = v1::SendRequest {
                reply_to: Some(said.id.clone()),
                ..asked(format!("> {MARK}text-{n}\n\n{MARK}answer-{n}"))
            };
            ana.call::<v1::Message>("POST", &path, Some(&answer)).await.unwrap();
        }
        2 => ana.done("PUT", &format!("{at}/reactions/%F0%9F%8E%89")).await.unwrap(),
        3 => ana.done("PUT", &format!("{at}/pin")).await.unwrap(),
        _ => {
            let found = ana.send(ana.request("GET", &format!("/search?q={MARK}text-{n}"))).await;
            assert_eq!(found.status, 200, "{}", found.text());
            assert!(found.text().contains(&said.id), "{}", found.text());
        }
    }
}

/// Waits until no file in a folder holds a mark.
async fn clean(folder: &Path, what: &str) {
    let mut pulse = tokio::time::interval(Duration::from_millis(200));
    let clean = async {
        while holds(folder, MARK) {
            pulse.tick().await;
        }
    };
    soon(what, clean).await;
}

/// Everything that the server says of a session.
async fn shown(ana: &Person, server: &ServerProcess, session: &str) -> String {
    let path = format!("/sessions/{session}/messages?limit=100");
    let answer = ana.request("GET", &path).send(server.address()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_its_deadline_nothing_of_what_was_said_and_done_is_left() {
    let messages = number("PARLOR_MARKERS").unwrap_or(MESSAGES);
    let seconds = number("PARLOR_MARKERS_SECONDS").unwrap_or(SECONDS);
    let home = TempDir::new().unwrap();
    let at = home.path();
    let mut server = start(at, "data");
    let ana = server.person("ana").await;
    let session = ana.room("private", "Garden", &[]).await.main_session_id;
    let mut dice = Dice::new(0x6d61_726b);
    for n in 0..messages {
        speak(&ana, &session, n, seconds + dice.below(MORE_S)).await;
    }
    assert!(shown(&ana, &server, &session).await.contains(MARK), "it is read as long as it lives");
    // What is to disappear soon lies nowhere as it is, long before it does.
    clean(&at.join("data"), "everything to be sealed").await;
    done(at, &["backup", "--to", "backup"]).await;
    assert!(!holds(&at.join("backup"), MARK));
    assert!(shown(&ana, &server, &session).await.contains(MARK), "it still lives");

    let over = async {
        let mut pulse = tokio::time::interval(Duration::from_millis(500));
        while shown(&ana, &server, &session).await.contains(MARK) {
            pulse.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(seconds + MORE_S) + GONE, over).await.unwrap();
    let blobs = at.join("data/blobs");
    soon("the files to be deleted", async {
        let mut pulse = tokio::time::interval(Duration::from_millis(200));
        while files_below(&blobs) > 0 {
            pulse.tick().await;
        }
    })
    .await;
    assert!(!holds(&at.join("data"), MARK));
    assert!(!server.log().contains(MARK), "{}", server.log());

    let restore = ["restore", "--keep-logins", "--from", "backup", "--data-dir", "again"];
    let keys = ["--keys", "data/keys/parlor.sqlite"];
    done(at, &[&restore[..], &keys].concat()).await;
    assert!(server.terminate(), "{}", server.log());
    let mut again = start(at, "again");
    assert!(!shown(&ana, &again, &session).await.contains(MARK));
    assert!(!holds(&at.join("again"), MARK));
    assert!(again.terminate(), "{}", again.log());
    println!("{messages} things said and done: nothing is left of any, nor in a backup of before");
}

/// How many files there are below a folder.
fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}
