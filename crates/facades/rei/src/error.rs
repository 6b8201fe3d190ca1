//! What goes wrong, in Rei's words: the one match from the use cases' refusals to its answers.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlor_app::Error;
use parlor_domain::Denied;
use parlor_doors::Refusal;
use parlor_doors::facade::explain;
use parlor_doors::facade::fastapi::{self, Fault, Pydantic};
use serde_json::json;

use crate::form;

/// Why a request is not done.
pub(crate) enum Refused {
    /// With these words.
    Said(StatusCode, Cow<'static, str>),
    /// A use case said so.
    App(Error),
    /// The request itself is not in order.
    Answer(Box<Response>),
}

impl Refused {
    /// 400.
    pub(crate) fn bad(text: &'static str) -> Self {
        Self::Said(StatusCode::BAD_REQUEST, text.into())
    }

    /// 403: not theirs to do.
    pub(crate) fn forbidden() -> Self {
        Self::Said(StatusCode::FORBIDDEN, "Forbidden".into())
    }

    /// 404.
    pub(crate) fn missing(text: &'static str) -> Self {
        Self::Said(StatusCode::NOT_FOUND, text.into())
    }

    /// 409.
    pub(crate) fn conflict(text: &'static str) -> Self {
        Self::Said(StatusCode::CONFLICT, text.into())
    }

    /// 401: this kind of token is not good, or there is none.
    pub(crate) fn token(kind: &'static str) -> Self {
        Self::Said(StatusCode::UNAUTHORIZED, kind.into())
    }

    /// 422: a value is of the wrong form.
    pub(crate) fn faulty(fault: Fault) -> Self {
        Self::Answer(Box::new(fastapi::unprocessable(Pydantic::Two, &[fault])))
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::App(error)
    }
}

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self::Answer(Box::new(response))
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        refusal.into_response().into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Said(status, text) => said(status, &text),
            Self::App(error) => refused(&error),
            Self::Answer(response) => *response,
        }
    }
}

fn said(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"message": text}))).into_response()
}

fn refused(error: &Error) -> Response {
    let mut response = match error {
        Error::Denied(denied) => denied_words(denied),
        Error::Unauthorized => said(StatusCode::UNAUTHORIZED, "Access token"),
        Error::WrongPassword => said(StatusCode::BAD_REQUEST, form::WRONG_PASSWORD),
        Error::Internal(_) => {
            let (_, id) = explain(error);
            let text = format!("Internal server error: {id}");
            said(StatusCode::INTERNAL_SERVER_ERROR, &text)
        }
        other => {
            let status = StatusCode::from_u16(other.code().status());
            said(status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE), &other.message())
        }
    };
    if let Some(ms) = error.retry_after_ms() {
        let seconds = HeaderValue::from(ms.div_ceil(1000));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn denied_words(denied: &Denied) -> Response {
    let bad = |text: &str| said(StatusCode::BAD_REQUEST, text);
    match denied {
        Denied::NotFound => said(StatusCode::NOT_FOUND, "Room not found"),
        Denied::Forbidden(_) => said(StatusCode::FORBIDDEN, "Forbidden"),
        Denied::SessionEncrypted => said(StatusCode::FORBIDDEN, "session_encrypted"),
        Denied::Taken("mail address") => said(StatusCode::CONFLICT, "User already exists"),
        Denied::Taken("room id") => said(StatusCode::CONFLICT, "Room ID taken"),
        Denied::Taken(_) | Denied::Conflict(_) => said(StatusCode::CONFLICT, &denied.to_string()),
        Denied::SlowDown { .. } => said(StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        Denied::Invalid { field: "email", .. } | Denied::TooLong { field: "email", .. } => {
            bad(form::EMAIL)
        }
        Denied::Invalid { field: "password" | "new", .. }
        | Denied::TooLong { field: "password" | "new", .. } => bad(form::PASSWORD),
        Denied::Invalid { field: "username", .. } => bad(form::USERNAME_CHARS),
        Denied::TooLong { field: "username", .. } => bad(form::USERNAME),
        Denied::Invalid { field: "name", .. } => bad(form::NAME),
        other => bad(&other.to_string()),
    }
}
