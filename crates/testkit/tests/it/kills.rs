//! `kill -9` at random moments while people write: nothing that was answered is lost or doubled.
//!
//! The real binary, on one data folder, killed by its id and started again. Writers on REST and on
//! WebSockets repeat what was not answered with the same id. In the end everything is read through
//! the API and again from the file.

use std::path::Path;
use std::time::Duration;

use parlor_testkit::{FaultProxy, Person, ServerProcess, TestServer, soon};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::checker::{self, Answer, History};
use crate::disconnects::Heads;
use crate::log;
use crate::simulation::dice::Dice;
use crate::simulation::number;
use crate::stored::Stored;
use crate::talker::{Act, Kind, Talker};

/// Kills unless `PARLOR_KILLS` says otherwise.
const KILLS: u64 = 20;

/// Writers; every other one on REST.
const WRITERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_outlives_kill_9() {
    let kills = number("PARLOR_KILLS").unwrap_or(KILLS);
    let seed = number("PARLOR_KILLS_SEED").unwrap_or(0x6b69_6c6c);
    let mut scene = Scene::open().await;
    let (acts, act) = watch::channel(Act::Talk(Duration::ZERO));
    let mut talkers = JoinSet::new();
    for (n, person) in scene.people.drain(..).enumerate() {
        let talker = Talker {
            person,
            kind: [Kind::Rest, Kind::Json, Kind::Rest, Kind::Proto][n % 4],
            hears: false,
            door: scene.proxy.address(),
            sessions: scene.sessions.clone(),
            dice: Dice::new(seed ^ n as u64),
            acts: act.clone(),
            answered: watch::Sender::new(0),
            quiet: watch::Sender::new(0),
        };
        talkers.spawn(talker.run());
    }
    let mut dice = Dice::new(seed);
    for _ in 0..kills {
        let moment = Duration::from_millis(5 + dice.below(796));
        // Not a wait for something: the moment of the kill is what is random.
        let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
        scene.kill_and_start();
    }
    acts.send_replace(Act::Leave(Heads::new()));
    let records = soon("the last answers", talkers.join_all()).await;
    let answers: Vec<_> = records.into_iter().flat_map(|record| record.answers).collect();
    let answered = answers.len();
    scene.audit(answers).await.unwrap_or_else(|fault| panic!("{fault} (seed {seed:#x})"));
    println!("{kills} kills, {answered} messages answered: none lost, none doubled");
}

/// The server and its surroundings.
struct Scene {
    process: Option<ServerProcess>,
    proxy: FaultProxy,
    people: Vec<Person>,
    reader: Person,
    sessions: Vec<String>,
    folder: TempDir,
}

impl Scene {
    async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let process = start(folder.path());
        let proxy = FaultProxy::start(process.address()).await;
        let reader = process.person("reader").await;
        let mut people = Vec::new();
        for n in 0..WRITERS {
            people.push(process.person(&format!("writer{n}")).await);
        }
        let mut sessions = Vec::new();
        for name in ["one", "two"] {
            let members: Vec<&Person> = people.iter().collect();
            sessions.push(reader.room("public", name, &members).await.main_session_id);
        }
        Self { process: Some(process), proxy, people, reader, sessions, folder }
    }

    fn kill_and_start(&mut self) {
        self.proxy.retarget(None);
        // Dropped before the next one starts: a folder has one server.
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
        let process = start(self.folder.path());
        self.proxy.retarget(Some(process.address()));
        self.process = Some(process);
    }

    /// Holds the answers against the API, and the API against the file.
    async fn audit(mut self, answers: Vec<Answer>) -> Result<(), String> {
        let mut history = History { answers, ..History::default() };
        for session in self.sessions.clone() {
            let path = format!("/sessions/{session}/events");
            let log = log::read(self.proxy.address(), &self.reader, &path).await;
            history.logs.insert(session, log);
        }
        checker::check(&history).map_err(|violation| violation.to_string())?;
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
        let file = File::open(self.folder.path());
        file.is_sound()?;
        for (session, log) in &history.logs {
            file.session(session).agrees(session, log)?;
        }
        Ok(())
    }
}

fn start(folder: &Path) -> ServerProcess {
    let binary = env!("CARGO_BIN_EXE_parlor-tested");
    // Tokens are for one place, and the port is another one after each start.
    let settings = TestServer::builder().set("public_url", "http://parlor.test");
    ServerProcess::start_in(binary, &settings, folder)
}

/// The database's file, read by itself.
struct File(Connection);

impl File {
    fn open(folder: &Path) -> Self {
        let path = folder.join("data").join("parlor.sqlite");
        Self(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap())
    }

    fn is_sound(&self) -> Result<(), String> {
        let sound: String =
            self.0.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
        if sound != "ok" {
            return Err(format!("the file is damaged: {sound}"));
        }
        let sql = "select count(*) from (select 1 from messages \
                   group by sender_no, client_id having count(*) > 1)";
        match self.0.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() {
            0 => Ok(()),
            doubled => Err(format!("{doubled} messages are in the file twice")),
        }
    }

    /// The session as the file has it.
    fn session(&self, session: &str) -> Stored {
        let sql = "select m.number, m.seq from messages m join sessions s on s.no = m.session_no \
                   where s.id = ? order by m.number";
        let id = uuid::Uuid::parse_str(session).unwrap();
        let mut statement = self.0.prepare(sql).unwrap();
        let rows = statement.query_map([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)));
        let messages = rows.unwrap().collect::<Result<_, _>>().unwrap();
        let sql = "select h.seq, h.number from heads h join sessions s on s.no = h.session_no \
                   where s.id = ?";
        let heads = self.0.query_row(sql, [id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)));
        Stored { messages, heads: heads.unwrap() }
    }
}
