//! A program that runs in the background: started from a thread that lives as long as we do,
//! signalled by its own id, gone when dropped.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// How long a program may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// Characters of a log that an error shows.
const SHOWN: usize = 2_000;

/// A running program.
pub(crate) struct Child {
    process: Process,
    ends_by: Signal,
    log: PathBuf,
}

impl Child {
    /// Starts `command` in `folder`, where its log goes; `ends_by` is how it is asked to end.
    pub(crate) fn start(
        mut command: Command,
        folder: &Path,
        ends_by: Signal,
    ) -> anyhow::Result<Self> {
        let log = folder.join("log");
        let file = File::options().create(true).append(true).open(&log)?;
        command.current_dir(folder).stdin(Stdio::null());
        command.stdout(file.try_clone()?).stderr(file);
        let shown = format!("failed to start {:?}", command.get_program());
        Ok(Self { process: spawn(command).context(shown)?, ends_by, log })
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it still runs.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// The end of what it logged.
    pub(crate) fn log(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(SHOWN)..]).into_owned()
    }

    /// Stops it and what it started where it stands, as if the machine had no time for them.
    pub(crate) fn pause(&self) {
        for id in self.family() {
            signal(id, Signal::STOP);
        }
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        for id in self.family() {
            signal(id, Signal::CONT);
        }
    }

    /// Its id and those of its children.
    fn family(&self) -> Vec<u32> {
        let id = self.id();
        let path = format!("/proc/{id}/task/{id}/children");
        let children = std::fs::read_to_string(path).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|id| id.parse().ok());
        std::iter::once(id).chain(children).collect()
    }

    /// Asks it to end, waits until it has, and kills it if it takes too long.
    pub(crate) fn stop(&mut self) {
        if !self.lives() {
            return;
        }
        // What stands still hears no other signal.
        self.resume();
        signal(self.id(), self.ends_by);
        if wait::until(GRACE, || (!self.lives()).then_some(())).is_none() {
            self.kill();
        }
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop();
    }
}

fn signal(id: u32, signal: Signal) {
    // Who has ended meanwhile needs none.
    if let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = kill_process(id, signal);
    }
}

type Spawned = (Command, SyncSender<io::Result<Process>>);

/// Starts a command from a thread that never ends before the process does: the signal that a
/// child is promised for our end comes when the thread that started it ends.
fn spawn(command: Command) -> anyhow::Result<Process> {
    static STARTER: OnceLock<Mutex<SyncSender<Spawned>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (commands, asked) = sync_channel::<Spawned>(1);
        std::thread::spawn(move || {
            for (mut command, answer) in asked {
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(commands)
    });
    let (answer, answered) = sync_channel(1);
    starter.lock().unwrap_or_else(PoisonError::into_inner).send((command, answer))?;
    Ok(answered.recv()??)
}
