//! What one node publishes, others hear.

use std::collections::BTreeMap;

use parlor_bus::{Bus as _, Heard, Topic, Word};
use parlor_domain::{DeviceId, LoginId, UserEvent, UserEventKind, UserId};
use parlor_parts::{Redis, RedisCluster};
use uuid::Uuid;

use crate::node::{Node, epoch, posted, session, topic};

/// Sessions of the tests: enough that every server of a cluster has some.
const SESSIONS: u128 = 48;

#[tokio::test]
async fn nodes_hear_each_other_over_one_server() {
    let redis = Redis::start().unwrap();
    hear_each_other(&redis.url()).await;
}

#[tokio::test]
async fn nodes_hear_each_other_over_a_cluster() {
    let cluster = RedisCluster::start().unwrap();
    // One server is enough: it says itself that it is one of a cluster.
    hear_each_other(&cluster.urls()[0]).await;
    let hosts: Vec<_> = cluster.addresses().iter().map(ToString::to_string).collect();
    hear_each_other(&format!("redis://{}", hosts.join(","))).await;
}

async fn hear_each_other(url: &str) {
    let epoch = epoch();
    let mut nodes = [Node::start(url, &epoch).await, Node::start(url, &epoch).await];
    let mut stranger = Node::start(url, &crate::node::epoch()).await;
    let topics: Vec<_> = (0..SESSIONS).map(topic).collect();
    for node in nodes.iter_mut().chain([&mut stranger]) {
        node.follow(&topics).await;
    }
    for (from, seqs) in [(0, 1..=5), (1, 6..=10)] {
        let events: Vec<_> =
            seqs.flat_map(|seq| (0..SESSIONS).map(move |n| posted(n, seq))).collect();
        nodes[from].bus.publish(&events, &[]);
        let mut heard: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for _ in 0..events.len() {
            let Heard::Event(event) = nodes[1 - from].next().await else { panic!("an event") };
            heard.entry(event.session).or_default().push(event);
        }
        for n in 0..SESSIONS {
            let expected: Vec<_> =
                events.iter().filter(|event| event.session == session(n)).cloned().collect();
            assert_eq!(heard[&session(n)], expected, "all of it, in its order");
        }
    }
    let word = Word::Revoked(vec![LoginId(Uuid::from_u128(7))]);
    nodes[0].bus.say(word.clone());
    assert_eq!(nodes[1].next().await, Heard::Word(nodes[0].bus.node(), word));
    assert!(nodes[0].heard.try_recv().is_err(), "nobody hears themselves");
    assert!(stranger.heard.try_recv().is_err(), "another installation hears nothing");
    for node in nodes.into_iter().chain([stranger]) {
        node.stop().await;
    }
}

#[tokio::test]
async fn a_users_own_log_is_told_by_its_head() {
    let redis = Redis::start().unwrap();
    let epoch = epoch();
    let one = Node::start(&redis.url(), &epoch).await;
    let mut other = Node::start(&redis.url(), &epoch).await;
    let user = UserId(Uuid::from_u128(3));
    other.follow(&[Topic::User(user)]).await;
    let kind = UserEventKind::DeviceRemoved(DeviceId(Uuid::nil()));
    let event = UserEvent { user, seq: 12, at: parlor_domain::Time(0), kind };
    one.bus.publish(&[], &[event]);
    assert_eq!(other.next().await, Heard::Head(Topic::User(user), 12));
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn what_nobody_here_listens_to_is_not_heard_any_more() {
    let redis = Redis::start().unwrap();
    let epoch = epoch();
    let one = Node::start(&redis.url(), &epoch).await;
    let mut other = Node::start(&redis.url(), &epoch).await;
    other.follow(&[topic(1)]).await;
    // Made while it was counted: it goes with the second count.
    other.bus.follow_only(&[topic(2)]);
    other.bus.follow_only(&[topic(2)]);
    assert_eq!(other.next().await, Heard::Doubt, "another one is heard now");
    one.bus.publish(&[posted(1, 1), posted(2, 1)], &[]);
    assert_eq!(other.next_but_doubt().await, Heard::Event(posted(2, 1)));
    one.bus.publish(&[posted(1, 2), posted(2, 2)], &[]);
    assert_eq!(other.next_but_doubt().await, Heard::Event(posted(2, 2)));
    one.stop().await;
    other.stop().await;
}
