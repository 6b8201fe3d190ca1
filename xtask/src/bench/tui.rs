//! The terminal client's first screen: how soon what is kept is there to be read, in a cache that
//! is closed by a passphrase, of a hundred rooms with a page of messages each, and in the one that
//! is shown a hundred thousand.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};

use super::dialect::uuid;
use super::figures::{FIRST_SCREEN, Figures};
use super::ledger::Ledger;
use super::machine;
use super::rest::Rest;
use super::system::{Data, Kind, System};
use super::town;
use crate::{clients, process};

const ROOMS: usize = 100;
const MESSAGES: usize = 50;
/// Messages of the room that is shown.
const LONG: usize = 100_000;
/// Starts of one run, of which the middle one counts.
const STARTS: usize = 5;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The size of the terminal.
const SIZE: Winsize = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
const LEAVE: &[u8] = b"\x03";
const PASSPHRASE: &str = "a passphrase of the benchmark";
/// What stands in the newest message of the room that is shown first, and in the last line of the
/// screen before the server is reached, and after.
const NEWEST: &str = "newest-of-what-is-kept";
const CONNECTING: &str = "connecting";
const ONLINE: &str = "online";

/// Builds the program, and the SDK's example that reads everything into a cache.
pub(super) fn prepare() -> anyhow::Result<()> {
    let mut build = clients::there(&["build", "--release", "--package", "parlor-tui", "--bins"]);
    process::run(build.args(["--package", "parlor-sdk", "--example", "export"]))
}

/// One run: a cache is filled, and then what is in it is shown again and again.
pub(super) fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let server = System::start(Kind::Parlor)?;
    let mut rest = Rest::connect(server.address)?;
    let login = town::sign_up(&mut rest, 0)?;
    fill(&server, &text(&login["access_token"])?)?;
    let data = Data::new()?;
    // Whoever sits before it has the whole machine, and not one core.
    machine::unpin()?;
    let url = format!("http://{}", server.address);
    let mut first = program(data.path());
    first.env("PARLOR_LOGIN", text(&login["user"]["username"])?);
    first.env("PARLOR_URL", &url).env("PARLOR_PASSWORD", town::PASSWORD);
    Terminal::start(&first)?.until(&[ONLINE])?.leave()?;
    keep_everything(&url, data.path())?;
    let mut took = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let began = Instant::now();
        let terminal = Terminal::start(&program(data.path()))?.until(&[NEWEST, CONNECTING])?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
        terminal.leave()?;
    }
    took.sort_by(f64::total_cmp);
    figures.add("tui", Kind::Parlor.name(), FIRST_SCREEN, "ms", took[STARTS / 2]);
    machine::pin(machine::LOAD_CORE)?;
    server.finish(&Ledger::new())
}

/// Rooms, with a page of messages in each, and all others in the first.
fn fill(server: &System, token: &str) -> anyhow::Result<()> {
    let rooms = town::in_parallel(server.address, ROOMS, |rest, index| {
        let room = json!({ "name": format!("a{index:03}"), "kind": "private", "members": [] });
        text(&rest.post("/api/v1/rooms", token, &room)?["main_session_id"])
    })?;
    let ledger = Ledger::new();
    let say = |rest: &mut Rest, room: &str, number: usize, content: &str| {
        let id = uuid(ledger.client_id(number as u64));
        let path = format!("/api/v1/sessions/{room}/messages");
        rest.post(&path, token, &json!({ "client_id": id, "content": content })).map(drop)
    };
    let count = ROOMS * MESSAGES + LONG;
    town::in_parallel(server.address, count, |rest, number| {
        let room = rooms.get(number / MESSAGES).unwrap_or(&rooms[0]);
        say(rest, room, number, &format!("message {number}, as long as most of them are"))
    })?;
    say(&mut Rest::connect(server.address)?, &rooms[0], count, NEWEST)
}

/// Reads all that there is into the cache.
fn keep_everything(url: &str, folder: &Path) -> anyhow::Result<()> {
    let mut export = Command::new(built("examples/export"));
    export.env_clear().env("PARLOR_URL", url).env("PARLOR_PASSPHRASE", PASSPHRASE);
    let output = export.env("PARLOR_FOLDER", folder).output()?;
    let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    ensure!(lines > LONG, "{lines} messages: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().with_context(|| format!("{value} where a text should be"))?.to_owned())
}

/// The program, on what is kept here.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(built("parlor-tui"));
    command.arg("--folder").arg(folder).env_clear();
    command.env("TERM", "xterm-256color").env("PARLOR_PASSPHRASE", PASSPHRASE);
    command
}

/// What was built in the clients' workspace.
fn built(name: &str) -> PathBuf {
    clients::target().join("release").join(name)
}

/// A program in a terminal of its own.
struct Terminal {
    child: Child,
    keys: File,
    said: Vec<u8>,
}

impl Terminal {
    fn start(command: &Command) -> anyhow::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        tcsetwinsize(&master, SIZE)?;
        let path = ptsname(&master, Vec::new())?;
        let slave = File::from(open(
            &path,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?);
        let mut here = Command::new(command.get_program());
        here.args(command.get_args()).env_clear();
        here.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        here.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(slave);
        let child = here.spawn().context("failed to start the terminal client")?;
        Ok(Self { child, keys: File::from(master), said: Vec::new() })
    }

    /// Reads until all of this was drawn.
    fn until(mut self, words: &[&str]) -> anyhow::Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        let drawn = |said: &[u8], word: &str| memchr::memmem::find(said, word.as_bytes()).is_some();
        while !words.iter().all(|word| drawn(&self.said, word)) {
            ensure!(Instant::now() < deadline, "it never drew {words:?}");
            if !self.read()? {
                bail!("it ended: {}", String::from_utf8_lossy(&self.said));
            }
        }
        Ok(self)
    }

    /// Reads what there is; false when the program has let go of the terminal.
    fn read(&mut self) -> anyhow::Result<bool> {
        let mut piece = [0; 16 * 1024];
        let mut wanted = [PollFd::new(&self.keys, PollFlags::IN)];
        poll(&mut wanted, Some(&Timespec { tv_sec: 1, tv_nsec: 0 }))?;
        if wanted[0].revents().is_empty() {
            return Ok(true);
        }
        match self.keys.read(&mut piece) {
            Ok(0) | Err(_) => Ok(false),
            Ok(length) => {
                self.said.extend_from_slice(&piece[..length]);
                Ok(true)
            }
        }
    }

    /// Leaves, and waits until the program has ended.
    fn leave(mut self) -> anyhow::Result<()> {
        self.keys.write_all(LEAVE)?;
        let deadline = Instant::now() + PATIENCE;
        while self.read()? {
            ensure!(Instant::now() < deadline, "it does not end");
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that has ended is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
