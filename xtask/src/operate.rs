//! `cargo xtask moves`, `backups`, `deadlines`, `markers` and `upgrades`: what an operator stakes
//! everything on, at full size. The same tests run, smaller, in `cargo xtask test`.

use std::process::Command;

use parlor_parts::Shared;

use crate::{parts, process, sim};

/// Move many messages to PostgreSQL and back, killed again and again on the way.
#[derive(clap::Args)]
pub(crate) struct MovesOptions {
    /// Against a build with optimisation, as it is shipped.
    #[arg(long)]
    release: bool,
    /// How many messages.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// How many kills on each way.
    #[arg(long, default_value_t = 10)]
    kills: u64,
    /// When the kills are; a failure is repeated by it.
    #[arg(long)]
    seed: Option<u64>,
}

/// Back a server up while 500 messages a second are written, and restore it elsewhere.
#[derive(clap::Args)]
pub(crate) struct BackupsOptions {
    /// Against a build with optimisation, as it is shipped.
    #[arg(long)]
    release: bool,
    /// How many times.
    #[arg(long, default_value_t = 20)]
    count: u64,
    /// How many messages are there before.
    #[arg(long, default_value_t = 500_000)]
    messages: u64,
}

/// Let messages decay while the server is killed again and again, and on three nodes.
#[derive(clap::Args)]
pub(crate) struct DeadlinesOptions {
    /// Against a build with optimisation, as it is shipped.
    #[arg(long)]
    release: bool,
    /// How many messages.
    #[arg(long, default_value_t = 10_000)]
    messages: u64,
    /// Over how many seconds their deadlines are spread.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// How many kills.
    #[arg(long, default_value_t = 10)]
    kills: u64,
}

/// Say and do things that are to disappear, and look for what is left of them, in a backup from
/// before, too.
#[derive(clap::Args)]
pub(crate) struct MarkersOptions {
    /// Against a build with optimisation, as it is shipped.
    #[arg(long)]
    release: bool,
    /// How many messages.
    #[arg(long, default_value_t = 1_000)]
    messages: u64,
    /// For how many seconds they live at least: all are said in this time, and backed up.
    #[arg(long, default_value_t = 180)]
    seconds: u64,
}

/// The verb.
pub(crate) fn moves(options: &MovesOptions) -> anyhow::Result<()> {
    let mut command = sim::testkit("a_move_there_and_back", build(options.release));
    command.env("PARLOR_MOVES", options.messages.to_string());
    command.env("PARLOR_MOVES_KILLS", options.kills.to_string());
    command.envs(options.seed.map(|seed| ("PARLOR_MOVES_SEED", seed.to_string())));
    beside_parts(command)
}

/// The verb.
pub(crate) fn backups(options: &BackupsOptions) -> anyhow::Result<()> {
    let mut command = sim::testkit("a_backup_of_a_busy_server", build(options.release));
    command.env("PARLOR_BACKUPS", options.count.to_string());
    command.env("PARLOR_BACKUPS_MESSAGES", options.messages.to_string());
    process::run(&mut command)
}

/// The verb.
pub(crate) fn deadlines(options: &DeadlinesOptions) -> anyhow::Result<()> {
    let mut command = sim::testkit("no_message_goes_early_and", build(options.release));
    command.env("PARLOR_DEADLINES", options.messages.to_string());
    command.env("PARLOR_DEADLINES_SECONDS", options.seconds.to_string());
    command.env("PARLOR_DEADLINES_KILLS", options.kills.to_string());
    process::run(&mut command)
}

/// The verb.
pub(crate) fn markers(options: &MarkersOptions) -> anyhow::Result<()> {
    let mut command = sim::testkit("after_its_deadline_nothing_of", build(options.release));
    command.env("PARLOR_MARKERS", options.messages.to_string());
    command.env("PARLOR_MARKERS_SECONDS", options.seconds.to_string());
    process::run(&mut command)
}

/// `kill -9` in the middle of every step of the schema, which only a build with planted faults can
/// be told to do.
pub(crate) fn upgrades() -> Command {
    let features = ["--package", "parlor-store", "--features", "faults"];
    if process::exists("cargo-nextest") {
        let mut command = process::cargo(&["nextest", "run", "--no-capture"]);
        command.args(features).arg("upgrades::");
        return command;
    }
    let mut command = process::cargo(&["test", "--tests"]);
    command.args(features).args(["upgrades::", "--", "--nocapture"]);
    command
}

fn build(release: bool) -> &'static [&'static str] {
    if release { &["--release"] } else { &[] }
}

fn beside_parts(mut command: Command) -> anyhow::Result<()> {
    let shared = Shared::start()?;
    parts::beside(&mut command, &shared);
    process::run(&mut command)
}
