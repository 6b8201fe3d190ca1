//! Answers in the form of FastAPI, which three of the systems are built on: `detail`, and lists of
//! faults in the words of Pydantic, whose two versions differ.

use axum::Json;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{is_one_of, other_slash};
use crate::error::new_request_id;
use crate::{Doors, Refusal};

/// Whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pydantic {
    /// Version 1.
    One,
    /// Version 2.
    Two,
}

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Nothing is there. The second is what was given around it.
    Missing(Vec<Value>, Value),
    /// It is no text.
    NotText(Vec<Value>, Value),
    /// It is no integer.
    NotInteger(Vec<Value>, Value),
    /// It is no JSON object.
    NotObject(Vec<Value>, Value),
    /// It is no JSON, from this byte on.
    NotJson(usize),
}

/// `{"detail": text}`.
pub fn detail(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"detail": text}))).into_response()
}

/// A refusal in this form. What failed inside is logged under the id that is told.
pub fn refused(refusal: &Refusal) -> Response {
    let id = new_request_id();
    refusal.log(&id);
    let told = match refusal.status() {
        StatusCode::INTERNAL_SERVER_ERROR => format!("{refusal} (id {id})"),
        _ => refusal.to_string(),
    };
    let mut response = detail(refusal.status(), &told);
    refusal.headers(response.headers_mut());
    response
}

/// What answers a path that the system does not know: its client is sent on where it knows the
/// path with, or without, a slash at the end.
pub fn unknown(doors: &Doors, request: &Request, paths: &[(Method, &str)]) -> Response {
    let (other, location) = other_slash(doors, request);
    match is_one_of(paths, &other) {
        true => (StatusCode::TEMPORARY_REDIRECT, location).into_response(),
        false => detail(StatusCode::NOT_FOUND, "Not Found"),
    }
}

/// What answers a method that the system does not know at a path.
pub async fn wrong_method() -> Response {
    detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

/// Reads an integer; one that is larger than every id names nothing.
pub fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let beyond = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    sound.then(|| text.parse().unwrap_or(beyond))
}

/// 422, with what is wrong.
pub fn unprocessable(words: Pydantic, faults: &[Fault]) -> Response {
    let faults: Vec<Value> = faults.iter().map(|fault| fault.said(words)).collect();
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"detail": faults}))).into_response()
}

impl Fault {
    fn said(&self, words: Pydantic) -> Value {
        let (loc, input) = match self {
            Self::NotJson(at) => return not_json(words, *at),
            Self::Missing(loc, input)
            | Self::NotText(loc, input)
            | Self::NotInteger(loc, input)
            | Self::NotObject(loc, input) => (loc, input),
        };
        let (kind, msg) = match (self, words) {
            (Self::Missing(..), Pydantic::One) => ("value_error.missing", "field required"),
            (Self::Missing(..), Pydantic::Two) => ("missing", "Field required"),
            (Self::NotText(..), Pydantic::One) => ("type_error.str", "str type expected"),
            (Self::NotText(..), Pydantic::Two) => ("string_type", "Input should be a valid string"),
            (Self::NotInteger(..), Pydantic::One) => {
                ("type_error.integer", "value is not a valid integer")
            }
            (Self::NotInteger(..), Pydantic::Two) => (
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer",
            ),
            (_, Pydantic::One) => ("type_error.dict", "value is not a valid dict"),
            (_, Pydantic::Two) => (
                "model_attributes_type",
                "Input should be a valid dictionary or object to extract fields from",
            ),
        };
        match words {
            Pydantic::One => json!({"loc": loc, "msg": msg, "type": kind}),
            Pydantic::Two => json!({"type": kind, "loc": loc, "msg": msg, "input": input}),
        }
    }
}

fn not_json(words: Pydantic, at: usize) -> Value {
    match words {
        Pydantic::One => json!({
            "loc": ["body", at], "msg": "the body is not JSON", "type": "value_error.jsondecode",
        }),
        Pydantic::Two => json!({
            "type": "json_invalid", "loc": ["body", at], "msg": "JSON decode error", "input": {},
            "ctx": {"error": "the body is not JSON"},
        }),
    }
}

/// Reads a body as a JSON object.
///
/// # Errors
/// The 422 answer.
#[expect(clippy::result_large_err, reason = "an answer is made once and sent")]
pub fn object(words: Pydantic, body: &[u8]) -> Result<Map<String, Value>, Response> {
    let at = || vec![json!("body")];
    let fault = match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => return Ok(object),
        _ if body.is_empty() => Fault::Missing(at(), Value::Null),
        Ok(other) => Fault::NotObject(at(), other),
        Err(error) => Fault::NotJson(error.column()),
    };
    Err(unprocessable(words, &[fault]))
}

/// Reads texts that must be there.
///
/// # Errors
/// The 422 answer, which names all that is wrong.
#[expect(clippy::result_large_err, reason = "an answer is made once and sent")]
pub fn texts<const N: usize>(
    words: Pydantic,
    object: &Map<String, Value>,
    names: [&str; N],
) -> Result<[String; N], Response> {
    let mut faults = Vec::new();
    let read = names.map(|name| {
        let at = vec![json!("body"), json!(name)];
        match object.get(name) {
            Some(Value::String(text)) => return text.clone(),
            // The first version takes numbers for texts.
            Some(Value::Number(number)) if words == Pydantic::One => return number.to_string(),
            Some(Value::Null) if words == Pydantic::One => {
                faults.push(Fault::NotText(at, Value::Null));
            }
            Some(other) => faults.push(Fault::NotText(at, other.clone())),
            None => faults.push(Fault::Missing(at, Value::Object(object.clone()))),
        }
        String::new()
    });
    if faults.is_empty() { Ok(read) } else { Err(unprocessable(words, &faults)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_is_read_however_large_it_is() {
        assert_eq!(integer("12"), Some(12));
        assert_eq!(integer(" -1 "), Some(-1));
        assert_eq!(integer("99999999999999999999"), Some(i64::MAX));
        for bad in ["", "-", "x", "1.5", "1_0", "--1"] {
            assert_eq!(integer(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_fault_is_named_in_the_words_of_the_version() {
        let given = json!({"b": 5});
        let object = given.as_object().unwrap();
        assert!(texts(Pydantic::One, object, ["a", "b"]).is_err());
        let missing = Fault::Missing(vec![json!("body"), json!("a")], given.clone());
        assert_eq!(
            missing.said(Pydantic::One),
            json!({"loc": ["body", "a"], "msg": "field required", "type": "value_error.missing"})
        );
        assert_eq!(
            missing.said(Pydantic::Two),
            json!({
                "type": "missing", "loc": ["body", "a"], "msg": "Field required", "input": given,
            })
        );
        assert_eq!(texts(Pydantic::One, object, ["b"]).unwrap(), ["5".to_owned()]);
        assert!(texts(Pydantic::Two, object, ["b"]).is_err());
    }
}
