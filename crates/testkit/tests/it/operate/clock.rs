//! The machine's clock is set while messages decay: none goes early, none is served late, and what
//! is to live for long does.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parlor_testkit::person::fresh_id;
use parlor_testkit::{Person, ServerProcess, TestServer, soon};
use parlor_wire::v1;
use tempfile::TempDir;

use super::deadlines::{look, micros, now, speak, turns, watch};

/// Messages, and the seconds over which their deadlines are spread.
const MESSAGES: u64 = 150;
const SECONDS: u64 = 16;

/// What the clock is set to, one after the other, and ends at.
const STEPS: [&str; 6] = ["+1h", "-1h", "+10y", "-10y", "+10y", "-1h"];

/// The library that tells a program another time (Debian: `faketime`).
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|folder| folder.unwrap().path());
    let library = |folder: PathBuf| folder.join("faketime/libfaketime.so.1");
    folders.map(library).find(|library| library.is_file()).expect("install faketime")
}

fn start(folder: &Path, said: &Path) -> ServerProcess {
    let binary = env!("CARGO_BIN_EXE_parlor-tested");
    let settings = TestServer::builder()
        .set("public_url", "http://parlor.test")
        .variable("LD_PRELOAD", library().to_str().unwrap())
        .variable("FAKETIME_TIMESTAMP_FILE", said.to_str().unwrap())
        .variable("FAKETIME_NO_CACHE", "1")
        // What is set is the clock on the wall.
        .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    ServerProcess::start_in(binary, &settings, folder)
}

/// Says something that is to live for a year.
async fn say_for_a_year(ana: &Person, session: &str) -> String {
    let asked = v1::SendRequest {
        client_id: fresh_id(),
        content: "for a year".to_owned(),
        ttl_s: Some(365 * 86_400),
        ..v1::SendRequest::default()
    };
    let path = format!("/sessions/{session}/messages");
    ana.call::<v1::Message>("POST", &path, Some(&asked)).await.unwrap().id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_goes_early_or_late_whatever_the_clock_is_set_to() {
    let home = TempDir::new().unwrap();
    let said = home.path().join("said");
    fs::write(&said, "+0").unwrap();
    let mut server = start(home.path(), &said);
    let ana = server.person("ana").await;
    let session = ana.room("private", "Garden", &[]).await.main_session_id;
    let far = say_for_a_year(&ana, &session).await;
    let due = speak(&ana, &session, MESSAGES, SECONDS).await;
    let each = micros(Duration::from_secs(SECONDS)) / STEPS.len() as i64;
    let begin = now();
    let steps = (1..).zip(STEPS).map(|(n, step)| (begin + n * each, step));
    let watched = watch(&ana, turns(&due, steps), |step| {
        if let Some(step) = step {
            fs::write(&said, step).unwrap();
        }
        server.address()
    });
    let before = watched.await.before;
    assert!(before > MESSAGES / 4, "{before} were looked at in time");
    let told = async {
        let mut pulse = tokio::time::interval(Duration::from_millis(100));
        while !server.log().contains("the machine's clock jumped") {
            pulse.tick().await;
        }
    };
    soon("a word about the clock", told).await;
    fs::write(&said, "+10y").unwrap();
    server.kill();
    let mut server = start(home.path(), &said);
    let (_, content, _) = look(&ana, server.address(), &far).await;
    assert_eq!(content, "for a year", "also in a server that starts ten years later");
    assert!(server.terminate(), "{}", server.log());
}
