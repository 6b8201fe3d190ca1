//! The protocols that people come in by: REST, WebSocket, Server-Sent Events, Socket.IO.
//!
//! Owns sockets, HTTP and everything that is said about it: who is asking, in which form, and how
//! an answer looks. Refuses decisions, which are the use cases', and SQL.

mod asyncapi;
mod auth;
mod body;
mod commands;
mod cookie;
mod cors;
mod docs;
mod error;
mod events;
pub mod facade;
mod guard;
mod health;
mod incoming;
mod key;
mod line;
pub mod listening;
mod manner;
mod media;
mod opaque;
mod openapi;
mod origin;
mod outgoing;
mod path;
mod peer;
mod present;
mod query;
mod range;
pub mod redirect;
mod reply;
mod rest;
pub mod serve;
mod socket;
mod socketio;
mod upgrade;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use parlor_app::{App, Hidden};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use auth::Signed;
pub use error::{Refusal, no_such_thing};
pub use parlor_domain::Network;
pub use peer::Peer;

/// What every handler has at hand.
#[derive(Clone)]
pub struct Doors {
    /// The use cases.
    pub app: Arc<App>,
    /// What the operator chose.
    pub config: Arc<Config>,
    /// Knows every task, so that shutdown can join them.
    pub tasks: TaskTracker,
    /// Cancelled when the server goes down.
    pub stop: CancellationToken,
}

/// What the operator chose about doors.
#[derive(Default)]
pub struct Config {
    /// Origins besides our own whose pages may use the API, each exact (`https://example.org`).
    pub allowed_origins: Vec<String>,
    /// Names by which this server may be called; empty: any.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Writes the metrics as Prometheus reads them.
    pub metrics: Option<Metrics>,
    /// Lets somebody who is not on this machine read the metrics.
    pub metrics_token: Option<Hidden>,
    /// Whether sockets may be compressed.
    pub deflate: bool,
    /// How long browsers shall use nothing but TLS; zero: they are not told.
    pub hsts: Duration,
}

/// Writes the metrics.
pub type Metrics = Box<dyn Fn() -> String + Send + Sync>;

/// All doors, and behind the same guard other routes (the web client) and whatever answers the
/// paths that nobody knows (façades); `None`: nobody.
pub fn router(doors: Doors, others: Router<Doors>, rest: Option<Router<Doors>>) -> Router {
    let (api, _) = rest::routes().split_for_parts();
    let rest = rest.unwrap_or_else(|| Router::new().fallback(error::no_such_thing));
    let [alive, ready] = health::PATHS;
    Router::new()
        .merge(api)
        .merge(docs::routes())
        .merge(socketio::routes())
        .merge(others)
        .route(alive, get(health::health))
        .route(ready, get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback_service(rest.with_state(doors.clone()))
        .layer(from_fn_with_state(doors.clone(), guard::guard))
        .with_state(doors)
}
