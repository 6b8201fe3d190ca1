//! One conversation over all doors: many people, each at one door, say and hear the same things in
//! the same order, exactly once. Every client's log is compared with the database.
//!
//! `cargo xtask chorus --people 200 --seconds 30` runs it at full size.

#![expect(clippy::disallowed_methods, reason = "it measures how late things are heard")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parlor_testkit::{Person, TestServer, soon};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::seat::{Door, Ear, Lobby, Mouth, sit};

/// Messages a second, over all people.
const PER_S: u32 = 20;

/// How late anything may be heard.
const LATE_MAX: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_over_all_doors_is_the_same_to_everybody() {
    let people = size("PARLOR_CHORUS_PEOPLE").unwrap_or(27);
    let seconds = size("PARLOR_CHORUS_SECONDS").unwrap_or(3);
    let server = TestServer::start().await;
    let (mut mouths, mut ears) = gather(&server, people).await;
    let began = Instant::now();
    let count = seconds * PER_S;
    let (total, known) = watch::channel(None);
    let tasks = TaskTracker::new();
    let heard = ears.drain(..).map(|ear| tasks.spawn(listen(ear, began, known.clone())));
    let listening: Vec<_> = heard.collect();
    speak(&mut mouths, began, count).await;
    let stored = soon("everything in the database", all_stored(&server, count)).await;
    total.send_replace(Some(stored.len()));
    let mut late: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    for heard in listening {
        let heard = soon("the end of a client", heard).await.expect("a client does not fail");
        assert_eq!(heard.texts, stored, "at the door {:?}", heard.door);
        late.entry(format!("{:?}", heard.door)).or_default().extend(heard.late);
    }
    report(people, seconds, stored.len(), &mut late);
    drop(mouths);
    server.stop().await;
}

fn size(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

/// Has everybody take a seat; the doors are taken in turn.
async fn gather(server: &TestServer, people: u32) -> (Vec<Mouth>, Vec<Ear>) {
    let (mut mouths, mut ears) = (Vec::new(), Vec::new());
    let mut lobby = None;
    for n in 0..people {
        let person = Person::new(server.address(), &format!("singer{n}"), None).await;
        if lobby.is_none() {
            lobby = Some(Lobby::find(&person).await);
        }
        let door = Door::ALL[n as usize % Door::ALL.len()];
        let place = lobby.clone().expect("the lobby is known");
        let (mouth, ear) = sit(person, door, place).await;
        mouths.push(mouth);
        ears.push(ear);
    }
    (mouths, ears)
}

/// Says things at an even pace, everybody in turn, each with its time in it.
async fn speak(mouths: &mut [Mouth], began: Instant, count: u32) {
    let mut beat = tokio::time::interval(Duration::from_secs(1) / PER_S);
    for n in 0..count as usize {
        beat.tick().await;
        let said = began.elapsed().as_micros();
        let len = mouths.len();
        mouths[n % len].say(&format!("{n} {said}")).await;
    }
}

/// What the database holds, when it is everything.
async fn all_stored(server: &TestServer, count: u32) -> Vec<String> {
    let mut look = tokio::time::interval(Duration::from_millis(50));
    loop {
        look.tick().await;
        let texts = match server.database_url() {
            Some(url) => in_postgres(&url).await,
            None => in_file(server),
        };
        if texts.len() >= count as usize {
            return texts;
        }
    }
}

fn in_file(server: &TestServer) -> Vec<String> {
    let path = server.data_dir().join("parlor.sqlite");
    let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let database = database.expect("the database can be read");
    let sql = "select m.content from messages m join rooms r \
               on r.main_session_no = m.session_no and r.lobby = 1 order by m.number";
    let mut rows = database.prepare(sql).expect("the query is sound");
    let texts = rows.query_map([], |row| row.get(0)).expect("it can be run");
    texts.collect::<Result<_, _>>().expect("they are texts")
}

async fn in_postgres(url: &str) -> Vec<String> {
    let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.expect("the database can be reached");
    let sql = "select m.content from messages m join rooms r \
               on r.main_session_no = m.session_no and r.lobby order by m.number";
    let rows = async {
        let rows = client.query(sql, &[]).await.expect("the query is sound");
        rows.iter().map(|row| row.get(0)).collect()
    };
    tokio::select! {
        rows = rows => rows,
        _ = connection => panic!("the database is gone"),
    }
}

/// What one client has heard.
struct Log {
    door: Door,
    texts: Vec<String>,
    late: Vec<Duration>,
}

/// Listens until as much was heard as there is; whatever comes twice is heard, too.
async fn listen(mut ear: Ear, began: Instant, mut total: watch::Receiver<Option<usize>>) -> Log {
    let mut log = Log { door: ear.door(), texts: Vec::new(), late: Vec::new() };
    loop {
        let enough = total.borrow_and_update().is_some_and(|total| log.texts.len() >= total);
        if enough {
            return log;
        }
        tokio::select! {
            text = ear.text() => {
                let said = text.rsplit(' ').next().and_then(|at| at.parse().ok());
                let said = Duration::from_micros(said.expect("a text holds its time"));
                log.late.push(began.elapsed().saturating_sub(said));
                log.texts.push(text);
            }
            changed = total.changed() => changed.expect("the count is told in the end"),
        }
    }
}

/// Prints how late things were heard at each door; nothing may be later than a second.
fn report(people: u32, seconds: u32, stored: usize, late: &mut BTreeMap<String, Vec<Duration>>) {
    eprintln!("{people} people, {seconds} s, {stored} messages: every log is the database's");
    let mut worst = Duration::ZERO;
    for (door, late) in late {
        late.sort_unstable();
        let at = |part: f64| late[((late.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
        let heard = late.len();
        eprintln!(
            "{door:>9}: {heard} heard, p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        );
        worst = worst.max(*late.last().expect("something was heard"));
    }
    // At full size the machine is the test's alone; beside other tests nobody promises anything.
    if size("PARLOR_CHORUS_PEOPLE").is_some() {
        assert!(worst <= LATE_MAX, "heard after {worst:?}");
    }
}
