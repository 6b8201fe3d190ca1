//! A node: a bus that runs, and what it hears.

use std::time::Duration;

use parlor_bus::{Address, Bus as _, Heard, Redis, State, Topic};
use parlor_domain::{ClientId, Event, EventKind, Message, MessageId, SessionId, Time, UserId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// How long something may take that must come.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Node {
    pub(crate) bus: Redis,
    pub(crate) heard: mpsc::Receiver<Heard>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Node {
    /// A node that is connected and has heard so.
    pub(crate) async fn start(url: &str, epoch: &str) -> Self {
        let mut node = Self::begin(url, epoch);
        node.is(State::Up).await;
        assert_eq!(node.next().await, Heard::Doubt);
        node
    }

    pub(crate) fn begin(url: &str, epoch: &str) -> Self {
        let (bus, heard) = Redis::new(Address::parse(url).unwrap(), epoch);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(bus.clone().run(stop.clone()));
        Self { bus, heard, stop, tasks }
    }

    /// Follows logs, and waits until they are heard.
    pub(crate) async fn follow(&mut self, topics: &[Topic]) {
        topics.iter().for_each(|topic| self.bus.follow(*topic));
        assert_eq!(self.next().await, Heard::Doubt);
    }

    pub(crate) async fn next(&mut self) -> Heard {
        let next = tokio::time::timeout(PATIENCE, self.heard.recv()).await;
        next.expect("something is heard in time").unwrap()
    }

    /// What is heard next but doubts.
    pub(crate) async fn next_but_doubt(&mut self) -> Heard {
        loop {
            let next = self.next().await;
            if next != Heard::Doubt {
                return next;
            }
        }
    }

    /// Waits until the bus is so.
    pub(crate) async fn is(&self, state: State) {
        let mut look = tokio::time::interval(Duration::from_millis(20));
        let waiting = async {
            while self.bus.state() != state {
                look.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the bus comes and goes in time");
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(PATIENCE, self.tasks.wait()).await.expect("the bus ends");
    }
}

/// A history that no other test has.
pub(crate) fn epoch() -> String {
    Uuid::new_v4().to_string()
}

pub(crate) fn session(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(n))
}

pub(crate) fn topic(n: u128) -> Topic {
    Topic::Session(session(n))
}

/// Something that was said.
pub(crate) fn posted(n: u128, seq: i64) -> Event {
    let message = Message {
        id: MessageId(Uuid::from_u128(seq.unsigned_abs().into())),
        no: seq,
        number: seq,
        seq,
        session: session(n),
        sender: UserId(Uuid::nil()),
        client_id: ClientId(Uuid::nil()),
        content: format!("message {seq}"),
        reply_to: None,
        thread: None,
        file: None,
        sent_at: Time(seq),
        edited_at: None,
        deleted_at: None,
        expires_at: None,
        extras: None,
    };
    Event { session: session(n), seq, at: Time(seq), kind: EventKind::Posted(message) }
}
