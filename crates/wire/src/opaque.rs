//! A text that is JSON already, as it is in JSON: what devices say to each other, which the server
//! neither reads nor changes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Writes it as it is; what is no JSON is nothing.
pub(crate) fn serialize<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => raw.serialize(to),
        Err(_) => to.serialize_none(),
    }
}

/// Reads whatever is there.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Value::deserialize(from).map(|value| value.to_string())
}
