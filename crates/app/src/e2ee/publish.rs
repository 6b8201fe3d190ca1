//! A device publishes its keys.

use parlor_domain::Denied;
use parlor_store::e2ee::{Key, Left, Upload};
use serde_json::Value;

use super::names::Names;
use super::signed::{canonical, is_signed, signature};
use super::{Object, malformed, object, object_in, text};
use crate::{Actor, App, Error};

/// The kind of one-time keys that there is.
pub(super) const SIGNED_CURVE25519: &str = "signed_curve25519";

/// What an id of a key may be.
const KEY_ID_BYTES_MAX: usize = 255;

impl App {
    /// Publishes keys of the actor's device: its own, which never change, one-time keys and the
    /// fallback key. Returns what the server has.
    ///
    /// # Errors
    /// [`Denied::Malformed`] for what is not of the protocol's shape, names somebody else or is not
    /// signed by the device; [`Denied`] when other keys were published under an id.
    pub async fn publish_keys(&self, actor: &Actor, body: &Object) -> Result<Left, Error> {
        self.admit(actor)?;
        let names = self.names().await?;
        let device = object_in(body, "device_keys")?;
        let device = device.map(|keys| device_keys(&names, actor, keys)).transpose()?;
        let one_time = self.keys_in(body, "one_time_keys")?;
        let fallback = self.keys_in(body, "fallback_keys")?.into_iter().next();
        let most = self.limits.one_time_keys_max;
        let upload = Upload { device, one_time, fallback };
        let left = self.store.publish_keys(actor.user, actor.device, upload, most).await?;
        if body.contains_key("device_keys") {
            self.tell_sharers(actor.user).await?;
        }
        Ok(left)
    }

    fn keys_in(&self, body: &Object, field: &'static str) -> Result<Vec<Key>, Denied> {
        let Some(keys) = object_in(body, field)? else {
            return Ok(vec![]);
        };
        // More than are kept is a mistake; a few more come when both sides count at once.
        if keys.len() as u64 > self.limits.one_time_keys_max * 2 {
            return Err(malformed("too many keys"));
        }
        keys.iter().map(|(id, value)| one_key(id, value)).collect()
    }
}

/// A key that is given out. Who claims it checks its signature.
fn one_key(id: &str, value: &Value) -> Result<Key, Denied> {
    let key = object(value, "a key is an object")?;
    let known = id.split_once(':').is_some_and(|(kind, _)| kind == SIGNED_CURVE25519);
    if !known || id.len() > KEY_ID_BYTES_MAX || !key.contains_key("signatures") {
        return Err(malformed("only signed_curve25519 keys are taken"));
    }
    text(key, "key")?;
    Ok(Key { id: id.to_owned(), key: canonical(key) })
}

/// The keys of a device, which must be the actor's and signed by itself.
fn device_keys(names: &Names, actor: &Actor, keys: &Object) -> Result<String, Denied> {
    let (user, device) = (names.user(actor.user), actor.device.to_string());
    if text(keys, "user_id")? != user || text(keys, "device_id")? != device {
        return Err(malformed("these are another device's keys"));
    }
    let named = object_in(keys, "keys")?.ok_or(malformed("keys"))?;
    let key_id = format!("ed25519:{device}");
    let key = named.get(&key_id).and_then(Value::as_str).ok_or(malformed("no ed25519 key"))?;
    let curve = named.get(&format!("curve25519:{device}")).and_then(Value::as_str);
    curve.ok_or(malformed("no curve25519 key"))?;
    let signed = signature(keys, &user, &key_id).is_some_and(|it| is_signed(keys, key, it));
    if !signed {
        return Err(malformed("the keys are not signed by the device"));
    }
    let mut kept = keys.clone();
    kept.remove("unsigned");
    Ok(canonical(&kept))
}
