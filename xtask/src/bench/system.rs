//! The servers that are measured: ours, the bare broadcasters that show what the machine allows,
//! and others' servers. Each is started alone, on its own core, and stopped by its process id.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use parlor_parts::{Postgres, Redis};

use super::crowd::{Seat, unmade_rooms};
use super::dialect::{Dialect, Protocol};
use super::ledger::Ledger;
use super::{machine, town};
use crate::process::{self, Background};
use crate::{python, tree};

const START: Duration = Duration::from_secs(30);
pub(super) const BOUND: &str = "listening on http://";

/// A server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Ours, durable.
    Parlor,
    /// Ours, durable, through its door for Socket.IO.
    ParlorSocketio,
    /// A bare broadcaster: one write per member and turn of its loop.
    Coalesce,
    /// A bare broadcaster: one write per member and message.
    Each,
    /// Socket.IO on Node, in memory.
    Socketio,
    /// Ours, on PostgreSQL and Redis.
    ParlorPostgres,
    /// FastAPI, on PostgreSQL and Redis.
    Fastapi,
}

impl Kind {
    /// As it stands in tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::Parlor => "Parlor",
            Kind::ParlorSocketio => "Parlor, by Socket.IO",
            Kind::Coalesce => "ceiling, coalesced",
            Kind::Each => "ceiling, one write each",
            Kind::Socketio => "Socket.IO",
            Kind::ParlorPostgres => "Parlor on PostgreSQL",
            Kind::Fastapi => "FastAPI",
        }
    }

    /// Whether it is our server.
    pub(super) fn is_ours(self) -> bool {
        matches!(self, Kind::Parlor | Kind::ParlorSocketio | Kind::ParlorPostgres)
    }

    /// Whether it keeps what it stores in PostgreSQL, and publishes by Redis.
    pub(super) fn has_parts(self) -> bool {
        matches!(self, Kind::ParlorPostgres | Kind::Fastapi)
    }
}

/// A server that runs.
pub(super) struct System {
    pub(super) kind: Kind,
    pub(super) address: SocketAddr,
    pub(super) dialect: Dialect,
    process: Background,
    data: Option<Data>,
    parts: Option<Outside>,
}

/// What a server needs beside itself, on the same core.
struct Outside {
    postgres: Postgres,
    redis: Redis,
}

impl Outside {
    fn start() -> anyhow::Result<Self> {
        // They run where the thread that starts them first is.
        machine::pin(machine::SERVER_CORE)?;
        let parts = Postgres::start_on_disk()
            .and_then(|postgres| Ok(Self { postgres, redis: Redis::start()? }));
        machine::pin(machine::LOAD_CORE)?;
        parts
    }
}

/// A data folder, which is gone when this is.
pub(super) struct Data(PathBuf);

impl Data {
    /// A new one on the disk that the build is on.
    pub(super) fn new() -> anyhow::Result<Self> {
        let name = format!("{:x}", Ledger::new().client_id(0) >> 96);
        Ok(Self(tree::scratch(&format!("bench/{name}"))?))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl System {
    /// Starts one, with nothing in it.
    pub(super) fn start(kind: Kind) -> anyhow::Result<Self> {
        let data = if kind.is_ours() { Some(Data::new()?) } else { None };
        let parts = if kind.has_parts() { Some(Outside::start()?) } else { None };
        Stopped { kind, data, parts }.start_within(START)
    }

    /// Stops it; what it has stored stays.
    pub(super) fn stop(self) -> Stopped {
        let Self { kind, process, data, parts, .. } = self;
        process.stop();
        Stopped { kind, data, parts }
    }

    /// Stops it and starts it again with what it has stored.
    pub(super) fn restart(self) -> anyhow::Result<Self> {
        self.stop().start_within(START)
    }

    /// Rooms of so many members each, out of so many people.
    pub(super) fn rooms(
        &self,
        people: usize,
        rooms: usize,
        members: usize,
    ) -> anyhow::Result<Vec<Vec<Seat>>> {
        match self.kind {
            kind if kind.is_ours() => town::rooms(self.address, people, rooms, members),
            _ => Ok(unmade_rooms(rooms, members)),
        }
    }

    /// Seconds of processor time so far, with those of what it needs beside itself.
    pub(super) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        match self.parts {
            Some(_) => machine::cpu_seconds_below(),
            None => machine::cpu_seconds(self.process.id()),
        }
    }

    /// Waits until it has nothing more to do, for a while at most.
    pub(super) fn calm_down(&self) -> anyhow::Result<()> {
        self.calm_down_within(Duration::from_secs(10))
    }

    /// The same, for so long at most.
    pub(super) fn calm_down_within(&self, at_most: Duration) -> anyhow::Result<()> {
        const LOOK: Duration = Duration::from_millis(200);
        const BUSY: f64 = 0.1;
        let end = Instant::now() + at_most;
        while Instant::now() < end {
            let before = self.cpu_seconds()?;
            std::thread::sleep(LOOK);
            if self.cpu_seconds()? - before < BUSY * LOOK.as_secs_f64() {
                break;
            }
        }
        Ok(())
    }

    /// Bytes of user memory now.
    pub(super) fn memory(&self) -> anyhow::Result<f64> {
        machine::memory(self.process.id())
    }

    /// Stops it; what it acknowledged must be in its database.
    pub(super) fn finish(self, ledger: &Ledger) -> anyhow::Result<()> {
        self.process.stop();
        let audited = match (&self.data, &self.parts) {
            (Some(_), Some(parts)) => ledger.audit_postgres(&parts.postgres, "number"),
            (None, Some(parts)) => ledger.audit_postgres(&parts.postgres, "id"),
            (Some(data), None) => ledger.audit(data.path()),
            (None, None) => Ok(()),
        };
        audited.context("the run is void")
    }
}

/// A server that was stopped, with what it has stored.
pub(super) struct Stopped {
    kind: Kind,
    data: Option<Data>,
    parts: Option<Outside>,
}

impl Stopped {
    /// Starts it, and waits for so long at most until it listens.
    pub(super) fn start_within(self, patience: Duration) -> anyhow::Result<System> {
        let Self { kind, data, parts } = self;
        let mut command = match (kind, &data) {
            (kind, Some(data)) if kind.is_ours() => parlor(data.path()),
            (Kind::Coalesce, _) => ceiling("coalesce")?,
            (Kind::Each, _) => ceiling("each")?,
            (Kind::Socketio, _) => socket_io(),
            (Kind::Fastapi, _) => fastapi()?,
            _ => bail!("Parlor needs a data folder"),
        };
        if let Some(Outside { postgres, redis }) = &parts {
            command.env("DATABASE_URL", postgres.url()).env("REDIS_URL", redis.url());
        }
        let mut process = Background::start(&mut machine::on_server_core(&command)?)?;
        let started = process.wait_for(BOUND, patience);
        let address = started.with_context(|| format!("{} did not start", kind.name()))?;
        let address = address.trim_end_matches('/').parse().context("no address to listen on")?;
        let protocol = match kind {
            Kind::Socketio => Protocol::SocketIo,
            Kind::ParlorSocketio => Protocol::ParlorSocketIo,
            _ => Protocol::Parlor,
        };
        Ok(System { kind, address, dialect: Dialect::new(protocol), process, data, parts })
    }
}

/// The command that runs our server on `data`.
pub(super) fn parlor(data: &Path) -> Command {
    let mut command = Command::new(tree::parlor("release"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
    // Tokens name it: they must outlive a restart on another port.
    command.env("PARLOR_PUBLIC_URL", "http://parlor.test");
    // Beside Redis it has to be said, since several nodes would have to have the same.
    command.env("PARLOR_SECRET_KEY", "of a server that lives for one measurement");
    // A run outlasts the usual fifteen minutes when the machine is slow.
    command.env("PARLOR_LIMITS", "off").env("ACCESS_TOKEN_EXPIRATION_MINUTES", "600");
    command
}

fn ceiling(mode: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "ceiling", mode]);
    Ok(command)
}

fn socket_io_dir() -> PathBuf {
    tree::root().join("bench/peers/socketio")
}

fn socket_io() -> Command {
    let mut command = Command::new("node");
    command.arg(socket_io_dir().join("server.js"));
    command
}

fn fastapi_dir() -> PathBuf {
    tree::root().join("bench/peers/fastapi")
}

fn fastapi() -> anyhow::Result<Command> {
    let mut command = Command::new(python::home("fastapi")?.join("bin/python"));
    command.arg(fastapi_dir().join("server.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// Builds or installs what the servers need.
pub(super) fn prepare(kinds: &[Kind], no_build: bool) -> anyhow::Result<()> {
    if kinds.iter().any(|kind| kind.is_ours()) && !no_build {
        let build = ["build", "--release", "--package", "parlor-server", "--bin", "parlor"];
        process::run(&mut process::cargo(&build))?;
    }
    if kinds.contains(&Kind::Socketio) && !socket_io_dir().join("node_modules").is_dir() {
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund"]).current_dir(socket_io_dir());
        process::run(&mut install)?;
    }
    if kinds.contains(&Kind::Fastapi) {
        python::install("fastapi", &fastapi_dir().join("requirements.txt"))?;
    }
    Ok(())
}
