//! `Idempotency-Key`: the sender's own id of a creating request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use parlor_domain::{ClientId, Denied};
use uuid::Uuid;

use crate::{Doors, Refusal};

/// Characters of a key.
const KEY_CHARS_MAX: usize = 128;

/// The key of a request, if it has one.
pub(crate) struct Key(pub(crate) Option<ClientId>);

impl FromRequestParts<Doors> for Key {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Doors) -> Result<Self, Refusal> {
        let Some(key) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let bad = Denied::invalid("Idempotency-Key", "1 to 128 visible ASCII characters");
        let text = key.to_str().map_err(|_| bad.clone())?;
        let key = client_id(text).ok_or(bad)?;
        Ok(Self(Some(key)))
    }
}

/// A key as an id: itself where it is a UUID, else a UUID (version 8) made of its hash.
fn client_id(text: &str) -> Option<ClientId> {
    if let Ok(id) = text.parse() {
        return Some(id);
    }
    if text.is_empty() || text.len() > KEY_CHARS_MAX {
        return None;
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    let id = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    Some(ClientId(Uuid::from_bytes(id.into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_is_an_id_and_the_same_key_the_same_id() {
        let uuid = "0190f5c2-7a1e-7000-8000-000000000001";
        assert_eq!(client_id(uuid).unwrap().to_string(), uuid);
        assert_eq!(client_id("order-7"), client_id("order-7"));
        assert_ne!(client_id("order-7"), client_id("order-8"));
        assert!(client_id(&"x".repeat(128)).is_some());
        assert!(client_id(&"x".repeat(129)).is_none());
        assert!(client_id("").is_none());
    }
}
