//! The clients in Rust, which are a workspace of their own: its format, its lints, and its tests
//! against the server of the dev profile.

use std::path::PathBuf;
use std::process::Command;

use parlor_parts::Shared;

use crate::process::{cargo, run};
use crate::steps::Steps;
use crate::{parts, test, tree};

/// The steps.
pub(crate) fn tests(steps: &mut Steps) -> anyhow::Result<()> {
    steps.run("clients: format", there(&["fmt", "--all", "--check", "--", "--color", "never"]))?;
    let lints = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    steps.run("clients: lints", there(&lints))?;
    test::build_server()?;
    let mut tests = there(&["test", "--workspace"]);
    tests.env("PARLOR_BIN", tree::parlor("debug"));
    let shared = match Shared::start() {
        Ok(shared) => shared,
        Err(why) => return steps.missing("clients: tests", &format!("{why:#}")),
    };
    parts::beside(&mut tests, &shared);
    steps.run("clients: tests", tests)
}

/// Builds the program that the browser tests tell what to do, and says where it is.
pub(crate) fn puppet() -> anyhow::Result<PathBuf> {
    run(&mut there(&["build", "--quiet", "--package", "parlor-sdk", "--example", "puppet"]))?;
    Ok(target().join("debug/examples/puppet"))
}

/// Where their programs are built.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(_) => tree::target(),
        None => tree::root().join("clients/target"),
    }
}

/// `cargo` in their workspace.
pub(crate) fn there(args: &[&str]) -> Command {
    let mut command = cargo(args);
    command.current_dir(tree::root().join("clients"));
    command
}
