//! What an operation can answer besides what it was asked for: every status, and the headers of
//! every answer.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use super::{parameters_mut, values_mut};

macro_rules! refusals {
    ($($(#[doc = $doc:literal])* $name:ident = $status:literal;)*) => {$(
        $(#[doc = $doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let response = Response::new(about($status));
                BTreeMap::from([($status.to_string(), response.into())])
            }
        }
    )*};
}

refusals! {
    /// The proofs that are shown prove nobody.
    Unauthorized = 401;
    /// It may be seen but not done.
    Forbidden = 403;
    /// It is not there, or may not be seen.
    NotFound = 404;
    /// It is taken, over, or changed meanwhile.
    Conflict = 409;
    /// The place in the log is of another history.
    Gone = 410;
    /// A value is not acceptable.
    Unacceptable = 422;
    /// Too much at once.
    TooMany = 429;
}

/// What a status means here.
fn about(status: u16) -> &'static str {
    match status {
        400 => "The request cannot be understood",
        401 => "Nobody is signed in, or what proves it is not good",
        403 => "It may be seen but not done",
        404 => "It is not there, or may not be seen",
        408 => "The body came too slowly",
        409 => "It is taken, over, or changed meanwhile",
        410 => "The cursor is of another history: load afresh",
        413 => "A text or the body is longer than its limit",
        415 => "The content type or encoding is not spoken here",
        421 => "The server has another name",
        422 => "A value is not acceptable",
        429 => "Too much at once",
        500 => "Something inside failed; the server's log has it under the request id",
        503 => "The server cannot do it now; try again",
        507 => "The disk is full",
        _ => "Refused",
    }
}

/// Adds what follows from an operation's form: who has a body may be refused for it, who changes
/// something may be told to slow down. What else a handler refuses, it says itself.
pub(super) fn complete(method: &str, operation: &mut Value) {
    let mut statuses = vec![400, 421, 500, 503];
    let changes = !matches!(method, "get" | "head" | "options");
    let open = operation["security"].as_array().is_some_and(|ways| ways.contains(&json!({})));
    if !open {
        statuses.push(401);
    }
    if changes {
        statuses.extend([403, 429, 507]);
    }
    if operation.get("requestBody").is_some() {
        statuses.extend([408, 413, 415, 422]);
    }
    for parameter in parameters_mut(operation) {
        statuses.push(if parameter["in"] == "path" { 404 } else { 422 });
    }
    let responses = &mut operation["responses"];
    for status in statuses {
        let response = &mut responses[status.to_string()];
        if response.is_null() {
            *response = json!({"description": about(status)});
        }
    }
    for (status, response) in responses.as_object_mut().into_iter().flatten() {
        describe(status, response);
    }
}

/// The body of a refusal, and the headers of any answer.
fn describe(status: &str, response: &mut Value) {
    let refused = status.starts_with(['4', '5']);
    if refused {
        let schema = json!({"$ref": "#/components/schemas/ErrorBody"});
        response["content"] = json!({"application/json": {"schema": schema}});
    }
    let headers = &mut response["headers"];
    headers["X-Request-Id"] = json!({
        "description": "Finds this answer in the server's log",
        "required": true,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    });
    match status {
        "401" => {
            headers["WWW-Authenticate"] = json!({
                "description": "How to prove who one is",
                "required": true,
                "schema": {"type": "string", "const": "Bearer"},
            });
        }
        "429" | "503" => {
            headers["Retry-After"] = json!({
                "description": "Seconds until it may be tried again",
                "required": status == "429",
                "schema": {"type": "integer", "minimum": 0},
            });
        }
        _ => {}
    }
    for header in values_mut(headers) {
        if let Some(header) = header.as_object_mut() {
            header.entry("required").or_insert(false.into());
        }
    }
}
