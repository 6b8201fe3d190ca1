//! For tests only: private instances of the programs that Parlor works with: PostgreSQL, Redis,
//! a Redis Cluster, a sentinel and HAProxy, on loopback, in folders of their own, on ports that the
//! system chooses. Each is ready when it is returned, and stopped by its own process id when it is
//! dropped.
//!
//! Refuses to know anything of Parlor, and to touch an instance that it did not start. Nothing in
//! here is a retry of something that failed for good: what is tried again is a port that somebody
//! else took in between.

mod child;
mod cluster;
mod folder;
mod haproxy;
mod port;
mod postgres;
mod program;
mod redis;
mod resp;
mod sentinel;
mod shared;
mod wait;

pub use cluster::RedisCluster;
pub use haproxy::Haproxy;
pub use port::free_address;
pub use postgres::Postgres;
pub use program::program;
pub use redis::Redis;
pub use sentinel::RedisSentinel;
pub use shared::{Database, Shared, database, redis_cluster_url, redis_url};
