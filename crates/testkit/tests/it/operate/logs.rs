//! The log, when everything is to be logged: nothing that anybody said, and nothing that opens a
//! door.

use parlor_testkit::person::PASSWORD;
use parlor_testkit::{ServerProcess, TestServer};
use parlor_wire::v1;

/// A word that is said, and stands nowhere else.
const SAID: &str = "qzcanaryqz";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_everything_holds_no_word_that_was_said_and_no_secret() {
    let database = parlor_parts::database().unwrap();
    let settings = TestServer::builder().set("log", "debug").set("database_url", &database.url());
    let mut process = ServerProcess::start_with(env!("CARGO_BIN_EXE_parlor-tested"), &settings);
    let ana = process.person("ana").await;
    let room = ana.room("private", "den", &[]).await;
    let said = ana.say(&room.main_session_id, SAID).await.unwrap();
    let read: v1::Message = ana.get(&format!("/messages/{}", said.id)).await.unwrap();
    assert_eq!(read.content, SAID);
    let found: v1::SearchPage = ana.get(&format!("/search?q={SAID}")).await.unwrap();
    assert_eq!(found.hits.len(), 1);
    assert!(process.terminate(), "{}", process.log());
    let log = process.log();
    assert!(log.contains("DEBUG"), "it logs in detail: {log}");
    for secret in [SAID, PASSWORD, &ana.token, &ana.refresh_token] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}
