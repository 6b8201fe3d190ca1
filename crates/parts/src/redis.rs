//! A private Redis, which keeps nothing on disk: to Parlor it is a rumour, never a record.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::child::Child;
use crate::port::HOST;
use crate::program::{command, required};
use crate::{folder, port, resp, wait};

/// How long it may take to start.
const START: Duration = Duration::from_secs(20);

/// A Redis server of our own.
pub struct Redis {
    child: Option<Child>,
    port: u16,
    arguments: Vec<String>,
    folder: TempDir,
}

impl Redis {
    /// Starts one.
    ///
    /// # Errors
    /// When Redis is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&[])
    }

    /// Starts one with these arguments (`--requirepass`, `secret`) on top.
    ///
    /// # Errors
    /// When Redis is not installed or does not start so.
    pub fn start_with(arguments: &[&str]) -> anyhow::Result<Self> {
        let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        let mut redis = Self { child: None, port: 0, arguments, folder: folder::make()? };
        for _ in 0..port::PORTS_TRIED {
            redis.port = port::free()?;
            if redis.launch()? {
                return Ok(redis);
            }
        }
        bail!("Redis found no port");
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://{HOST}:{}", self.port)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (HOST, self.port).into()
    }

    /// Ends it at once; whoever is connected is cut.
    pub fn stop_immediate(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill();
        }
    }

    /// Starts it again on the same port, empty; returns when it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.stop_immediate();
        // Somebody else may have the port for a moment.
        for _ in 0..port::PORTS_TRIED * 10 {
            if self.launch()? {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        bail!("Redis did not get its port {} back", self.port);
    }

    /// Stops it where it stands: connections stay open and nobody answers.
    pub fn pause(&self) {
        self.child.iter().for_each(Child::pause);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.child.iter().for_each(Child::resume);
    }

    /// Starts the server; false when somebody else has its port.
    fn launch(&mut self) -> anyhow::Result<bool> {
        let child = launch(self.folder.path(), self.port, &self.arguments)?;
        self.child = child;
        Ok(self.child.is_some())
    }
}

/// Starts a server on this port; `None` when somebody else has it.
pub(crate) fn launch(
    folder: &Path,
    port: u16,
    arguments: &[String],
) -> anyhow::Result<Option<Child>> {
    let mut redis = command(&required("redis-server", "redis-server")?, "TERM");
    redis.args(["--port", &port.to_string(), "--bind", &HOST.to_string()]);
    redis.arg("--dir").arg(folder);
    redis.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]).args(arguments);
    let mut child = Child::start(redis, folder, Signal::TERM)?;
    let ready = wait::until(START, || match (answers(port, child.id()), child.lives()) {
        (true, true) => Some(true),
        (_, false) => Some(false),
        (false, true) => None,
    });
    match ready {
        Some(true) => Ok(Some(child)),
        Some(false) if child.log().contains("Address already in use") => Ok(None),
        _ => bail!("Redis did not start:\n{}", child.log()),
    }
}

/// Whether the server of this process answers on this port. One with a password says who it is
/// to nobody; that it lives and asks for the password must do.
fn answers(port: u16, id: u32) -> bool {
    match resp::ask(port, &["INFO", "server"]) {
        Ok(info) => info.lines().any(|line| line == format!("process_id:{id}")),
        Err(error) => error.to_string().starts_with("NOAUTH"),
    }
}
