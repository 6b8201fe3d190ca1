//! What pages of other sites may do: nothing, unless their origin is on the list, letter for
//! letter.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::Doors;

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "authorization, content-type, idempotency-key, last-event-id, tus-resumable, \
    upload-checksum, upload-length, upload-metadata, upload-offset";
const EXPOSED: &str = "retry-after, x-request-id, location, tus-resumable, upload-expires, \
    upload-length, upload-offset";

/// The answer to a browser that asks before it sends.
pub(crate) fn preflight(parts: &Parts, doors: &Doors) -> Option<Response> {
    let asks = parts.method == Method::OPTIONS
        && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    // What is not ours is asked of the façades, where pages of every origin may come.
    let ours = listed(&parts.headers, doors).is_some() || parts.uri.path().starts_with("/api/");
    if !asks || !ours {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if listed(&parts.headers, doors).is_some() {
        let headers = response.headers_mut();
        let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
        say(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        say(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        say(header::ACCESS_CONTROL_MAX_AGE, "600");
    }
    Some(response)
}

/// The origin of a request, if it is on the list.
pub(crate) fn listed(headers: &HeaderMap, doors: &Doors) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let text = origin.to_str().ok()?;
    doors.is_allowed_origin(text).then(|| origin.clone())
}

/// Lets a page of this origin read the answer.
pub(crate) fn allow(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else { return };
    let mut say = |name, value| headers.insert(name, value);
    say(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    say(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    say(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}
