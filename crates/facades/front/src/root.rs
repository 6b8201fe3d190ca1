//! What stands at the root: the web client for browsers, and for everybody else what this is, in
//! words that every system's client finds its own in.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// What a façade's own web app may load: it was written for no policy at all.
pub(crate) const WEB_APP_POLICY: &str = "default-src 'self' 'unsafe-inline' data: blob:; \
    connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'self'";

/// Whether a page is asked for, rather than JSON.
pub(crate) fn is_browser(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter();
    let texts: Vec<_> = accepts.filter_map(|accept| accept.to_str().ok()).collect();
    let (page, json) = (weight(&texts, "text/html"), weight(&texts, "application/json"));
    page > 0.0 && page >= json
}

/// How much a kind is wanted: 1 unless it says less; 0 when it is not named.
fn weight(accepts: &[&str], kind: &str) -> f32 {
    let mut ranges = accepts.iter().flat_map(|accept| accept.split(','));
    ranges
        .find_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(kind));
            let said = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
            named.then(|| said.unwrap_or(1.0))
        })
        .unwrap_or(0.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_who_wants_a_page_most() {
        let asks = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            is_browser(&headers)
        };
        assert!(asks("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(asks("application/json;q=0.5, text/html"));
        for other in
            ["*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0"]
        {
            assert!(!asks(other), "{other}");
        }
        assert!(!is_browser(&HeaderMap::new()));
    }
}
