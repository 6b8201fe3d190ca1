//! `cargo xtask test` and `ci`: every check there is, in one command, on a fresh machine too.
//! Nothing is skipped silently: what cannot run is an error unless `--allow-missing`.

use std::process::Command;

use parlor_parts::Shared;

use crate::browser::TestServer;
use crate::process::{cargo, exists, npm};
use crate::steps::Steps;
use crate::{
    clients, operate, parts, process, reference, scale, schemathesis, setup, sim, socketio, storm,
    tidy, tree, web,
};

/// Set up this machine if need be, then run every test and check.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Go on where something cannot run on this machine, and say so.
    #[arg(long)]
    allow_missing: bool,
    /// Only format, tidy, lints and Rust tests.
    #[arg(long)]
    fast: bool,
}

/// What is built: the same for every step, so that it is built once.
const WHOLE: [&str; 3] = ["--workspace", "--features", "xtask/bench"];

/// The verb.
pub(crate) fn test(options: &Options) -> anyhow::Result<()> {
    let mut steps = Steps::new(options.allow_missing)?;
    let result = all(&mut steps, options.fast);
    steps.finish(result);
    Ok(())
}

fn all(steps: &mut Steps, fast: bool) -> anyhow::Result<()> {
    if !fast {
        set_up(steps)?;
    }
    steps.run("format", cargo(&["fmt", "--all", "--check", "--", "--color", "never"]))?;
    steps.call("tidy", tidy::tidy)?;
    steps.run("lints", lints())?;
    rust_tests(steps, fast)?;
    if fast {
        return Ok(());
    }
    steps.run("storm", storm::tests("", &WHOLE))?;
    steps.run("planted faults", sim::faults())?;
    steps.run("killed upgrades", operate::upgrades())?;
    steps.run("doc tests", cargo(&["test", "--workspace", "--doc", "--quiet"]))?;
    steps.run("rust docs", docs())?;
    let check = reference::Options { check: true };
    steps.call("generated documents", || reference::reference(&check))?;
    steps.call("capacity tables", scale::check)?;
    described(steps)?;
    socketio::tests(steps)?;
    clients::tests(steps)?;
    web_tests(steps)
}

/// What `.ci/run` calls: the same, and nothing may be missing.
pub(crate) fn ci() -> anyhow::Result<()> {
    test(&Options { allow_missing: false, fast: false })
}

fn set_up(steps: &mut Steps) -> anyhow::Result<()> {
    match setup::set_up() {
        Ok(()) => steps.call("set-up", || Ok(())),
        Err(why) => steps.missing("set-up", &format!("{why:#}")),
    }
}

fn lints() -> Command {
    let mut command = cargo(&["clippy", "--all-targets"]);
    command.args(WHOLE).args(["--", "--deny", "warnings"]);
    command
}

/// The tests of the workspace, with the databases that they share beside them; then what people say
/// to each other and to other systems' clients once more, on three nodes.
fn rust_tests(steps: &mut Steps, fast: bool) -> anyhow::Result<()> {
    let mut tests = if exists("cargo-nextest") {
        let mut tests = cargo(&["nextest", "run"]);
        tests.args(WHOLE).args(["--filterset", "not test(/^storm::/)"]);
        tests
    } else {
        let mut tests = cargo(&["test"]);
        tests.args(WHOLE).args(["--lib", "--bins", "--tests", "--", "--skip", "storm::"]);
        tests
    };
    let shared = match Shared::start() {
        Ok(shared) => shared,
        Err(why) => return steps.missing("rust tests", &format!("{why:#}")),
    };
    parts::beside(&mut tests, &shared);
    steps.run("rust tests", tests)?;
    if fast {
        return Ok(());
    }
    let mut again = nodes();
    parts::beside(&mut again, &shared);
    steps.run("three nodes", again)
}

/// The conversations and the contracts of other systems, with everybody spread over three nodes.
fn nodes() -> Command {
    let mut command = if exists("cargo-nextest") {
        let mut command = cargo(&["nextest", "run"]);
        command.args(WHOLE).args(["--filterset", "test(/^(compat|conversations)::/)"]);
        command
    } else {
        let mut command = cargo(&["test"]);
        command.args(WHOLE).args(["--tests", "--", "compat::", "conversations::"]);
        command
    };
    command.env("PARLOR_TEST_NODES", "3");
    command
}

/// Builds the server of the dev profile, and the tests with it: so everything has the features that
/// it has in their step, and nothing is compiled twice.
pub(crate) fn build_server() -> anyhow::Result<()> {
    let mut build = cargo(&["build", "--quiet", "--bin", "parlor", "--tests"]);
    process::run(build.args(WHOLE))
}

fn docs() -> Command {
    let mut command = cargo(&["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "--deny warnings");
    command
}

fn described(steps: &mut Steps) -> anyhow::Result<()> {
    if !setup::has("python3-venv") {
        return steps.missing("schemathesis", "no Python with virtual environments");
    }
    steps.call("schemathesis packages", schemathesis::install)?;
    build_server()?;
    let server = schemathesis::start()?;
    let command = schemathesis::command(&schemathesis::Options::few(), &server.url)?;
    let result = steps.run("schemathesis", command);
    std::fs::write(steps.logs().join("schemathesis-server.log"), server.stop())?;
    result
}

fn web_tests(steps: &mut Steps) -> anyhow::Result<()> {
    let dir = tree::root().join("web");
    if !dir.join("package.json").is_file() {
        return steps.missing("web", "there is no web client in web/");
    }
    steps.call("generated types", || web::web(&web::Options::check()))?;
    if !exists("npm") {
        return steps.missing("web", "Node is not installed");
    }
    steps.call("web packages", || web::install(&dir))?;
    steps.call("web build", || web::web(&web::Options::build()))?;
    steps.run("web lints", npm(&["run", "lint"]))?;
    steps.run("web tests", npm(&["test"]))?;
    if !setup::has("chromium") {
        return steps.missing("browser tests", "no Chromium to run them in");
    }
    browser_tests(steps)
}

fn browser_tests(steps: &mut Steps) -> anyhow::Result<()> {
    // Built again, so that the page of this very step is in it.
    build_server()?;
    let puppet = clients::puppet()?;
    let server = TestServer::start()?;
    let mut tests = npm(&["run", "e2e"]);
    tests.env("PARLOR_URL", &server.url).env("PARLOR_PUPPET", puppet);
    let result = steps.run("browser tests", tests);
    std::fs::write(steps.logs().join("browser-server.log"), server.stop())?;
    result
}
