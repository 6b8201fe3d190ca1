//! `cargo xtask serve`: from a fresh clone to a running server, in one command.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::web::Built;
use crate::{process, tree, web};

/// Build the web client and the server, and run `parlor serve`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build without optimisation: quicker to build, slower to run.
    #[arg(long)]
    dev: bool,
    /// Passed on to `parlor serve`.
    #[arg(last = true)]
    args: Vec<OsString>,
}

/// The verb. Becomes the server, so that a signal meant for it reaches it.
pub(crate) fn serve(options: &Options) -> anyhow::Result<()> {
    match web::build() {
        Ok(Built::Done) => {}
        Ok(Built::Missing(why)) => println!("{why}; going on without its page"),
        Err(why) => println!("the web client was not built ({why:#}); going on without its page"),
    }
    let profile = if options.dev { "debug" } else { "release" };
    let mut build = process::cargo(&["build", "--package", "parlor-server", "--bin", "parlor"]);
    if !options.dev {
        build.arg("--release");
    }
    process::run(&mut build)?;
    let failed = Command::new(tree::parlor(profile)).arg("serve").args(&options.args).exec();
    Err(anyhow::Error::new(failed).context("failed to start parlor"))
}
