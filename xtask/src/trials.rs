//! `cargo xtask trials`: the trials of end-to-end encryption at full size. The same tests run,
//! smaller, in `cargo xtask test`.

use std::process::Command;

use parlor_parts::Shared;

use crate::browser::TestServer;
use crate::clients::{self, there};
use crate::process::run;
use crate::{parts, test, tree, web};

/// Give a client frames that no honest server sends, rekey a crowd, do so in a browser, kill
/// servers and clients while letters between devices are on their way, look for what was sealed in
/// everything that a server has, and let people live in a town. Each of them can be 0.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many frames a client is given.
    #[arg(long, default_value_t = 1_000_000)]
    frames: u64,
    /// How many devices get a new key at once.
    #[arg(long, default_value_t = 1_000)]
    devices: u64,
    /// How many devices get a new key at once from a browser: it is measured what that costs.
    #[arg(long, default_value_t = 1_000)]
    browser_devices: u64,
    /// How often a server or a client is killed.
    #[arg(long, default_value_t = 1_000)]
    kills: u64,
    /// How many things are sealed, and looked for.
    #[arg(long, default_value_t = 500)]
    things: u64,
    /// For how long twenty people live in a town.
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// What chance begins with; a failure is repeated by it.
    #[arg(long)]
    seed: Option<u64>,
}

/// The verb.
pub(crate) fn trials(options: &Options) -> anyhow::Result<()> {
    // Where it is the client that is tried, in a build that is optimised: it takes an hour else.
    if options.frames > 0 {
        let frames = some(&["--package", "parlor-sdk", "--release", "--lib"], "fuzz::");
        try_it(frames, options, "PARLOR_FUZZ_FRAMES", options.frames)?;
    }
    if options.devices > 0 {
        let crowd = some(&["--package", "parlor-e2ee", "--release", "--test", "it"], "crowd::");
        try_it(crowd, options, "PARLOR_CROWD_DEVICES", options.devices)?;
    }
    if options.browser_devices > 0 {
        in_browser(options)?;
    }
    if options.kills + options.things + options.minutes == 0 {
        return Ok(());
    }
    test::build_server()?;
    run(&mut there(&["build", "--quiet", "--package", "parlor-sdk", "--examples"]))?;
    if options.kills > 0 {
        try_it(with_server("killed::"), options, "PARLOR_LETTER_KILLS", options.kills)?;
    }
    if options.things > 0 {
        let shared = Shared::start()?;
        let mut things = with_server("canaries::");
        parts::beside(&mut things, &shared);
        try_it(things, options, "PARLOR_CANARY_THINGS", options.things)?;
    }
    if options.minutes > 0 {
        let mut town = with_server("town::");
        town.env("PARLOR_TOWN_PEOPLE", "20");
        try_it(town, options, "PARLOR_TOWN_SECONDS", options.minutes * 60)?;
    }
    Ok(())
}

/// The crowd whose keys a browser makes.
fn in_browser(options: &Options) -> anyhow::Result<()> {
    web::web(&web::Options::build())?;
    // With the page of this very step in it.
    test::build_server()?;
    run(&mut there(&["build", "--quiet", "--package", "parlor-sdk", "--example", "crowd"]))?;
    // Who writes in it has some, too.
    let most = (options.browser_devices + 16).to_string();
    let server = TestServer::start_with(&[("PARLOR_LIMIT_SESSION_DEVICES_MAX", &most)])?;
    let mut crowd = Command::new("node");
    crowd.arg("tools/crowd.mjs").current_dir(tree::root().join("web"));
    crowd.env("PARLOR_URL", &server.url);
    crowd.env("PARLOR_CROWD", clients::target().join("debug/examples/crowd"));
    let measured = try_it(crowd, options, "PARLOR_CROWD_DEVICES", options.browser_devices);
    server.stop();
    measured
}

/// One of them, at this size.
fn try_it(mut trial: Command, options: &Options, name: &str, size: u64) -> anyhow::Result<()> {
    trial.env(name, size.to_string());
    trial.envs(options.seed.map(|seed| ("PARLOR_SEED", seed.to_string())));
    run(&mut trial)
}

/// Some of the tests against a real server.
fn with_server(filter: &str) -> Command {
    let mut command = some(&["--package", "parlor-sdk", "--test", "it"], filter);
    command.env("PARLOR_BIN", tree::parlor("debug"));
    command
}

/// Some of the clients' tests, which show what they print.
fn some(build: &[&str], filter: &str) -> Command {
    let mut command = there(&["test"]);
    command.args(build).args([filter, "--", "--nocapture"]);
    command
}
