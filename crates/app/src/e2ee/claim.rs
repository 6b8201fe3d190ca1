//! Claiming one-time keys of devices, to begin a conversation with each.

use parlor_domain::{DeviceId, UserId};
use parlor_store::e2ee::Claim;
use serde_json::{Value, json};

use super::publish::SIGNED_CURVE25519;
use super::{Object, malformed, object, object_in};
use crate::{Actor, App, Error, digest};

impl App {
    /// Takes a key of each of the devices named, for the actor alone. A device of which there is
    /// none, or that the actor may not know of, is missing in the answer. Whoever takes too many of
    /// one device is given its fallback key: nobody uses up what others need.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::Malformed`] for another shape, or too many devices.
    pub async fn claim_keys(&self, actor: &Actor, body: &Object) -> Result<Value, Error> {
        let now = self.admit(actor)?;
        let names = self.names().await?;
        let asked = object_in(body, "one_time_keys")?.ok_or(malformed("one_time_keys"))?;
        let mut devices = Vec::new();
        for (user, of_user) in asked {
            let Some(user) = names.read_user(user) else { continue };
            for (device, algorithm) in object(of_user, "one_time_keys")? {
                let known = algorithm.as_str() == Some(SIGNED_CURVE25519);
                let device = device.parse().ok().filter(|_| known);
                devices.extend(device.map(|device: DeviceId| (user, device)));
            }
        }
        if devices.len() as u64 > self.limits.claimed_devices_max {
            return Err(malformed("too many devices").into());
        }
        let claim = |(user, device): (UserId, DeviceId)| {
            let pair = self.digests.of("claim", &[&digest::ids([actor.user.0, device.0])]);
            let fresh = self.rates.one_time_keys.take(pair, now).is_ok();
            Claim { user, device, fresh }
        };
        let claims = devices.into_iter().map(claim).collect();
        let mut keys = Object::new();
        let all = self.store.claim_keys(actor.user, claims).await?;
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
