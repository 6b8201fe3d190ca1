//! Makes a fresh machine able to run the tests: on Debian it installs what is missing.
//! Installs only what a test that exists uses; elsewhere it says what to install.

use std::process::{Command, Stdio};

use anyhow::bail;

use crate::process::{exists, run};

/// A program that tests need and cargo cannot bring.
struct Tool {
    /// Any of these names will do.
    programs: &'static [&'static str],
    /// Modules of Python that the first of them must have.
    modules: &'static [&'static str],
    /// The Debian package that has it.
    package: &'static str,
}

const TOOLS: [Tool; 4] = [
    Tool {
        programs: &["chromium", "chromium-browser", "google-chrome"],
        modules: &[],
        package: "chromium",
    },
    Tool { programs: &["curl"], modules: &[], package: "curl" },
    Tool { programs: &["ip"], modules: &[], package: "iproute2" },
    Tool { programs: &["python3"], modules: &["venv", "ensurepip"], package: "python3-venv" },
];

impl Tool {
    fn is_there(&self) -> bool {
        self.programs.iter().any(|program| exists(program)) && self.has_modules()
    }

    /// Debian's Python comes without what makes a virtual environment.
    fn has_modules(&self) -> bool {
        let Some(program) = self.programs.first().filter(|_| !self.modules.is_empty()) else {
            return true;
        };
        let mut command = Command::new(program);
        command.arg("-c").arg(format!("import {}", self.modules.join(", ")));
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    }
}

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
    TOOLS.iter().any(|tool| tool.package == package && tool.is_there())
}

fn missing(tools: &[Tool]) -> Vec<&'static str> {
    tools.iter().filter(|tool| !tool.is_there()).map(|tool| tool.package).collect()
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
        let tool = |programs, modules, package| Tool { programs, modules, package };
        let here = tool(&["no-such-program", "sh"], &[], "shell");
        let gone = tool(&["no-such-program"], &[], "nothing");
        // A shell has no such option as to import something.
        let bare = tool(&["sh"], &["no_such_module"], "modules");
        assert_eq!(missing(&[here, gone, bare]), ["nothing", "modules"]);
    }
}
