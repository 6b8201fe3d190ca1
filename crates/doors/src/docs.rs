//! The descriptions, as files and as a page to read and try them. The page needs nothing from
//! anywhere else.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use serde_json::Value;

use crate::{Doors, asyncapi, openapi, rest};

/// The page runs its own script, calls its own server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
connect-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const PAGE: &str = include_str!("docs/page.html");
const SCRIPT: &str = include_str!("docs/page.js");
const STYLE: &str = include_str!("docs/page.css");

/// Their routes.
pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/openapi.json", described(openapi))
        .route("/asyncapi.json", described(asyncapi::description))
        .route(
            "/parlor.proto",
            get(async || text("text/plain; charset=utf-8", parlor_wire::SCHEMA)),
        )
        .route("/docs", get(async || text("text/html; charset=utf-8", PAGE)))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route("/docs/page.js", get(async || text("text/javascript; charset=utf-8", SCRIPT)))
        .route("/docs/page.css", get(async || text("text/css; charset=utf-8", STYLE)))
}

/// A description, which is made when it is first asked for: most servers never are, and making it
/// takes several MiB.
fn described(describe: fn(&Doors) -> Value) -> MethodRouter<Doors> {
    let made = Arc::new(OnceLock::<Bytes>::new());
    get(async move |State(doors): State<Doors>| {
        json(made.get_or_init(|| describe(&doors).to_string().into()).clone())
    })
}

fn openapi(doors: &Doors) -> Value {
    let (_, handlers) = rest::routes().split_for_parts();
    openapi::complete(&handlers, doors)
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
