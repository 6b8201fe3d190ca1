//! Makes a fresh machine able to run the tests: on Debian it installs what is missing.
//! Installs only what a test that exists uses; elsewhere it says what to install.

use std::process::Command;

use anyhow::bail;

use crate::process::{exists, run};

/// A program that tests need and cargo cannot bring.
struct Tool {
    /// Any of these names will do.
    programs: &'static [&'static str],
    /// The Debian package that has it.
    package: &'static str,
}

const TOOLS: [Tool; 1] =
    [Tool { programs: &["chromium", "chromium-browser", "google-chrome"], package: "chromium" }];

/// Installs what is missing; an error names what could not be had.
pub(crate) fn set_up() -> anyhow::Result<()> {
    let missing = missing(&TOOLS);
    if missing.is_empty() {
        return Ok(());
    }
    if !exists("apt-get") {
        bail!("please install: {}", missing.join(" "));
    }
    run(&mut apt(&["update", "--quiet"])?)?;
    let mut install = apt(&["install", "--yes", "--quiet", "--no-install-recommends"])?;
    run(install.args(&missing).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether `program`, or what stands in for it, can be run.
pub(crate) fn has(package: &str) -> bool {
    TOOLS
        .iter()
        .filter(|tool| tool.package == package)
        .any(|tool| tool.programs.iter().any(|program| exists(program)))
}

fn missing(tools: &[Tool]) -> Vec<&'static str> {
    tools
        .iter()
        .filter(|tool| !tool.programs.iter().any(|program| exists(program)))
        .map(|tool| tool.package)
        .collect()
}

fn apt(args: &[&str]) -> anyhow::Result<Command> {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("apt-get")
    } else if exists("sudo") {
        let mut command = Command::new("sudo");
        command.args(["--non-interactive", "apt-get"]);
        command
    } else {
        bail!("apt-get needs root or sudo");
    };
    command.args(args);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_installed() {
        let here = Tool { programs: &["no-such-program", "sh"], package: "shell" };
        let gone = Tool { programs: &["no-such-program"], package: "nothing" };
        assert_eq!(missing(&[here, gone]), ["nothing"]);
    }
}
