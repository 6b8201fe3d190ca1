//! Redis, alone and in a cluster.

use parlor_parts::{Redis, RedisCluster};

use crate::{listens, redis};

#[test]
fn a_redis_comes_back_empty_at_the_same_place() {
    let mut part = Redis::start().unwrap();
    let address = part.address();
    assert_eq!(redis(address, "SET a 1"), "+OK");
    part.stop_immediate();
    assert!(!listens(address));
    part.start_again().unwrap();
    assert_eq!(part.url(), format!("redis://{address}"));
    assert_eq!(redis(address, "GET a"), "$-1");
}

#[test]
fn a_redis_that_wants_a_password_starts_too() {
    let part = Redis::start_with(&["--requirepass", "secret"]).unwrap();
    assert!(redis(part.address(), "PING").starts_with("-NOAUTH"));
}

#[test]
fn a_cluster_sends_every_key_to_the_server_that_has_it() {
    let mut cluster = RedisCluster::start().unwrap();
    let addresses = cluster.addresses();
    let home = |key: &str| {
        let get = format!("GET {key}");
        let told: Vec<_> = addresses.iter().map(|address| redis(*address, &get)).collect();
        assert_eq!(told.iter().filter(|told| told.starts_with("-MOVED")).count(), 2, "{told:?}");
        told.iter().position(|told| told == "$-1").unwrap()
    };
    let mut homes: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h"].map(home).to_vec();
    homes.sort_unstable();
    homes.dedup();
    assert_eq!(homes, [0, 1, 2]);
    cluster.stop_immediate(1);
    assert!(!listens(addresses[1]));
    cluster.start_again(1).unwrap();
    home("a");
}
