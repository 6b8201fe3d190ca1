//! The API of Mrsambosk.
//!
//! Owns its words, its answers and its errors. Refuses to decide anything: every answer comes of a
//! use case.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use parlor_doors::facade::{Facade, fastapi};
use parlor_wire::Dialect;

/// The façade.
pub fn facade() -> Facade {
    Facade { dialect: Dialect::Mrsambosk, paths: &[], routes: Router::new().fallback(not_found) }
}

async fn not_found() -> Response {
    fastapi::detail(StatusCode::NOT_FOUND, "Not Found")
}
