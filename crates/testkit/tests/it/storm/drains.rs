//! Nodes that are asked to stop while people talk, one at a time: nobody notices.

use std::time::Duration;

use parlor_testkit::clock::Stopwatch;

use super::probe::Probe;
use super::town::Town;
use super::{NODES, RECOVERY, cluster, count, seed};

const ROOMS: usize = 4;
const WRITERS: usize = 8;
const PACE: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_a_node_that_is_asked_to_stop() {
    let stops = count("PARLOR_STORM_STOPS", 200);
    let mut cluster = cluster().await;
    let mut probe = Probe::begin(&cluster).await;
    let town = Town::open(&cluster, ROOMS, WRITERS, PACE, seed()).await;
    let mut longest = Duration::ZERO;
    for n in 0..usize::try_from(stops).unwrap() {
        // Only one is away at a time: the load balancer knows of all others.
        let whole = tokio::time::timeout(RECOVERY, cluster.is_whole()).await;
        assert!(whole.is_ok(), "HAProxy does not see a node that runs");
        let node = &mut cluster.nodes[n % NODES];
        let began = Stopwatch::start();
        assert!(node.terminate(), "a node did not end well: {}", node.log());
        let took = began.elapsed();
        assert!(took <= RECOVERY, "a node took {took:?} to end");
        longest = longest.max(took);
        node.start();
    }
    probe.all_works("all stops").await;
    let verdict = town.audit(&cluster).await;
    let (answers, refused) = (verdict.answers, &verdict.refused);
    println!(
        "{stops} stops, {answers} messages acknowledged: none lost; {} refused; the longest end \
         took {:.2} s",
        refused.len(),
        longest.as_secs_f64(),
    );
    assert!(refused.is_empty(), "while another node ran: {refused:?}");
}
