//! The key service of encrypted sessions: what devices publish, claim, send to each other and keep.
//!
//! Bodies are those of Matrix's client-server API, as its libraries make and read them: JSON that
//! is checked for who says it and otherwise passed on. Owns the ids and signatures; refuses to
//! decrypt anything, for which it has no key.

mod backups;
mod claim;
mod crowd;
mod names;
mod news;
mod notes;
mod publish;
mod query;
mod send;
mod sign;
mod signed;
mod statements;

use parlor_domain::Denied;
use serde_json::{Map, Value};

pub use backups::Place;
pub use news::Reader;

/// A JSON object.
pub type Object = Map<String, Value>;

/// The refusal of a body that is not of the protocol's shape.
pub(crate) fn malformed(what: &'static str) -> Denied {
    Denied::Malformed(what)
}

/// The object in a field, if there is any.
fn object_in<'a>(body: &'a Object, field: &'static str) -> Result<Option<&'a Object>, Denied> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(malformed(field)),
    }
}

/// A value that has to be an object.
fn object<'a>(value: &'a Value, what: &'static str) -> Result<&'a Object, Denied> {
    value.as_object().ok_or(malformed(what))
}

/// The text in a field.
fn text<'a>(body: &'a Object, field: &'static str) -> Result<&'a str, Denied> {
    body.get(field).and_then(Value::as_str).ok_or(malformed(field))
}
