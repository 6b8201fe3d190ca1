//! A private PostgreSQL: durable settings as Debian ships them, a password of its own, stopped
//! the hard way, since nobody needs its data afterwards.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::child::Child;
use crate::port::HOST;
use crate::program::{command, required};
use crate::shared::connection;
use crate::{folder, port, wait};

/// How long it may take to start, recovery included.
const START: Duration = Duration::from_secs(60);

/// What differs from Debian's settings: room for many tests at once, and little of the disk.
const SETTINGS: [&str; 3] = ["max_connections=300", "max_wal_size=512MB", "min_wal_size=64MB"];

/// A PostgreSQL server of our own.
pub struct Postgres {
    child: Option<Child>,
    port: u16,
    password: String,
    settings: Vec<String>,
    folder: TempDir,
}

impl Postgres {
    /// Starts one with PostgreSQL's own, durable settings.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&[])
    }

    /// Starts one with these settings (`fsync=off`) on top.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start so.
    pub fn start_with(settings: &[&str]) -> anyhow::Result<Self> {
        Self::start_in(folder::make()?, settings)
    }

    /// Starts one whose data is on a disk: where speed is measured, durability is paid for. It has
    /// a gigabyte for itself, as whoever runs one sets it: an eighth of that is the default.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start_on_disk() -> anyhow::Result<Self> {
        Self::start_in(folder::make_on_disk()?, &["shared_buffers=1GB"])
    }

    fn start_in(folder: TempDir, settings: &[&str]) -> anyhow::Result<Self> {
        let password = secret()?;
        init(folder.path(), &password)?;
        let settings = SETTINGS.iter().chain(settings).map(|it| (*it).to_owned()).collect();
        let mut postgres = Self { child: None, port: 0, password, settings, folder };
        for _ in 0..port::PORTS_TRIED {
            postgres.port = port::free()?;
            if postgres.launch()? {
                return Ok(postgres);
            }
        }
        bail!("PostgreSQL found no port");
    }

    /// The address of its first database, with the password.
    pub fn url(&self) -> String {
        format!("postgres://postgres:{}@{HOST}:{}/postgres", self.password, self.port)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (HOST, self.port).into()
    }

    /// What a query answers: a line for each row, with commas between its columns.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub fn ask(&self, sql: &str) -> anyhow::Result<String> {
        let mut psql = Command::new(required("psql", "postgresql")?);
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=,"]);
        psql.args(["--command", sql]).stdin(Stdio::null()).envs(connection(&self.url()));
        let output = psql.output().context("failed to run psql")?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "psql: {said}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Stops it as `pg_ctl stop -m immediate` does: connections are cut, nothing is tidied up,
    /// and the next start recovers from the log.
    pub fn stop_immediate(&mut self) {
        self.child = None;
    }

    /// Starts it again on the same data and the same port; returns when it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = None;
        // Somebody else may have the port for a moment.
        for _ in 0..port::PORTS_TRIED * 10 {
            if self.launch()? {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        bail!("PostgreSQL did not get its port {} back", self.port);
    }

    /// Stops its processes where they stand: connections stay open and nobody answers.
    pub fn pause(&self) {
        self.child.iter().for_each(Child::pause);
    }

    /// Lets them go on.
    pub fn resume(&self) {
        self.child.iter().for_each(Child::resume);
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        self.child.as_ref().map(Child::log).unwrap_or_default()
    }

    /// Starts the server; false when somebody else has its port.
    fn launch(&mut self) -> anyhow::Result<bool> {
        let data = data(self.folder.path());
        let mut postgres = command(&required("postgres", "postgresql")?, "INT");
        postgres.arg("-D").arg(&data).args(["-p", &self.port.to_string()]);
        postgres.arg("-c").arg(format!("listen_addresses={HOST}")).arg("-c");
        postgres.arg(format!("unix_socket_directories={}", self.folder.path().display()));
        for setting in &self.settings {
            postgres.args(["-c", setting]);
        }
        let mut child = Child::start(postgres, self.folder.path(), Signal::QUIT)?;
        let ready = wait::until(START, || match (is_ready(&data, child.id()), child.lives()) {
            (true, true) => Some(true),
            (_, false) => Some(false),
            (false, true) => None,
        });
        match ready {
            Some(true) => self.child = Some(child),
            Some(false) if child.log().contains("Address already in use") => return Ok(false),
            _ => bail!("PostgreSQL did not start:\n{}", child.log()),
        }
        Ok(true)
    }
}

/// Whether the server of this process says that it takes connections.
fn is_ready(data: &Path, id: u32) -> bool {
    let told = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = told.lines();
    let own = lines.next().is_some_and(|first| first.trim() == id.to_string());
    own && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Makes the data folder.
fn init(folder: &Path, password: &str) -> anyhow::Result<()> {
    let secret = folder.join("password");
    std::fs::write(&secret, password)?;
    folder::give(&secret)?;
    let mut initdb = command(&required("initdb", "postgresql")?, "TERM");
    initdb.arg("-D").arg(data(folder)).arg("--pwfile").arg(&secret);
    // A password in the clear costs each of many connections nothing, and never leaves loopback.
    initdb.args(["--auth=password", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"]);
    initdb.args(["--no-sync", "--no-instructions"]).stdin(Stdio::null()).current_dir(folder);
    run(&mut initdb)
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = format!("failed to run {:?}", command.get_program());
    let output = command.output().context(name.clone())?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Something that nobody can guess: the server is open to everybody on this machine.
pub(crate) fn secret() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
