//! Whoever is signed out or sent away on one node is cut on all others, soon, at every door; and
//! a node that can ask nobody cuts everybody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parlor_testkit::clock::Stopwatch;
use parlor_testkit::person::PASSWORD;
use parlor_testkit::socket::{Heard, Socket};
use parlor_testkit::stream::{EventStream, Told};
use parlor_testkit::{Cluster, Person};
use parlor_wire::command::Codec;
use parlor_wire::frame::Frame;
use parlor_wire::v1::{self, Event, event::Kind};
use tokio::sync::Barrier;
use tokio::task::{JoinSet, block_in_place};
use tokio::time::interval;

use super::town::people_at;
use super::{NODES, cluster, count};
use crate::checker::{self, Hearing, History};
use crate::disconnects::heard;
use crate::log;

/// Trials that happen at once.
const TRIALS: usize = 50;

/// How soon somebody is cut with Redis, and without it or without anything.
const SOON: Duration = Duration::from_secs(5);
const LATE: Duration = Duration::from_secs(30);

/// Between two things that are said in the room meanwhile, which none of them may hear.
const PACE: Duration = Duration::from_millis(100);

/// For so long whoever was cut is listened to, whether anything still comes.
const AFTERWARDS: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_sent_away_on_one_node_is_cut_on_all_others() {
    let mut cluster = cluster().await;
    let batches = count("PARLOR_STORM_BATCHES", 20);
    let mut worst = [Duration::ZERO; 2];
    for batch in 0..batches {
        let without = batch % 2 == 1;
        if without {
            cluster.redis.stop_immediate();
        }
        let took = Batch::open(&cluster, batch).await.run(if without { LATE } else { SOON }).await;
        let worst = &mut worst[usize::from(without)];
        *worst = took.max(*worst);
        if without {
            block_in_place(|| cluster.redis.start_again().unwrap());
        }
    }
    println!(
        "{batches} batches of {TRIALS}: cut after at most {:.2} s with Redis, {:.2} s without",
        worst[0].as_secs_f64(),
        worst[1].as_secs_f64()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_can_ask_nobody_lets_nobody_listen() {
    let cluster = cluster().await;
    let owner = Person::new(cluster.address(), "owner", None).await;
    let session = owner.room("private", "Cut off", &[]).await.main_session_id;
    let mut lines = Vec::new();
    for door in Door::ALL {
        let node = cluster.nodes[0].address();
        let person = Person::sign_in(node, "owner", PASSWORD, None).await;
        lines.push(Line::open(&person, door, &session).await);
    }
    cluster.nodes[0].to_redis().block();
    cluster.nodes[0].to_postgres().block();
    let began = Stopwatch::start();
    for (door, line) in Door::ALL.into_iter().zip(&mut lines) {
        loop {
            let left = LATE.saturating_sub(began.elapsed());
            match line.next_within(left).await {
                Some(Said::Over) => break,
                Some(_) => {}
                None => panic!("{door:?} is still open after {:?}", began.elapsed()),
            }
        }
    }
    println!("a node that is cut off cuts everybody after {:.2} s", began.elapsed().as_secs_f64());
}

/// The doors that one listens at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Socket,
    Stream,
    SocketIo,
}

impl Door {
    const ALL: [Self; 3] = [Self::Socket, Self::Stream, Self::SocketIo];
}

/// What a line brings.
enum Said {
    Event(Box<Event>),
    Other,
    Over,
}

/// A line at one of the doors.
enum Line {
    Socket(Box<Socket>),
    Stream(Box<EventStream>),
}

impl Line {
    async fn open(person: &Person, door: Door, session: &str) -> Self {
        match door {
            Door::Socket => {
                let mut socket = Socket::open(person, Codec::Proto).await;
                socket.subscribe(session, Some(0), &mut Vec::new()).await.unwrap();
                Self::Socket(Box::new(socket))
            }
            Door::SocketIo => {
                let resume = BTreeMap::from([(session.to_owned(), 0)]);
                Self::Socket(Box::new(Socket::open_io(person, None, resume.iter()).await.unwrap()))
            }
            Door::Stream => {
                let following = [(session.to_owned(), Some(0))];
                let stream = EventStream::open(person, &following, None, None).await;
                Self::Stream(Box::new(stream.expect("a member may follow")))
            }
        }
    }

    async fn next_within(&mut self, time: Duration) -> Option<Said> {
        let frame = match self {
            Self::Socket(socket) => match socket.next_within(time).await? {
                Heard::Frame(frame) => frame,
                Heard::Closed(_) => return Some(Said::Over),
            },
            Self::Stream(stream) => match stream.next_within(time).await? {
                Told::Frame(frame) => frame,
                Told::Named(..) => return Some(Said::Other),
                Told::Over => return Some(Said::Over),
            },
        };
        match frame {
            Frame::Event(event) => Some(Said::Event(Box::new(event))),
            _ => Some(Said::Other),
        }
    }
}

/// How somebody is sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Their device is signed out.
    SignedOut,
    /// They are sent out of the room.
    Removed,
}

/// People in one room, all of whom are sent away at once.
struct Batch {
    owner: Person,
    room: v1::Room,
    trials: Vec<Trial>,
}

struct Trial {
    /// Who listens, at their node.
    person: Person,
    /// Who sends them away, at another node.
    other: Person,
    door: Door,
    how: How,
    room: String,
    session: String,
}

impl Batch {
    async fn open(cluster: &Cluster, batch: u64) -> Self {
        let node = |n: usize| cluster.nodes[n % NODES].address();
        let owner = Person::new(cluster.address(), &format!("owner{batch}"), None).await;
        let nodes: Vec<_> = (0..NODES).map(node).collect();
        let people = people_at(&nodes, &format!("guest{batch}x"), TRIALS).await;
        let members: Vec<&Person> = people.iter().collect();
        let room = owner.room("public", &format!("Batch {batch}"), &members).await;
        let mut trials = Vec::new();
        for (n, person) in people.into_iter().enumerate() {
            let how = [How::SignedOut, How::Removed][n % 2];
            let who = if how == How::SignedOut { &person } else { &owner };
            let other = Person::sign_in(node(n + 1 + n / NODES % 2), &who.username, PASSWORD, None);
            let other = other.await;
            let door = Door::ALL[n / 2 % Door::ALL.len()];
            let (room, session) = (room.id.clone(), room.main_session_id.clone());
            trials.push(Trial { person, other, door, how, room, session });
        }
        Self { owner, room, trials }
    }

    /// Sends everybody away; how long it took until the last one was cut.
    async fn run(self, bound: Duration) -> Duration {
        let together = Arc::new(Barrier::new(self.trials.len()));
        let mut trials = JoinSet::new();
        for trial in self.trials {
            trials.spawn(trial.run(Arc::clone(&together), bound));
        }
        let session = &self.room.main_session_id;
        let talk = async {
            let mut pace = interval(PACE);
            loop {
                pace.tick().await;
                self.owner.say(session, "only for those who are here").await.unwrap();
            }
        };
        let results = tokio::select! {
            results = trials.join_all() => results,
            () = talk => unreachable!("it goes on for ever"),
        };
        let mut history = History::default();
        let mut worst = Duration::ZERO;
        for (took, hearings) in results {
            worst = worst.max(took);
            history.hearings.extend(hearings);
        }
        let path = format!("/sessions/{session}/events");
        let log = log::read(self.owner.server(), &self.owner, &path).await;
        history.logs.insert(session.clone(), log);
        checker::check(&history).unwrap_or_else(|violation| panic!("{violation}"));
        worst
    }
}

impl Trial {
    async fn run(self, together: Arc<Barrier>, bound: Duration) -> (Duration, Vec<Hearing>) {
        let mut line = Line::open(&self.person, self.door, &self.session).await;
        let mut heard = heard::Heard::default();
        heard.begin(&self.person.id, &self.session, 0);
        // Hears what is said: it is a line that works.
        loop {
            match line.next_within(LATE).await {
                Some(Said::Event(event)) => {
                    heard.hear(&self.person.id, &event);
                    if matches!(event.kind, Some(Kind::Posted(_))) {
                        break;
                    }
                }
                Some(Said::Other) => {}
                Some(Said::Over) | None => panic!("{:?} does not work", self.door),
            }
        }
        together.wait().await;
        let gone = match self.how {
            How::SignedOut => {
                let path = format!("/me/devices/{}", self.person.device);
                self.other.done("DELETE", &path).await
            }
            How::Removed => {
                let path = format!("/rooms/{}/members/{}", self.room, self.person.id);
                self.other.done("DELETE", &path).await
            }
        };
        gone.expect("they may be sent away");
        let began = Stopwatch::start();
        while !self.is_cut(&mut line, &mut heard, bound.saturating_sub(began.elapsed())).await {}
        let took = began.elapsed();
        if self.how == How::SignedOut {
            let refused = self.person.get::<v1::Me>("/me").await.unwrap_err();
            assert_eq!(refused.status, 401, "whoever is cut may still ask");
        }
        let afterwards = Stopwatch::start();
        while let Some(said) =
            line.next_within(AFTERWARDS.saturating_sub(afterwards.elapsed())).await
        {
            match said {
                Said::Event(event) => heard.hear(&self.person.id, &event),
                Said::Other => {}
                Said::Over => break,
            }
        }
        heard.cut();
        (took, heard.hearings)
    }

    /// Hears one thing more; whether that was the end of it.
    async fn is_cut(&self, line: &mut Line, heard: &mut heard::Heard, left: Duration) -> bool {
        let Some(said) = line.next_within(left).await else {
            panic!("{:?} at {:?} is not cut", self.how, self.door);
        };
        match said {
            Said::Over => true,
            Said::Other => {
                assert!(!left.is_zero(), "{:?} at {:?} is not cut", self.how, self.door);
                false
            }
            Said::Event(event) => {
                assert!(!left.is_zero(), "{:?} at {:?} still hears", self.how, self.door);
                heard.hear(&self.person.id, &event);
                self.how == How::Removed
                    && match &event.kind {
                        Some(Kind::Left(left)) => left.user_id == self.person.id,
                        Some(Kind::Removed(removed)) => removed.session_id == self.session,
                        _ => false,
                    }
            }
        }
    }
}
