//! The one place where a refusal or failure becomes an HTTP answer.

use std::fmt;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlor_app::Error;
use parlor_domain::Denied;
use parlor_hub::TooMany;
use parlor_wire::{Code, v1};
use uuid::Uuid;

/// Why a request is not done. Its body is written by the guard, which knows the request's id and
/// the form that the client reads.
#[derive(Debug, Clone)]
pub struct Refusal {
    status: StatusCode,
    code: Code,
    message: String,
    retry_after_ms: Option<u64>,
    /// For the log only.
    inside: Option<String>,
    /// Whether the connection must not be used again: its request was not read to the end.
    close: bool,
}

impl Refusal {
    /// A refusal with a code's own status.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(code.status());
        Self {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            message: message.into(),
            retry_after_ms: None,
            inside: None,
            close: false,
        }
    }

    /// A refusal that is HTTP's own.
    pub fn http(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, ..Self::new(code_of(status), message) }
    }

    /// Something inside failed; `inside` is for the log only.
    pub(crate) fn internal(inside: impl Into<String>) -> Self {
        Error::Internal(inside.into()).into()
    }

    /// Too many connections are open.
    pub(crate) fn too_many(which: TooMany) -> Self {
        Self { retry_after_ms: Some(10_000), ..Self::new(Code::RateLimited, which.to_string()) }
    }

    /// What an answer of this status that says nothing itself would say.
    pub(crate) fn bare(status: StatusCode) -> Self {
        let message = status.canonical_reason().unwrap_or("refused");
        Self::http(status, message.to_ascii_lowercase())
    }

    /// Has the connection closed after the answer.
    pub(crate) fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Writes what failed inside into the log, under the id that the client is told.
    pub(crate) fn log(&self, request_id: &str) {
        if let Some(inside) = &self.inside {
            tracing::error!(request_id, error = %inside, "a request failed inside");
        }
    }

    /// The body.
    pub(crate) fn body(&self, request_id: &str) -> v1::ErrorBody {
        let detail = v1::ErrorDetail {
            code: self.code.as_str().to_owned(),
            message: self.message.clone(),
            request_id: request_id.to_owned(),
            retry_after_ms: self.retry_after_ms.map(u64::cast_signed),
        };
        v1::ErrorBody { error: Some(detail) }
    }

    /// The headers that go with it.
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        let mut insert = |name: HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        if self.status == StatusCode::UNAUTHORIZED {
            insert(header::WWW_AUTHENTICATE, "Bearer");
        }
        if self.close {
            insert(header::CONNECTION, "close");
        }
        if let Some(ms) = self.retry_after_ms {
            headers.insert(header::RETRY_AFTER, ms.div_ceil(1000).into());
        }
    }
}

/// The word for a status that HTTP itself gives.
fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::UNAUTHORIZED => Code::Unauthorized,
        StatusCode::FORBIDDEN => Code::Forbidden,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::CONFLICT => Code::Conflict,
        StatusCode::GONE => Code::ResyncRequired,
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLong,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::Unsupported,
        StatusCode::UNPROCESSABLE_ENTITY => Code::Invalid,
        StatusCode::TOO_MANY_REQUESTS => Code::RateLimited,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        StatusCode::INSUFFICIENT_STORAGE => Code::StorageFull,
        status if status.is_server_error() => Code::Internal,
        _ => Code::BadRequest,
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self {
            retry_after_ms: error.retry_after_ms(),
            inside: match &error {
                Error::Internal(text) => Some(text.clone()),
                _ => None,
            },
            ..Self::new(error.code(), error.message())
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Error::from(denied).into()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// For doors without requests: the message that a client is told, and the id under which the log
/// has what failed inside.
pub fn explain(error: &Error) -> (String, String) {
    let id = new_request_id();
    match error {
        Error::Internal(inside) => {
            tracing::error!(request_id = id, error = %inside, "a command failed inside");
            (format!("{} (id {id})", error.message()), id)
        }
        _ => (error.message(), id),
    }
}

/// An id that finds an answer in the log.
pub fn new_request_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// What is not there.
pub async fn no_such_thing() -> Refusal {
    Refusal::http(StatusCode::NOT_FOUND, "not found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_status() {
        for code in Code::ALL {
            let refusal = Refusal::new(*code, "x");
            assert_eq!(refusal.status.as_u16(), code.status(), "{code}");
        }
    }

    #[test]
    fn what_failed_inside_is_not_told() {
        let refusal = Refusal::from(Error::Internal("disk at /secret".into()));
        let body = format!("{:?}", refusal.body("id"));
        assert!(!body.contains("/secret"), "{body}");
        assert_eq!(refusal.status, StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn slowing_down_says_for_how_long() {
        let refusal = Refusal::from(Denied::SlowDown { retry_after_ms: 1_001 });
        let mut headers = HeaderMap::new();
        refusal.headers(&mut headers);
        assert_eq!(headers[header::RETRY_AFTER], "2");
        assert_eq!(refusal.status, StatusCode::TOO_MANY_REQUESTS);
    }

    #[test]
    fn who_comes_when_there_is_too_much_to_do_is_told_when_to_come_back() {
        let refusal = Refusal::from(Error::Busy);
        let mut headers = HeaderMap::new();
        refusal.headers(&mut headers);
        assert_eq!(headers[header::RETRY_AFTER], "1");
        assert_eq!(refusal.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refusal.code, Code::Unavailable);
    }
}
