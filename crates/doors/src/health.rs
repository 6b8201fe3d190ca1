//! How the server is: for those who run it.

use std::net::IpAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use parlor_app::{BusState, Error};
use serde_json::{Value, json};

use crate::{Doors, Peer, Refusal, auth};

/// Where it is asked whether this node is alive, and whether it may serve.
pub(crate) const PATHS: [&str; 2] = ["/health", "/ready"];

/// Alive: answers as long as the process does.
pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// May serve: says which dependency is down, and nothing more about it. Without Redis a node serves
/// on: what other nodes tell comes later then.
pub(crate) async fn ready(State(doors): State<Doors>) -> Response {
    let store = match tokio::time::timeout(PATIENCE, doors.app.check_store()).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::Unavailable),
    };
    if let Err(error) = &store {
        tracing::warn!(%error, "not ready: the store is down");
    }
    let word = |up: bool| if up { "ok" } else { "down" };
    let mut dependencies = json!({"store": word(store.is_ok())});
    let bus = doors.app.bus_state();
    if bus != BusState::Absent {
        dependencies["bus"] = word(bus == BusState::Up).into();
    }
    let draining = doors.stop.is_cancelled();
    let ready = store.is_ok() && !draining;
    let summary = match (draining, ready, bus) {
        (true, ..) => "draining",
        (_, false, _) => "unavailable",
        (_, _, BusState::Down) => "degraded",
        _ => "ok",
    };
    let body = json!({"status": summary, "dependencies": dependencies});
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

/// The metrics, for this machine or for who has the token.
pub(crate) async fn metrics(
    State(doors): State<Doors>,
    peer: Peer,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let allowed = is_near(peer.address(), &headers) || has_token(&doors, &headers);
    let Some(write) = doors.config.metrics.as_ref().filter(|_| allowed) else {
        return Err(Refusal::bare(StatusCode::NOT_FOUND));
    };
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    Ok((kind, write()).into_response())
}

/// A loopback address that was forwarded is that of a proxy that nobody told us to trust.
fn is_near(address: IpAddr, headers: &HeaderMap) -> bool {
    let forwarded = ["x-forwarded-for", "forwarded"];
    let proxied = forwarded.iter().any(|name| headers.contains_key(*name));
    address.is_loopback() && !proxied
}

fn has_token(doors: &Doors, headers: &HeaderMap) -> bool {
    let (Some(token), Some(shown)) = (&doors.config.metrics_token, auth::bearer(headers)) else {
        return false;
    };
    // Hashed first: comparing hashes tells nothing by the time that it takes.
    blake3::hash(token.expose().as_bytes()) == blake3::hash(shown.as_bytes())
}
