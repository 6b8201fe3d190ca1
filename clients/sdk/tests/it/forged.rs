//! Somebody whose keys are made by hand, so that they can be what no honest device makes: an
//! identity in another's name, with signatures that are good.

use matrix_sdk_crypto::vodozemac::{Ed25519SecretKey, base64_encode};
use serde_json::{Value, json};

/// A key of Curve25519 that makes every shared secret zero.
pub(crate) const ZERO: [u8; 32] = [0; 32];

/// An identity and a device of it.
pub(crate) struct Forged {
    user: String,
    device: String,
    curve: [u8; 32],
    master: Ed25519SecretKey,
    signing: Ed25519SecretKey,
    own: Ed25519SecretKey,
}

impl Forged {
    /// Keys in the name of a user, whose id is given in full.
    pub(crate) fn new(user: &str, device: &str, curve: [u8; 32]) -> Self {
        Self {
            user: user.to_owned(),
            device: device.to_owned(),
            curve,
            master: Ed25519SecretKey::new(),
            signing: Ed25519SecretKey::new(),
            own: Ed25519SecretKey::new(),
        }
    }

    /// Puts the identity into an answer about keys, in the place of the user's own.
    pub(crate) fn replace_identity(&self, answer: &mut Value) {
        let master = self.identity_key("master", &self.master);
        let mut signing = self.identity_key("self_signing", &self.signing);
        self.sign(&mut signing, &public(&self.master), &self.master);
        answer["master_keys"][&self.user] = master;
        answer["self_signing_keys"][&self.user] = signing;
    }

    /// Puts the device beside the user's own; signed by this identity or by nobody.
    pub(crate) fn add_device(&self, answer: &mut Value, signed: bool) {
        let device = &self.device;
        let mut keys = json!({
            "user_id": self.user, "device_id": device,
            "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
            "keys": {
                format!("ed25519:{device}"): public(&self.own),
                format!("curve25519:{device}"): base64_encode(self.curve),
            },
        });
        self.sign(&mut keys, device, &self.own);
        if signed {
            self.sign(&mut keys, &public(&self.signing), &self.signing);
        }
        answer["device_keys"][&self.user][device] = keys;
    }

    /// Puts a one-time key of the device into an answer, under a good signature.
    pub(crate) fn give_one_time_key(&self, answer: &mut Value, key: [u8; 32]) {
        let mut key = json!({ "key": base64_encode(key) });
        self.sign(&mut key, &self.device, &self.own);
        answer["one_time_keys"][&self.user][&self.device] =
            json!({ "signed_curve25519:AAAAAA": key });
    }

    fn identity_key(&self, usage: &str, key: &Ed25519SecretKey) -> Value {
        let public = public(key);
        let keys = json!({ format!("ed25519:{public}"): public });
        json!({ "user_id": self.user, "usage": [usage], "keys": keys })
    }

    fn sign(&self, object: &mut Value, key_id: &str, key: &Ed25519SecretKey) {
        let mut bare = object.clone();
        bare.as_object_mut().unwrap().remove("signatures");
        // Objects are kept by name here, and written without spaces: that is the canonical form.
        let signature = key.sign(bare.to_string().as_bytes()).to_base64();
        object["signatures"][&self.user][format!("ed25519:{key_id}")] = signature.into();
    }
}

fn public(key: &Ed25519SecretKey) -> String {
    key.public_key().to_base64()
}
