//! What a request says, before a façade reads it in its own way.

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::Uri;
use bytes::Bytes;
use uuid::Uuid;

use crate::{Doors, Refusal};

/// The body, within the limits of every body.
///
/// # Errors
/// [`Refusal`] when it is too long, broken or too slow.
pub async fn body(doors: &Doors, request: Request) -> Result<Bytes, Refusal> {
    crate::body::read(request, doors.app.limits()).await
}

/// The names and values of a query, decoded.
pub fn query_pairs(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

/// The first value of this name in the query.
pub fn query_value(uri: &Uri, name: &str) -> Option<String> {
    query_pairs(uri).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// An id for a message whose sender gives it none.
pub fn fresh_id() -> Uuid {
    Uuid::new_v4()
}
