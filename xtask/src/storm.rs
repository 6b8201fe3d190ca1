//! `cargo xtask storm`: three nodes on PostgreSQL and Redis behind HAProxy, under load, while
//! everything that can break does. The tests are the test kit's; their sizes are said here.

use std::process::Command;

use crate::process::{self, cargo, exists};

/// Break everything under load, and compare what everybody heard with the database.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A tenth of everything, as `cargo xtask test` has it.
    #[arg(long)]
    tenth: bool,
    /// Against a build with optimisation, as it is shipped.
    #[arg(long)]
    release: bool,
    /// Only the tests whose name contains this: strikes, pairs, sent_away, ready, lossy, drains.
    #[arg(long)]
    only: Option<String>,
    /// What is random follows from this (decimal or 0x…), as a failure printed it.
    #[arg(long)]
    seed: Option<String>,
    /// Messages that are acknowledged while things break.
    #[arg(long)]
    messages: Option<u64>,
    /// `kill -9` of a node.
    #[arg(long)]
    kills: Option<u64>,
    /// Immediate restarts of PostgreSQL.
    #[arg(long)]
    postgres: Option<u64>,
    /// Times that Redis ends, is deaf or is slow.
    #[arg(long)]
    redis: Option<u64>,
    /// `pg_terminate_backend`.
    #[arg(long)]
    terminations: Option<u64>,
    /// Writes on one node that are read on another.
    #[arg(long)]
    pairs: Option<u64>,
    /// Batches of fifty people who are sent away at once.
    #[arg(long)]
    batches: Option<u64>,
    /// Bursts of messages of which Redis loses a tenth.
    #[arg(long)]
    bursts: Option<u64>,
    /// `SIGTERM` of a node.
    #[arg(long)]
    stops: Option<u64>,
}

/// What the tests read, and how many of each are the whole.
const WHOLE: [(&str, u64); 9] = [
    ("MESSAGES", 200_000),
    ("KILLS", 100),
    ("POSTGRES", 50),
    ("REDIS", 50),
    ("TERMINATIONS", 500),
    ("PAIRS", 20_000),
    ("BATCHES", 20),
    ("BURSTS", 200),
    ("STOPS", 200),
];

/// The verb.
pub(crate) fn storm(options: &Options) -> anyhow::Result<()> {
    let build: &[&str] = if options.release { &["--release"] } else { &[] };
    let build = [&["--package", "parlor-testkit"], build].concat();
    let mut command = tests(options.only.as_deref().unwrap_or_default(), &build);
    let said = [
        options.messages,
        options.kills,
        options.postgres,
        options.redis,
        options.terminations,
        options.pairs,
        options.batches,
        options.bursts,
        options.stops,
    ];
    for ((name, whole), said) in WHOLE.into_iter().zip(said) {
        let count = said.unwrap_or(if options.tenth { whole / 10 } else { whole });
        command.env(format!("PARLOR_STORM_{name}"), count.to_string());
    }
    if let Some(seed) = &options.seed {
        command.env("PARLOR_STORM_SEED", seed);
    }
    process::run(&mut command)
}

/// The tests whose name contains `only`, built this way, one after the other: each measures how
/// long something takes. Without a word of how many, each is a tenth of the whole.
pub(crate) fn tests(only: &str, build: &[&str]) -> Command {
    let filter = format!("storm::{only}");
    if exists("cargo-nextest") {
        let mut command = cargo(&["nextest", "run"]);
        command.args(build).args(["--no-capture", "--no-fail-fast", &filter]);
        return command;
    }
    let mut command = cargo(&["test"]);
    command.args(build).args(["--tests", &filter, "--", "--nocapture", "--test-threads=1"]);
    command
}
