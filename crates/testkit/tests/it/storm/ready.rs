//! `/ready` says which part is down, and takes it back when it is up again.

use std::time::Duration;

use parlor_testkit::Cluster;
use parlor_testkit::clock::Stopwatch;
use parlor_testkit::http::Request;
use tokio::task::block_in_place;
use tokio::time::interval;

use super::{RECOVERY, cluster};
use crate::disconnects::line::ask;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_names_the_part_that_is_down_and_takes_it_back() {
    let mut cluster = cluster().await;
    all_say(&cluster, 200, "ok", "ok").await;
    cluster.postgres.stop_immediate();
    all_say(&cluster, 503, "down", "ok").await;
    block_in_place(|| cluster.postgres.start_again().unwrap());
    all_say(&cluster, 200, "ok", "ok").await;
    cluster.redis.stop_immediate();
    // Without Redis everything is slower, and nothing is lost: the node goes on serving.
    all_say(&cluster, 200, "ok", "down").await;
    block_in_place(|| cluster.redis.start_again().unwrap());
    all_say(&cluster, 200, "ok", "ok").await;
    // What is cut off from one node is down for that node alone.
    cluster.nodes[1].to_postgres().block();
    says(&cluster, 1, 503, "down", "ok").await;
    says(&cluster, 2, 200, "ok", "ok").await;
    cluster.nodes[1].to_postgres().unblock();
    all_say(&cluster, 200, "ok", "ok").await;
}

async fn all_say(cluster: &Cluster, status: u16, store: &str, bus: &str) {
    for node in 0..cluster.nodes.len() {
        says(cluster, node, status, store, bus).await;
    }
}

/// Waits until a node says this of itself.
async fn says(cluster: &Cluster, node: usize, status: u16, store: &str, bus: &str) {
    let began = Stopwatch::start();
    let mut look = interval(Duration::from_millis(50));
    loop {
        look.tick().await;
        let answer = ask(cluster.nodes[node].address(), &Request::new("GET", "/ready")).await;
        let told = answer.map(|answer| (answer.status, answer.json()["dependencies"].clone()));
        if let Some((told, parts)) = &told
            && *told == status
            && parts["store"] == store
            && parts["bus"] == bus
        {
            return;
        }
        let wanted = format!("{status} store {store} bus {bus}");
        assert!(began.elapsed() <= RECOVERY, "node {node} says {told:?}, not {wanted}");
    }
}
