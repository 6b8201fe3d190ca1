//! Several nodes on one PostgreSQL and one Redis, under load, while everything that can break
//! does: nothing that was acknowledged is lost or doubled, everybody hears every log as it is
//! stored, and whoever was sent away hears no more.
//!
//! Each test is a tenth of what is promised; `cargo xtask storm` runs the whole. A failure prints
//! the seed of what was random.

mod drains;
mod fault;
mod lossy;
mod pairs;
mod probe;
mod ready;
mod sent_away;
mod sql;
mod strikes;
mod town;

use std::time::Duration;

use parlor_testkit::server::Builder;
use parlor_testkit::{Cluster, TestServer};

use crate::simulation::number;

/// Nodes of a cluster.
const NODES: usize = 3;

/// How long anything may take to work again once what it needs is back.
const RECOVERY: Duration = Duration::from_secs(10);

/// A cluster for a storm.
async fn cluster() -> Cluster {
    Cluster::start(binary(), NODES, settings()).await
}

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_parlor-tested")
}

fn settings() -> Builder {
    let settings = TestServer::builder().set("access_token_expiration_minutes", "240");
    settings.limit("heartbeat_ms", 250).limit("stall_ms_max", 2_000)
}

/// How many of something: what the variable says, or a tenth of the whole.
fn count(variable: &str, whole: u64) -> u64 {
    number(variable).unwrap_or(whole / 10)
}

fn seed() -> u64 {
    let seed = number("PARLOR_STORM_SEED").unwrap_or(0x7374_6f72_6d00);
    // With every run, so that a failure can be repeated.
    eprintln!("seed {seed:#x}");
    seed
}
