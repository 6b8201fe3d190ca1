//! A private Redis Cluster: three primaries on loopback that share the slots.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::child::Child;
use crate::port::HOST;
use crate::{folder, port, redis, resp, wait};

/// The slots of each server, first and last.
const SLOTS: [(u16, u16); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];

/// How long the servers may take to agree that one of them is back.
const AGREE: Duration = Duration::from_secs(30);

/// An introduction that nobody answered in time is forgotten, so there may be several rounds.
const ROUNDS: usize = 10;
const ROUND: Duration = Duration::from_secs(3);

/// After so many milliseconds of silence a server is believed to be down.
const NODE_TIMEOUT_MS: &str = "5000";

/// A Redis Cluster of our own.
pub struct RedisCluster {
    nodes: Vec<Node>,
}

struct Node {
    child: Option<Child>,
    port: u16,
    bus: u16,
    folder: TempDir,
}

impl RedisCluster {
    /// Starts three primaries; returns when they agree about the slots.
    ///
    /// # Errors
    /// When Redis is not installed, or they do not.
    pub fn start() -> anyhow::Result<Self> {
        let nodes: anyhow::Result<Vec<_>> = SLOTS.iter().map(|_| Node::start()).collect();
        let cluster = Self { nodes: nodes? };
        for (node, (first, last)) in cluster.nodes.iter().zip(SLOTS) {
            let (first, last) = (first.to_string(), last.to_string());
            resp::ask(node.port, &["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
        }
        for (epoch, node) in (1..).zip(&cluster.nodes) {
            resp::ask(node.port, &["CLUSTER", "SET-CONFIG-EPOCH", &i32::to_string(&epoch)])?;
        }
        let agreed = (0..ROUNDS).any(|_| {
            cluster.introduce().is_ok()
                && wait::until(ROUND, || cluster.agrees().then_some(())).is_some()
        });
        if !agreed {
            bail!("the servers of the Redis Cluster did not find each other");
        }
        Ok(cluster)
    }

    /// The addresses of its servers.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("redis://{HOST}:{}", node.port)).collect()
    }

    /// Where its servers listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| (HOST, node.port).into()).collect()
    }

    /// Ends one of the servers at once; its slots have nobody.
    pub fn stop_immediate(&mut self, node: usize) {
        if let Some(mut child) = self.nodes[node].child.take() {
            child.kill();
        }
    }

    /// Starts it again; returns when all agree that it is back.
    ///
    /// # Errors
    /// When it does not come up, or they do not.
    pub fn start_again(&mut self, node: usize) -> anyhow::Result<()> {
        self.stop_immediate(node);
        let back = wait::until(AGREE, || self.nodes[node].launch().transpose());
        back.context("the Redis Cluster's server did not get its port back")??;
        let agreed = wait::until(AGREE, || self.agrees().then_some(()));
        agreed.context("the Redis Cluster did not become whole again")
    }

    /// Stops one of the servers where it stands.
    pub fn pause(&self, node: usize) {
        self.nodes[node].child.iter().for_each(Child::pause);
    }

    /// Lets it go on.
    pub fn resume(&self, node: usize) {
        self.nodes[node].child.iter().for_each(Child::resume);
    }

    /// Tells every server of every other one.
    fn introduce(&self) -> std::io::Result<()> {
        for (one, other) in
            self.nodes.iter().flat_map(|one| self.nodes.iter().map(move |it| (one, it)))
        {
            if one.port != other.port {
                let (port, bus) = (other.port.to_string(), other.bus.to_string());
                resp::ask(one.port, &["CLUSTER", "MEET", &HOST.to_string(), &port, &bus])?;
            }
        }
        Ok(())
    }

    /// Whether every server knows all others and who has which slots.
    fn agrees(&self) -> bool {
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        self.nodes.iter().all(|node| {
            let Ok(info) = resp::ask(node.port, &["CLUSTER", "INFO"]) else { return false };
            let says = |line: &str| info.lines().any(|told| told.trim() == line);
            says("cluster_state:ok") && says("cluster_slots_ok:16384") && says(&known)
        })
    }
}

impl Node {
    fn start() -> anyhow::Result<Self> {
        let mut node = Self { child: None, port: 0, bus: 0, folder: folder::make()? };
        for _ in 0..port::PORTS_TRIED {
            (node.port, node.bus) = (port::free()?, port::free()?);
            if node.launch()?.is_some() {
                return Ok(node);
            }
        }
        bail!("Redis found no port");
    }

    /// Starts it; `None` when somebody else has one of its ports.
    fn launch(&mut self) -> anyhow::Result<Option<()>> {
        let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", NODE_TIMEOUT_MS];
        let bus = ["--cluster-port", &self.bus.to_string()].map(str::to_owned);
        // Otherwise the others take the address that its connections come from for its own.
        let host = ["--cluster-announce-ip", &HOST.to_string()].map(str::to_owned);
        let arguments: Vec<_> =
            arguments.map(str::to_owned).into_iter().chain(bus).chain(host).collect();
        self.child = redis::launch(self.folder.path(), self.port, &arguments)?;
        Ok(self.child.as_ref().map(|_| ()))
    }
}
