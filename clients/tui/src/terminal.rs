//! The terminal: taken over at the beginning, given back at the end however that comes, and its
//! events.

use std::io::{self, stdout};

use crossterm::cursor::Show;
use crossterm::event::{
    self, DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange, Event,
};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::DefaultTerminal;
use ratatui::backend::CrosstermBackend;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Events that happened and were not taken yet.
const EVENTS_MAX: usize = 256;

/// How the program ends when some part of it has panicked, as Rust's programs do.
const PANICKED: i32 = 101;

/// The terminal, as long as it is ours.
pub struct Taken {
    /// To draw on.
    pub screen: DefaultTerminal,
}

impl Taken {
    /// Takes the terminal over. A panic, in whatever thread, gives it back and ends the program:
    /// nothing is to be drawn on a terminal that is somebody else's.
    ///
    /// # Errors
    /// When there is none.
    pub fn take() -> io::Result<Self> {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            tell(panic);
            std::process::exit(PANICKED);
        }));
        let taken = Self { screen: ratatui::Terminal::new(CrosstermBackend::new(stdout()))? };
        enable_raw_mode()?;
        // What is pasted is text and not keys; and one reads only what is looked at.
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange)?;
        Ok(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    // Where the terminal is gone nothing has to be given back.
    let _ =
        execute!(stdout(), DisableBracketedPaste, DisableFocusChange, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// What happens at the terminal, and being told to end.
pub struct Events {
    happened: mpsc::Receiver<Event>,
    ending: CancellationToken,
    /// They are heard as long as this is there.
    _signals: JoinSet<()>,
}

impl Events {
    /// Listens from now on. Reading a terminal blocks, so a thread does it; it ends with the
    /// program.
    ///
    /// # Errors
    /// When signals cannot be heard.
    pub fn listen() -> io::Result<Self> {
        let (sender, happened) = mpsc::channel(EVENTS_MAX);
        std::thread::spawn(move || {
            while let Ok(event) = event::read() {
                if sender.blocking_send(event).is_err() {
                    return;
                }
            }
        });
        let ending = CancellationToken::new();
        let mut signals = JoinSet::new();
        for kind in [SignalKind::hangup(), SignalKind::terminate(), SignalKind::interrupt()] {
            let (mut told, ending) = (signal(kind)?, ending.clone());
            signals.spawn(async move {
                told.recv().await;
                ending.cancel();
            });
        }
        let hung_up = ending.clone();
        std::thread::spawn(move || {
            wait_for_hang_up();
            hung_up.cancel();
        });
        Ok(Self { happened, ending, _signals: signals })
    }

    /// What happens next; nothing when it is time to end.
    pub async fn next(&mut self) -> Option<Event> {
        tokio::select! {
            () = self.ending.cancelled() => None,
            event = self.happened.recv() => event,
        }
    }

    /// Comes when it is time to end.
    pub fn ending(&self) -> CancellationToken {
        self.ending.clone()
    }
}

/// Waits until the terminal is gone. No signal says so to a program that does not belong to it, and
/// whoever reads it then reads nothing again and again.
fn wait_for_hang_up() {
    let screen = stdout();
    // Nothing is asked for: what is told is the end, and nothing else.
    while poll(&mut [PollFd::new(&screen, PollFlags::empty())], None).is_err() {}
}
