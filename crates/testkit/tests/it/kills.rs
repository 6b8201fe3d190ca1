//! `kill -9` at random moments while people write: nothing that was answered is lost or doubled.
//!
//! The real binary, on one data folder, killed by its id and started again. Writers on REST and on
//! WebSockets repeat what was not answered with the same id. In the end everything is read through
//! the API and again from the file.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parlor_testkit::person::fresh_id;
use parlor_testkit::{FaultProxy, Person, ServerProcess, TestServer, soon};
use parlor_wire::command::{Codec, Command};
use parlor_wire::frame::Frame;
use parlor_wire::v1;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::checker::{self, Answer, Entry, History, What};
use crate::disconnects::line::{Line, ask};
use crate::simulation::dice::Dice;
use crate::simulation::number;

/// Kills unless `PARLOR_KILLS` says otherwise.
const KILLS: u64 = 20;

/// Writers; every other one on REST.
const WRITERS: usize = 8;

/// Messages of one socket that wait for their answers.
const AHEAD: usize = 4;

/// Events on one page.
const PAGE: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_outlives_kill_9() {
    let kills = number("PARLOR_KILLS").unwrap_or(KILLS);
    let seed = number("PARLOR_KILLS_SEED").unwrap_or(0x6b69_6c6c);
    let mut scene = Scene::open().await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for (n, person) in scene.people.drain(..).enumerate() {
        let writer = Writer {
            person,
            door: scene.proxy.address(),
            sessions: scene.sessions.clone(),
            dice: Dice::new(seed ^ n as u64),
            stop: Arc::clone(&stop),
            answers: Vec::new(),
        };
        match n % 4 {
            0 | 2 => writers.spawn(writer.by_rest()),
            1 => writers.spawn(writer.by_socket(Codec::Json)),
            _ => writers.spawn(writer.by_socket(Codec::Proto)),
        };
    }
    let mut dice = Dice::new(seed);
    for _ in 0..kills {
        let moment = Duration::from_millis(5 + dice.below(796));
        // Not a wait for something: the moment of the kill is what is random.
        let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
        scene.kill_and_start();
    }
    stop.store(true, Ordering::Release);
    let answers = soon("the writers' last answers", writers.join_all()).await.concat();
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
            let log = self.log(&session).await;
            history.logs.insert(session, log);
        }
        checker::check(&history).map_err(|violation| violation.to_string())?;
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
        let file = File::open(self.folder.path());
        file.is_sound()?;
        for (session, log) in &history.logs {
            file.agrees(session, log)?;
        }
        Ok(())
    }

    async fn log(&self, session: &str) -> Vec<Entry> {
        let mut log: Vec<Entry> = Vec::new();
        loop {
            let after = log.last().map_or(0, |entry| entry.seq);
            let path = format!("/sessions/{session}/events?after={after}&limit={PAGE}");
            let answer = ask(self.proxy.address(), &self.reader.request("GET", &path)).await;
            let answer = answer.expect("nothing breaks any more");
            let page: v1::EventPage = serde_json::from_slice(&answer.body).unwrap();
            log.extend(page.events.iter().filter_map(Entry::of));
            if log.last().is_none_or(|entry| entry.seq >= page.head) {
                return log;
            }
        }
    }
}

fn start(folder: &Path) -> ServerProcess {
    let binary = env!("CARGO_BIN_EXE_parlor-tested");
    // Tokens are for one place, and the port is another one after each start.
    let settings = TestServer::builder().set("public_url", "http://parlor.test");
    ServerProcess::start_in(binary, &settings, folder)
}

/// Something to say, until it is answered.
#[derive(Clone)]
struct Unsaid {
    session: String,
    client_id: String,
    content: String,
}

struct Writer {
    person: Person,
    door: std::net::SocketAddr,
    sessions: Vec<String>,
    dice: Dice,
    stop: Arc<AtomicBool>,
    answers: Vec<Answer>,
}

impl Writer {
    fn thought(&mut self) -> Option<Unsaid> {
        if self.stop.load(Ordering::Acquire) {
            return None;
        }
        let session = self.sessions[self.dice.index(self.sessions.len())].clone();
        let content = "x".repeat(1 + self.dice.index(200));
        Some(Unsaid { session, client_id: fresh_id(), content })
    }

    fn answered(&mut self, unsaid: &Unsaid, (id, number, seq): (String, i64, i64)) {
        self.answers.push(Answer {
            session: unsaid.session.clone(),
            sender: self.person.id.clone(),
            client_id: unsaid.client_id.clone(),
            id,
            number,
            seq,
            head: None,
        });
    }

    async fn by_rest(mut self) -> Vec<Answer> {
        while let Some(unsaid) = self.thought() {
            let said = v1::SendRequest {
                client_id: unsaid.client_id.clone(),
                content: unsaid.content.clone(),
                reply_to: None,
            };
            let path = format!("/sessions/{}/messages", unsaid.session);
            let body = serde_json::to_string(&said).unwrap();
            let request = self.person.request("POST", &path).json(&body);
            loop {
                let answer = ask(self.door, &request).await;
                // A server that goes down in the middle may say so.
                let Some(answer) = answer.filter(|answer| answer.status < 500) else { continue };
                assert_eq!(answer.status / 100, 2, "a send is refused: {}", answer.text());
                let message: v1::Message = serde_json::from_slice(&answer.body).unwrap();
                self.answered(&unsaid, (message.id, message.number, message.seq));
                break;
            }
        }
        self.answers
    }

    async fn by_socket(mut self, codec: Codec) -> Vec<Answer> {
        let mut unsaid = VecDeque::new();
        loop {
            let Some(line) = Line::open(self.door, &self.person.token, codec).await else {
                continue;
            };
            if self.write_on(line, &mut unsaid).await.is_some() {
                return self.answers;
            }
        }
    }

    /// Says what was not answered and then more, until there is nothing more to say; `None` when
    /// the line breaks before.
    async fn write_on(&mut self, mut line: Line, unsaid: &mut VecDeque<Unsaid>) -> Option<()> {
        let mut waiting: HashMap<i64, Unsaid> = HashMap::new();
        for again in unsaid.iter() {
            waiting.insert(line.say(|r#ref| send(r#ref, again)).await?, again.clone());
        }
        loop {
            while unsaid.len() < AHEAD {
                let Some(thought) = self.thought() else { break };
                unsaid.push_back(thought.clone());
                waiting.insert(line.say(|r#ref| send(r#ref, &thought)).await?, thought);
            }
            if unsaid.is_empty() {
                return Some(());
            }
            match line.next().await? {
                Frame::Ok(ok) => {
                    let said = waiting.remove(&ok.r#ref).expect("an answer to something");
                    let place = (ok.message_id?, ok.number?, ok.seq?);
                    self.answered(&said, place);
                    unsaid.retain(|other| other.client_id != said.client_id);
                }
                Frame::Error(error) if error.code == "unavailable" => return None,
                Frame::Error(error) => panic!("a send is refused: {error:?}"),
                _ => {}
            }
        }
    }
}

fn send(r#ref: i64, unsaid: &Unsaid) -> Command {
    Command::Send(v1::Send {
        r#ref,
        session_id: unsaid.session.clone(),
        client_id: unsaid.client_id.clone(),
        content: unsaid.content.clone(),
        reply_to: None,
    })
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

    /// Whether the session's messages, numbers and heads are those of its log.
    fn agrees(&self, session: &str, log: &[Entry]) -> Result<(), String> {
        let sql = "select m.number, m.seq from messages m join sessions s on s.no = m.session_no \
                   where s.id = ? order by m.number";
        let id = uuid::Uuid::parse_str(session).unwrap();
        let mut statement = self.0.prepare(sql).unwrap();
        let rows = statement.query_map([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)));
        let stored: Vec<(i64, i64)> = rows.unwrap().collect::<Result<_, _>>().unwrap();
        let posted = log.iter().filter_map(|entry| match &entry.what {
            What::Posted { number, .. } => Some((*number, entry.seq)),
            _ => None,
        });
        if !posted.eq(stored.iter().copied()) {
            return Err(format!("the file's messages of {session} are not those of its log"));
        }
        let sql = "select h.seq, h.number from heads h join sessions s on s.no = h.session_no \
                   where s.id = ?";
        let heads: (i64, i64) =
            self.0.query_row(sql, [id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let numbers = stored.last().map_or(0, |(number, _)| *number);
        let seqs = log.last().map_or(0, |entry| entry.seq);
        if heads == (seqs, numbers) {
            Ok(())
        } else {
            Err(format!("the heads of {session} are {heads:?}, not {seqs} and {numbers}"))
        }
    }
}
