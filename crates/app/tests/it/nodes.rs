//! Several nodes on one store: whatever the bus between them does, everybody who listens hears
//! everything, once and in order, and nobody who was sent away hears anything more.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use parlor_app::{Actor, App, Clock, Hashing, Parts, Secret, Settings};
use parlor_blobs::Disk;
use parlor_bus::{Bus, Heard, Node, State, Topic, Word};
use parlor_domain::rules::AskedRules;
use parlor_domain::saying::SendMessage;
use parlor_domain::{ClientId, Event, Limits, RoomKind, SessionId, Time, UserEvent};
use parlor_hub::{Cut, Ear, Hub, Key, Who};
use parlor_store::sqlite::{SqliteConfig, SqliteStore};
use parlor_store::{Batch, Log as _, Store};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use parlor_app::rooms::CreateRoom;

const HERE: &str = "10.0.0.1";

/// A clock that both nodes have.
struct Clocked(AtomicI64);

impl Clock for Clocked {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

/// A bus that keeps what it is given, for the test to carry.
struct Wire {
    node: Node,
    state: Mutex<State>,
    sent: Mutex<VecDeque<Heard>>,
}

impl Bus for Wire {
    fn publish(&self, events: &[Event], user_events: &[UserEvent]) {
        let mut sent = self.sent.lock();
        sent.extend(events.iter().cloned().map(Heard::Event));
        let heads = user_events.iter().map(|e| Heard::Head(Topic::User(e.user), e.seq));
        sent.extend(heads);
    }

    fn say(&self, word: Word) {
        self.sent.lock().push_back(Heard::Word(self.node, word));
    }

    fn node(&self) -> Node {
        self.node
    }

    fn state(&self) -> State {
        *self.state.lock()
    }
}

struct Town {
    nodes: Vec<(Arc<App>, Arc<Wire>)>,
    store: Arc<SqliteStore>,
    clock: Arc<Clocked>,
    commits: mpsc::Receiver<Batch>,
    tasks: TaskTracker,
    _folder: TempDir,
}

impl Town {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parlor.sqlite");
        let (sink, commits) = mpsc::channel(1024);
        let store = Arc::new(SqliteStore::open(&SqliteConfig { path, readers: 1 }, sink).unwrap());
        let clock = Arc::new(Clocked(AtomicI64::new(1_700_000_000_000_000)));
        let tasks = TaskTracker::new();
        let limits = Limits { telling_pause_ms: 0, ..Limits::lifted() };
        let node = |n| {
            let (state, sent) = (Mutex::new(State::Up), Mutex::default());
            let wire = Arc::new(Wire { node: Node(n), state, sent });
            let app = App::new(Parts {
                store: Arc::clone(&store) as Arc<dyn Store>,
                egress: None,
                blobs: Arc::new(Disk::open(&folder.path().join("blobs")).unwrap()),
                hub: Hub::new(limits),
                bus: Arc::clone(&wire) as Arc<dyn Bus>,
                shared: true,
                clock: Arc::clone(&clock) as Arc<dyn Clock>,
                limits,
                secret: Secret::new(vec![7; 32]).unwrap(),
                mail: None,
                settings: Settings {
                    hashing: Hashing::Minimal,
                    guests: true,
                    ..Settings::default()
                },
                tasks: tasks.clone(),
            });
            (app, wire)
        };
        let nodes = vec![node(1), node(2)];
        Self { nodes, store, clock, commits, tasks, _folder: folder }
    }

    fn app(&self, node: usize) -> &Arc<App> {
        &self.nodes[node].0
    }

    async fn guest(&self, name: &str) -> Actor {
        let from: IpAddr = HERE.parse().unwrap();
        let signed_in = self.app(0).register_guest(name, from).await.unwrap();
        self.app(0).authenticate_bearer(signed_in.access_token.expose()).await.unwrap()
    }

    /// A public room with its main session.
    async fn room(&mut self, actor: &Actor) -> (parlor_domain::RoomId, SessionId) {
        let asked = CreateRoom {
            encryption: None,
            rules: AskedRules::default(),
            name: "a room".into(),
            kind: RoomKind::Public,
            description: String::new(),
            password: None,
            members: vec![],
            key: None,
            slug: None,
            unique: false,
        };
        let room = self.app(0).create_room(actor, asked).await.unwrap().value;
        self.tell(0, room.main_session, 1).await;
        (room.id, room.main_session)
    }

    /// Somebody's ear on a node, which hears a session from now on, as doors listen.
    async fn ear(&self, node: usize, actor: &Actor, session: SessionId) -> (Ear, i64) {
        let app = self.app(node);
        let who = Who {
            user: actor.user,
            login: actor.login,
            device: actor.device,
            address: HERE.parse().unwrap(),
        };
        let mut ear = app.hub().connect(who).unwrap();
        let key = Key::Session(session);
        ear.listen(key);
        let head = app.session_head(actor, session).await.unwrap();
        ear.ground(key, head);
        ear.live_from(key, head + 1);
        (ear, head)
    }

    /// Says something on a node, which tells it.
    async fn say(&mut self, node: usize, actor: &Actor, session: SessionId) {
        let cmd = SendMessage::plain(ClientId(Uuid::new_v4()), session, "hi".into());
        let posted = self.app(node).send(actor, cmd).await.unwrap().done().await.unwrap();
        self.tell(node, session, posted.seq).await;
    }

    /// What was committed up to this event, told where it was committed.
    async fn tell(&mut self, node: usize, session: SessionId, seq: i64) {
        loop {
            let batch = self.commits.recv().await.unwrap();
            let last =
                batch.events.iter().any(|event| (event.session, event.seq) == (session, seq));
            let (app, wire) = &self.nodes[node];
            wire.publish(&batch.events, &batch.user_events);
            app.tell(batch).await;
            if last {
                return;
            }
        }
    }

    /// What a node has sent and nobody has heard yet.
    fn sent(&self, node: usize) -> Vec<Heard> {
        self.nodes[node].1.sent.lock().drain(..).collect()
    }

    /// Everything that was sent is heard.
    async fn carry(&self) {
        for node in 0..2 {
            let sent = self.sent(node);
            self.app(1 - node).hear(sent).await;
        }
    }

    fn pass(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap();
        self.clock.0.fetch_add(micros, Ordering::SeqCst);
    }
}

/// What an ear hears of a log.
fn gathered(ear: &mut Ear) -> Vec<i64> {
    let mut seqs = Vec::new();
    while ear.gather(u64::MAX, |_, frame| seqs.push(frame.seq())).unwrap().more {}
    seqs.retain(|seq| *seq != 0);
    seqs
}

/// What happens to something on its way.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Heard,
    Lost,
    Doubled,
    Later,
}

fn fates() -> impl Strategy<Value = Vec<(usize, Fate)>> {
    let fate = prop_oneof![
        3 => Just(Fate::Heard),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Doubled),
        1 => Just(Fate::Later),
    ];
    proptest::collection::vec((0..2_usize, fate), 1..30)
}

async fn play(fates: Vec<(usize, Fate)>) {
    let mut town = Town::new();
    let ana = town.guest("ana").await;
    let (_, session) = town.room(&ana).await;
    let (mut one, from) = town.ear(0, &ana, session).await;
    let (mut other, _) = town.ear(1, &ana, session).await;
    let mut later: [Vec<Heard>; 2] = Default::default();
    let count = fates.len() as i64;
    for (node, fate) in fates {
        town.say(node, &ana, session).await;
        let sent = town.sent(node);
        let late = std::mem::take(&mut later[node]);
        let heard = match fate {
            Fate::Heard => sent,
            Fate::Lost => vec![],
            Fate::Doubled => [sent.clone(), sent].concat(),
            Fate::Later => {
                later[node] = sent;
                vec![]
            }
        };
        town.app(1 - node).hear(heard).await;
        town.app(1 - node).hear(late).await;
    }
    for node in 0..2 {
        town.app(node).compare().await;
    }
    let all: Vec<_> = (from + 1..=from + count).collect();
    assert_eq!(gathered(&mut one), all);
    assert_eq!(gathered(&mut other), all);
}

#[test]
fn a_bus_that_loses_doubles_and_swaps_leaves_nobody_without_anything() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() };
    proptest!(config, |(fates in fates())| runtime.block_on(play(fates)));
}

#[tokio::test]
async fn nothing_is_read_from_the_store_while_the_bus_carries() {
    let mut town = Town::new();
    let ana = town.guest("ana").await;
    let (_, session) = town.room(&ana).await;
    let (mut ear, from) = town.ear(1, &ana, session).await;
    town.say(0, &ana, session).await;
    let early = town.sent(0);
    town.say(1, &ana, session).await;
    assert!(gathered(&mut ear).is_empty(), "its own commit waits for the one before it");
    town.app(1).hear(early).await;
    assert_eq!(gathered(&mut ear), [from + 1, from + 2]);
}

#[tokio::test]
async fn who_was_sent_away_on_one_node_hears_nothing_more_on_another() {
    let mut town = Town::new();
    let (ana, bo) = (town.guest("ana").await, town.guest("bo").await);
    let (room, session) = town.room(&ana).await;
    town.app(1).join(&bo, room, None).await.unwrap();
    town.tell(1, session, 2).await;
    town.carry().await;
    // Said, so that the other node has seen how it may.
    town.say(1, &bo, session).await;
    let (mut ear, from) = town.ear(1, &bo, session).await;
    town.app(0).kick(&ana, room, bo.user).await.unwrap();
    town.say(0, &ana, session).await;
    // Nothing of that is carried: the other node finds it by itself.
    town.sent(0);
    town.app(1).compare().await;
    assert_eq!(gathered(&mut ear), [from + 1], "their going is the last that they hear");
    assert!(!ear.hears(Key::Session(session)));
    let denied = town.app(1).check_listener(&bo, session).await;
    assert!(denied.is_err(), "and they cannot listen again: {denied:?}");
}

#[tokio::test]
async fn a_login_that_ends_on_one_node_ends_on_another_by_word_or_without() {
    for told in [true, false] {
        let mut town = Town::new();
        let ana = town.guest("ana").await;
        let (_, session) = town.room(&ana).await;
        let (ear, _) = town.ear(1, &ana, session).await;
        town.app(1).still_signed_in(&ana).await.unwrap();
        town.app(0).logout(&ana).await.unwrap();
        assert_eq!(ear.verdict(), None);
        if told {
            town.carry().await;
        } else {
            town.app(1).cut_dead().await;
        }
        assert_eq!(ear.verdict(), Some(Cut::Revoked));
        assert!(town.app(1).still_signed_in(&ana).await.is_err());
    }
}

#[tokio::test]
async fn a_login_is_asked_for_again_where_nobody_says_that_it_is_over() {
    let town = Town::new();
    let ana = town.guest("ana").await;
    town.app(1).still_signed_in(&ana).await.unwrap();
    town.app(0).logout(&ana).await.unwrap();
    town.pass(Duration::from_secs(11));
    assert!(town.app(1).still_signed_in(&ana).await.is_err());
}

#[tokio::test]
async fn what_one_node_changed_the_next_request_to_another_shows() {
    let town = Town::new();
    let ana = town.guest("ana").await;
    let name = async |node: usize| town.app(node).person(ana.user).await.unwrap().user.name.clone();
    assert_eq!(name(1).await, "ana");
    town.app(0).rename(&ana, "anna").await.unwrap();
    assert_eq!(name(1).await, "anna");
}

#[tokio::test]
async fn the_store_is_left_alone_by_who_listens_to_nothing() {
    let town = Town::new();
    town.app(0).compare().await;
    town.app(0).cut_dead().await;
    assert_eq!(town.app(0).hub().connections(), 0);
    assert!(town.store.heads(vec![]).await.unwrap().is_empty());
    town.tasks.close();
}
