//! `cargo xtask parts -- <command>`: one command with a PostgreSQL, a Redis and a Redis Cluster
//! beside it, which its tests share and which are gone afterwards.

use std::ffi::OsString;
use std::process::Command;

use parlor_parts::Shared;

use crate::process;

/// Start the databases that tests share, and run a command beside them.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The command, such as `cargo nextest run -p parlor-store`.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// The verb.
pub(crate) fn parts(options: &Options) -> anyhow::Result<()> {
    let shared = Shared::start()?;
    let (program, arguments) = options.command.split_first().expect("clap asks for one word");
    let mut command = Command::new(program);
    command.args(arguments);
    beside(&mut command, &shared);
    process::run(&mut command)
}

/// Lets a command find the shared parts.
pub(crate) fn beside(command: &mut Command, shared: &Shared) {
    command.envs(shared.variables());
}
