//! `cargo xtask sim`, `kills` and `disconnects`: the test kit's big tests, at a chosen size.
//! The same tests run, smaller, in `cargo xtask test`.

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
    let seed = options.seed.clone();
    let schedules = options.schedules.map(|n| n.to_string());
    testkit("sim", &[("PARLOR_SIM_SEED", seed), ("PARLOR_SIM_SCHEDULES", schedules)])
}

/// Kills of a server under load: nothing acknowledged may be lost.
pub(crate) fn kills(options: &CountOptions) -> anyhow::Result<()> {
    testkit("kills", &[("PARLOR_KILLS", options.count.map(|n| n.to_string()))])
}

/// Cut connections: every client must come back without a hole.
pub(crate) fn disconnects(options: &CountOptions) -> anyhow::Result<()> {
    testkit("disconnects", &[("PARLOR_DISCONNECTS", options.count.map(|n| n.to_string()))])
}

fn testkit(filter: &str, sizes: &[(&str, Option<String>)]) -> anyhow::Result<()> {
    let mut command = if process::exists("cargo-nextest") {
        process::cargo(&["nextest", "run", "--no-capture", "--package", "parlor-testkit", filter])
    } else {
        let package = ["test", "--package", "parlor-testkit", "--tests", filter];
        let mut command = process::cargo(&package);
        command.args(["--", "--nocapture"]);
        command
    };
    for (name, size) in sizes {
        if let Some(size) = size {
            command.env(name, size);
        }
    }
    process::run(&mut command)
}
