//! The one place where a refusal becomes Mrsambosk's answer: `detail`, and lists of faults in the
//! words of Pydantic 1.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use parlor_app::Error;
use parlor_domain::Denied;
use parlor_doors::Refusal;
use parlor_doors::facade::fastapi::{self, Fault, Pydantic};
use serde_json::json;

/// Why there is no result.
pub(crate) enum Failure {
    /// A use case says so.
    Error(Error),
    /// The request cannot be read.
    Refusal(Box<Refusal>),
    /// Said in the system's own words already.
    Said(Box<Response>),
}

impl Failure {
    /// A status with a text.
    pub(crate) fn detail(status: StatusCode, text: &str) -> Self {
        fastapi::detail(status, text).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::Error(denied.into())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(Box::new(refusal))
    }
}

impl From<Response> for Failure {
    fn from(response: Response) -> Self {
        Self::Said(Box::new(response))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Said(response) => return *response,
            Self::Refusal(refusal) => return fastapi::refused(&refusal),
            Self::Error(error) => error,
        };
        let (status, text) = match &error {
            Error::Unauthorized => (StatusCode::UNAUTHORIZED, "Not authenticated"),
            Error::WrongPassword => (StatusCode::UNAUTHORIZED, "Incorrect email or password"),
            Error::Denied(Denied::NotFound) => (StatusCode::NOT_FOUND, "Not Found"),
            Error::Denied(Denied::Taken("mail address")) => {
                (StatusCode::BAD_REQUEST, "Email already registered")
            }
            _ => return fastapi::refused(&error.into()),
        };
        fastapi::detail(status, text)
    }
}

/// What stands instead of a "not found" that comes of a use case.
pub(crate) fn missing(error: Error, text: &str) -> Failure {
    match error {
        Error::Denied(Denied::NotFound) => Failure::detail(StatusCode::NOT_FOUND, text),
        other => other.into(),
    }
}

/// Reads the number in a path.
pub(crate) fn number(text: &str, name: &str) -> Result<i64, Failure> {
    let fault = || Fault::NotInteger(vec![json!("path"), json!(name)], json!(text));
    let read = fastapi::integer(text);
    read.ok_or_else(|| fastapi::unprocessable(Pydantic::One, &[fault()]).into())
}
