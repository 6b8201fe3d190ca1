//! What breaks, in which order, and how.

use std::time::Duration;

use parlor_testkit::clock::Stopwatch;
use parlor_testkit::{Cluster, Fault};
use tokio::task::block_in_place;

use super::probe::Probe;
use super::sql::Stored;
use super::{NODES, RECOVERY, count};
use crate::simulation::dice::Dice;

/// Connections of nodes to PostgreSQL that are cut one right after the other.
const TERMINATED_AT_ONCE: u64 = 5;

/// Something that breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strike {
    /// `kill -9` of a node, which is started again.
    Kill(usize),
    /// PostgreSQL stops as a power cut would stop it, and starts again.
    Postgres,
    /// Redis ends and starts again, empty.
    RedisEnds,
    /// What is sent to Redis goes nowhere for a while.
    RedisIsDeaf,
    /// What Redis says comes late.
    RedisIsSlow,
    /// `pg_terminate_backend`, a few times.
    Terminations,
    /// Every node is stopped and started, one after the other.
    Rolling,
}

/// How often each happened.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) kills: u64,
    pub(super) postgres: u64,
    pub(super) redis: u64,
    pub(super) terminations: u64,
    pub(super) rollings: u64,
}

/// Everything that is to break, in an order that the dice give.
pub(super) fn schedule(dice: &mut Dice) -> Vec<Strike> {
    let mut strikes = Vec::new();
    for _ in 0..count("PARLOR_STORM_KILLS", 100) {
        strikes.push(Strike::Kill(dice.index(NODES)));
    }
    for _ in 0..count("PARLOR_STORM_POSTGRES", 50) {
        strikes.push(Strike::Postgres);
    }
    for n in 0..count("PARLOR_STORM_REDIS", 50) {
        let kinds = [Strike::RedisEnds, Strike::RedisIsDeaf, Strike::RedisIsSlow];
        strikes.push(kinds[n as usize % kinds.len()]);
    }
    for _ in 0..count("PARLOR_STORM_TERMINATIONS", 500) / TERMINATED_AT_ONCE {
        strikes.push(Strike::Terminations);
    }
    strikes.push(Strike::Rolling);
    for last in (1..strikes.len()).rev() {
        strikes.swap(last, dice.index(last + 1));
    }
    strikes
}

/// The storm itself.
pub(super) struct Storm<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) probe: &'a mut Probe,
    pub(super) dice: &'a mut Dice,
    pub(super) tally: Tally,
}

impl Storm<'_> {
    /// Breaks something, mends it, and waits until everything works again.
    pub(super) async fn strike(&mut self, strike: Strike) {
        let what = format!("{strike:?}");
        match strike {
            Strike::Kill(node) => self.kill(node).await,
            Strike::Postgres => self.postgres().await,
            Strike::RedisEnds => {
                self.cluster.redis.stop_immediate();
                self.probe.is_served("Redis ended").await;
                self.moment(2_000).await;
                block_in_place(|| self.cluster.redis.start_again().unwrap());
                self.tally.redis += 1;
            }
            Strike::RedisIsDeaf => {
                self.cluster.nodes.iter().for_each(|node| node.to_redis().block());
                self.probe.is_served("Redis is deaf").await;
                self.moment(2_000).await;
                self.cluster.nodes.iter().for_each(|node| node.to_redis().unblock());
                self.tally.redis += 1;
            }
            Strike::RedisIsSlow => {
                let late = Duration::from_millis(500 + self.dice.below(2_500));
                let ways = self.cluster.nodes.iter().map(|node| node.to_redis());
                ways.for_each(|way| way.strike(Fault::Stall(late)));
                self.tally.redis += 1;
            }
            Strike::Terminations => self.terminations().await,
            Strike::Rolling => self.rolling().await,
        }
        self.probe.all_works(&what).await;
        let moment = self.dice.below(300);
        self.moment(moment).await;
    }

    /// Not a wait for something: the moment of the next strike is what is random.
    async fn moment(&mut self, at_most: u64) {
        let moment = Duration::from_millis(self.dice.below(at_most + 1));
        let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
    }

    async fn kill(&mut self, node: usize) {
        self.cluster.nodes[node].kill();
        self.probe.is_served("a node was killed").await;
        self.moment(500).await;
        self.cluster.nodes[node].start();
        self.tally.kills += 1;
    }

    async fn postgres(&mut self) {
        self.cluster.postgres.stop_immediate();
        self.moment(500).await;
        block_in_place(|| self.cluster.postgres.start_again().unwrap());
        self.tally.postgres += 1;
    }

    async fn terminations(&mut self) {
        let stored = Stored::open(self.cluster).await;
        for _ in 0..TERMINATED_AT_ONCE {
            // Nodes whose connections are all gone make new ones when somebody asks.
            while !stored.terminate_one().await {
                self.probe.is_served("connections were terminated").await;
            }
            self.tally.terminations += 1;
        }
    }

    async fn rolling(&mut self) {
        for n in 0..NODES {
            let node = &mut self.cluster.nodes[n];
            let began = Stopwatch::start();
            assert!(node.terminate(), "a node did not end well: {}", node.log());
            let took = began.elapsed();
            assert!(took <= RECOVERY, "a node took {took:?} to end");
            self.probe.is_served("a node was stopped").await;
            self.cluster.nodes[n].start();
            self.probe.all_works("a node was stopped and started").await;
        }
        self.tally.rollings += 1;
    }
}
