//! Claiming one-time keys of devices, to begin a conversation with each.

use parlor_domain::{DeviceId, UserId};
use serde_json::{Value, json};

use super::publish::SIGNED_CURVE25519;
use super::{Object, malformed, object, object_in};
use crate::{Actor, App, Error};

impl App {
    /// Takes a key of each of the devices named, for the actor alone. A device of which there is
    /// none, or that the actor may not know of, is missing in the answer.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::Malformed`] for another shape, or too many devices.
    pub async fn claim_keys(&self, actor: &Actor, body: &Object) -> Result<Value, Error> {
        self.admit(actor)?;
        let names = self.names().await?;
        let asked = object_in(body, "one_time_keys")?.ok_or(malformed("one_time_keys"))?;
        let mut devices: Vec<(UserId, DeviceId)> = Vec::new();
        for (user, of_user) in asked {
            let Some(user) = names.read_user(user) else { continue };
            for (device, algorithm) in object(of_user, "one_time_keys")? {
                let known = algorithm.as_str() == Some(SIGNED_CURVE25519);
                let device = device.parse().ok().filter(|_| known);
                devices.extend(device.map(|device| (user, device)));
            }
        }
        if devices.len() as u64 > self.limits.claimed_devices_max {
            return Err(malformed("too many devices").into());
        }
        let mut keys = Object::new();
        let all = self.store.claim_keys(actor.user, devices).await?;
        // Whose they were has fewer left, and may publish others.
        let mut users: Vec<UserId> = all.iter().map(|claimed| claimed.user).collect();
        users.dedup();
        self.ring_queues(users);
        for claimed in all {
            let Ok(key) = serde_json::from_str::<Value>(&claimed.key.key) else { continue };
            let of_user = keys.entry(names.user(claimed.user)).or_insert_with(|| json!({}));
            of_user[claimed.device.to_string()] = json!({ claimed.key.id: key });
        }
        Ok(json!({ "one_time_keys": keys, "failures": {} }))
    }
}
