//! Several nodes of the real binary on one PostgreSQL and one Redis, behind HAProxy. Each node's
//! way to PostgreSQL and to Redis leads through a proxy of its own, and everything can be broken
//! by itself: a node killed, stopped, paused and started again, each part, each way.

use std::net::SocketAddr;
use std::time::Duration;

use parlor_parts::{Database, Haproxy, Postgres, Redis, free_address};
use tempfile::TempDir;
use tokio::task::block_in_place;

use crate::server::Builder;
use crate::{FaultProxy, RedisProxy, ServerProcess, soon};

/// What everybody signs with, since any node may be asked next.
const SECRET: &str = "the nodes of a cluster have one key, which nobody else has";

/// Between two looks at how HAProxy sees the nodes.
const LOOK: Duration = Duration::from_millis(20);

/// Lines of each node's log that are shown with a failure.
const LINES_SHOWN: usize = 30;

/// Nodes and what they stand on.
pub struct Cluster {
    /// The nodes.
    pub nodes: Vec<Node>,
    haproxy: Haproxy,
    /// What loses messages on their way, when something is to.
    pub loss: Option<RedisProxy>,
    /// Their Redis.
    pub redis: Redis,
    // Before the server that it is on.
    database: Database,
    /// Their PostgreSQL.
    pub postgres: Postgres,
}

impl Cluster {
    /// Starts so many nodes with these settings. Tests pass
    /// `env!("CARGO_BIN_EXE_parlor-tested")`.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start(binary: &str, nodes: usize, settings: Builder) -> Self {
        Self::with_loss(binary, nodes, settings, None).await
    }

    /// Starts so many nodes, to which about one in `one_in` of the messages of Redis does not
    /// come.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn losing(
        binary: &str,
        nodes: usize,
        settings: Builder,
        one_in: u64,
        seed: u64,
    ) -> Self {
        Self::with_loss(binary, nodes, settings, Some((one_in, seed))).await
    }

    async fn with_loss(
        binary: &str,
        nodes: usize,
        settings: Builder,
        loss: Option<(u64, u64)>,
    ) -> Self {
        let postgres = Postgres::start().expect("PostgreSQL starts");
        let redis = Redis::start().expect("Redis starts");
        let database = Database::on(&postgres).expect("a database can be made");
        let addresses: Vec<_> = (0..nodes).map(|_| free_address().expect("a free port")).collect();
        let haproxy = Haproxy::start_checking(&addresses, "/ready").expect("HAProxy starts");
        let public_url = format!("http://{}", haproxy.address());
        let settings = settings.set("public_url", &public_url).set("secret_key", SECRET);
        let loss = match loss {
            Some((one_in, seed)) => Some(RedisProxy::start(redis.address(), one_in, seed).await),
            None => None,
        };
        let to_redis = loss.as_ref().map_or(redis.address(), RedisProxy::address);
        let mut made = Vec::new();
        for address in addresses {
            let ways = (postgres.address(), to_redis);
            made.push(Node::new(binary, address, &settings, &database, ways).await);
        }
        let cluster = Self { nodes: made, haproxy, loss, redis, database, postgres };
        soon("HAProxy's word that all nodes are up", cluster.is_whole()).await;
        cluster
    }

    /// Waits until HAProxy takes all nodes for up.
    pub async fn is_whole(&self) {
        let mut look = tokio::time::interval(LOOK);
        while self.haproxy.servers_up() < self.nodes.len() {
            look.tick().await;
        }
    }

    /// Where everybody comes in.
    pub fn address(&self) -> SocketAddr {
        self.haproxy.address()
    }

    /// Where the database is, by the straight way.
    pub fn database_url(&self) -> String {
        self.database.url()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Whoever looks for the reason of a failure wants to know what the nodes said.
        if std::thread::panicking() {
            eprintln!("PostgreSQL logged last:\n{}", self.postgres.log());
            for (n, node) in self.nodes.iter().enumerate() {
                let log = node.log();
                let lines: Vec<_> = log.lines().collect();
                let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
                eprintln!("node {n} logged last:\n{}", last.join("\n"));
            }
        }
    }
}

/// A node: the same place and folder however often it is started.
pub struct Node {
    binary: String,
    address: SocketAddr,
    settings: Builder,
    process: Option<ServerProcess>,
    to_postgres: Way,
    to_redis: Way,
    folder: TempDir,
}

impl Node {
    async fn new(
        binary: &str,
        address: SocketAddr,
        settings: &Builder,
        database: &Database,
        (postgres, redis): (SocketAddr, SocketAddr),
    ) -> Self {
        let to_postgres = Way::to(postgres).await;
        let to_redis = Way::to(redis).await;
        let through = |url: &str, to: SocketAddr| url.replacen(&to.to_string(), "{}", 1);
        let database_url = through(&database.url(), postgres);
        let settings = settings
            .clone()
            .set("listen", &address.to_string())
            .set(
                "database_url",
                &database_url.replace("{}", &to_postgres.proxy.address().to_string()),
            )
            .set("redis_url", &format!("redis://{}", to_redis.proxy.address()));
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut node = Self {
            binary: binary.to_owned(),
            address,
            settings,
            process: None,
            to_postgres,
            to_redis,
            folder,
        };
        node.start();
        node
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it where it is not running.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&mut self) {
        if self.process.is_none() {
            let start =
                || ServerProcess::start_in(&self.binary, &self.settings, self.folder.path());
            self.process = Some(block_in_place(start));
        }
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            block_in_place(|| process.kill());
        }
    }

    /// Asks it to stop and waits until it has; returns whether it ended well.
    pub fn terminate(&mut self) -> bool {
        match self.process.take() {
            Some(mut process) => block_in_place(|| process.terminate()),
            None => true,
        }
    }

    /// Its process, while it runs.
    pub fn process(&self) -> Option<&ServerProcess> {
        self.process.as_ref()
    }

    /// Its way to PostgreSQL.
    pub fn to_postgres(&self) -> &Way {
        &self.to_postgres
    }

    /// Its way to Redis.
    pub fn to_redis(&self) -> &Way {
        &self.to_redis
    }

    /// What it has logged since it was made.
    pub fn log(&self) -> String {
        let path = self.folder.path().join("log.txt");
        std::fs::read_to_string(path).unwrap_or_default()
    }
}

/// A way from a node to a part.
pub struct Way {
    proxy: FaultProxy,
    target: SocketAddr,
}

impl Way {
    async fn to(target: SocketAddr) -> Self {
        Self { proxy: FaultProxy::transparent(target).await, target }
    }

    /// Strikes every connection that is open now.
    pub fn strike(&self, fault: crate::Fault) {
        self.proxy.strike(fault);
    }

    /// Swallows everything from now on: what is open stays open, what is opened is open, and
    /// nothing comes back.
    pub fn block(&self) {
        self.proxy.retarget(None);
        self.proxy.strike(crate::Fault::HalfOpen);
    }

    /// Lets new connections through again.
    pub fn unblock(&self) {
        self.proxy.retarget(Some(self.target));
    }
}
