//! How far something is: a bar where a person looks, a line for each tenth where none does.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

/// What a line says, in the order of the words.
const LINE: &str = "{msg:32} {wide_bar} {percent:>3}% {eta}";

/// How far something is, on standard error.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    /// The tenth that was told last, where there is no bar.
    told: Mutex<(String, u64)>,
}

impl Progress {
    /// Nothing is done yet.
    pub(crate) fn begin() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(LINE);
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, told: Mutex::new((String::new(), 0)) }
    }

    /// So much of so much is done.
    pub(crate) fn tell(&self, what: &str, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(what.to_owned());
            return;
        }
        let tenth = (done * 10).checked_div(total).unwrap_or(10);
        let mut told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let first = what.split(' ').next().unwrap_or_default();
        if (told.0.as_str(), told.1) == (first, tenth) {
            return;
        }
        *told = (first.to_owned(), tenth);
        // Nobody is there to be told that nobody can be told.
        let _ = writeln!(std::io::stderr(), "{what}: {done} of {total} ({}%)", tenth * 10);
    }

    /// It is done, or never will be.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
