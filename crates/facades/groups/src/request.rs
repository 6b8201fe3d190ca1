//! What a request says: ids in its path, numbers in its query, a JSON object as its body.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use parlor_doors::Doors;
use parlor_doors::facade::{body, query_value};
use parlor_wire::json;
use serde_json::{Map, Value};

use crate::error::Refused;

/// A thing that is named in the path. A path that names none is no path.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr> FromRequestParts<Doors> for Id<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refused> {
        let named = Path::<String>::from_request_parts(parts, doors).await;
        let id = named.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or(Refused::NoPath)
    }
}

/// A message's number in a path: digits. One that no message can have is read, and is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct No(pub(crate) i64);

impl FromStr for No {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| Self(text.parse().unwrap_or(i64::MAX))).ok_or(())
    }
}

/// The body, which must be a JSON object, whatever it is said to be.
pub(crate) async fn object(
    doors: &Doors,
    request: Request,
    doing: &'static str,
) -> Result<Map<String, Value>, Refused> {
    let bytes = body(doors, request).await.map_err(Refused::Unread)?;
    json::read(&bytes, doors.app.limits().json_depth_max)
        .map_err(|error| Refused::Unfit(doing, error.to_string()))
}

/// A text of an object; `None` when it is not there, or null.
pub(crate) fn text(
    object: &mut Map<String, Value>,
    name: &'static str,
    doing: &'static str,
) -> Result<Option<String>, Refused> {
    match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refused::Unfit(doing, format!("{name} must be a text"))),
    }
}

/// A text of an object that must be there.
pub(crate) fn needed(
    object: &mut Map<String, Value>,
    name: &'static str,
    doing: &'static str,
) -> Result<String, Refused> {
    let found = text(object, name, doing)?;
    found.ok_or_else(|| Refused::Unfit(doing, format!("{name} is missing")))
}

/// A value of the query; `None` when it is not there, or empty.
pub(crate) fn asked<T: FromStr>(
    uri: &Uri,
    name: &'static str,
    doing: &'static str,
) -> Result<Option<T>, Refused> {
    let found = query_value(uri, name).filter(|text| !text.is_empty());
    let read = |text: String| text.trim().parse().map_err(|_| unfit(name, doing));
    found.map(read).transpose()
}

fn unfit(name: &str, doing: &'static str) -> Refused {
    Refused::Unfit(doing, format!("{name} is not of its kind"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_messages_number_is_digits() {
        assert_eq!("12".parse(), Ok(No(12)));
        assert_eq!("99999999999999999999".parse(), Ok(No(i64::MAX)));
        for bad in ["", "-1", "+1", "1.0", "one"] {
            assert_eq!(bad.parse::<No>(), Err(()), "{bad}");
        }
    }
}
