//! The API of ROOM: texts into and out of one session.
//!
//! Owns its words, its answers and its errors. Refuses to decide anything: every answer comes of a
//! use case. ROOM knew no login; here its two routes take one of ours, and the numbers that a
//! client gives for itself must be its own.

mod error;
mod send;
mod socket;
mod who;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use parlor_doors::Doors;
use parlor_doors::facade::{Facade, fastapi};
use parlor_wire::Dialect;
use serde_json::json;

const PATHS: &[(Method, &str)] =
    &[(Method::POST, "/send_message"), (Method::GET, "/message/{session_id}")];

/// The façade.
pub fn facade() -> Facade {
    let routes = Router::new()
        .route("/", get(hello))
        .route("/send_message", post(send::send))
        .route("/message/{session_id}", get(socket::open))
        .fallback(unknown)
        .method_not_allowed_fallback(fastapi::wrong_method);
    Facade { dialect: Dialect::Room, paths: PATHS, routes }
}

/// Where several systems share the root, the front answers there; this is for ROOM alone.
async fn hello() -> Response {
    Json(json!(["Connected to FastAPI ROOM SERVER"])).into_response()
}

async fn unknown(State(doors): State<Doors>, request: Request) -> Response {
    fastapi::unknown(&doors, &request, PATHS)
}
