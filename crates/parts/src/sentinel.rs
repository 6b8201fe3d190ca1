//! A private Redis with a replica, and a sentinel that watches both: it names the primary, and
//! makes the replica one when the primary is gone.

use std::fs;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::child::Child;
use crate::port::HOST;
use crate::program::{command, required};
use crate::{Redis, folder, port, resp, wait};

/// What the sentinel calls the primary.
const NAME: &str = "parlor";

/// How long the three may take to know each other, and the sentinel to see that one is gone.
const AGREE: Duration = Duration::from_secs(30);

/// Two Redis servers and who watches them.
pub struct RedisSentinel {
    servers: [Redis; 2],
    /// Held so that it is ended with the rest.
    _sentinel: Child,
    port: u16,
    _folder: TempDir,
}

impl RedisSentinel {
    /// Starts all three; returns when the sentinel knows the replica.
    ///
    /// # Errors
    /// When Redis is not installed, or one of them does not start.
    pub fn start() -> anyhow::Result<Self> {
        let primary = Redis::start()?;
        let of = primary.address();
        let (host, port) = (of.ip().to_string(), of.port().to_string());
        // Otherwise the address that its connections come from is taken for its own.
        let follows = ["--replicaof", &host, &port, "--replica-announce-ip", &host];
        let replica = Redis::start_with(&follows)?;
        let folder = folder::make()?;
        for _ in 0..port::PORTS_TRIED {
            let port = port::free()?;
            if let Some(sentinel) = launch(&folder, port, of.port())? {
                let it = Self {
                    servers: [primary, replica],
                    _sentinel: sentinel,
                    port,
                    _folder: folder,
                };
                let known = wait::until(AGREE, || it.knows_the_replica().then_some(()));
                known.context("the sentinel did not find the replica")?;
                return Ok(it);
            }
        }
        bail!("the sentinel found no port");
    }

    /// How a client finds the primary.
    pub fn url(&self) -> String {
        format!("redis+sentinel://{HOST}:{}/{NAME}", self.port)
    }

    /// Ends the primary at once; returns when the sentinel has made the replica the primary.
    ///
    /// # Errors
    /// When it does not, or the primary was lost before.
    pub fn lose_primary(&mut self) -> anyhow::Result<()> {
        let lost = self.primary().context("the sentinel names no primary")?;
        let Some(server) = self.servers.iter_mut().find(|it| it.address().port() == lost) else {
            bail!("the sentinel names a primary that is none of ours");
        };
        server.stop_immediate();
        let other = || self.primary().filter(|port| *port != lost);
        wait::until(AGREE, other).context("the replica was not made the primary").map(drop)
    }

    fn primary(&self) -> Option<u16> {
        let told = resp::ask(self.port, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]).ok()?;
        told.lines().nth(1)?.parse().ok()
    }

    fn knows_the_replica(&self) -> bool {
        // Before it is in step it could not be made the primary.
        let told = resp::ask(self.port, &["SENTINEL", "REPLICAS", NAME]).unwrap_or_default();
        let mut words = told.lines();
        words.any(|word| word == "master-link-status") && words.next() == Some("ok")
    }
}

/// Starts the sentinel on this port; `None` when somebody else has it.
fn launch(folder: &TempDir, port: u16, primary: u16) -> anyhow::Result<Option<Child>> {
    let path = folder.path().join("sentinel.conf");
    let config = format!(
        "port {port}\nbind {HOST}\ndir {}\nsentinel monitor {NAME} {HOST} {primary} 1\n\
         sentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 3000\n",
        folder.path().display(),
    );
    fs::write(&path, config)?;
    // It writes down there what it finds out.
    folder::give(&path)?;
    let mut sentinel = command(&required("redis-server", "redis-server")?, "TERM");
    sentinel.arg(&path).arg("--sentinel");
    let mut child = Child::start(sentinel, folder.path(), Signal::TERM)?;
    let id = format!("process_id:{}", child.id());
    let ready = wait::until(AGREE, || {
        let info = resp::ask(port, &["INFO", "server"]).unwrap_or_default();
        let answers = info.lines().any(|line| line.trim() == id);
        (answers || !child.lives()).then_some(answers)
    });
    match ready {
        Some(true) => Ok(Some(child)),
        Some(false) if child.log().contains("Address already in use") => Ok(None),
        _ => bail!("the sentinel did not start:\n{}", child.log()),
    }
}
