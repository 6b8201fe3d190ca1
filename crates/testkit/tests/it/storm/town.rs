//! A town in the storm: rooms, people who talk in them, and somebody who can read everything.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use parlor_testkit::{Cluster, Person};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::sql;
use crate::checker::{self, History};
use crate::disconnects::Heads;
use crate::log;
use crate::simulation::dice::Dice;
use crate::talker::{Act, Kind, Record, Talker};

/// People who sign in at one time: each is entered in the lobby, one after the other.
const AT_ONCE: usize = 4;

/// How long the last words may take to be answered, and the last events to be heard, after the
/// storm.
const CALM: Duration = Duration::from_secs(120);

/// A town.
pub(super) struct Town {
    pub(super) sessions: Vec<String>,
    reader: Person,
    talkers: JoinSet<Record>,
    count: usize,
    acts: watch::Sender<Act>,
    answered: watch::Sender<u64>,
    quiet: watch::Sender<usize>,
}

impl Town {
    /// So many rooms, in each of which so many people begin to talk, each with so long between
    /// two thoughts. They come in by `HAProxy`, one after the other by each kind of door.
    pub(super) async fn open(
        cluster: &Cluster,
        rooms: usize,
        writers: usize,
        pace: Duration,
        seed: u64,
    ) -> Self {
        let door = cluster.address();
        let reader = Person::new(door, "reader", None).await;
        let (acts, act) = watch::channel(Act::Talk(pace));
        let (answered, quiet) = (watch::Sender::new(0), watch::Sender::new(0));
        let mut town = Self {
            sessions: Vec::new(),
            reader,
            talkers: JoinSet::new(),
            count: rooms * writers,
            acts,
            answered,
            quiet,
        };
        let mut everybody = Vec::new();
        for room in 0..rooms {
            let people = people(cluster, &format!("writer{room}x"), writers).await;
            let members: Vec<&Person> = people.iter().collect();
            let name = format!("Room {room}");
            let session = town.reader.room("public", &name, &members).await.main_session_id;
            town.sessions.push(session.clone());
            everybody.extend(people.into_iter().map(|person| (person, session.clone())));
        }
        for (n, (person, session)) in everybody.into_iter().enumerate() {
            let talker = Talker {
                person,
                kind: Kind::ALL[n % Kind::ALL.len()],
                hears: true,
                door,
                sessions: vec![session],
                dice: Dice::new(seed ^ n as u64),
                acts: act.clone(),
                answered: town.answered.clone(),
                quiet: town.quiet.clone(),
            };
            town.talkers.spawn(talker.run());
        }
        town
    }

    /// How many messages were acknowledged so far.
    pub(super) fn answered(&self) -> u64 {
        *self.answered.borrow()
    }

    /// Talks on at this pace until so many messages are acknowledged.
    pub(super) async fn until_answered(&self, count: u64, pace: Duration) {
        self.acts.send_replace(Act::Talk(pace));
        let mut answered = self.answered.subscribe();
        // Bounded by the progress: as long as anybody is answered, it comes closer.
        loop {
            let before = *answered.borrow_and_update();
            if before >= count {
                return;
            }
            let more = tokio::time::timeout(CALM, answered.changed()).await;
            assert!(more.is_ok(), "nobody is answered any more, after {before} messages");
        }
    }

    /// Lets everybody finish; holds what they heard and what they were told against the logs,
    /// and the logs against the database.
    pub(super) async fn audit(mut self, cluster: &Cluster) -> Verdict {
        self.acts.send_replace(Act::Hush);
        let mut quiet = self.quiet.subscribe();
        let all = quiet.wait_for(|quiet| *quiet == self.count);
        let said = tokio::time::timeout(CALM, all).await.is_ok();
        let unheard = self.count - *self.quiet.borrow();
        assert!(said, "{unheard} of {} people are not answered", self.count);
        let mut history = History::default();
        let mut heads = Heads::new();
        for session in &self.sessions {
            let path = format!("/sessions/{session}/events");
            let log = log::read(cluster.address(), &self.reader, &path).await;
            heads.insert(session.clone(), log.last().map_or(0, |entry| entry.seq));
            history.logs.insert(session.clone(), log);
        }
        self.acts.send_replace(Act::Leave(heads));
        let mut verdict = Verdict::default();
        let all = async {
            while let Some(record) = self.talkers.join_next().await {
                let record = record.expect("nobody panics");
                history.answers.extend(record.answers);
                history.hearings.extend(record.hearings);
                verdict.refused.extend(record.refused);
            }
        };
        let heard = tokio::time::timeout(CALM, all).await;
        assert!(heard.is_ok(), "{} people have not heard everything", self.talkers.len());
        checker::check(&history).unwrap_or_else(|violation| panic!("{violation}"));
        let stored = sql::Stored::open(cluster).await;
        stored.holds_nothing_twice().await.unwrap_or_else(|fault| panic!("{fault}"));
        for (session, log) in &history.logs {
            let stored = stored.session(session).await;
            stored.agrees(session, log).unwrap_or_else(|fault| panic!("{fault}"));
        }
        verdict.answers = history.answers.len();
        verdict.told = history.hearings.iter().map(|hearing| hearing.told.len()).sum();
        verdict
    }
}

/// What a town came to, when nothing was lost.
#[derive(Default)]
pub(super) struct Verdict {
    /// Messages that were acknowledged.
    pub(super) answers: usize,
    /// Events that were heard.
    pub(super) told: usize,
    /// What did not go as it does when nothing is broken.
    pub(super) refused: Vec<String>,
}

/// Registers so many people and signs them in, by whichever node comes.
pub(super) async fn people(cluster: &Cluster, name: &str, count: usize) -> Vec<Person> {
    people_at(&[cluster.address()], name, count).await
}

/// Registers so many people and signs them in, one at each of these nodes after the other.
pub(super) async fn people_at(nodes: &[SocketAddr], name: &str, count: usize) -> Vec<Person> {
    let mut people = Vec::new();
    let names: Vec<_> =
        (0..count).map(|n| (nodes[n % nodes.len()], format!("{name}{n}"))).collect();
    for names in names.chunks(AT_ONCE) {
        let coming = names.iter().map(|(node, name)| Person::new(*node, name, None));
        people.extend(join_all(coming).await);
    }
    people
}
