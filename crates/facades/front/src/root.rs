//! What stands at the root: the web client for browsers, and for everybody else what this is, in
//! words that every system's client finds its own in.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// What a façade's own web app may load: it was written for no policy at all.
pub(crate) const WEB_APP_POLICY: &str = "default-src 'self' 'unsafe-inline' data: blob:; \
    connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'self'";

/// Whether a page is asked for.
pub(crate) fn is_browser(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter();
    let mut texts = accepts.filter_map(|accept| accept.to_str().ok());
    texts.any(|text| text.contains("text/html"))
}

/// A browser goes to the web client; everybody else is told what this is.
pub(crate) fn root(browser: bool) -> Response {
    let mut response = if browser {
        web_client()
    } else {
        let endpoints = json!({
            "auth": "/auth", "users": "/users", "groups": "/groups", "messages": "/messages",
            "stream": "/stream", "api": "/api/v1", "docs": "/docs", "openapi": "/openapi.json",
            "web": "/app/",
        });
        let version = env!("CARGO_PKG_VERSION");
        let said = json!({
            "message": "ok", "name": "parlor", "version": version, "endpoints": endpoints,
        });
        Json(said).into_response()
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// Sends a browser to the web client.
pub fn web_client() -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, "/app/")]).into_response()
}
