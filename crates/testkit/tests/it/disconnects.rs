//! Connections that break in every way, at random moments, while people write: whoever resumes
//! hears every log as the database has it, without a hole and without a double.
//!
//! Listeners on WebSockets in both forms and on event streams, each behind a proxy of its own that
//! resets, cuts inside a frame, stalls, or leaves the connection half open; and now and then the
//! server goes down and comes back.

pub(crate) mod heard;
pub(crate) mod line;
mod listener;
mod resuming;
mod writer;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use parlor_testkit::{FaultProxy, Person, ServerProcess, TestServer, soon};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::{JoinSet, block_in_place};

use crate::checker::{self, Entry, Hearing, History};
use crate::log;
use crate::simulation::dice::Dice;
use crate::simulation::number;
use listener::{Kind, Listener};
use writer::Writer;

/// Disconnects unless `PARLOR_DISCONNECTS` says otherwise.
const DISCONNECTS: u64 = 1_000;

/// Listeners: as many of each kind.
const LISTENERS: usize = 18;

/// People who write.
const WRITERS: usize = 3;

/// Disconnects between two restarts of the server.
const PER_RESTART: u64 = 300;

/// How far every log goes, when nothing more is written.
pub(crate) type Heads = BTreeMap<String, i64>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_resumes_hears_every_log_as_it_is() {
    let disconnects = number("PARLOR_DISCONNECTS").unwrap_or(DISCONNECTS);
    let seed = number("PARLOR_DISCONNECTS_SEED").unwrap_or(0x6272_6f6b);
    let mut scene = Scene::open().await;
    let (broken, mut breaks) = watch::channel(0_u64);
    let (goal, goals) = watch::channel(None::<Heads>);
    let mut listeners = JoinSet::new();
    for (n, person) in scene.people.iter().enumerate() {
        let proxy = FaultProxy::start(scene.process.address()).await;
        let listener = Listener {
            person: scene.device_of(person).await,
            kind: [Kind::Json, Kind::Proto, Kind::Stream][n % 3],
            door: proxy.address(),
            logs: scene.logs_of(person),
            dice: Dice::new(seed ^ n as u64),
            broken: broken.clone(),
            most: disconnects,
            goal: goals.clone(),
        };
        listeners.spawn(listener.run(proxy, scene.doors.subscribe()));
    }
    let mut writers = scene.writers(seed).await;
    for restart in 1.. {
        let next = (restart * PER_RESTART).min(disconnects);
        // As long as anything breaks at all, this comes.
        breaks.wait_for(|count| *count >= next).await.expect("listeners live");
        if next == disconnects {
            break;
        }
        scene.restart();
    }
    writers.stop().await;
    goal.send_replace(Some(scene.heads().await));
    let hearings = soon("the end of every log, at every listener", listeners.join_all()).await;
    let history = scene.history(hearings.concat()).await;
    let told: usize = history.hearings.iter().map(|hearing| hearing.told.len()).sum();
    if let Err(violation) = checker::check(&history) {
        panic!("{violation} (seed {seed:#x})");
    }
    println!("{disconnects} disconnects, {told} events told: every log is as it is stored");
}

/// The server and its people.
struct Scene {
    process: ServerProcess,
    /// Where the server is, for all proxies.
    doors: watch::Sender<SocketAddr>,
    people: Vec<Person>,
    writers: Vec<Person>,
    sessions: Vec<String>,
    rooms: Vec<String>,
    folder: TempDir,
}

impl Scene {
    async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let process = start(folder.path());
        let (mut people, mut writers) = (Vec::new(), Vec::new());
        for n in 0..LISTENERS {
            people.push(process.person(&format!("listener{n}")).await);
        }
        for n in 0..WRITERS {
            writers.push(process.person(&format!("writer{n}")).await);
        }
        let (mut sessions, mut rooms) = (Vec::new(), Vec::new());
        for name in ["one", "two"] {
            let members: Vec<&Person> = people.iter().chain(&writers[1..]).collect();
            let room = writers[0].room("public", name, &members).await;
            sessions.push(room.main_session_id);
            rooms.push(room.id);
        }
        let (doors, _) = watch::channel(process.address());
        Self { process, doors, people, writers, sessions, rooms, folder }
    }

    /// A listener has a device of their own.
    async fn device_of(&self, person: &Person) -> Person {
        let password = parlor_testkit::person::PASSWORD;
        Person::sign_in(self.process.address(), &person.username, password, None).await
    }

    fn logs_of(&self, person: &Person) -> Vec<String> {
        std::iter::once(&person.id).chain(&self.sessions).cloned().collect()
    }

    async fn writers(&mut self, seed: u64) -> Writers {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for (n, person) in self.writers.drain(..).enumerate() {
            let proxy = FaultProxy::start(self.process.address()).await;
            let writer = Writer {
                person,
                door: proxy.address(),
                sessions: self.sessions.clone(),
                rooms: self.rooms.clone(),
                readers: self.people.iter().map(|p| p.request("PATCH", "/me")).collect(),
                dice: Dice::new(!seed ^ n as u64),
                said: Vec::new(),
            };
            let (doors, stopped) = (self.doors.subscribe(), stopped.clone());
            tasks.spawn(async move {
                tokio::select! {
                    () = writer.run(stopped) => {}
                    () = listener::follow(&proxy, doors) => {}
                }
            });
        }
        Writers { tasks, stop }
    }

    /// The server goes down as it is asked to, and comes back elsewhere.
    fn restart(&mut self) {
        block_in_place(|| {
            assert!(
                self.process.terminate(),
                "the server did not end well: {}",
                self.process.log()
            );
            self.process = start(self.folder.path());
        });
        self.doors.send_replace(self.process.address());
    }

    async fn heads(&self) -> Heads {
        let mut heads = Heads::new();
        for (name, log) in self.logs().await {
            heads.insert(name, log.last().map_or(0, |entry| entry.seq));
        }
        heads
    }

    async fn logs(&self) -> Vec<(String, Vec<Entry>)> {
        let (at, mut logs) = (self.process.address(), Vec::new());
        for session in &self.sessions {
            let path = format!("/sessions/{session}/events");
            logs.push((session.clone(), log::read(at, &self.people[0], &path).await));
        }
        for person in &self.people {
            logs.push((person.id.clone(), log::read(at, person, "/me/events").await));
        }
        logs
    }

    async fn history(&self, hearings: Vec<Hearing>) -> History {
        let logs = self.logs().await.into_iter().collect();
        History { logs, hearings, ..History::default() }
    }
}

fn start(folder: &Path) -> ServerProcess {
    let binary = env!("CARGO_BIN_EXE_parlor-tested");
    // Tokens are for one place, and the port is another one after each start.
    let settings = TestServer::builder().set("public_url", "http://parlor.test");
    let settings = settings.limit("heartbeat_ms", 250).limit("stall_ms_max", 2_000);
    ServerProcess::start_in(binary, &settings, folder)
}

/// The people who write, until they are stopped.
struct Writers {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Writers {
    async fn stop(&mut self) {
        self.stop.send_replace(true);
        soon("the writers' last answers", async {
            while let Some(ended) = self.tasks.join_next().await {
                ended.expect("no writer panics");
            }
        })
        .await;
    }
}
