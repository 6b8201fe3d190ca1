//! For tests only: a clock to set, a server to start, a small client, and the conversation runner;
//! several nodes with everything that they stand on, and ways to break each of it.
//!
//! Owns how a test reaches the server: over real sockets, as a stranger would. Refuses to know
//! anything that the wire does not say.

pub mod clock;
pub mod cluster;
pub mod contract;
pub mod conversation;
pub mod fault_proxy;
pub mod http;
pub mod mail;
pub mod person;
pub mod process;
pub mod raw_socket;
pub mod redis_proxy;
pub mod server;
pub mod socket;
mod socketio;
pub mod stream;
pub mod watch;

use std::future::Future;
use std::time::Duration;

pub use clock::VirtualClock;
pub use cluster::Cluster;
pub use fault_proxy::{Fault, FaultProxy};
pub use person::{Person, Refused};
pub use process::ServerProcess;
pub use redis_proxy::RedisProxy;
pub use server::TestServer;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what must come, and says what did not.
#[track_caller]
pub fn soon<F: Future>(what: &str, future: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        match tokio::time::timeout(PATIENCE, future).await {
            Ok(output) => output,
            Err(_) => panic!("{what} did not come ({place})"),
        }
    }
}
