//! The one place where a refusal or failure becomes an answer in this system's words.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlor_app::Error;
use parlor_domain::Denied;
use parlor_doors::Refusal;
use parlor_doors::facade::explain;
use serde_json::{Map, Value, json};

/// Why something is not done.
pub(crate) enum Refused {
    /// `{"detail": …}`: what the framework says.
    Detail(StatusCode, Cow<'static, str>),
    /// `{"error": …}`: what a route says.
    Error(StatusCode, Cow<'static, str>),
    /// What is wrong with each field.
    Fields(Faults),
    /// Too much at once; again in so many seconds.
    Throttled(u64),
    /// The body could not be read at all.
    Unread(Refusal),
}

/// What is wrong with fields, by their names.
#[derive(Default)]
pub(crate) struct Faults(Map<String, Value>);

impl Faults {
    pub(crate) fn add(&mut self, field: &str, fault: impl Into<String>) {
        let faults = self.0.entry(field).or_insert_with(|| json!([]));
        if let Value::Array(faults) = faults {
            faults.push(Value::String(fault.into()));
        }
    }

    pub(crate) fn check(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(Refused::Fields(self)) }
    }
}

impl Refused {
    pub(crate) fn detail(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self::Detail(status, text.into())
    }

    pub(crate) fn error(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(status, text.into())
    }

    pub(crate) fn field(name: &str, fault: impl Into<String>) -> Self {
        let mut faults = Faults::default();
        faults.add(name, fault);
        Self::Fields(faults)
    }

    pub(crate) fn no_room() -> Self {
        Self::error(StatusCode::NOT_FOUND, "Room not found")
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let bad = StatusCode::BAD_REQUEST;
        let denied = match error {
            Error::Denied(denied) => denied,
            Error::Unauthorized => {
                return Self::detail(StatusCode::UNAUTHORIZED, "Invalid token");
            }
            Error::WrongPassword => {
                return Self::field("non_field_errors", "Invalid email or password");
            }
            other => {
                let status = StatusCode::from_u16(other.code().status());
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                return Self::detail(status, explain(&other).0);
            }
        };
        match denied {
            Denied::NotFound => Self::no_room(),
            Denied::Forbidden(_) => {
                Self::error(StatusCode::FORBIDDEN, "Only the owner can delete this room")
            }
            // The code is the one that our own doors have for it.
            Denied::SessionEncrypted => Self::error(StatusCode::FORBIDDEN, "session_encrypted"),
            Denied::SlowDown { retry_after_ms } => Self::Throttled(retry_after_ms.div_ceil(1000)),
            Denied::Taken("mail address") => {
                Self::field("email", "user with this email already exists.")
            }
            Denied::Taken("username") => {
                Self::field("username", "user with this username already exists.")
            }
            Denied::Taken("room name") => Self::error(bad, "A room with this name already exists"),
            Denied::Invalid { field: "name", .. } => Self::error(bad, "Chat room name is required"),
            Denied::TooLong { field: "name", limit } => {
                Self::error(bad, format!("Chat room name is longer than {limit} characters"))
            }
            Denied::Invalid { field: "email", .. } | Denied::TooLong { field: "email", .. } => {
                Self::field("email", "Enter a valid email address.")
            }
            Denied::Invalid { field, .. } | Denied::Empty(field) => {
                Self::field(field, "Enter a valid value.")
            }
            Denied::TooLong { field, limit } => {
                let text = format!("Ensure this field has no more than {limit} characters.");
                Self::field(field, text)
            }
            other @ (Denied::Conflict(_)
            | Denied::Taken(_)
            | Denied::NoRoom(_)
            | Denied::StaleMembership
            | Denied::Malformed(_)
            | Denied::NotNewest(_)) => Self::error(bad, other.to_string()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, said) = match self {
            Self::Unread(refusal) => return refusal.into_response(),
            Self::Detail(status, text) => (status, json!({"detail": text})),
            Self::Error(status, text) => (status, json!({"error": text})),
            Self::Fields(faults) => (StatusCode::BAD_REQUEST, Value::Object(faults.0)),
            Self::Throttled(seconds) => {
                let text =
                    format!("Request was throttled. Expected available in {seconds} seconds.");
                let said = Json(json!({"detail": text}));
                let wait = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
                return (StatusCode::TOO_MANY_REQUESTS, wait, said).into_response();
            }
        };
        let mut response = (status, Json(said)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}
