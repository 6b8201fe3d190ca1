//! Every refusal and failure, in the words of Chat Room API: `{"error": text}`, or plain text
//! where its framework speaks.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlor_app::Error;
use parlor_domain::Denied;
use parlor_doors::Refusal;
use parlor_doors::facade::explain;
use serde_json::json;

/// Seconds after which somebody may come back who came too often, at most.
const RETRY_AFTER_S_MAX: u64 = 5;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Refused>;

/// Why it is not done.
#[derive(Debug)]
pub(crate) enum Refused {
    /// In the framework's words.
    Plain(StatusCode, &'static str),
    /// There is no such path.
    NoPath,
    /// In the system's words.
    Said(StatusCode, &'static str),
    /// What was being done, and what is wrong with the request.
    Unfit(&'static str, String),
    /// What was being done, and what the use case says.
    Failed(&'static str, Error),
    /// The request could not be read.
    Unread(Refusal),
}

impl Refused {
    /// There is no such thing.
    pub(crate) fn not_found(text: &'static str) -> Self {
        Self::Said(StatusCode::NOT_FOUND, text)
    }

    /// They may not.
    pub(crate) fn forbidden(text: &'static str) -> Self {
        Self::Said(StatusCode::FORBIDDEN, text)
    }

    /// The request makes no sense.
    pub(crate) fn bad(text: &'static str) -> Self {
        Self::Said(StatusCode::BAD_REQUEST, text)
    }

    /// Nobody is signed in.
    pub(crate) fn nobody() -> Self {
        Self::Said(StatusCode::UNAUTHORIZED, "Not authenticated")
    }

    /// Turns a use case's refusal into an answer, but for what does not exist, which is answered
    /// with `missing`.
    pub(crate) fn or_missing(doing: &'static str, missing: Self) -> impl FnOnce(Error) -> Self {
        move |error| match error {
            Error::Denied(Denied::NotFound) => missing,
            error => Self::Failed(doing, error),
        }
    }

    /// Turns a use case's refusal into an answer.
    pub(crate) fn failed(doing: &'static str) -> impl Fn(Error) -> Self {
        move |error| Self::Failed(doing, error)
    }

    /// The text, for a stream, which has no status.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Plain(_, text) | Self::Said(_, text) => (*text).to_owned(),
            Self::NoPath => "Not Found".to_owned(),
            Self::Unfit(doing, text) => format!("{doing}: {text}"),
            Self::Failed(doing, error) => format!("{doing}: {}", explain(error).0),
            Self::Unread(refusal) => refusal.to_string(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let text = self.text();
        match self {
            Self::Plain(status, text) => (status, text).into_response(),
            Self::NoPath => (StatusCode::NOT_FOUND, text).into_response(),
            Self::Said(status, _) => said(status, &text),
            Self::Unfit(..) => said(StatusCode::BAD_REQUEST, &text),
            Self::Failed(_, error) => failed(&error, &text),
            Self::Unread(refusal) => refusal.into_response(),
        }
    }
}

fn said(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"error": text}))).into_response()
}

fn failed(error: &Error, text: &str) -> Response {
    let status = status(error);
    let mut response = said(status, text);
    if let Some(ms) = error.retry_after_ms() {
        let seconds = ms.div_ceil(1_000).clamp(1, RETRY_AFTER_S_MAX);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Chat Room API calls everything unexpected a bad request. Here what is the server's own fault is
/// said to be, since clients try again then.
fn status(error: &Error) -> StatusCode {
    match error {
        Error::Denied(Denied::NotFound) => StatusCode::NOT_FOUND,
        Error::Denied(Denied::Forbidden(_) | Denied::SessionEncrypted) => StatusCode::FORBIDDEN,
        Error::Denied(Denied::SlowDown { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Error::Unauthorized | Error::WrongPassword => StatusCode::UNAUTHORIZED,
        Error::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        Error::Busy | Error::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Error::Denied(_) | Error::IdempotencyConflict | Error::ResyncRequired => {
            StatusCode::BAD_REQUEST
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_too_often_is_told_to_come_back_within_five_seconds() {
        for (retry_after_ms, seconds) in [(1, "1"), (1_001, "2"), (3_600_000, "5")] {
            let slow = Error::Denied(Denied::SlowDown { retry_after_ms });
            let response = Refused::Failed("Login failed", slow).into_response();
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds);
        }
    }

    #[test]
    fn what_failed_inside_is_not_told() {
        let inside = Error::Internal("disk at /secret".into());
        let refused = Refused::Failed("Failed to send message", inside);
        assert!(!refused.text().contains("/secret"), "{}", refused.text());
        assert_eq!(refused.into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
