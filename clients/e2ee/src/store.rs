//! The library's key store, in which a delta is taken in whole or not at all.
//!
//! Owns the moment at which what a letter does is written. The library writes a session between two
//! devices as soon as its first letter is opened, and what was in the letter, with the position,
//! only after the last letter of the delta. A program that ended in between would be sent the
//! letter again and could not open it any more: the session on the disk is past it. So what a delta
//! does to such sessions is kept until its end, and written with the rest in one transaction.
//!
//! What goes out is never kept back: a session that was used and not written would use its keys a
//! second time.

use std::collections::HashMap;

use async_trait::async_trait;
use matrix_sdk_common::cross_process_lock::CrossProcessLockGeneration;
use matrix_sdk_crypto::olm::{
    InboundGroupSession, OlmMessageHash, OutboundGroupSession, PrivateCrossSigningIdentity,
    SenderDataType, Session,
};
use matrix_sdk_crypto::store::CryptoStore;
use matrix_sdk_crypto::store::types::{
    BackupKeys, Changes, DehydratedDeviceKey, PendingChanges, RoomKeyCounts, RoomKeyWithheldEntry,
    RoomPendingKeyBundleDetails, RoomSettings, StoredRoomKeyBundleData,
};
use matrix_sdk_crypto::vodozemac::Curve25519PublicKey;
use matrix_sdk_crypto::{
    Account, DeviceData, GossipRequest, SecretInfo, TrackedUser, UserIdentityData,
};
use parking_lot::Mutex;
use ruma::events::secret::request::SecretName;
use ruma::{DeviceId, OwnedDeviceId, RoomId, TransactionId, UserId};
use zeroize::Zeroizing;

tokio::task_local! {
    /// The sessions that the delta has made or used so far, while one is taken in.
    static KEPT_BACK: Mutex<Vec<Session>>;
}

/// Takes a delta in: what this does to sessions is written at its end.
pub(crate) async fn at_once<T>(taking: impl Future<Output = T>) -> T {
    KEPT_BACK.scope(Mutex::default(), taking).await
}

/// A store in which a delta is taken in at once.
#[derive(Debug)]
pub(crate) struct AtOnce<S>(pub(crate) S);

impl<S: CryptoStore> AtOnce<S> {
    /// The position is what the library writes last of a delta.
    async fn save(&self, mut changes: Changes) -> Result<(), S::Error> {
        let last = changes.next_batch_token.is_some();
        // Outside of a delta nothing is kept back.
        let _ = KEPT_BACK.try_with(|kept| {
            let mut kept = kept.lock();
            kept.append(&mut changes.sessions);
            if last {
                changes.sessions.append(&mut kept);
            }
        });
        self.0.save_changes(changes).await
    }

    /// Those on the disk, and those that are kept back.
    async fn sessions(&self, sender_key: &str) -> Result<Option<Vec<Session>>, S::Error> {
        let written = self.0.get_sessions(sender_key).await?;
        let of_sender = |session: &&Session| session.sender_key().to_base64() == sender_key;
        let kept = KEPT_BACK
            .try_with(|kept| kept.lock().iter().filter(of_sender).cloned().collect::<Vec<_>>());
        Ok(match (written, kept) {
            (written, Ok(kept)) if !kept.is_empty() => {
                let written = written.into_iter().flatten();
                let only_written = written.filter(|session| !kept.contains(session));
                Some(only_written.chain(kept.iter().cloned()).collect())
            }
            (written, _) => written,
        })
    }
}

/// Writes the store's trait down: the methods that are given, and those that only pass on.
macro_rules! store {
    (
        { $($given:tt)* }
        $(async fn $name:ident(&self $(, $arg:ident: $kind:ty)*) -> $answer:ty;)*
    ) => {
        #[async_trait]
        impl<S: CryptoStore> CryptoStore for AtOnce<S> {
            type Error = S::Error;
            $($given)*
            $(
                async fn $name(&self $(, $arg: $kind)*) -> Result<$answer, Self::Error> {
                    self.0.$name($($arg),*).await
                }
            )*
        }
    };
}

store! {
    {
        async fn save_changes(&self, changes: Changes) -> Result<(), Self::Error> {
            self.save(changes).await
        }

        async fn get_sessions(&self, key: &str) -> Result<Option<Vec<Session>>, Self::Error> {
            self.sessions(key).await
        }
    }

    async fn load_account(&self) -> Option<Account>;
    async fn load_identity(&self) -> Option<PrivateCrossSigningIdentity>;
    async fn save_pending_changes(&self, changes: PendingChanges) -> ();
    async fn save_inbound_group_sessions(
        &self, sessions: Vec<InboundGroupSession>, version: Option<&str>
    ) -> ();
    async fn get_inbound_group_session(
        &self, room: &RoomId, session: &str
    ) -> Option<InboundGroupSession>;
    async fn get_withheld_info(
        &self, room: &RoomId, session: &str
    ) -> Option<RoomKeyWithheldEntry>;
    async fn get_withheld_sessions_by_room_id(&self, room: &RoomId) -> Vec<RoomKeyWithheldEntry>;
    async fn get_inbound_group_sessions(&self) -> Vec<InboundGroupSession>;
    async fn inbound_group_session_counts(&self, version: Option<&str>) -> RoomKeyCounts;
    async fn get_inbound_group_sessions_by_room_id(
        &self, room: &RoomId
    ) -> Vec<InboundGroupSession>;
    async fn get_inbound_group_sessions_for_device_batch(
        &self, key: Curve25519PublicKey, kind: SenderDataType, after: Option<String>, limit: usize
    ) -> Vec<InboundGroupSession>;
    async fn inbound_group_sessions_for_backup(
        &self, version: &str, limit: usize
    ) -> Vec<InboundGroupSession>;
    async fn mark_inbound_group_sessions_as_backed_up(
        &self, version: &str, sessions: &[(&RoomId, &str)]
    ) -> ();
    async fn reset_backup_state(&self) -> ();
    async fn load_backup_keys(&self) -> BackupKeys;
    async fn load_dehydrated_device_pickle_key(&self) -> Option<DehydratedDeviceKey>;
    async fn delete_dehydrated_device_pickle_key(&self) -> ();
    async fn get_outbound_group_session(&self, room: &RoomId) -> Option<OutboundGroupSession>;
    async fn load_tracked_users(&self) -> Vec<TrackedUser>;
    async fn save_tracked_users(&self, users: &[(&UserId, bool)]) -> ();
    async fn get_device(&self, user: &UserId, device: &DeviceId) -> Option<DeviceData>;
    async fn get_user_devices(&self, user: &UserId) -> HashMap<OwnedDeviceId, DeviceData>;
    async fn get_own_device(&self) -> DeviceData;
    async fn get_user_identity(&self, user: &UserId) -> Option<UserIdentityData>;
    async fn is_message_known(&self, message: &OlmMessageHash) -> bool;
    async fn get_outgoing_secret_requests(&self, id: &TransactionId) -> Option<GossipRequest>;
    async fn get_secret_request_by_info(&self, secret: &SecretInfo) -> Option<GossipRequest>;
    async fn get_unsent_secret_requests(&self) -> Vec<GossipRequest>;
    async fn delete_outgoing_secret_requests(&self, id: &TransactionId) -> ();
    async fn get_secrets_from_inbox(&self, name: &SecretName) -> Vec<Zeroizing<String>>;
    async fn delete_secrets_from_inbox(&self, name: &SecretName) -> ();
    async fn get_room_settings(&self, room: &RoomId) -> Option<RoomSettings>;
    async fn get_received_room_key_bundle_data(
        &self, room: &RoomId, user: &UserId
    ) -> Option<StoredRoomKeyBundleData>;
    async fn get_pending_key_bundle_details_for_room(
        &self, room: &RoomId
    ) -> Option<RoomPendingKeyBundleDetails>;
    async fn get_all_rooms_pending_key_bundles(&self) -> Vec<RoomPendingKeyBundleDetails>;
    async fn has_downloaded_all_room_keys(&self, room: &RoomId) -> bool;
    async fn get_custom_value(&self, key: &str) -> Option<Vec<u8>>;
    async fn set_custom_value(&self, key: &str, value: Vec<u8>) -> ();
    async fn remove_custom_value(&self, key: &str) -> ();
    async fn try_take_leased_lock(
        &self, lease_ms: u32, key: &str, holder: &str
    ) -> Option<CrossProcessLockGeneration>;
    async fn next_batch_token(&self) -> Option<String>;
    async fn close(&self) -> ();
    async fn reopen(&self) -> ();
    async fn get_size(&self) -> Option<usize>;
}
