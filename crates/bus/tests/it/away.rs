//! Redis away, and back: nobody is held up, and everybody hears that something may be missing.

use std::time::Duration;

use parlor_bus::{Bus as _, Heard, State};
use parlor_parts::{Redis, RedisCluster, RedisSentinel};
use tokio::time::timeout;

use crate::node::{Node, epoch, posted, session, topic};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_to_redis_hears_how_far_the_logs_have_come() {
    let mut redis = Redis::start().unwrap();
    let epoch = epoch();
    let one = Node::start(&redis.url(), &epoch).await;
    let mut other = Node::start(&redis.url(), &epoch).await;
    other.follow(&[topic(1)]).await;
    redis.stop_immediate();
    one.is(State::Down).await;
    other.is(State::Down).await;
    for seq in 1..=10_000 {
        one.bus.publish(&[posted(1, seq)], &[]);
    }
    tokio::task::block_in_place(|| redis.start_again()).unwrap();
    assert_eq!(other.next().await, Heard::Doubt, "whatever was said meanwhile");
    one.is(State::Up).await;
    other.is(State::Up).await;
    one.bus.publish(&[posted(1, 10_001)], &[]);
    loop {
        match other.next().await {
            // Not heard by who came back later than it was sent.
            Heard::Head(of, seq) => assert_eq!((of, seq), (topic(1), 10_000)),
            Heard::Event(event) => break assert_eq!(event, posted(1, 10_001)),
            Heard::Doubt => {}
            Heard::Word(..) => panic!("nobody has said anything"),
        }
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_answers_nothing_is_away() {
    let redis = Redis::start().unwrap();
    let mut node = Node::start(&redis.url(), &epoch()).await;
    redis.pause();
    node.is(State::Down).await;
    redis.resume();
    node.is(State::Up).await;
    assert_eq!(node.next().await, Heard::Doubt);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_begins_without_redis_and_finds_it_later() {
    let mut redis = Redis::start().unwrap();
    redis.stop_immediate();
    let mut node = Node::begin(&redis.url(), &epoch());
    node.bus.follow(topic(1));
    assert_eq!(node.bus.state(), State::Down);
    tokio::task::block_in_place(|| redis.start_again()).unwrap();
    node.is(State::Up).await;
    assert_eq!(node.next().await, Heard::Doubt);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_lost_a_server_is_whole_again_when_it_is_back() {
    let mut cluster = RedisCluster::start().unwrap();
    let epoch = epoch();
    let url = cluster.urls()[0].clone();
    let one = Node::start(&url, &epoch).await;
    let mut other = Node::start(&url, &epoch).await;
    let topics: Vec<_> = (0..48).map(topic).collect();
    other.follow(&topics).await;
    cluster.stop_immediate(1);
    tokio::task::block_in_place(|| cluster.start_again(1)).unwrap();
    // Whether it was missed or not: from some moment on every session is heard again.
    for n in 0..48 {
        let mut seq = 0;
        loop {
            seq += 1;
            one.bus.publish(&[posted(n, seq)], &[]);
            let wait = Duration::from_millis(200);
            let mut came = false;
            while !came && let Ok(Some(heard)) = timeout(wait, other.heard.recv()).await {
                came = matches!(&heard, Heard::Event(event) if event.session == session(n));
            }
            if came {
                break;
            }
            assert!(seq < 200, "session {n} is not heard any more");
        }
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_primary_is_lost_the_one_that_sentinels_name_next_is_found() {
    let mut redis = RedisSentinel::start().unwrap();
    let epoch = epoch();
    let one = Node::start(&redis.url(), &epoch).await;
    let mut other = Node::start(&redis.url(), &epoch).await;
    other.follow(&[topic(1)]).await;
    one.bus.publish(&[posted(1, 1)], &[]);
    assert_eq!(other.next_but_doubt().await, Heard::Event(posted(1, 1)));
    tokio::task::block_in_place(|| redis.lose_primary()).unwrap();
    one.is(State::Up).await;
    other.is(State::Up).await;
    // What is said while one of them is still on its way is told by the head of the log.
    let mut pulse = tokio::time::interval(Duration::from_millis(50));
    for seq in 2.. {
        pulse.tick().await;
        one.bus.publish(&[posted(1, seq)], &[]);
        if let Ok(heard) = timeout(Duration::from_millis(50), other.next_but_doubt()).await
            && matches!(heard, Heard::Event(_))
        {
            break;
        }
        assert!(seq < 400, "nothing is heard any more");
    }
    one.stop().await;
    other.stop().await;
}
