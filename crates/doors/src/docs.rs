//! The descriptions, as files and as a page to read and try them. The page needs nothing from
//! anywhere else.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use bytes::Bytes;
use serde_json::Value;

use crate::Doors;

/// The page runs its own script, calls its own server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
connect-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const PAGE: &str = include_str!("docs/page.html");
const SCRIPT: &str = include_str!("docs/page.js");
const STYLE: &str = include_str!("docs/page.css");

/// Their routes.
pub(crate) fn routes(openapi: &Value, asyncapi: &Value) -> Router<Doors> {
    let (openapi, asyncapi) = (written(openapi), written(asyncapi));
    Router::new()
        .route("/openapi.json", get(async || json(openapi)))
        .route("/asyncapi.json", get(async || json(asyncapi)))
        .route(
            "/parlor.proto",
            get(async || text("text/plain; charset=utf-8", parlor_wire::SCHEMA)),
        )
        .route("/docs", get(async || text("text/html; charset=utf-8", PAGE)))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route("/docs/page.js", get(async || text("text/javascript; charset=utf-8", SCRIPT)))
        .route("/docs/page.css", get(async || text("text/css; charset=utf-8", STYLE)))
}

fn written(description: &Value) -> Bytes {
    description.to_string().into()
}

fn json(bytes: Bytes) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json"), CACHED], bytes)
}

fn text(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let policy = (header::CONTENT_SECURITY_POLICY, POLICY);
    ([(header::CONTENT_TYPE, kind), CACHED, policy], text)
}

/// May be kept, but is asked for again before it is shown.
const CACHED: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");
