//! The one place where a refusal becomes ROOM's answer: `detail`, and lists of faults in the words
//! of Pydantic 2.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlor_app::Error;
use parlor_doors::Refusal;
use parlor_doors::facade::fastapi::{self, Fault, Pydantic};

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

    /// 422, with what is wrong.
    pub(crate) fn faults(faults: &[Fault]) -> Self {
        fastapi::unprocessable(Pydantic::Two, faults).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
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
        match self {
            Self::Said(response) => *response,
            Self::Refusal(refusal) => fastapi::refused(&refusal),
            Self::Error(Error::Unauthorized) => {
                let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
                let said = fastapi::detail(StatusCode::UNAUTHORIZED, "Not authenticated");
                (challenge, said).into_response()
            }
            Self::Error(error) => fastapi::refused(&error.into()),
        }
    }
}
