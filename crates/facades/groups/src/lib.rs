//! The API of Chat Room API.
//!
//! Owns its words, its answers and its errors. Refuses to decide anything: every answer comes of a
//! use case.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use parlor_doors::facade::Facade;
use parlor_wire::Dialect;

/// The façade.
pub fn facade() -> Facade {
    Facade { dialect: Dialect::Groups, paths: &[], routes: Router::new().fallback(not_found) }
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "Not Found").into_response()
}
