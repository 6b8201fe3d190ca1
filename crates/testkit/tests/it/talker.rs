//! Somebody who talks and, at most doors, hears the others: repeats with the same id what was not
//! answered, resumes where the line broke, and keeps a record of both for the checker.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use parlor_testkit::Person;
use parlor_testkit::person::fresh_id;
use parlor_wire::command::{Codec, Command};
use parlor_wire::frame::Frame;
use parlor_wire::v1;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::checker::{Answer, Hearing};
use crate::disconnects::Heads;
use crate::disconnects::heard::Heard;
use crate::disconnects::line::{Line, Stream, ask};
use crate::simulation::dice::Dice;

/// Messages of one socket that wait for their answers.
const AHEAD: usize = 4;

/// Between two attempts to come in, where nobody lets one in.
const BREATH: Duration = Duration::from_millis(20);

/// What everybody is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Talk, with so long between two thoughts.
    Talk(Duration),
    /// Have everything answered, and begin nothing new.
    Hush,
    /// Hear every log to these ends, and go.
    Leave(Heads),
}

/// The way somebody comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// REST only: hears nothing.
    Rest,
    /// A WebSocket in JSON.
    Json,
    /// A WebSocket in protobuf.
    Proto,
    /// Talks by REST, hears by an event stream.
    Stream,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Rest, Self::Json, Self::Proto, Self::Stream];
}

/// Somebody who talks.
pub(crate) struct Talker {
    pub(crate) person: Person,
    pub(crate) kind: Kind,
    /// Whether a socket hears what it talks in, too.
    pub(crate) hears: bool,
    pub(crate) door: SocketAddr,
    /// Where they talk.
    pub(crate) sessions: Vec<String>,
    pub(crate) dice: Dice,
    pub(crate) acts: watch::Receiver<Act>,
    /// Counts the answers of everybody.
    pub(crate) answered: watch::Sender<u64>,
    /// Counts who has said everything.
    pub(crate) quiet: watch::Sender<usize>,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) answers: Vec<Answer>,
    pub(crate) hearings: Vec<Hearing>,
    /// What did not go as it does when nothing is broken.
    pub(crate) refused: Vec<String>,
}

/// Something to say, until it is answered.
#[derive(Clone)]
struct Unsaid {
    session: String,
    client_id: String,
    content: String,
}

/// What an answer on a socket is to.
enum Asked {
    Hearing(String, Option<i64>),
    Saying(Unsaid),
}

impl Talker {
    /// Talks until everything is said and heard.
    pub(crate) async fn run(self) -> Record {
        match self.kind {
            Kind::Rest => Talking::new(self).by_rest().await,
            Kind::Json => Talking::new(self).by_socket(Codec::Json).await,
            Kind::Proto => Talking::new(self).by_socket(Codec::Proto).await,
            Kind::Stream => {
                let ear = Ear {
                    person: self.person.clone(),
                    door: self.door,
                    sessions: self.sessions.clone(),
                    acts: self.acts.clone(),
                };
                let talking = Talking::new(self);
                let (record, hearings) = tokio::join!(talking.by_rest(), ear.listen());
                Record { hearings, ..record }
            }
        }
    }
}

/// A talker at work.
struct Talking {
    talker: Talker,
    clock: Option<Interval>,
    heard: Heard,
    unsaid: VecDeque<Unsaid>,
    is_quiet: bool,
    record: Record,
}

impl Talking {
    fn new(talker: Talker) -> Self {
        let mut talking = Self {
            talker,
            clock: None,
            heard: Heard::default(),
            unsaid: VecDeque::new(),
            is_quiet: false,
            record: Record::default(),
        };
        talking.look();
        talking
    }

    /// Sees what is to be done now.
    fn look(&mut self) {
        let every = match &*self.talker.acts.borrow_and_update() {
            Act::Talk(every) => *every,
            Act::Hush | Act::Leave(_) => Duration::ZERO,
        };
        self.clock = (!every.is_zero()).then(|| interval(every));
        if let Some(clock) = &mut self.clock {
            clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
    }

    fn talks(&self) -> bool {
        matches!(&*self.talker.acts.borrow(), Act::Talk(_))
    }

    /// Waits until it is time to say something more, or until something else is to be done.
    async fn turn(&mut self) -> Option<Unsaid> {
        let more = self.talks() && self.unsaid.len() < AHEAD;
        let tick = async {
            match &mut self.clock {
                _ if !more => std::future::pending().await,
                Some(clock) => _ = clock.tick().await,
                None => {}
            }
        };
        tokio::select! {
            biased;
            changed = self.talker.acts.changed() => {
                changed.expect("somebody directs");
                self.look();
                None
            }
            () = tick => Some(self.thought()),
        }
    }

    fn thought(&mut self) -> Unsaid {
        let dice = &mut self.talker.dice;
        let session = self.talker.sessions[dice.index(self.talker.sessions.len())].clone();
        let content = "x".repeat(1 + dice.index(200));
        let unsaid = Unsaid { session, client_id: fresh_id(), content };
        self.unsaid.push_back(unsaid.clone());
        unsaid
    }

    fn answered(&mut self, said: &Unsaid, (id, number, seq): (String, i64, i64)) {
        self.unsaid.retain(|other| other.client_id != said.client_id);
        self.talker.answered.send_modify(|count| *count += 1);
        self.record.answers.push(Answer {
            session: said.session.clone(),
            sender: self.talker.person.id.clone(),
            client_id: said.client_id.clone(),
            id,
            number,
            seq,
            head: None,
        });
    }

    /// Whether everything is said; tells so once.
    fn has_said_all(&mut self) -> bool {
        let all = !self.talks() && self.unsaid.is_empty();
        if all && !self.is_quiet {
            self.is_quiet = true;
            self.talker.quiet.send_modify(|count| *count += 1);
        }
        all
    }

    /// Whether everything is said and heard.
    fn is_done(&mut self) -> bool {
        if !self.has_said_all() {
            return false;
        }
        match &*self.talker.acts.borrow() {
            Act::Leave(heads) => {
                !self.talker.hears || self.heard.is_at(heads, &self.talker.sessions)
            }
            _ => false,
        }
    }

    async fn by_rest(mut self) -> Record {
        self.talker.hears = false;
        while !self.is_done() {
            if let Some(unsaid) = self.turn().await {
                self.say_by_rest(&unsaid).await;
            }
        }
        self.record
    }

    async fn say_by_rest(&mut self, unsaid: &Unsaid) {
        let said = v1::SendRequest {
            client_id: unsaid.client_id.clone(),
            content: unsaid.content.clone(),
            ..v1::SendRequest::default()
        };
        let path = format!("/sessions/{}/messages", unsaid.session);
        let body = serde_json::to_string(&said).unwrap();
        let request = self.talker.person.request("POST", &path).json(&body);
        let mut breath = interval(BREATH);
        loop {
            breath.tick().await;
            let answer = ask(self.talker.door, &request).await;
            // A server that goes down in the middle may say so.
            let answer = match answer {
                Some(answer) if answer.status < 500 => answer,
                other => {
                    let status = other.map(|answer| format!("{} {}", answer.status, answer.text()));
                    self.record.refused.push(format!("a send by REST: {status:?}"));
                    continue;
                }
            };
            assert_eq!(answer.status / 100, 2, "a send is refused: {}", answer.text());
            let message: v1::Message = serde_json::from_slice(&answer.body).unwrap();
            return self.answered(unsaid, (message.id, message.number, message.seq));
        }
    }

    async fn by_socket(mut self, codec: Codec) -> Record {
        let mut breath = interval(BREATH);
        loop {
            breath.tick().await;
            let (door, token) = (self.talker.door, &self.talker.person.token);
            let Some(line) = Line::open(door, token, codec).await else {
                self.record.refused.push("a socket".to_owned());
                continue;
            };
            if self.talk_on(line).await.is_some() {
                self.record.hearings = self.heard.hearings;
                return self.record;
            }
            self.heard.cut();
        }
    }

    /// Says what was not answered and then more, until all is said and heard; `None` when the
    /// line breaks before.
    async fn talk_on(&mut self, mut line: Line) -> Option<()> {
        let mut asked = HashMap::new();
        if self.talker.hears {
            for log in &self.talker.sessions {
                let after = self.heard.cursors.get(log).copied();
                let number = line.subscribe(log, after).await?;
                asked.insert(number, Asked::Hearing(log.clone(), after));
            }
        }
        for again in &self.unsaid {
            asked.insert(line.say(|r#ref| send(r#ref, again)).await?, Asked::Saying(again.clone()));
        }
        while !self.is_done() {
            tokio::select! {
                frame = line.next() => self.take(frame?, &mut asked)?,
                thought = self.turn() => if let Some(thought) = thought {
                    let number = line.say(|r#ref| send(r#ref, &thought)).await?;
                    asked.insert(number, Asked::Saying(thought));
                },
            }
        }
        Some(())
    }

    fn take(&mut self, frame: Frame, asked: &mut HashMap<i64, Asked>) -> Option<()> {
        let me = self.talker.person.id.clone();
        match frame {
            Frame::Ok(ok) => match asked.remove(&ok.r#ref).expect("an answer to something") {
                Asked::Hearing(log, after) => self.heard.begin(&me, &log, after.or(ok.seq)?),
                Asked::Saying(said) => {
                    self.answered(&said, (ok.message_id?, ok.number?, ok.seq?));
                }
            },
            Frame::Event(event) => self.heard.hear(&me, &event),
            Frame::Error(error) if error.code == "unavailable" => {
                self.record.refused.push(format!("a send on a socket: {error:?}"));
                return None;
            }
            Frame::Error(error) => panic!("a send is refused: {error:?}"),
            _ => {}
        }
        Some(())
    }
}

fn send(r#ref: i64, unsaid: &Unsaid) -> Command {
    Command::Send(v1::Send {
        r#ref,
        session_id: unsaid.session.clone(),
        client_id: unsaid.client_id.clone(),
        content: unsaid.content.clone(),
        ..v1::Send::default()
    })
}

/// The hearing half of somebody with an event stream.
struct Ear {
    person: Person,
    door: SocketAddr,
    sessions: Vec<String>,
    acts: watch::Receiver<Act>,
}

impl Ear {
    async fn listen(mut self) -> Vec<Hearing> {
        let mut heard = Heard::default();
        let mut breath = interval(BREATH);
        loop {
            breath.tick().await;
            if self.listen_on(&mut heard).await.is_some() {
                return heard.hearings;
            }
            heard.cut();
        }
    }

    async fn listen_on(&mut self, heard: &mut Heard) -> Option<()> {
        let after = |log: &String| heard.cursors.get(log).copied().unwrap_or(0);
        let sessions = self.sessions.iter().map(|log| match heard.last_id {
            // The cursor alone says where to go on.
            Some(_) => format!("session={log}"),
            None => format!("session={log}:{}", after(log)),
        });
        let query = sessions.collect::<Vec<_>>().join("&");
        let last_id = heard.last_id.clone();
        let mut stream = Stream::open(self.door, &self.person, &query, last_id.as_deref()).await?;
        for log in &self.sessions {
            heard.begin(&self.person.id, log, heard.cursors.get(log).copied().unwrap_or(0));
        }
        while !self.is_done(heard) {
            tokio::select! {
                event = stream.next() => {
                    heard.hear(&self.person.id, &event?);
                    heard.last_id.clone_from(&stream.last_id);
                }
                changed = self.acts.changed() => changed.expect("somebody directs"),
            }
        }
        Some(())
    }

    fn is_done(&self, heard: &Heard) -> bool {
        match &*self.acts.borrow() {
            Act::Leave(heads) => heard.is_at(heads, &self.sessions),
            _ => false,
        }
    }
}
