//! Restoring on a new device: the secrets by the recovery key, then the keys of the history.
//!
//! Owns reading both back. Refuses a key that does not open them, an identity that is not the one
//! that the server shows, and a backup that is not under the account's own key.

use matrix_sdk_crypto::CrossSigningKeyExport;
use matrix_sdk_crypto::olm::ExportedRoomKey;
use matrix_sdk_crypto::secret_storage::{AesHmacSha2EncryptedData, SecretStorageKey};
use matrix_sdk_crypto::store::types::BackupDecryptionKey;
use matrix_sdk_crypto::types::RoomKeyBackupInfo;
use ruma::api::client::backup::EncryptedSessionData;
use ruma::events::secret::request::SecretName;
use ruma::events::{EventContentFromType as _, secret_storage::key::SecretStorageKeyEventContent};
use ruma::{OwnedRoomId, RoomId};
use serde_json::Value;

use crate::recovery::{DEFAULT_KEY, account_data, version};
use crate::request::{Carrier, CarryError, Request};
use crate::{Error, Machine};

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Keys in the backup.
    pub found: usize,
    /// Keys that were not here before.
    pub imported: usize,
}

impl Machine {
    /// Restores this device by the recovery key: it is signed by the account's identity, can sign
    /// in its name, and has the keys of the history that went into the backup.
    ///
    /// # Errors
    /// [`Error::RecoveryKey`] when the key is another one, [`Error::NoRecovery`] when there is
    /// nothing.
    pub async fn recover(
        &self,
        carrier: &impl Carrier,
        recovery_key: &str,
    ) -> Result<Restored, Error> {
        self.look_at_oneself(carrier).await?;
        let key = self.storage_key(carrier, recovery_key).await?;
        self.restore_identity(carrier, &key).await?;
        let restored = self.restore_backup(carrier, &key).await?;
        self.flush(carrier).await?;
        Ok(restored)
    }

    async fn storage_key(
        &self,
        carrier: &impl Carrier,
        recovery_key: &str,
    ) -> Result<SecretStorageKey, Error> {
        let default = read(carrier, account_data(DEFAULT_KEY)).await?.ok_or(Error::NoRecovery)?;
        let id = default["key"].as_str().ok_or_else(|| Error::malformed("the default key"))?;
        let kind = format!("m.secret_storage.key.{id}");
        let description = read(carrier, account_data(&kind)).await?.ok_or(Error::NoRecovery)?;
        let description = serde_json::value::to_raw_value(&description).map_err(Error::library)?;
        let content = SecretStorageKeyEventContent::from_parts(&kind, &description)
            .map_err(|_| Error::malformed("the key's description"))?;
        let typed: String = recovery_key.split_whitespace().collect();
        SecretStorageKey::from_account_data(&typed, content).map_err(|_| Error::RecoveryKey)
    }

    async fn restore_identity(
        &self,
        carrier: &impl Carrier,
        key: &SecretStorageKey,
    ) -> Result<(), Error> {
        let export = CrossSigningKeyExport {
            master_key: secret(carrier, key, SecretName::CrossSigningMasterKey).await?,
            self_signing_key: secret(carrier, key, SecretName::CrossSigningSelfSigningKey).await?,
            user_signing_key: secret(carrier, key, SecretName::CrossSigningUserSigningKey).await?,
        };
        let olm = &self.0.olm;
        let keys = olm.import_cross_signing_keys(export).await.map_err(Error::library)?;
        if !keys.is_complete() {
            return Err(Error::NoRecovery);
        }
        let device = olm.get_device(olm.user_id(), olm.device_id(), None).await?;
        let device = device.ok_or(Error::Unknown("this device"))?;
        self.queue(Request::signatures(&device.verify().await?));
        self.look_at_oneself(carrier).await
    }

    async fn restore_backup(
        &self,
        carrier: &impl Carrier,
        key: &SecretStorageKey,
    ) -> Result<Restored, Error> {
        let nothing = Restored { found: 0, imported: 0 };
        let Some(text) = secret(carrier, key, SecretName::RecoveryKey).await? else {
            return Ok(nothing);
        };
        let Some(info) = read(carrier, "/e2ee/room_keys/version".to_owned()).await? else {
            return Ok(nothing);
        };
        let version = version(&info)?;
        let key = BackupDecryptionKey::from_base64(&text);
        let key = key.map_err(|_| Error::malformed("the backup's key"))?;
        let info: RoomKeyBackupInfo =
            serde_json::from_value(info).map_err(|_| Error::malformed("the backup"))?;
        // Whoever keeps the backup could put another in its place, and read what goes into it.
        if !key.backup_key_matches(&info) {
            return Err(Error::malformed("the backup's public key"));
        }
        let path = format!("/e2ee/room_keys/keys?version={version}");
        let kept = read(carrier, path).await?.unwrap_or_default();
        let keys = self.unwrapped(&key, &kept)?;
        let store = self.0.olm.store();
        let result = store.import_room_keys(keys, Some(&version), |_, _| {}).await?;
        self.use_backup(&key, version).await?;
        Ok(Restored { found: result.total_count, imported: result.imported_count })
    }

    /// Opens the keys of a backup; one that does not open is passed over.
    fn unwrapped(
        &self,
        key: &BackupDecryptionKey,
        kept: &Value,
    ) -> Result<Vec<ExportedRoomKey>, Error> {
        let mut keys = Vec::new();
        for (room, sessions) in kept["rooms"].as_object().into_iter().flatten() {
            let room =
                RoomId::parse(&**room).map_err(|_| Error::malformed("a crypto room's id"))?;
            for (session, wrapped) in sessions["sessions"].as_object().into_iter().flatten() {
                keys.extend(unwrap_key(key, &room, session, wrapped));
            }
        }
        Ok(keys)
    }
}

fn unwrap_key(
    key: &BackupDecryptionKey,
    room: &OwnedRoomId,
    session: &str,
    wrapped: &Value,
) -> Option<ExportedRoomKey> {
    let data = wrapped["session_data"].clone();
    let data: EncryptedSessionData = serde_json::from_value(data).ok()?;
    let opened = key.decrypt_session_data(data).ok()?;
    Some(ExportedRoomKey::from_backed_up_room_key(room.clone(), session.to_owned(), opened))
}

async fn read(carrier: &impl Carrier, path: String) -> Result<Option<Value>, CarryError> {
    match carrier.carry(&Request::plain("GET", path, Value::Null)).await {
        Ok(value) => Ok(Some(value)),
        Err(refused) if refused.status == 404 => Ok(None),
        Err(refused) => Err(refused),
    }
}

async fn secret(
    carrier: &impl Carrier,
    key: &SecretStorageKey,
    name: SecretName,
) -> Result<Option<String>, Error> {
    let Some(kept) = read(carrier, account_data(name.as_str())).await? else { return Ok(None) };
    let sealed = kept["encrypted"][key.key_id()].clone();
    let sealed: AesHmacSha2EncryptedData =
        serde_json::from_value(sealed).map_err(|_| Error::malformed("a stored secret"))?;
    let opened = key.decrypt(&sealed, &name).map_err(|_| Error::RecoveryKey)?;
    String::from_utf8(opened).map(Some).map_err(|_| Error::malformed("a stored secret"))
}
