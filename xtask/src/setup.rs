//! Makes a fresh machine able to run the tests: on Debian it installs what is missing.
//! Installs only what a test that exists uses; elsewhere it says what to install.

use std::process::{Command, Stdio};

use anyhow::bail;

use crate::process::{exists, run};
use crate::tree;

/// A program that tests need and cargo cannot bring.
struct Tool {
    /// Any of these names will do.
    programs: &'static [&'static str],
    /// Modules of Python that the first of them must have.
    modules: &'static [&'static str],
    /// The Debian package that has it.
    package: &'static str,
}

const TOOLS: [Tool; 10] = [
    Tool {
        programs: &["chromium", "chromium-browser", "google-chrome"],
        modules: &[],
        package: "chromium",
    },
    Tool { programs: &["curl"], modules: &[], package: "curl" },
    Tool { programs: &["docker-compose"], modules: &[], package: "docker-compose" },
    Tool { programs: &["faketime"], modules: &[], package: "faketime" },
    Tool { programs: &["haproxy"], modules: &[], package: "haproxy" },
    Tool { programs: &["ip"], modules: &[], package: "iproute2" },
    Tool { programs: &["postgres"], modules: &[], package: "postgresql" },
    Tool { programs: &["python3"], modules: &["venv", "ensurepip"], package: "python3-venv" },
    Tool { programs: &["redis-server"], modules: &[], package: "redis-server" },
    Tool { programs: &["systemd-analyze"], modules: &[], package: "systemd" },
];

impl Tool {
    fn is_there(&self) -> bool {
        self.programs.iter().any(|name| parlor_parts::program(name).is_some()) && self.has_modules()
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
    let _quiet = StartsNothing::begin()?;
    run(install.args(&missing).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// While this lives, packages that are installed start no server: Debian's PostgreSQL and Redis
/// would take their usual ports, and the tests have instances of their own.
struct StartsNothing {
    is_ours: bool,
}

/// What packages ask whether they may start something; 101 is no.
const POLICY: &str = "/usr/sbin/policy-rc.d";

impl StartsNothing {
    fn begin() -> anyhow::Result<Self> {
        // Somebody else's policy stands: most images of containers have this very one.
        let is_ours = !std::path::Path::new(POLICY).exists();
        if is_ours {
            let file = tree::scratch("setup")?.join("policy-rc.d");
            std::fs::write(&file, "#!/bin/sh\nexit 101\n")?;
            run(as_root("install")?.args(["--mode=755"]).arg(&file).arg(POLICY))?;
        }
        Ok(Self { is_ours })
    }
}

impl Drop for StartsNothing {
    fn drop(&mut self) {
        if self.is_ours {
            let removed = as_root("rm").and_then(|mut rm| run(rm.args(["--force", POLICY])));
            if let Err(why) = removed {
                println!("please remove {POLICY}: {why:#}");
            }
        }
    }
}

/// Whether `program`, or what stands in for it, can be run.
pub(crate) fn has(package: &str) -> bool {
    TOOLS.iter().any(|tool| tool.package == package && tool.is_there())
}

fn missing(tools: &[Tool]) -> Vec<&'static str> {
    tools.iter().filter(|tool| !tool.is_there()).map(|tool| tool.package).collect()
}

fn apt(args: &[&str]) -> anyhow::Result<Command> {
    let mut command = as_root("apt-get")?;
    command.args(args);
    Ok(command)
}

fn as_root(program: &str) -> anyhow::Result<Command> {
    if rustix::process::geteuid().is_root() {
        return Ok(Command::new(program));
    }
    if !exists("sudo") {
        bail!("{program} needs root or sudo");
    }
    let mut command = Command::new("sudo");
    command.args(["--non-interactive", program]);
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
