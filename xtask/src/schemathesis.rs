//! `cargo xtask schemathesis`: makes requests out of the served OpenAPI description, good ones and
//! bad ones, and sees whether the server keeps to it. What it is told stands in
//! `tests/schemathesis/`; this only installs it, and starts and stops the server.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser::TestServer;
use crate::process::run;
use crate::{python, setup, test, tree};

/// Operations whose answer has no end: a WebSocket, which is no request and answer at all, and a
/// stream of events. They have tests of their own in the test kit.
const ENDLESS: [&str; 2] = ["/api/v1/socket", "/api/v1/events"];

/// It waits for each answer, and asks with every number that is described: nothing is to make it
/// wait for long.
const IMPATIENT: [(&str, &str); 1] = [("PARLOR_LIMIT_KEY_WAIT_MS_MAX", "10")];

/// The seed of the step of `cargo xtask test`: the same requests every time.
const SEED: u64 = 1;

/// Requests for each operation in that step.
const FEW: u32 = 20;

/// Fuzz the REST API by its own description: every answer must be one that is described.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Requests that are made up for each operation, besides those at the edges of its description.
    #[arg(long, default_value_t = 100)]
    examples: u32,
    /// Makes the same requests again; printed by every run.
    #[arg(long)]
    seed: Option<u64>,
}

impl Options {
    /// Those of the step of `cargo xtask test`.
    pub(crate) fn few() -> Self {
        Self { examples: FEW, seed: Some(SEED) }
    }
}

/// The verb.
pub(crate) fn schemathesis(options: &Options) -> anyhow::Result<()> {
    setup::set_up()?;
    install()?;
    test::build_server()?;
    let server = start()?;
    let result = run(&mut command(options, &server.url)?);
    let log = tree::scratch("logs")?.join("schemathesis-server.log");
    std::fs::write(&log, server.stop())?;
    println!("the server's log: {}", log.display());
    result
}

/// Its server.
pub(crate) fn start() -> anyhow::Result<TestServer> {
    TestServer::start_with(&IMPATIENT)
}

/// Schemathesis against the server at `url`.
pub(crate) fn command(options: &Options, url: &str) -> anyhow::Result<Command> {
    // What it leaves behind between runs goes to the target folder with the rest of it.
    let mut command = Command::new(python::home("schemathesis")?.join("bin/schemathesis"));
    command.current_dir(tree::scratch("schemathesis-run")?);
    command.arg("--config-file").arg(told("schemathesis.toml"));
    command.args(["run", &format!("{url}/openapi.json"), "--url", url]);
    command.args(["--phases", "examples,coverage,fuzzing,stateful"]);
    command.args(["--max-examples", &options.examples.to_string()]);
    if let Some(seed) = options.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    for path in ENDLESS {
        command.args(["--exclude-path", path]);
    }
    command.env("SCHEMATHESIS_HOOKS", told("hooks.py")).env("PARLOR_URL", url);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONHASHSEED", "0");
    Ok(command)
}

/// Installs it.
pub(crate) fn install() -> anyhow::Result<()> {
    python::install("schemathesis", &told("requirements.txt"))
}

fn told(file: &str) -> PathBuf {
    let dir: &Path = &tree::root().join("tests/schemathesis");
    dir.join(file)
}
