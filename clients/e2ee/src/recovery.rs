//! Recovery: one key that opens the account's secrets on a new device, and the backup of the keys
//! of its history.
//!
//! Owns the making of both. Refuses to begin without the identity's private keys, and never writes
//! the recovery key anywhere: whoever loses it loses what it opens.

use std::fmt;

use matrix_sdk_crypto::secret_storage::SecretStorageKey;
use matrix_sdk_crypto::store::types::BackupDecryptionKey;
use ruma::events::secret::request::SecretName;
use serde_json::{Value, json};

use crate::request::{Carrier, Request};
use crate::{Error, Machine};

/// Names the key that is in use.
pub(crate) const DEFAULT_KEY: &str = "m.secret_storage.default_key";

/// The key that opens everything, as people write it down. (Without `Debug`: it is a secret.)
pub struct RecoveryKey(String);

impl RecoveryKey {
    /// The text, in groups of four.
    pub fn text(&self) -> String {
        let letters: Vec<char> = self.0.chars().filter(|letter| !letter.is_whitespace()).collect();
        let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
        groups.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryKey(***)")
    }
}

/// The address of a secret or of a key's description.
pub(crate) fn account_data(kind: &str) -> String {
    format!("/e2ee/account_data/{kind}")
}

impl Machine {
    /// Sets recovery up, or anew with another key: a fresh backup is begun, every key that is here
    /// goes into it, and the secrets are stored under the key that is given back.
    ///
    /// # Errors
    /// [`Error::NotSetUp`] when this device does not have the identity's private keys.
    pub async fn set_up_recovery(&self, carrier: &impl Carrier) -> Result<RecoveryKey, Error> {
        self.flush(carrier).await?;
        let backup = self.begin_backup(carrier).await?;
        let key = SecretStorageKey::new();
        for (name, secret) in self.secrets(&backup).await? {
            self.store_secret(carrier, &key, &name, secret).await?;
        }
        let description = serde_json::to_value(key.event_content()).map_err(Error::library)?;
        let path = account_data(&key.event_type().to_string());
        carrier.carry(&Request::plain("PUT", path, description)).await?;
        // Last: until here the key before still opens what it opened.
        let default =
            Request::plain("PUT", account_data(DEFAULT_KEY), json!({"key": key.key_id()}));
        carrier.carry(&default).await?;
        self.flush(carrier).await?;
        Ok(RecoveryKey(key.to_base58()))
    }

    async fn begin_backup(&self, carrier: &impl Carrier) -> Result<BackupDecryptionKey, Error> {
        let backups = self.0.olm.backup_machine();
        backups.disable_backup().await?;
        let key = BackupDecryptionKey::new();
        let mut info = key.to_backup_info();
        backups.sign_backup(&mut info).await?;
        let body = serde_json::to_value(&info).map_err(Error::library)?;
        let answer =
            carrier.carry(&Request::plain("POST", "/e2ee/room_keys/version", body)).await?;
        let version = version(&answer)?;
        self.use_backup(&key, version).await?;
        Ok(key)
    }

    /// Puts keys into this backup from now on.
    pub(crate) async fn use_backup(
        &self,
        key: &BackupDecryptionKey,
        version: String,
    ) -> Result<(), Error> {
        let backups = self.0.olm.backup_machine();
        backups.save_decryption_key(Some(key.clone()), Some(version.clone())).await?;
        let public = key.megolm_v1_public_key();
        public.set_version(version);
        Ok(backups.enable_backup_v1(public).await?)
    }

    async fn secrets(
        &self,
        backup: &BackupDecryptionKey,
    ) -> Result<Vec<(SecretName, String)>, Error> {
        let keys = self.0.olm.export_cross_signing_keys().await?.ok_or(Error::NotSetUp)?;
        let all = [
            (SecretName::CrossSigningMasterKey, keys.master_key.clone()),
            (SecretName::CrossSigningSelfSigningKey, keys.self_signing_key.clone()),
            (SecretName::CrossSigningUserSigningKey, keys.user_signing_key.clone()),
            (SecretName::RecoveryKey, Some(backup.to_base64())),
        ];
        all.into_iter().map(|(name, key)| Ok((name, key.ok_or(Error::NotSetUp)?))).collect()
    }

    async fn store_secret(
        &self,
        carrier: &impl Carrier,
        key: &SecretStorageKey,
        name: &SecretName,
        secret: String,
    ) -> Result<Value, Error> {
        let sealed = key.encrypt(secret.into_bytes(), name);
        let body = json!({ "encrypted": { key.key_id(): sealed } });
        Ok(carrier.carry(&Request::plain("PUT", account_data(name.as_str()), body)).await?)
    }
}

/// The version in an answer, which may be a number.
pub(crate) fn version(answer: &Value) -> Result<String, Error> {
    match &answer["version"] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Error::malformed("the backup's version")),
    }
}
