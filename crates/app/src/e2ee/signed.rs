//! Signed JSON: Ed25519 over the canonical form of an object without its signatures (Matrix
//! specification, appendices, "Signing JSON").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

use super::Object;

/// The canonical form: keys in order, nothing between the tokens.
pub(super) fn canonical(object: &Object) -> String {
    let mut text = String::new();
    write_object(object, &[], &mut text);
    text
}

fn write_object(object: &Object, without: &[&str], to: &mut String) {
    let mut keys: Vec<_> = object.iter().filter(|(key, _)| !without.contains(&&***key)).collect();
    keys.sort_unstable_by_key(|(key, _)| *key);
    to.push('{');
    for (nth, (key, value)) in keys.into_iter().enumerate() {
        if nth > 0 {
            to.push(',');
        }
        to.push_str(&Value::from(key.as_str()).to_string());
        to.push(':');
        write_value(value, to);
    }
    to.push('}');
}

fn write_value(value: &Value, to: &mut String) {
    match value {
        Value::Object(object) => write_object(object, &[], to),
        Value::Array(values) => {
            to.push('[');
            for (nth, value) in values.iter().enumerate() {
                if nth > 0 {
                    to.push(',');
                }
                write_value(value, to);
            }
            to.push(']');
        }
        other => to.push_str(&other.to_string()),
    }
}

/// Whether `signature` is the one of `object` by the key, both in unpadded base64.
pub(super) fn is_signed(object: &Object, key: &str, signature: &str) -> bool {
    verify(object, key, signature).is_some()
}

fn verify(object: &Object, key: &str, signature: &str) -> Option<()> {
    let key: [u8; 32] = BASE64.decode(key).ok()?.try_into().ok()?;
    let signature = Signature::from_slice(&BASE64.decode(signature).ok()?).ok()?;
    let mut text = String::new();
    write_object(object, &["signatures", "unsigned"], &mut text);
    let key = VerifyingKey::from_bytes(&key).ok()?;
    // Strictly: keys of small order, all zeros among them, sign nothing.
    key.verify_strict(text.as_bytes(), &signature).ok()
}

/// The signature by a key in an object: `signatures[user][key_id]`.
pub(super) fn signature<'a>(object: &'a Object, user: &str, key_id: &str) -> Option<&'a str> {
    object.get("signatures")?.get(user)?.get(key_id)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_canonical_form_is_the_one_of_the_specification() {
        for (text, canonical_form) in [
            ("{}", "{}"),
            (r#"{"one": 1, "two": "Two"}"#, r#"{"one":1,"two":"Two"}"#),
            (r#"{"b": "2", "a": "1"}"#, r#"{"a":"1","b":"2"}"#),
            (r#"{"本": 2, "日": 1}"#, r#"{"日":1,"本":2}"#),
            ("{\"a\": \"\\u65E5\"}", r#"{"a":"日"}"#),
            (r#"{"a": null, "c": [{"z": 1, "y": true}]}"#, r#"{"a":null,"c":[{"y":true,"z":1}]}"#),
        ] {
            assert_eq!(canonical(&object(text)), canonical_form);
        }
    }

    #[test]
    fn the_signature_of_the_specification_is_one_and_a_changed_object_has_none() {
        let key = "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI";
        let signature = "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZ\
                         hG6kYdD13EIMJpvhJI+6Bw";
        let signed = object(r#"{"one": 1, "two": "Two", "unsigned": {"x": 1}}"#);
        assert!(is_signed(&signed, key, signature));
        assert!(!is_signed(&object(r#"{"one": 2, "two": "Two"}"#), key, signature));
        let nothing = "A".repeat(43);
        assert!(!is_signed(&signed, &nothing, signature));
        assert!(!is_signed(&signed, key, &"A".repeat(86)));
    }
}
