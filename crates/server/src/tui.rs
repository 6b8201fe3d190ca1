//! `parlor tui`: the terminal client, which is a program of its own.
//!
//! Owns finding it. The server never depends on what clients need, so it holds none of it: it is
//! replaced by `parlor-tui`, which lies beside it or in the `PATH`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Arg, ArgMatches, Command, value_parser};

const PROGRAM: &str = "parlor-tui";
const ARGUMENTS: &str = "arguments";

/// The verb, as it is typed. Everything behind it is for the other program, `--help` too.
pub(crate) fn command() -> Command {
    Command::new("tui")
        .about(
            "Talk in this terminal: runs the program parlor-tui; `parlor tui --help` is its help",
        )
        .disable_help_flag(true)
        .arg(
            Arg::new(ARGUMENTS)
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_name("OPTIONS")
                .value_parser(value_parser!(OsString)),
        )
}

/// What is behind the verb.
pub(crate) fn arguments(matches: &ArgMatches) -> Vec<OsString> {
    matches.get_many(ARGUMENTS).into_iter().flatten().cloned().collect()
}

/// Becomes the terminal client; comes back only when that fails.
///
/// # Errors
/// When it is not there, or cannot be run.
pub(crate) fn tui(arguments: &[OsString]) -> anyhow::Result<()> {
    let own = std::env::current_exe().context("failed to find the own program")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = find(&own, &path).with_context(|| {
        format!(
            "the terminal client is a program of its own, {PROGRAM}, and is neither beside {} nor \
             in the PATH. `cargo install --locked --path clients/tui`, in the sources, builds it \
             and puts it there.",
            own.display()
        )
    })?;
    let failed = std::process::Command::new(&program).args(arguments).exec();
    Err(failed).with_context(|| format!("failed to run {}", program.display()))
}

/// The program beside ours, or else the first in the `PATH`. Entries that depend on the working
/// directory do not count: anybody may have put something there.
fn find(own: &Path, path: &std::ffi::OsStr) -> Option<PathBuf> {
    let beside = own.parent().map(Path::to_owned);
    let folders = beside.into_iter().chain(std::env::split_paths(path));
    let folders = folders.filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(PROGRAM)).find(|program| program.is_file())
}
