//! A server in this process, on a port of its own, with a data folder of its own.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parlor_app::Clock;
use parlor_parts::Database;
use parlor_server::config::Raw;
use parlor_server::{Running, SystemClock};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::contract::Contract;
use crate::http::{Answer, Request};
use crate::mail::Letters;
use crate::{Person, person};

/// A server to be.
#[derive(Clone)]
pub struct Builder {
    keys: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    clock: Arc<dyn Clock>,
    alone: bool,
}

impl Builder {
    /// Sets a key of the configuration.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.keys.retain(|(name, _)| name != key);
        self.keys.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Sets a limit by its name.
    #[must_use]
    pub fn limit(self, name: &str, value: u64) -> Self {
        self.set(&format!("limit_{name}"), &value.to_string())
    }

    /// With the limits in force, and passwords hashed at full cost.
    #[must_use]
    pub fn limits_on(self) -> Self {
        self.set("limits", "on")
    }

    /// Where it is a process of its own: with this variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another clock.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// As one node, also where tests run on several: for what each node counts by itself for a
    /// moment before it tells the others.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// The keys that were set.
    pub(crate) fn keys(&self) -> &[(String, String)] {
        &self.keys
    }

    pub(crate) fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// Starts it: as one node on SQLite, or where `PARLOR_TEST_NODES` says so as several on
    /// PostgreSQL and Redis.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(self) -> TestServer {
        count_panics();
        match nodes() {
            _ if self.alone => self.start_one().await,
            0 | 1 => self.start_one().await,
            nodes => self.start_several(nodes).await,
        }
    }

    /// Starts it on PostgreSQL and Redis as several nodes, whatever the other tests run on.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_on(self, nodes: usize) -> TestServer {
        count_panics();
        self.start_several(nodes).await
    }

    async fn start_one(self) -> TestServer {
        let node = Node::start(self.keys, &[], self.clock).await;
        TestServer::of(vec![node], None)
    }

    async fn start_several(self, nodes: usize) -> TestServer {
        let database = parlor_parts::database().expect("tests share a PostgreSQL");
        let redis = parlor_parts::redis_url().expect("tests share a Redis");
        // Where one node would listen: the name of the server follows from it.
        let first = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let first = first.expect("a free port");
        let files = TempDir::new().expect("a temporary folder can be made");
        // Nodes are one server: one key, one name. A name given by hand is one that guests of the
        // façades may not make accounts under, unless that is said, too.
        let mut same = vec![
            ("database_url".to_owned(), database.url()),
            ("redis_url".to_owned(), redis),
            ("secret_key".to_owned(), SECRET.to_owned()),
            ("files_dir".to_owned(), files.path().to_string_lossy().into_owned()),
        ];
        if !self.keys.iter().any(|(key, _)| key == "public_url") {
            same.push(("public_url".to_owned(), format!("http://{first}")));
            same.push(("compat_guests".to_owned(), "on".to_owned()));
        }
        let mut started = Vec::new();
        for n in 0..nodes {
            let mut keys = self.keys.clone();
            if n == 0 {
                keys.retain(|(key, _)| key != "listen");
                keys.push(("listen".to_owned(), first.to_string()));
            }
            started.push(Node::start(keys, &same, Arc::clone(&self.clock)).await);
        }
        TestServer { _files: Some(files), ..TestServer::of(started, Some(database)) }
    }
}

/// How many nodes a server has; one unless it is said.
const NODES: &str = "PARLOR_TEST_NODES";

/// Between two looks at what another node has done.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// What several nodes sign with.
const SECRET: &str = "the nodes of a test have one key, which nobody else has";

fn nodes() -> usize {
    let said = std::env::var(NODES).ok();
    said.map_or(1, |nodes| nodes.parse().expect("PARLOR_TEST_NODES is a number"))
}

/// A node of a server.
struct Node {
    running: Running,
    data_dir: TempDir,
}

impl Node {
    /// Starts one; the test's own keys stand before those that all nodes have.
    async fn start(
        own: Vec<(String, String)>,
        same: &[(String, String)],
        clock: Arc<dyn Clock>,
    ) -> Self {
        let data_dir = TempDir::new().expect("a temporary folder can be made");
        let mut raw = Raw::new();
        raw.add("test", own);
        raw.add("test", same.iter().cloned());
        let folder = data_dir.path().to_string_lossy().into_owned();
        raw.add("test", [("data_dir".to_owned(), folder)]);
        let config = raw.read().expect("the test's configuration is sound");
        let running = Running::start(config, clock, None).await;
        Self { running: running.expect("the server starts"), data_dir }
    }
}

/// A running server. Where it has several nodes, whoever asks for its address gets another one of
/// them each time, so that the people of a test are spread over them.
pub struct TestServer {
    next: AtomicUsize,
    letters: Letters,
    nodes: Vec<Node>,
    contract: OnceCell<Contract>,
    panics_before: usize,
    database: Option<Database>,
    /// What all nodes have, as long as they are there.
    _files: Option<TempDir>,
}

impl TestServer {
    /// A server without rate limits and with cheap passwords.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A server to be.
    pub fn builder() -> Builder {
        let keys = [("listen", "127.0.0.1:0"), ("limits", "off"), ("log", "warn")];
        let keys = keys.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Builder {
            keys: keys.to_vec(),
            variables: vec![],
            clock: Arc::new(SystemClock),
            alone: false,
        }
    }

    fn of(nodes: Vec<Node>, database: Option<Database>) -> Self {
        Self {
            next: AtomicUsize::new(0),
            letters: Letters::of(nodes.iter().map(|node| node.data_dir.path())),
            nodes,
            contract: OnceCell::new(),
            panics_before: panics(),
            database,
            _files: None,
        }
    }

    /// Where it listens: the next node.
    pub fn address(&self) -> SocketAddr {
        self.node().running.address()
    }

    fn node(&self) -> &Node {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        &self.nodes[next % self.nodes.len()]
    }

    /// Where it listens for the façade of this name.
    ///
    /// # Panics
    /// When it does not.
    pub fn address_of(&self, facade: &str) -> SocketAddr {
        let mut addresses = self.node().running.compat_addresses().iter();
        let found = addresses.find(|(_, dialect)| dialect.as_str() == facade);
        found.expect("it listens for the façade").0
    }

    /// Where it says in plain HTTP that TLS is spoken elsewhere.
    ///
    /// # Panics
    /// When it does not.
    pub fn plain_address(&self) -> SocketAddr {
        let running = &self.nodes[0].running;
        running.plain_address().expect("it listens for plain HTTP")
    }

    /// What it is called, as a URL: where it listens, or where its first node does.
    pub fn url(&self) -> String {
        format!("http://{}", self.nodes[0].running.address())
    }

    /// The letters that it wrote.
    pub fn letters(&self) -> &Letters {
        &self.letters
    }

    /// The folder of everything that it keeps, or that its first node does.
    pub fn data_dir(&self) -> &std::path::Path {
        self.nodes[0].data_dir.path()
    }

    /// Registers somebody, with the password [`person::PASSWORD`], and signs them in.
    pub async fn person(&self, username: &str) -> Person {
        let contract = self.contract().await;
        Person::new(self.address(), username, Some(contract)).await
    }

    /// Signs in somebody who has an account, from a new device.
    pub async fn device(&self, username: &str) -> Person {
        let contract = self.contract().await;
        Person::sign_in(self.address(), username, person::PASSWORD, Some(contract)).await
    }

    /// What the server says of its own API.
    pub async fn contract(&self) -> Contract {
        let contract = self.contract.get_or_init(|| Contract::fetch(self.address()));
        contract.await.clone()
    }

    /// Sends a request by nobody and checks the answer against the contract.
    pub async fn send(&self, request: Request) -> Answer {
        let answer = request.send(self.address()).await;
        let contract = self.contract().await;
        contract.check(request.method(), request.path(), &answer);
        answer
    }

    /// Fails when something has panicked since this server was started.
    ///
    /// # Panics
    /// Then.
    pub fn assert_no_panic(&self) {
        assert_eq!(panics(), self.panics_before, "something in the server panicked");
    }

    /// Stops it, as `SIGTERM` would.
    pub async fn stop(mut self) {
        for node in self.nodes.drain(..) {
            crate::soon("the end of the server", node.running.stop()).await;
        }
        self.assert_no_panic();
    }

    /// Asks, until it is so, what one node of several hears of another a moment later. One node
    /// alone is asked once.
    ///
    /// # Panics
    /// When it is not so.
    pub async fn sees(&self, what: &str, so: impl AsyncFn() -> bool) {
        if self.nodes.len() == 1 {
            assert!(so().await, "{what}");
            return;
        }
        let mut pause = tokio::time::interval(BETWEEN_LOOKS);
        let seen = async {
            while !so().await {
                pause.tick().await;
            }
        };
        crate::soon(what, seen).await;
    }

    /// Where its PostgreSQL is, when it has one.
    pub fn database_url(&self) -> Option<String> {
        self.database.as_ref().map(Database::url)
    }
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn panics() -> usize {
    PANICS.load(Ordering::SeqCst)
}

/// Counts panics of this process from now on. A test that panics itself fails anyway.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            before(info);
        }));
    });
}
