//! Asking for the published keys of people.

use parlor_domain::UserId;
use parlor_store::e2ee::{Published, Signature, Usage};
use serde_json::{Value, json};

use super::names::Names;
use super::{Object, malformed, object_in};
use crate::{Actor, App, Error};

impl App {
    /// The published keys of people with whom the actor shares a session; of others there are none.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::Malformed`] for another shape.
    pub async fn query_keys(&self, actor: &Actor, body: &Object) -> Result<Value, Error> {
        self.admit(actor)?;
        let names = self.names().await?;
        let asked = object_in(body, "device_keys")?.ok_or(malformed("device_keys"))?;
        if asked.len() as u64 > self.limits.claimed_devices_max {
            return Err(malformed("too many people").into());
        }
        let users: Vec<UserId> = asked.keys().filter_map(|id| names.read_user(id)).collect();
        let published = self.store.published_keys(actor.user, users).await?;
        let mut answer = Answer::default();
        for person in published {
            let user = names.user(person.user);
            let wanted = asked.get(&user).and_then(Value::as_array);
            answer.add(&names, &user, &person, wanted);
        }
        Ok(answer.into_value())
    }
}

#[derive(Default)]
struct Answer {
    devices: Object,
    master: Object,
    self_signing: Object,
    user_signing: Object,
}

impl Answer {
    /// Adds somebody: all of their devices, or those that are wanted.
    fn add(&mut self, names: &Names, user: &str, person: &Published, wanted: Option<&Vec<Value>>) {
        let mut devices = Object::new();
        for (device, name, keys) in &person.devices {
            let id = device.to_string();
            let is_wanted =
                |wanted: &Vec<Value>| wanted.is_empty() || wanted.contains(&Value::from(&*id));
            let Ok(mut keys) = serde_json::from_str::<Object>(keys) else { continue };
            if wanted.is_none_or(is_wanted) {
                add_signatures(names, &mut keys, &id, &person.signatures);
                keys.insert("unsigned".to_owned(), json!({ "device_display_name": name }));
                devices.insert(id, keys.into());
            }
        }
        self.devices.insert(user.to_owned(), devices.into());
        for (usage, key) in &person.signing {
            let Ok(mut key) = serde_json::from_str::<Object>(key) else { continue };
            if let Some(id) = public_key(&key).map(str::to_owned) {
                add_signatures(names, &mut key, &id, &person.signatures);
            }
            let of_usage = match usage {
                Usage::Master => &mut self.master,
                Usage::SelfSigning => &mut self.self_signing,
                Usage::UserSigning => &mut self.user_signing,
            };
            of_usage.insert(user.to_owned(), key.into());
        }
    }

    fn into_value(self) -> Value {
        json!({
            "device_keys": self.devices,
            "master_keys": self.master,
            "self_signing_keys": self.self_signing,
            "user_signing_keys": self.user_signing,
            "failures": {},
        })
    }
}

/// The key of a signing key: there is one.
pub(super) fn public_key(key: &Object) -> Option<&str> {
    key.get("keys")?.as_object()?.values().next()?.as_str()
}

/// Adds the signatures of a device or key to those that it came with.
pub(super) fn add_signatures(names: &Names, to: &mut Object, target: &str, all: &[Signature]) {
    for added in all.iter().filter(|signature| signature.target == target) {
        let signatures = to.entry("signatures").or_insert_with(|| json!({}));
        let Some(signatures) = signatures.as_object_mut() else { continue };
        let signer = names.user(added.signer);
        let of_signer = signatures.entry(signer).or_insert_with(|| json!({}));
        if let Some(of_signer) = of_signer.as_object_mut() {
            of_signer.insert(added.key_id.clone(), added.signature.clone().into());
        }
    }
}
