//! Runs other programs: to their end, or in the background until told to stop.
//! A background program is stopped by its own process id, first politely, then not.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a program may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(12);
/// Lines of a background program that wait for a reader; later ones are dropped.
const LINES_KEPT: usize = 4_096;

/// Runs `command` to its end; an unsuccessful one is an error.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("failed to start {}", name(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs `command` to its end and gives what it wrote to stdout.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("failed to start {}", name(command)))?;
    if !output.status.success() {
        bail!("`{}` ended with {}", shown(command), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether a program of this name can be found.
pub(crate) fn exists(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else {
        return false;
    };
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// `cargo` as it runs us, in the root of the repository.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(crate::tree::root());
    command
}

/// `npm` in the folder of the web client.
pub(crate) fn npm(args: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(args).current_dir(crate::tree::root().join("web")).env("NO_COLOR", "1");
    command
}

/// The command as somebody would type it.
pub(crate) fn shown(command: &Command) -> String {
    let mut text = name(command);
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// A program that runs beside us; it ends with this value at the latest.
pub(crate) struct Background {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Background {
    /// Starts `command`; its stdout and stderr can be read with [`Background::wait_for`].
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start {}", name(command)))?;
        let (sender, lines) = sync_channel(LINES_KEPT);
        let stdout =
            child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read + Send>);
        let stderr =
            child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read + Send>);
        for pipe in [stdout, stderr].into_iter().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    // A full queue means that nobody reads: the pipe must be drained all the same.
                    let _ = sender.try_send(line);
                }
            });
        }
        Ok(Self { child, lines, seen: Vec::new() })
    }

    /// The rest of the first line that contains `mark`, up to white space.
    pub(crate) fn wait_for(&mut self, mark: &str, at_most: Duration) -> anyhow::Result<String> {
        let until = Instant::now() + at_most;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                bail!("it never said `{mark}`; it said:\n{}", self.seen.join("\n"));
            };
            if let Some((_, rest)) = line.split_once(mark) {
                let word = rest.split(|c: char| c.is_whitespace() || c == '"').next();
                return Ok(word.unwrap_or_default().to_owned());
            }
            self.seen.push(line);
        }
    }

    /// The process id.
    #[cfg_attr(not(feature = "bench"), expect(dead_code, reason = "the benchmark measures by id"))]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the program to end, waits, and gives what it said since the last reading.
    pub(crate) fn stop(mut self) -> String {
        self.end();
        self.seen.extend(self.lines.try_iter());
        self.seen.join("\n")
    }

    fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(id) = id {
            let _ = kill_process(id, Signal::TERM);
        }
        let until = Instant::now() + GRACE;
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.end();
    }
}
