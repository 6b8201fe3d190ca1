//! The real binary as a child process: for tests that measure its memory, read its log, or kill
//! it. It is stopped by its own id when the test is done with it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::mail::Letters;
use crate::server::Builder;
use crate::{Person, TestServer};

/// A running child.
pub struct ServerProcess {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
    data_dir: PathBuf,
    _folder: Option<TempDir>,
}

impl ServerProcess {
    /// Starts the binary with the limits lifted. Tests pass
    /// `env!("CARGO_BIN_EXE_parlor-tested")`.
    pub fn start(binary: &str) -> Self {
        Self::start_with(binary, &TestServer::builder())
    }

    /// Starts the binary with these settings in a folder of its own.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_with(binary: &str, settings: &Builder) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut process = Self::start_in(binary, settings, folder.path());
        process._folder = Some(folder);
        process
    }

    /// Starts the binary on a data folder that may have been used before.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_in(binary: &str, settings: &Builder, folder: &Path) -> Self {
        let log = folder.join("log.txt");
        let data_dir = folder.join("data");
        let mut command = Command::new(binary);
        // No variable of whoever runs the tests reaches the server.
        command.arg("serve").env_clear().current_dir(folder);
        command.env("PARLOR_DATA_DIR", &data_dir);
        for (key, value) in settings.keys() {
            command.env(format!("PARLOR_{}", key.to_uppercase()), value);
        }
        for (name, value) in settings.variables() {
            command.env(name, value);
        }
        let errors = File::options().create(true).append(true).open(&log);
        command.stdout(Stdio::piped()).stderr(errors.expect("the log can be written"));
        let mut child = command.spawn().expect("the binary starts");
        let out = child.stdout.take().expect("its output is a pipe");
        let mut line = String::new();
        let read = BufReader::new(out).read_line(&mut line);
        let address = line.trim().strip_prefix("listening on http://").map(str::parse);
        let Some(Ok(address)) = address else {
            let _ = child.kill();
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("the server did not start: {read:?} {line:?} {said}");
        };
        Self { child, address, log, data_dir, _folder: None }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The letters that it wrote.
    pub fn letters(&self) -> Letters {
        Letters::of([&*self.data_dir])
    }

    /// Registers somebody and signs them in.
    pub async fn person(&self, username: &str) -> Person {
        Person::new(self.address, username, None).await
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its memory in KiB: what it has for itself, without the files that it has mapped.
    ///
    /// # Panics
    /// When it is gone.
    pub fn memory_kib(&self) -> u64 {
        self.status("RssAnon:")
    }

    /// The most memory in KiB that it ever had, with the files that it has mapped.
    ///
    /// # Panics
    /// When it is gone.
    pub fn memory_peak_kib(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the server lives");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.expect("the kernel says how much memory a process has")
    }

    /// The folder of everything that it keeps.
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone()
    }

    /// Bytes of the files that are just coming.
    pub fn upload_bytes(&self) -> u64 {
        let entries = std::fs::read_dir(self.data_dir.join("blobs").join("partial"));
        let sizes = entries.into_iter().flatten().flatten();
        sizes.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it, as a power cut would.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("our own child can be killed");
        self.child.wait().expect("our own child can be waited for");
    }

    /// Stops it where it stands: its connections stay open and nobody answers.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) -> bool {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
    }

    /// Asks it to stop and waits until it has; returns whether it ended well.
    pub fn terminate(&mut self) -> bool {
        self.signal(Signal::TERM) && self.child.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
