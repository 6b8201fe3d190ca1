//! A slash too many at the end of a path.

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use parlor_doors::Doors;

use crate::error::Answer;
use crate::visitor::Visitor;

/// Sends the client to the path without it: an absolute URL, with the prefix that it came by.
pub(crate) async fn away(
    State(doors): State<Doors>,
    method: Method,
    visitor: Visitor,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Answer {
    if method == Method::OPTIONS {
        return crate::wrong_method(method, visitor).await;
    }
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = named.or_else(|| uri.authority().map(|authority| authority.as_str()));
    let https = doors.app.settings().public_url.starts_with("https:");
    Ok(redirect(&uri, host.unwrap_or("localhost"), if https { "https" } else { "http" }))
}

fn redirect(uri: &Uri, host: &str, scheme: &str) -> Response {
    let path = uri.path().trim_end_matches('/');
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{scheme}://{host}{path}{query}");
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response()
}
