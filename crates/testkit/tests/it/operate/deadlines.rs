//! Deadlines of a server that runs: no message goes early, none is served late, whatever the server
//! is doing and however often it is killed meanwhile; and in the end no file holds any of it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parlor_testkit::http::Request;
use parlor_testkit::person::fresh_id;
use parlor_testkit::{Person, ServerProcess, TestServer};
use parlor_wire::v1;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

use super::holds;
use crate::simulation::dice::Dice;
use crate::simulation::number;

/// Messages, seconds over which their deadlines are spread, and kills of the server meanwhile,
/// unless `PARLOR_DEADLINES`, `PARLOR_DEADLINES_SECONDS` and `PARLOR_DEADLINES_KILLS` say
/// otherwise.
const MESSAGES: u64 = 200;
const SECONDS: u64 = 12;
const KILLS: u64 = 1;

/// Sends that wait for their answers at once.
const AT_ONCE: u64 = 16;

/// How late anything may be served at most.
const LATE: Duration = Duration::from_secs(2);

/// How soon before its deadline a message is looked at.
const EARLY: Duration = Duration::from_millis(150);

/// Until when no byte of it is left.
const GONE: Duration = Duration::from_secs(60);

/// A message, and when it is to be gone: microseconds since 1970.
#[derive(Clone)]
pub(super) struct Due {
    id: String,
    at: i64,
}

#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_micros()).unwrap()
}

/// Waits for a moment.
async fn until(at: i64) {
    let left = Duration::from_micros(u64::try_from(at - now()).unwrap_or(0));
    // Not a wait for something: the moment is what is looked at.
    let _ = tokio::time::timeout(left, std::future::pending::<()>()).await;
}

pub(super) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap()
}

fn start(folder: &Path) -> ServerProcess {
    let binary = env!("CARGO_BIN_EXE_parlor-tested");
    let settings = TestServer::builder().set("public_url", "http://parlor.test");
    ServerProcess::start_in(binary, &settings, folder)
}

/// Says so many things with deadlines all over the time, a few at once.
pub(super) async fn speak(ana: &Person, session: &str, messages: u64, seconds: u64) -> Vec<Due> {
    let mut sending = JoinSet::new();
    for first in 0..AT_ONCE {
        let path = format!("/sessions/{session}/messages");
        let (ana, mut dice) = (ana.clone(), Dice::new(0x6465_6361_7900 + first));
        sending.spawn(async move {
            let mut due = Vec::new();
            for n in (first..messages).step_by(AT_ONCE as usize) {
                let asked = v1::SendRequest {
                    client_id: fresh_id(),
                    content: format!("marker-{n}"),
                    ttl_s: Some(i64::try_from(2 + dice.below(seconds)).unwrap()),
                    ..v1::SendRequest::default()
                };
                let said: v1::Message = ana.call("POST", &path, Some(&asked)).await.unwrap();
                due.push(Due { id: said.id, at: said.expires_at.unwrap() });
            }
            due
        });
    }
    let mut due: Vec<Due> = sending.join_all().await.into_iter().flatten().collect();
    due.sort_by_key(|due| due.at);
    due
}

/// What a message says now, and when that was asked for and answered; `None`: nobody answers.
pub(super) async fn look(ana: &Person, server: SocketAddr, id: &str) -> (i64, String, i64) {
    let asked = now();
    let request: Request = ana.request("GET", &format!("/messages/{id}"));
    let answer = request.send(server).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let content = answer.json()["content"].as_str().unwrap().to_owned();
    (asked, content, now())
}

/// What there is to do at a moment.
pub(super) enum Turn<T> {
    /// It is to be there still.
    Before(Due),
    /// It is to be gone.
    After(Due),
    /// Something else.
    Other(T),
}

/// All of it in its order.
pub(super) fn turns<T>(due: &[Due], others: impl Iterator<Item = (i64, T)>) -> Vec<(i64, Turn<T>)> {
    let mut turns = Vec::new();
    for due in due {
        turns.push((due.at - micros(EARLY), Turn::Before(due.clone())));
        turns.push((due.at + micros(LATE), Turn::After(due.clone())));
    }
    turns.extend(others.map(|(at, other)| (at, Turn::Other(other))));
    turns.sort_by_key(|(at, _)| *at);
    turns
}

/// What was seen of messages with deadlines.
pub(super) struct Watched {
    /// How many were there just before theirs.
    pub(super) before: u64,
    /// How long after theirs the last look at one was, in microseconds.
    slowest: i64,
}

/// Looks at messages just before and after their deadlines. `server` says whom to ask, once it has
/// done what else there is to do.
pub(super) async fn watch<T>(
    ana: &Person,
    turns: Vec<(i64, Turn<T>)>,
    mut server: impl FnMut(Option<T>) -> SocketAddr,
) -> Watched {
    let mut watched = Watched { before: 0, slowest: 0 };
    for (at, turn) in turns {
        until(at).await;
        match turn {
            Turn::Before(due) => {
                let (_, content, answered) = look(ana, server(None), &due.id).await;
                // What is answered at or after the deadline may be either.
                if answered < due.at {
                    assert!(!content.is_empty(), "{} µs early", due.at - answered);
                    watched.before += 1;
                }
            }
            Turn::After(due) => {
                let (asked, content, _) = look(ana, server(None), &due.id).await;
                assert_eq!(content, "", "served {} µs late", asked - due.at);
                watched.slowest = watched.slowest.max(asked - due.at);
            }
            Turn::Other(other) => drop(server(Some(other))),
        }
    }
    watched
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_goes_early_and_none_is_served_late() {
    let messages = number("PARLOR_DEADLINES").unwrap_or(MESSAGES);
    let seconds = number("PARLOR_DEADLINES_SECONDS").unwrap_or(SECONDS);
    let kills = number("PARLOR_DEADLINES_KILLS").unwrap_or(KILLS);
    let home = TempDir::new().unwrap();
    let mut server = start(home.path());
    let ana = server.person("ana").await;
    let session = ana.room("private", "Garden", &[]).await.main_session_id;
    let due = speak(&ana, &session, messages, seconds).await;
    let (mut dice, begin) = (Dice::new(0x6b69_6c6c), now());
    let moment = |_| (begin + i64::try_from(dice.below(seconds * 1_000_000)).unwrap(), ());
    let turns = turns(&due, (0..kills).map(moment));
    let watched = watch(&ana, turns, |kill| {
        if kill.is_some() {
            server.kill();
            server = start(home.path());
        }
        server.address()
    });
    let Watched { before, slowest } = watched.await;
    assert!(before > messages / 4, "{before} were looked at in time");
    let mut pulse = tokio::time::interval(Duration::from_millis(100));
    let gone = async {
        while holds(&home.path().join("data"), "marker-") {
            pulse.tick().await;
        }
    };
    tokio::time::timeout(GONE, gone).await.expect("no byte of it is left in time");
    println!(
        "{messages} deadlines over {seconds} s, {kills} kills: {before} seen just before, none \
         served after; looked at {} ms after the deadline at the latest",
        slowest / 1_000
    );
    assert!(server.terminate(), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_goes_early_and_no_node_serves_one_late() {
    let messages = number("PARLOR_DEADLINES").unwrap_or(MESSAGES);
    let seconds = number("PARLOR_DEADLINES_SECONDS").unwrap_or(SECONDS);
    let server = TestServer::builder().start_on(3).await;
    let ana = server.person("ana").await;
    let session = ana.room("private", "Garden", &[]).await.main_session_id;
    // Nobody ever looks at what is said here.
    let idle = ana.room("private", "Shed", &[]).await.main_session_id;
    speak(&ana, &idle, messages / 10, seconds).await;
    let due = speak(&ana, &session, messages, seconds).await;
    let turns = turns::<()>(&due, std::iter::empty());
    let Watched { before, .. } = watch(&ana, turns, |_| server.address()).await;
    assert!(before > messages / 4, "{before} were looked at in time");
    let url = server.database_url().expect("nodes share a database");
    let (database, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let mut work = JoinSet::new();
    work.spawn(connection);
    let left = "select count(*) from messages where sealed is not null or content <> ''";
    let gone = async {
        let mut pulse = tokio::time::interval(Duration::from_millis(100));
        while database.query_one(left, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            pulse.tick().await;
        }
    };
    tokio::time::timeout(GONE, gone).await.expect("nothing of it is left in time");
    println!("{messages} deadlines over {seconds} s on three nodes: {before} seen just before");
    drop((database, work));
    server.stop().await;
}
