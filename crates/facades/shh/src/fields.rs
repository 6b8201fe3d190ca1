//! What a request's body says: JSON, a form, or a form in parts.

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use parlor_doors::Doors;
use parlor_doors::facade::body;
use parlor_wire::json::{self, JsonError};
use serde_json::{Map, Value};

use crate::error::{Faults, Refused};
use crate::multipart;

/// The fields of a body.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl FromRequest<Doors> for Fields {
    type Rejection = Refused;

    async fn from_request(request: Request, doors: &Doors) -> Result<Self, Refused> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        let bytes = body(doors, request).await.map_err(Refused::Unread)?;
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let (bare, _) = kind.split_once(';').unwrap_or((&kind, ""));
        match bare.trim().to_ascii_lowercase().as_str() {
            "application/json" => object(&bytes, doors.app.limits().json_depth_max),
            "application/x-www-form-urlencoded" => {
                Ok(Self::of_pairs(form_urlencoded::parse(&bytes)))
            }
            "multipart/form-data" => match multipart::read(&kind, &bytes) {
                Some(pairs) => Ok(Self::of_pairs(pairs)),
                None => Err(unread("Multipart form parse error - the parts cannot be told apart")),
            },
            _ => {
                let text = format!("Unsupported media type \"{bare}\" in request.");
                Err(Refused::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
            }
        }
    }
}

fn unread(text: impl Into<String>) -> Refused {
    Refused::detail(StatusCode::BAD_REQUEST, text.into())
}

fn object(bytes: &[u8], depth_max: u64) -> Result<Fields, Refused> {
    match json::read(bytes, depth_max) {
        Ok(object) => return Ok(Fields(object)),
        Err(JsonError::Shape(_)) => {}
        Err(error) => return Err(unread(format!("JSON parse error - {error}"))),
    }
    let kind = match bytes.trim_ascii_start().first() {
        Some(b'[') => "list",
        Some(b'"') => "str",
        Some(b't' | b'f') => "bool",
        Some(b'n') => return Ok(Fields::default()),
        _ => "int",
    };
    let text = format!("Invalid data. Expected a dictionary, but got {kind}.");
    Err(Refused::field("non_field_errors", text))
}

impl Fields {
    /// The last of several values of one name stands.
    fn of_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let fields =
            pairs.into_iter().map(|(key, value)| (key.into(), Value::String(value.into())));
        Self(fields.collect())
    }

    /// Whether a field is there, whatever is in it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text, or a number as text; `None` where nothing is said.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A text that must be there; empty, with the fault noted, where it is not.
    pub(crate) fn needed(&self, name: &str, faults: &mut Faults) -> String {
        if let Some(text) = self.text(name) {
            return text;
        }
        faults.add(
            name,
            match self.0.get(name) {
                None => "This field is required.",
                Some(Value::Null) => "This field may not be null.",
                Some(Value::String(_)) => "This field may not be blank.",
                Some(_) => "Not a valid string.",
            },
        );
        String::new()
    }
}
