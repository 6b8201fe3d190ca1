//! One device of somebody: what it asks, what it hears, and what it remembers when its connection
//! breaks. Its side of the server is the real one: a hub's ear and the doors' listening.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Waker};

use parlor_app::{Actor, App};
use parlor_domain::{ClientId, SessionId};
use parlor_doors::listening::Listening;
use parlor_hub::{Form, Frame, Key, Who};
use parlor_wire::frame::Codec;
use parlor_wire::v1::{ServerFrame, server_frame};
use prost::Message as _;

use super::town::{Doing, poll};
use crate::checker::{End, Entry, Hearing, Told};

/// The newest `seq` that is stored, of every log.
pub(crate) type Heads = BTreeMap<String, i64>;

/// Something that a client said, and may say again.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) session: SessionId,
    pub(crate) client_id: ClientId,
    pub(crate) content: String,
}

pub(crate) struct Client {
    pub(crate) actor: Actor,
    pub(crate) connection: Option<Connection>,
    /// The last `seq` it has of each log.
    pub(crate) cursors: BTreeMap<String, i64>,
    pub(crate) sent: Vec<Sent>,
    /// What it has heard, in all its connections.
    pub(crate) hearings: Vec<Hearing>,
}

pub(crate) struct Connection {
    /// The server's side; away while something is done with it.
    listening: Option<Listening>,
    doing: Option<Doing<(Listening, Done)>>,
    /// What is on its way to the client.
    out: VecDeque<Out>,
    /// Where each log's hearing stands among those of the client.
    open: BTreeMap<String, usize>,
}

/// What the server's side has done.
enum Done {
    Began { key: Key, after: i64 },
    Refused,
    Filled { told: Vec<(Key, Arc<Frame>)>, over: Vec<Key>, lost: bool },
}

/// Something on its way to the client.
enum Out {
    Began { log: String, after: i64 },
    Told { log: String, told: Told },
    Over { log: String, head: i64 },
}

/// The name of a log in the history.
pub(crate) fn log_name(key: Key) -> String {
    match key {
        Key::Session(session) | Key::Typing(session) => session.to_string(),
        Key::User(user) | Key::Queue(user) => user.to_string(),
        Key::Dialect(dialect) => dialect.as_str().to_owned(),
    }
}

impl Client {
    pub(crate) fn new(actor: Actor) -> Self {
        Self {
            actor,
            connection: None,
            cursors: BTreeMap::new(),
            sent: Vec::new(),
            hearings: Vec::new(),
        }
    }

    /// Connects, and follows its own log from where it was.
    pub(crate) fn connect(&mut self, app: &Arc<App>) {
        let actor = self.actor;
        let address = [127, 0, 0, 1].into();
        let who = Who { user: actor.user, login: actor.login, device: actor.device, address };
        let ear = app.hub().connect(who).expect("connections are not limited");
        let listening = Listening::new(Arc::clone(app), actor, ear);
        self.connection = Some(Connection {
            listening: Some(listening),
            doing: None,
            out: VecDeque::new(),
            open: BTreeMap::new(),
        });
        self.subscribe(Key::User(actor.user));
    }

    /// The connection breaks: what was on its way is lost.
    pub(crate) fn disconnect(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        for hearing in connection.open.into_values() {
            self.hearings[hearing].end = End::Cut;
        }
    }

    /// Whether the server's side is free for something new.
    pub(crate) fn is_free(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.listening.is_some())
    }

    pub(crate) fn hears(&self, key: Key) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|connection| connection.open.contains_key(&log_name(key)))
    }

    /// Begins to hear a log, from where the client was, or from now on when it never heard it.
    pub(crate) fn subscribe(&mut self, key: Key) {
        let after = self.cursors.get(&log_name(key)).copied();
        let Some(connection) = &mut self.connection else { return };
        let Some(mut listening) = connection.listening.take() else { return };
        // Asking anew ends what was heard before.
        if let Some(hearing) = connection.open.remove(&log_name(key)) {
            self.hearings[hearing].end = End::Cut;
        }
        connection.out.retain(|out| out.log() != log_name(key));
        connection.doing = Some(Box::pin(async move {
            let done = match listening.subscribe(key, after).await {
                Ok(head) => Done::Began { key, after: after.unwrap_or(head) },
                Err(_) => Done::Refused,
            };
            (listening, done)
        }));
    }

    /// Lets the server's side take what is ready, if its bell has rung.
    pub(crate) fn fill(&mut self, bytes_max: u64) {
        let Some(connection) = &mut self.connection else { return };
        if !connection.is_rung() {
            return;
        }
        let Some(mut listening) = connection.listening.take() else { return };
        connection.doing = Some(Box::pin(async move {
            let done = fill(&mut listening, bytes_max).await;
            (listening, done)
        }));
    }

    /// Goes on with what the server's side is doing; true when it was doing something.
    pub(crate) fn go_on(&mut self, heads: &Heads) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        let Some(doing) = &mut connection.doing else { return false };
        let Some((listening, done)) = poll(doing) else { return true };
        connection.doing = None;
        connection.listening = Some(listening);
        match done {
            Done::Refused => {}
            Done::Began { key, after } => {
                connection.out.push_back(Out::Began { log: log_name(key), after });
            }
            Done::Filled { told, over, lost } => {
                told.iter().for_each(|(key, frame)| connection.hand_over(*key, frame, heads));
                for key in over {
                    let log = log_name(key);
                    let head = heads.get(&log).copied().unwrap_or(0);
                    connection.out.push_back(Out::Over { log, head });
                }
                if lost {
                    // Too slow: told to come back, which it may.
                    self.receive(usize::MAX);
                    self.disconnect();
                }
            }
        }
        true
    }

    /// Takes some of what is on its way; true when something was.
    pub(crate) fn receive(&mut self, most: usize) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        let count = most.min(connection.out.len());
        for out in connection.out.drain(..count) {
            match out {
                Out::Began { log, after } => {
                    connection.open.insert(log.clone(), self.hearings.len());
                    self.cursors.insert(log.clone(), after);
                    let listener = self.actor.user.to_string();
                    let told = Vec::new();
                    self.hearings.push(Hearing { listener, log, after, told, end: End::Open });
                }
                Out::Told { log, told } => {
                    self.cursors.insert(log.clone(), told.entry.seq);
                    if let Some(&hearing) = connection.open.get(&log) {
                        self.hearings[hearing].told.push(told);
                    }
                }
                Out::Over { log, head } => {
                    if let Some(hearing) = connection.open.remove(&log) {
                        self.hearings[hearing].end = End::Over { head };
                    }
                }
            }
        }
        count > 0
    }
}

impl Connection {
    /// Whether something waits for it.
    fn is_rung(&self) -> bool {
        let Some(listening) = &self.listening else { return false };
        listening.poll_rung(&Context::from_waker(Waker::noop())).is_ready()
    }

    fn hand_over(&mut self, key: Key, frame: &Frame, heads: &Heads) {
        let payload = Form::Plain(Codec::Proto).of(frame).payload();
        let frame = ServerFrame::decode(payload).expect("a frame of the schema");
        let Some(server_frame::Frame::Event(event)) = frame.frame else { return };
        let entry = Entry::of(&event).expect("an event has its place");
        let log = log_name(key);
        let head = heads.get(&log).copied().or(Some(0));
        self.out.push_back(Out::Told { log, told: Told { entry, head } });
    }
}

impl Out {
    fn log(&self) -> &str {
        match self {
            Self::Began { log, .. } | Self::Told { log, .. } | Self::Over { log, .. } => log,
        }
    }
}

/// What the doors do when a connection may say more: first what is behind, then what is new.
async fn fill(listening: &mut Listening, bytes_max: u64) -> Done {
    let (mut told, mut over) = (Vec::new(), Vec::new());
    while told.is_empty() && listening.is_behind() {
        match listening.catch_up(|key, frame| told.push((key, frame))).await {
            Ok(key) => over.extend(key),
            Err(_) => return Done::Filled { told, over, lost: true },
        }
    }
    let gathered = listening.gather(bytes_max, |key, frame| told.push((key, frame)));
    let lost = gathered.is_err();
    over.extend(gathered.unwrap_or_default());
    Done::Filled { told, over, lost }
}
