//! `cargo xtask sim`, `kills` and `disconnects`: the test kit's big tests, at a chosen size.
//! The same tests run, smaller, in `cargo xtask test`.

use std::process::Command;

use crate::process;

/// Run the simulation: many seeded schedules of nodes, faults and clients.
#[derive(clap::Args)]
pub(crate) struct SimOptions {
    /// Run this one schedule, as a failure printed it (decimal or 0x…).
    #[arg(long)]
    seed: Option<String>,
    /// How many schedules to run.
    #[arg(long)]
    schedules: Option<u64>,
    /// Plant faults one at a time, and print how soon each was found.
    #[arg(long, conflicts_with_all = ["seed", "schedules"])]
    faults: bool,
}

/// Run one of the test kit's endurance tests.
#[derive(clap::Args)]
pub(crate) struct CountOptions {
    /// How many times.
    #[arg(long)]
    count: Option<u64>,
}

/// Schedules of the simulation.
pub(crate) fn sim(options: &SimOptions) -> anyhow::Result<()> {
    if options.faults {
        return process::run(&mut faults());
    }
    let seed = options.seed.clone();
    let schedules = options.schedules.map(|n| n.to_string());
    sized("sim", &[("PARLOR_SIM_SEED", seed), ("PARLOR_SIM_SCHEDULES", schedules)])
}

/// The simulation with faults planted in it; no other build has them.
pub(crate) fn faults() -> Command {
    testkit("every_planted_fault", &["--features", "faults"])
}

/// Kills of a server under load: nothing acknowledged may be lost.
pub(crate) fn kills(options: &CountOptions) -> anyhow::Result<()> {
    sized("kills", &[("PARLOR_KILLS", options.count.map(|n| n.to_string()))])
}

/// Cut connections: every client must come back without a hole.
pub(crate) fn disconnects(options: &CountOptions) -> anyhow::Result<()> {
    sized("disconnects", &[("PARLOR_DISCONNECTS", options.count.map(|n| n.to_string()))])
}

/// Run one conversation over all doors and compare every client's log with the database.
#[derive(clap::Args)]
pub(crate) struct ChorusOptions {
    /// How many people.
    #[arg(long, default_value_t = 200)]
    people: u64,
    /// For how long they talk.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// One conversation over all doors.
pub(crate) fn chorus(options: &ChorusOptions) -> anyhow::Result<()> {
    let (people, seconds) = (options.people.to_string(), options.seconds.to_string());
    let sizes = [("PARLOR_CHORUS_PEOPLE", Some(people)), ("PARLOR_CHORUS_SECONDS", Some(seconds))];
    sized("a_conversation_over_all_doors", &sizes)
}

/// The image that the Dockerfile makes, everything compiled as it says.
pub(crate) fn image() -> anyhow::Result<()> {
    sized("deploy::image", &[("PARLOR_IMAGE", Some("compiled".to_owned()))])
}

fn sized(filter: &str, sizes: &[(&str, Option<String>)]) -> anyhow::Result<()> {
    let mut command = testkit(filter, &[]);
    for (name, size) in sizes {
        if let Some(size) = size {
            command.env(name, size);
        }
    }
    process::run(&mut command)
}

/// Runs some of the test kit's tests, built this way, and shows what they print.
pub(crate) fn testkit(filter: &str, build: &[&str]) -> Command {
    if process::exists("cargo-nextest") {
        let mut command = process::cargo(&["nextest", "run", "--no-capture"]);
        command.args(["--package", "parlor-testkit"]).args(build).arg(filter);
        return command;
    }
    let mut command = process::cargo(&["test", "--package", "parlor-testkit", "--tests"]);
    command.args(build).args([filter, "--", "--nocapture"]);
    command
}
