//! What is to disappear soon is in no backup, whoever reads it and whatever keys there are later;
//! and it goes along with its keys when an installation moves.

use std::fs;
use std::path::Path;

use parlor_testkit::person::fresh_id;
use parlor_testkit::{Person, ServerProcess, TestServer};
use parlor_wire::v1;
use tempfile::TempDir;

use super::{done, holds, refused};

/// What is said, each with another fate.
const FOR_AN_HOUR: &str = "marker-for-an-hour";
const UNTIL_SILENCE: &str = "marker-until-silence";
const BEFORE_THE_END_WAS_SET: &str = "marker-from-before";
const FOR_EVER: &str = "marker-for-ever";
const ERASED_SINCE: &str = "marker-erased-since";

fn start(folder: &Path, data: &str, more: &[(&str, &str)]) -> ServerProcess {
    let binary = env!("CARGO_BIN_EXE_parlor-tested");
    let mut settings = TestServer::builder().set("public_url", "http://parlor.test");
    settings = settings.set("data_dir", data);
    for (key, value) in more {
        settings = settings.set(key, value);
    }
    ServerProcess::start_in(binary, &settings, folder)
}

/// Says all of it, and gives the sessions that it is said in.
async fn speak(ana: &Person) -> [String; 2] {
    let room = ana.room("private", "Garden", &[]).await;
    let path = format!("/rooms/{}/sessions", room.id);
    let asked = v1::CreateSessionRequest { name: "corner".to_owned(), ..Default::default() };
    let corner: v1::Session = ana.call("POST", &path, Some(&asked)).await.unwrap();
    let main = room.main_session_id;
    ana.say(&main, FOR_EVER).await.unwrap();
    ana.say(&corner.id, BEFORE_THE_END_WAS_SET).await.unwrap();
    let end = Some(v1::SessionEndRequest { silence_s: Some(86_400), ..Default::default() });
    let asked = v1::PatchSessionRequest { end, ..Default::default() };
    let path = format!("/sessions/{}", corner.id);
    ana.call::<v1::Session>("PATCH", &path, Some(&asked)).await.unwrap();
    ana.say(&corner.id, UNTIL_SILENCE).await.unwrap();
    let asked = v1::SendRequest {
        client_id: fresh_id(),
        content: FOR_AN_HOUR.to_owned(),
        ttl_s: Some(3_600),
        ..Default::default()
    };
    let path = format!("/sessions/{main}/messages");
    ana.call::<v1::Message>("POST", &path, Some(&asked)).await.unwrap();
    [main, corner.id]
}

/// The texts of sessions, as somebody who was signed in before reads them.
async fn read(ana: &Person, server: &ServerProcess, sessions: &[String; 2]) -> Vec<String> {
    let mut texts = Vec::new();
    for session in sessions {
        let path = format!("/sessions/{session}/messages");
        let answer = ana.request("GET", &path).send(server.address()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
        let messages = page["messages"].as_array().unwrap().iter();
        texts.extend(messages.map(|message| message["content"].as_str().unwrap().to_owned()));
    }
    texts
}

/// What was said before its session was to end is sealed in a moment.
async fn is_sealed(folder: &Path) {
    let mut pulse = tokio::time::interval(std::time::Duration::from_millis(50));
    let sealed = async {
        while holds(folder, BEFORE_THE_END_WAS_SET) {
            pulse.tick().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), sealed).await.expect("in time");
}

const ALL: [&str; 4] = [FOR_EVER, FOR_AN_HOUR, BEFORE_THE_END_WAS_SET, UNTIL_SILENCE];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_gives_back_nothing_without_keys_that_are_not_in_it() {
    let home = TempDir::new().unwrap();
    let at = home.path();
    let copy = at.join("copied.keys");
    let mut server = start(at, "data", &[("keyring_copy", copy.to_str().unwrap())]);
    let ana = server.person("ana").await;
    let sessions = speak(&ana).await;
    assert_eq!(read(&ana, &server, &sessions).await, ALL);
    is_sealed(&at.join("data")).await;
    let erased = ana.say(&sessions[0], ERASED_SINCE).await.unwrap();
    done(at, &["backup", "--to", "backup"]).await;
    let path = format!("/messages/{}", erased.id);
    let answer = ana.request("DELETE", &path).send(server.address()).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert!(holds(&at.join("backup"), FOR_EVER), "the search for markers finds what is plain");
    for text in [FOR_AN_HOUR, UNTIL_SILENCE, BEFORE_THE_END_WAS_SET] {
        assert!(!holds(&at.join("backup"), text), "{text}");
        assert!(!holds(&at.join("data"), text), "{text}");
    }
    assert!(server.terminate(), "{}", server.log());

    let restore =
        |data: &'static str| ["restore", "--keep-logins", "--from", "backup", "--data-dir", data];
    let without = done(at, &restore("without")).await;
    assert!(without.contains("is not read without its keys"), "{without}");
    let mut server = start(at, "without", &[]);
    let only_plain = [FOR_EVER, "", ERASED_SINCE, "", ""];
    assert_eq!(read(&ana, &server, &sessions).await, only_plain);
    assert!(server.terminate(), "{}", server.log());

    for (data, keys) in [("with", "data/keys/parlor.sqlite"), ("from-copy", "copied.keys")] {
        done(at, &[&restore(data)[..], &["--keys", keys]].concat()).await;
        let mut server = start(at, data, &[]);
        let read = read(&ana, &server, &sessions).await;
        // The copy was made when the server started: of sessions that came later it has no key,
        // and of what was erased later it says nothing.
        let all = [FOR_EVER, FOR_AN_HOUR, "", BEFORE_THE_END_WAS_SET, UNTIL_SILENCE];
        let expected = if data == "with" { all } else { only_plain };
        assert_eq!(read, expected, "{data}");
        assert!(server.terminate(), "{}", server.log());
    }
    let wrong = refused(at, &[&restore("wrong")[..], &["--keys", "nowhere"]].concat()).await;
    assert!(wrong.contains("no keys at the place of --keys"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_move_with_an_installation() {
    let home = TempDir::new().unwrap();
    let at = home.path();
    let mut server = start(at, "here", &[]);
    let ana = server.person("ana").await;
    let sessions = speak(&ana).await;
    is_sealed(&at.join("here")).await;
    assert!(server.terminate(), "{}", server.log());
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    done(at, &["migrate", "--from", "here", "--to", &url]).await;
    let mut server = start(at, "here", &[("database_url", &url)]);
    assert_eq!(read(&ana, &server, &sessions).await, ALL);
    assert!(server.terminate(), "{}", server.log());
    done(at, &["migrate", "--from", &url, "--to", "back"]).await;
    fs::copy(at.join("here/secret.key"), at.join("back/secret.key")).unwrap();
    let mut server = start(at, "back", &[]);
    assert_eq!(read(&ana, &server, &sessions).await, ALL);
    assert!(server.terminate(), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_holds_no_keys() {
    let home = TempDir::new().unwrap();
    let at = home.path();
    let (old, new) = (parlor_parts::database().unwrap(), parlor_parts::database().unwrap());
    let (old, new) = (old.url(), new.url());
    let mut server = start(at, "data", &[("database_url", &old)]);
    let ana = server.person("ana").await;
    let sessions = speak(&ana).await;
    assert_eq!(read(&ana, &server, &sessions).await, ALL);
    done(at, &["backup", "--database-url", &old, "--to", "backup"]).await;
    assert!(server.terminate(), "{}", server.log());
    let restore = ["restore", "--keep-logins", "--from", "backup", "--database-url", &new];
    done(at, &[&restore[..], &["--data-dir", "without"]].concat()).await;
    let mut server = start(at, "without", &[("database_url", &new)]);
    let read = read(&ana, &server, &sessions).await;
    assert_eq!(read[..2], [FOR_EVER, ""]);
    assert!(server.terminate(), "{}", server.log());
}
