//! Strict JSON: one document, bounded depth, no key twice, so that no two readers of the same
//! bytes can disagree about what they say.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

/// Why a JSON document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON document, or holds a number or character that none can.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// It is nested more deeply than the limit.
    #[error("nested too deeply")]
    TooDeep,
    /// It says a key twice.
    #[error("says a key twice")]
    Duplicate,
    /// It is JSON, but not of the shape that is expected here.
    #[error("{0}")]
    Shape(String),
}

/// Reads a `T` from a document nested at most `depth_max` deep, which is an object: a derived
/// reader would also take a list, as the fields in their order.
///
/// # Errors
/// [`JsonError`], which says whether the bytes or only their shape are wrong.
pub fn read<T: DeserializeOwned>(bytes: &[u8], depth_max: u64) -> Result<T, JsonError> {
    scan(bytes, depth_max)?;
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(JsonError::Shape("not an object".to_owned()));
    }
    shaped(bytes)
}

/// Reads a `T` from a document that was scanned before.
pub(crate) fn shaped<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    serde_json::from_slice(bytes).map_err(|e| JsonError::Shape(without_position(&e)))
}

/// What a command is read from, scanned before.
pub(crate) trait Body {
    /// Reads a `T`.
    fn shaped<T: DeserializeOwned>(&self) -> Result<T, JsonError>;
}

/// A document that is the body as a whole.
pub(crate) struct Document<'a>(pub(crate) &'a [u8]);

impl Body for Document<'_> {
    fn shaped<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        shaped(self.0)
    }
}

/// Checks a document and returns the text of the outermost object's `type`, if there is one.
///
/// # Errors
/// [`JsonError`], never `Shape`.
pub(crate) fn scan(bytes: &[u8], depth_max: u64) -> Result<Option<Cow<'_, str>>, JsonError> {
    let fault = Cell::new(None);
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let scan = Scan { left: depth_max, fault: &fault, top: true };
    let kind = scan.deserialize(&mut from).and_then(|kind| from.end().map(|()| kind));
    kind.map_err(|e| fault.take().unwrap_or_else(|| JsonError::Syntax(without_position(&e))))
}

/// The fault without the line and column, which tell a client nothing.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

struct Scan<'a> {
    left: u64,
    fault: &'a Cell<Option<JsonError>>,
    top: bool,
}

impl Scan<'_> {
    fn deeper<E: serde::de::Error>(&self) -> Result<Scan<'_>, E> {
        let Some(left) = self.left.checked_sub(1) else {
            self.fault.set(Some(JsonError::TooDeep));
            return Err(E::custom("too deep"));
        };
        Ok(Scan { left, fault: self.fault, top: false })
    }
}

impl<'de> DeserializeSeed<'de> for Scan<'_> {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

/// Takes a key's or value's text, borrowed where it has no escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The keys of one object: few are compared one by one, many are hashed.
#[derive(Default)]
struct Keys<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    const FEW: usize = 16;

    /// False when the key was there before.
    fn add(&mut self, key: Cow<'de, str>) -> bool {
        if self.few.contains(&key) || self.many.contains(&key) {
            return false;
        }
        if self.few.len() < Self::FEW {
            self.few.push(key);
            return true;
        }
        self.many.insert(key)
    }
}

impl<'de> Visitor<'de> for Scan<'_> {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        self.deeper::<A::Error>()?;
        let mut keys = Keys::default();
        let mut kind = None;
        while let Some(key) = map.next_key_seed(Text)? {
            let is_kind = self.top && key == "type";
            if !keys.add(key) {
                self.fault.set(Some(JsonError::Duplicate));
                return Err(A::Error::custom("duplicate"));
            }
            let text = map.next_value_seed(self.deeper()?)?;
            if is_kind {
                kind = text;
            }
        }
        Ok(kind)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element_seed(self.deeper()?)?.is_some() {}
        Ok(None)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> Result<(), JsonError> {
        scan(text.as_bytes(), 32).map(drop)
    }

    #[test]
    fn a_list_is_no_object_with_its_fields_in_order() {
        let patch = |text: &str| read::<crate::v1::PatchMeRequest>(text.as_bytes(), 32);
        assert!(patch(" \n{\"username\":\"bo\"}").is_ok());
        for bad in ["[]", "[\"bo\"]", "[null,null]", " [\"bo\",null,null,true]", "null", "7"] {
            assert!(matches!(patch(bad), Err(JsonError::Shape(_))), "{bad}");
        }
    }

    #[test]
    fn a_document_says_each_key_once() {
        assert!(verdict(r#"{"a":1,"b":{"a":2}}"#).is_ok());
        for twice in [r#"{"a":1,"a":2}"#, r#"[{"x":{"a":1,"\u0061":2}}]"#] {
            assert_eq!(verdict(twice), Err(JsonError::Duplicate), "{twice}");
        }
        let many: Vec<_> = (0..40).map(|i| format!("\"k{i}\":0")).collect();
        assert!(verdict(&format!("{{{}}}", many.join(","))).is_ok());
        let twice = format!("{{{},\"k39\":1}}", many.join(","));
        assert_eq!(verdict(&twice), Err(JsonError::Duplicate));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(verdict(&nested(32)).is_ok());
        assert_eq!(verdict(&nested(33)), Err(JsonError::TooDeep));
        assert_eq!(verdict(&"[".repeat(100_000)), Err(JsonError::TooDeep));
    }

    #[test]
    fn what_is_no_json_is_told_from_what_has_another_shape() {
        let syntax = ["{", "{} x", "\"\\ud800\"", "1e400", "{\"a\":NaN}", ""];
        for bad in syntax {
            assert!(matches!(verdict(bad), Err(JsonError::Syntax(_))), "{bad}");
        }
        assert!(matches!(read::<String>(b"1", 32), Err(JsonError::Shape(_))));
        assert!(matches!(read::<String>(b"\"\xff\"", 32), Err(JsonError::Syntax(_))));
    }

    #[test]
    fn the_type_of_a_frame_is_found_wherever_it_stands() {
        let kind = |text: &'static str| scan(text.as_bytes(), 32).map(|k| k.map(Cow::into_owned));
        assert_eq!(kind(r#"{"ref":1,"type":"send"}"#), Ok(Some("send".to_owned())));
        assert_eq!(kind(r#"{"x":{"type":"send"}}"#), Ok(None));
        assert_eq!(kind(r#"{"type":1}"#), Ok(None));
    }
}
