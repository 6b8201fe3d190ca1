//! A terminal of its own for a program: a pty, and an emulator that draws what comes out of it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use vt100::{Callbacks, Parser, Screen};

/// How long anything may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Orders to the terminal that no program of ours gives: titles, bells, and what is not known.
#[derive(Default)]
pub(crate) struct Orders(pub(crate) Vec<String>);

impl Callbacks for Orders {
    fn audible_bell(&mut self, _: &mut Screen) {
        self.0.push("bell".to_owned());
    }

    fn set_window_title(&mut self, _: &mut Screen, title: &[u8]) {
        self.0.push(format!("title {}", String::from_utf8_lossy(title)));
    }

    fn set_window_icon_name(&mut self, _: &mut Screen, name: &[u8]) {
        self.0.push(format!("icon {}", String::from_utf8_lossy(name)));
    }

    fn copy_to_clipboard(&mut self, _: &mut Screen, _: &[u8], data: &[u8]) {
        self.0.push(format!("clipboard {}", String::from_utf8_lossy(data)));
    }
}

/// A program, ended by its own id when nobody wants it any more.
pub(crate) struct Program {
    child: Child,
    /// Can be read when it has ended.
    ended: OwnedFd,
}

impl Program {
    /// Waits until it has ended by itself.
    pub(crate) fn ends(mut self) -> ExitStatus {
        assert!(happens(&self.ended, deadline()), "the program runs on");
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program in a terminal.
pub(crate) struct Terminal {
    program: Program,
    keys: File,
    emulator: Parser<Orders>,
}

impl Terminal {
    /// Runs a command in a terminal of this size, in which something stands already.
    pub(crate) fn run(command: &Command, rows: u16, columns: u16) -> Self {
        Self::start(command, &["--ctty"], rows, columns)
    }

    /// The same in a terminal that is not the program's own: no signal tells it of what happens
    /// there.
    pub(crate) fn run_as_a_stranger(command: &Command) -> Self {
        Self::start(command, &[], 24, 100)
    }

    fn start(command: &Command, options: &[&str], rows: u16, columns: u16) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        tcsetwinsize(&keys, size(rows, columns)).unwrap();
        let path = ptsname(&keys, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let mut screen = File::from(open(&path, flags, Mode::empty()).unwrap());
        screen.write_all(b"before\r\n").unwrap();
        // It makes a session for the program, and becomes it.
        let mut session = Command::new("setsid");
        session.args(options).arg(command.get_program()).args(command.get_args());
        session.env_clear().env("TERM", "xterm-256color");
        session.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let stdio = || Stdio::from(screen.try_clone().unwrap());
        let child = session.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        let ended = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        let emulator = Parser::new_with_callbacks(rows, columns, 0, Orders::default());
        Self { program: Program { child, ended }, keys: File::from(keys), emulator }
    }

    /// The screen as it is now, line by line.
    pub(crate) fn rows(&self) -> Vec<String> {
        let screen = self.emulator.screen();
        let (_, columns) = screen.size();
        screen.rows(0, columns).map(|row| row.trim_end().to_owned()).collect()
    }

    fn text(&self) -> String {
        self.rows().join("\n")
    }

    /// Waits until the screen is as it is wanted.
    pub(crate) fn until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        let deadline = deadline();
        while !wanted(&self.text()) {
            assert!(self.read(deadline), "{what}: never\n{}", self.text());
        }
    }

    /// Draws what comes next; false when nothing does, or it is too late.
    fn read(&mut self, deadline: Instant) -> bool {
        let mut piece = [0; 4096];
        // Nothing can be read when nobody has the terminal any more.
        let length = match happens(&self.keys, deadline) {
            true => self.keys.read(&mut piece).unwrap_or_default(),
            false => 0,
        };
        self.emulator.process(&piece[..length]);
        length > 0
    }

    /// Waits until this stands on the screen.
    pub(crate) fn shows(&mut self, text: &str) {
        self.until(text, |screen| screen.contains(text));
    }

    /// Waits until this does not stand there any more.
    pub(crate) fn hides(&mut self, text: &str) {
        self.until(&format!("without {text}"), |screen| !screen.contains(text));
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Ends writing. Escape and a key that follow each other at once are another key, so it is
    /// waited for.
    pub(crate) fn escape(&mut self) {
        self.shows(" write ");
        self.press("\u{1b}");
        self.shows("i to write");
    }

    /// Types a command.
    pub(crate) fn command(&mut self, line: &str) {
        self.press(&format!(":{line}\r"));
    }

    /// Another size.
    pub(crate) fn resize(&mut self, rows: u16, columns: u16) {
        self.emulator.screen_mut().set_size(rows, columns);
        tcsetwinsize(&self.keys, size(rows, columns)).unwrap();
    }

    /// What was ordered that no program of ours orders.
    pub(crate) fn orders(&self) -> &[String] {
        &self.emulator.callbacks().0
    }

    /// What stands in the box over the rest, in this row.
    pub(crate) fn boxed(&self, row: usize) -> String {
        let rows = self.rows();
        rows[row].split('│').nth(1).unwrap_or_default().trim().to_owned()
    }

    /// Tells the program to end, or something else.
    pub(crate) fn tell(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.program.child), signal).unwrap();
    }

    /// Takes the terminal away.
    pub(crate) fn hang_up(self) -> Program {
        self.program
    }

    /// Waits until the program has ended well and by itself, and what was on the screen before is
    /// there again.
    pub(crate) fn ends(self) {
        self.ends_with(0);
    }

    /// The same with another status.
    pub(crate) fn ends_with(self, status: i32) -> String {
        let text = self.ends_at_another_size(status);
        assert!(text.starts_with("before\n"), "what was there before is gone\n{text}");
        text
    }

    /// The same after another size, by which the emulator has lost what was there before.
    pub(crate) fn ends_at_another_size(mut self, status: i32) -> String {
        let deadline = deadline();
        while self.read(deadline) {}
        let text = self.text();
        let screen = self.emulator.screen();
        assert!(!screen.alternate_screen(), "the screen is not the one before\n{text}");
        assert!(!screen.hide_cursor(), "there is no cursor\n{text}");
        assert!(!screen.bracketed_paste(), "what is pasted comes in brackets\n{text}");
        let modes = tcgetattr(&self.keys).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON), "the terminal is still raw\n{text}");
        assert_eq!(self.program.ends().code(), Some(status), "{text}");
        text
    }
}

/// Waits until something can be read; false when it is too late.
fn happens(from: &impl AsFd, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(now()).try_into().unwrap();
    poll(&mut [PollFd::new(from, PollFlags::IN)], Some(&left)).unwrap() > 0
}

#[expect(clippy::disallowed_methods, reason = "how long a test waits is no part of what it tests")]
fn now() -> Instant {
    Instant::now()
}

fn deadline() -> Instant {
    now() + PATIENCE
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
