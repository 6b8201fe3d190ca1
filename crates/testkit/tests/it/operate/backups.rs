//! Backups of a server that is written to: each is one state, whole, with everything that was
//! acknowledged before it began; and one flipped bit is found.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use parlor_store::moves::{Place, content_of};
use parlor_testkit::person::fresh_id;
use parlor_testkit::{Person, ServerProcess, TestServer};
use parlor_wire::command::{Codec, Command};
use parlor_wire::frame::Frame;
use parlor_wire::v1;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::{done, filled, refused, word};
use crate::disconnects::line::Line;
use crate::simulation::number;

/// Backups unless `PARLOR_BACKUPS` says otherwise.
const BACKUPS: u64 = 2;

/// Messages that are there before.
const MESSAGES: u64 = 20_000;

/// Writers, and the pause of each between two messages: 500 a second together.
const WRITERS: u64 = 8;
const PAUSE: Duration = Duration::from_millis(16);

/// A message that was acknowledged.
#[derive(Clone)]
struct Acked {
    id: String,
    number: i64,
    seq: i64,
    took: Duration,
}

/// What was acknowledged so far, for everybody.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<Acked>>>);

impl Shared {
    fn push(&self, acked: Acked) {
        self.0.lock().unwrap().push(acked);
    }

    fn all(&self) -> Vec<Acked> {
        self.0.lock().unwrap().clone()
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    async fn reaches(&self, count: usize) {
        let mut pulse = tokio::time::interval(Duration::from_millis(20));
        let enough = async {
            while self.len() < count {
                pulse.tick().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), enough).await;
        waited.expect("messages are acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_busy_server_is_one_whole_state() {
    let backups = number("PARLOR_BACKUPS").unwrap_or(BACKUPS);
    let messages = number("PARLOR_BACKUPS_MESSAGES").unwrap_or(MESSAGES);
    let home = TempDir::new().unwrap();
    fs::create_dir(home.path().join("data")).unwrap();
    let file = home.path().join("data/parlor.sqlite");
    filled::fill(&file, i64::try_from(messages).unwrap());
    let mut process = start(home.path());
    let (acked, stop) = (Shared::default(), Arc::new(AtomicBool::new(false)));
    let (reader, mut writers) = write(&process, &acked, &stop).await;
    for n in 0..backups {
        // Until some are acknowledged since the last one.
        let enough = acked.len() + 200;
        acked.reaches(enough).await;
        let before = acked.all();
        let (to, data) = (format!("backup{n}"), format!("restored{n}"));
        let made = done(home.path(), &["backup", "--to", &to]).await;
        let restore = ["restore", "--keep-logins", "--from", &to, "--data-dir", &data];
        let restored = done(home.path(), &restore).await;
        let content = word(&made, "content ");
        assert_eq!(content, word(&restored, "content "));
        let copy = home.path().join(&data).join("parlor.sqlite");
        // Beside the writers, who are measured.
        let look = move || {
            let place = Place::Sqlite(copy.clone());
            let found = Handle::current().block_on(content_of(&place));
            assert_eq!(found.unwrap().digest(), content);
            holds(&copy, &before);
            is_whole(&copy);
        };
        tokio::task::spawn_blocking(look).await.unwrap();
    }
    stop.store(true, Ordering::Release);
    while writers.join_next().await.is_some() {}
    assert!(process.terminate(), "{}", process.log());
    for n in 0..backups {
        let copy = home.path().join(format!("restored{n}/parlor.sqlite"));
        is_beginning_of(&copy, &file);
    }
    serves(home.path(), backups - 1, &reader).await;
    let all = acked.all();
    println!("{backups} backups: identical; {} sends, {}", all.len(), slowest(&all));
}

fn start(folder: &Path) -> ServerProcess {
    let binary = env!("CARGO_BIN_EXE_parlor-tested");
    let settings = TestServer::builder().set("public_url", "http://parlor.test");
    ServerProcess::start_in(binary, &settings, folder)
}

/// Lets people write until they are told to stop.
async fn write(
    process: &ServerProcess,
    acked: &Shared,
    stop: &Arc<AtomicBool>,
) -> (Person, JoinSet<()>) {
    let reader = process.person("reader").await;
    let room = reader.room("public", "one", &[]).await;
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        let writer = process.person(&format!("writer{n}")).await;
        let joined = writer.request("POST", &format!("/rooms/{}/join", room.id));
        assert_eq!(joined.json("{}").send(process.address()).await.status / 100, 2);
        let line = Line::open(process.address(), &writer.token, Codec::Proto).await.unwrap();
        writers.spawn(say(line, room.main_session_id.clone(), acked.clone(), Arc::clone(stop)));
    }
    (reader, writers)
}

async fn say(mut line: Line, session: String, acked: Shared, stop: Arc<AtomicBool>) {
    let mut pulse = tokio::time::interval(PAUSE);
    while !stop.load(Ordering::Acquire) {
        pulse.tick().await;
        let began = now();
        let said = line.say(|r#ref| {
            Command::Send(v1::Send {
                r#ref,
                session_id: session.clone(),
                client_id: fresh_id(),
                content: "said while a backup is made ".repeat(4),
                ..v1::Send::default()
            })
        });
        said.await.expect("the line holds");
        loop {
            match heard(&mut line).await {
                Frame::Ok(ok) => {
                    let took = began.elapsed();
                    let (id, number) = (ok.message_id.unwrap(), ok.number.unwrap());
                    acked.push(Acked { id, number, seq: ok.seq.unwrap(), took });
                    break;
                }
                Frame::Error(error) => panic!("a send is refused: {error:?}"),
                _ => {}
            }
        }
    }
}

/// The next frame. A line that is only silent for a while says so, too.
async fn heard(line: &mut Line) -> Frame {
    for _ in 0..25 {
        if let Some(frame) = line.next().await {
            return frame;
        }
    }
    panic!("the line has broken");
}

#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn now() -> Instant {
    Instant::now()
}

fn slowest(all: &[Acked]) -> String {
    let mut took: Vec<Duration> = all.iter().map(|acked| acked.took).collect();
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 1000).min(took.len() - 1)];
    format!("answered in p50 {:?}, p99 {:?}, at most {:?}", at(500), at(990), at(1000))
}

fn count(conn: &Connection, sql: &str) -> i64 {
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Whether everything that was acknowledged before the backup is in it, as it was acknowledged.
fn holds(copy: &Path, before: &[Acked]) {
    let conn = Connection::open(copy).unwrap();
    let mut statement = conn.prepare("select id, number, seq from messages").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
    let stored: HashMap<[u8; 16], (i64, i64)> = rows.unwrap().collect::<Result<_, _>>().unwrap();
    for acked in before {
        let id = uuid::Uuid::parse_str(&acked.id).unwrap();
        assert_eq!(stored.get(id.as_bytes()), Some(&(acked.number, acked.seq)), "{}", acked.id);
    }
}

/// Whether nothing in it is half: every message has its event and its receipt, numbers have no
/// holes, and heads are those of the logs.
fn is_whole(copy: &Path) {
    let conn = Connection::open(copy).unwrap();
    let sound: String = conn.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    for half in [
        "select count(*) from messages m left join events e on e.session_no = m.session_no \
         and e.seq = m.seq where e.message_no is not m.no",
        "select count(*) from messages m left join receipts r on r.user_no = m.sender_no \
         and r.key = m.client_id where r.made_no is not m.no",
        "select count(*) from heads h where h.number <> \
         (select count(*) from messages m where m.session_no = h.session_no)",
        "select count(*) from heads h where h.seq <> \
         (select count(*) from events e where e.session_no = h.session_no)",
    ] {
        assert_eq!(count(&conn, half), 0, "{half}");
    }
}

/// Whether the copy is what the source was when it had so many messages.
fn is_beginning_of(copy: &Path, source: &Path) {
    let conn = Connection::open(copy).unwrap();
    conn.execute("attach ? as source", [source.to_str().unwrap()]).unwrap();
    let last = count(&conn, "select max(no) from main.messages");
    for (table, no) in [("messages", "no"), ("events", "message_no"), ("receipts", "made_no")] {
        let rows = |of: &str| format!("select * from {of}.{table} where {no} <= {last}");
        for (one, other) in [("main", "source"), ("source", "main")] {
            let sql = format!("select count(*) from ({} except {})", rows(one), rows(other));
            assert_eq!(count(&conn, &sql), 0, "{table} in {one} and not in {other}");
        }
    }
}

/// Whether a server runs on what was restored, and knows its people.
async fn serves(home: &Path, n: u64, reader: &Person) {
    let folder = home.join("elsewhere");
    fs::create_dir(&folder).unwrap();
    fs::rename(home.join(format!("restored{n}")), folder.join("data")).unwrap();
    let mut process = start(&folder);
    let me = reader.request("GET", "/me").send(process.address()).await;
    assert_eq!(me.status, 200, "the secret came along, and the login lives: {}", me.text());
    let found = reader.request("GET", "/search?q=backup").send(process.address()).await;
    assert_eq!(found.status, 200);
    assert!(process.terminate(), "{}", process.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_flipped_bit_is_named_and_nothing_is_placed() {
    let home = TempDir::new().unwrap();
    let mut process = start(home.path());
    process.person("ana").await;
    done(home.path(), &["backup", "--to", "good"]).await;
    assert!(process.terminate());
    let names = ["manifest.blake3", "manifest.json", "parlor.sqlite", "secret.key"];
    for name in names {
        let path = home.path().join("good").join(name);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name} is its owner's alone");
        let whole = fs::read(&path).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, flipped).unwrap();
            let said = refused(home.path(), &restore("good")).await;
            assert!(said.contains("is damaged") && said.contains(name), "{name} at {at}: {said}");
            assert!(!home.path().join("new").exists(), "nothing was placed");
        }
        fs::write(&path, whole).unwrap();
    }
    done(home.path(), &restore("good")).await;
    let again = refused(home.path(), &restore("good")).await;
    assert!(again.contains("is not empty"), "{again}");
}

/// Seals a manifest that was changed.
fn reseal(folder: &Path, manifest: &str) {
    fs::write(folder.join("manifest.json"), manifest).unwrap();
    let hash = blake3::hash(manifest.as_bytes()).to_hex();
    fs::write(folder.join("manifest.blake3"), format!("{hash}  manifest.json\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u4_a_backup_that_leads_elsewhere_is_refused_and_nothing_is_placed() {
    let home = TempDir::new().unwrap();
    let mut process = start(home.path());
    process.person("ana").await;
    done(home.path(), &["backup", "--to", "good"]).await;
    assert!(process.terminate());
    let (good, key) = (home.path().join("good"), home.path().join("good/secret.key"));
    let whole = fs::read_to_string(good.join("manifest.json")).unwrap();
    let outside = home.path().join("outside");
    fs::copy(&key, &outside).unwrap();
    for place in ["../outside", outside.to_str().unwrap(), "./../good/../outside"] {
        let changed = whole.replacen("\"secret.key\"", &format!("\"{place}\""), 1);
        assert_ne!(changed, whole);
        reseal(&good, &changed);
        let said = refused(home.path(), &restore("good")).await;
        assert!(said.contains("is no place in a backup"), "{place}: {said}");
    }
    reseal(&good, &whole);
    fs::remove_file(&key).unwrap();
    std::os::unix::fs::symlink(&outside, &key).unwrap();
    let said = refused(home.path(), &restore("good")).await;
    assert!(said.contains("secret.key leads out of the backup"), "{said}");
    assert!(!home.path().join("new").exists(), "nothing was placed");
    fs::remove_file(&key).unwrap();
    fs::copy(&outside, &key).unwrap();
    done(home.path(), &restore("good")).await;
}

fn restore(from: &str) -> [&str; 5] {
    ["restore", "--from", from, "--data-dir", "new"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_backup_of_ours_is_refused_in_clear_words() {
    let home = TempDir::new().unwrap();
    let mut process = start(home.path());
    let ana = process.person("ana").await;
    done(home.path(), &["backup", "--to", "good"]).await;
    let full = refused(home.path(), &["backup", "--to", "good"]).await;
    assert!(full.contains("is not empty"), "{full}");
    assert!(process.terminate());

    done(home.path(), &restore("good")).await;
    let folder = home.path().join("elsewhere");
    fs::create_dir(&folder).unwrap();
    fs::rename(home.path().join("new"), folder.join("data")).unwrap();
    let mut process = start(&folder);
    let me = ana.request("GET", "/me").send(process.address()).await;
    assert_eq!(me.status, 401, "everybody signs in again");
    Person::sign_in(process.address(), "ana", parlor_testkit::person::PASSWORD, None).await;
    assert!(process.terminate());

    let seal = home.path().join("good/manifest.blake3");
    let whole = fs::read_to_string(home.path().join("good/manifest.json")).unwrap();
    let newer = whole.replacen("\"format\": 1", "\"format\": 2", 1);
    fs::write(home.path().join("good/manifest.json"), &newer).unwrap();
    let hash = blake3::hash(newer.as_bytes()).to_hex();
    fs::write(&seal, format!("{hash}  manifest.json\n")).unwrap();
    let said = refused(home.path(), &restore("good")).await;
    assert!(said.contains("format 2") && said.contains("or a newer one"), "{said}");
    fs::remove_file(&seal).unwrap();
    let said = refused(home.path(), &restore("good")).await;
    assert!(said.contains("is no finished backup"), "{said}");
}
