//! Sealing what is said, for exactly those who are to read it.
//!
//! Owns the order of every send: who is let in, which devices they have, a key for each, then the
//! ciphertext. Refuses to seal while somebody's identity has changed and nobody has looked, from a
//! device that is not signed, and for a session that is called less encrypted than before.

use std::time::Duration;

use matrix_sdk_crypto::store::types::RoomSettings;
use matrix_sdk_crypto::types::EventEncryptionAlgorithm;
use matrix_sdk_crypto::{CollectStrategy, EncryptionSettings};
use ruma::OwnedUserId;
use ruma::events::AnyMessageLikeEventContent;
use ruma::events::room::history_visibility::HistoryVisibility;
use ruma::serde::Raw;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::clock::now_ms;
use crate::open::message_index;
use crate::request::{Carrier, Request};
use crate::roll::Members;
use crate::settled::{Next, Settled};
use crate::{Error, Machine, Payload, payload};

/// The one algorithm of sessions that is spoken now.
const MEGOLM: &str = "m.megolm.v1.aes-sha2";

/// How a session is encrypted, as the server's session objects say under `encryption`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The algorithm.
    pub algorithm: String,
    /// How long one key is used.
    #[serde(default = "default_period_ms")]
    pub rotation_period_ms: u64,
    /// For how many messages one key is used.
    #[serde(default = "default_period_msgs")]
    pub rotation_period_msgs: u64,
    /// Whether only people whom the sender has verified are given keys: nobody whom the server
    /// makes up is ever among them.
    #[serde(default)]
    pub verified_only: bool,
}

fn default_period_ms() -> u64 {
    7 * 24 * 60 * 60 * 1000
}

fn default_period_msgs() -> u64 {
    100
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            algorithm: MEGOLM.to_owned(),
            rotation_period_ms: default_period_ms(),
            rotation_period_msgs: default_period_msgs(),
            verified_only: false,
        }
    }
}

/// A ciphertext, as `encrypted` of a message has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The algorithm.
    pub algorithm: String,
    /// What only the session's devices can open.
    pub ciphertext: String,
    /// Which key it is sealed by.
    pub session_id: String,
    /// The sending device's key; for show.
    #[serde(default)]
    pub sender_key: String,
    /// The sending device; for show.
    #[serde(default)]
    pub device_id: String,
}

impl Machine {
    /// Remembers how a session is encrypted, for good.
    ///
    /// # Errors
    /// [`Error::Downgrade`] when it was encrypted otherwise before.
    pub async fn remember(&self, session_id: &str, settings: &Settings) -> Result<(), Error> {
        if settings.algorithm != MEGOLM {
            return Err(Error::malformed("the session's encryption"));
        }
        let room = self.account().room(session_id)?;
        let known = RoomSettings {
            algorithm: EventEncryptionAlgorithm::MegolmV1AesSha2,
            only_allow_trusted_devices: settings.verified_only,
            session_rotation_period: Some(Duration::from_millis(settings.rotation_period_ms)),
            session_rotation_period_messages: usize::try_from(settings.rotation_period_msgs).ok(),
        };
        Ok(self.0.olm.set_room_settings(&room, &known).await?)
    }

    /// Whether a session was ever seen encrypted: then nothing is said in it in the clear, whatever
    /// the server says.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn is_encrypted(&self, session_id: &str) -> Result<bool, Error> {
        let room = self.account().room(session_id)?;
        Ok(self.0.olm.room_settings(&room).await?.is_some())
    }

    /// Seals a payload for those members of a session who are let in. Their keys are looked up and
    /// shared first; somebody who is not among them any more has no part in the key from now on,
    /// and whoever is unvouched none at all.
    ///
    /// # Errors
    /// [`Error::IdentityChanged`], [`Error::NotSetUp`], [`Error::DeviceUnverified`],
    /// [`Error::Downgrade`], or whatever kept the key service from answering.
    pub async fn seal(
        &self,
        carrier: &impl Carrier,
        session_id: &str,
        members: &Members,
        settings: &Settings,
        payload: &Payload,
    ) -> Result<Sealed, Error> {
        let json = payload.to_padded_json()?;
        let lock = self.session_lock(session_id);
        let _one_at_a_time = lock.lock().await;
        self.remember(session_id, settings).await?;
        self.flush(carrier).await?;
        let users = self.everybody(&self.call_roll(carrier, session_id, members).await?)?;
        let settled = match self.settled(session_id, &users, settings) {
            Some(settled) => settled,
            None => {
                let looked = self.meet(carrier, &users).await?;
                self.share(carrier, session_id, &users, settings).await?;
                Settled::new(users, settings.clone(), looked)
            }
        };
        let sealed = self.encrypt(session_id, json).await?;
        self.settle(session_id, settled, &sealed)?;
        Ok(sealed)
    }

    async fn encrypt(&self, session_id: &str, json: String) -> Result<Sealed, Error> {
        let content = RawValue::from_string(json).map_err(Error::library)?;
        let content: Raw<AnyMessageLikeEventContent> = Raw::from_json(content);
        let room = self.account().room(session_id)?;
        let sealed =
            self.0.olm.encrypt_room_event_raw(&room, payload::EVENT_TYPE, &content).await?;
        sealed.content.deserialize_as_unchecked().map_err(|_| Error::malformed("a ciphertext"))
    }

    /// Throws the session's key away: the next send makes a new one.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn discard_key(&self, session_id: &str) -> Result<(), Error> {
        let lock = self.session_lock(session_id);
        let _one_at_a_time = lock.lock().await;
        self.0.settled.lock().remove(session_id);
        self.0.olm.discard_room_key(&self.account().room(session_id)?).await?;
        Ok(())
    }

    /// Takes what the session's last send has made sure of, if all of it still holds.
    fn settled(
        &self,
        session_id: &str,
        users: &[OwnedUserId],
        settings: &Settings,
    ) -> Option<Settled> {
        let next = Next { users, settings, stirs: self.stirs(), now_ms: now_ms() };
        self.0.settled.lock().remove(session_id).filter(|settled| settled.holds(&next))
    }

    /// Keeps what this send has made sure of for the next one.
    fn settle(&self, session_id: &str, mut settled: Settled, sealed: &Sealed) -> Result<(), Error> {
        let index = message_index(sealed).map_err(|_| Error::malformed("a ciphertext"))?;
        settled.uses = u64::from(index) + 1;
        if index == 0 {
            self.0.ledger.began(&sealed.session_id, now_ms())?;
        }
        if settled.began_ms.is_none() {
            settled.began_ms = self.0.ledger.beginning(&sealed.session_id)?;
        }
        self.0.settled.lock().insert(session_id.to_owned(), settled);
        Ok(())
    }

    fn everybody(&self, members: &[String]) -> Result<Vec<OwnedUserId>, Error> {
        let own = std::iter::once(self.account().own());
        let others = members.iter().map(|member| self.account().user(member));
        let mut users = own.chain(others).collect::<Result<Vec<_>, _>>()?;
        users.sort();
        users.dedup();
        Ok(users)
    }

    /// Learns who these people are and which devices they have, and makes sure that nobody has
    /// become somebody else. Gives when it has looked, and how often anything had changed by then.
    async fn meet(
        &self,
        carrier: &impl Carrier,
        users: &[OwnedUserId],
    ) -> Result<(u64, u64), Error> {
        self.0.olm.update_tracked_users(users.iter().map(AsRef::as_ref)).await?;
        self.flush(carrier).await?;
        let looked = (now_ms(), self.stirs());
        let changed = self.changed_among(users).await?;
        if changed.is_empty() { Ok(looked) } else { Err(Error::IdentityChanged(changed)) }
    }

    async fn share(
        &self,
        carrier: &impl Carrier,
        session_id: &str,
        users: &[OwnedUserId],
        settings: &Settings,
    ) -> Result<(), Error> {
        let _one_at_a_time = self.road().lock().await;
        let olm = &self.0.olm;
        let claim = olm.get_missing_sessions(users.iter().map(AsRef::as_ref)).await?;
        if let Some((id, claim)) = claim {
            self.carry_now(carrier, &Request::claim(&id, &claim)).await?;
        }
        let settings = EncryptionSettings {
            algorithm: EventEncryptionAlgorithm::MegolmV1AesSha2,
            rotation_period: Duration::from_millis(settings.rotation_period_ms),
            rotation_period_msgs: settings.rotation_period_msgs,
            history_visibility: HistoryVisibility::Joined,
            sharing_strategy: match settings.verified_only {
                true => CollectStrategy::OnlyTrustedDevices,
                false => CollectStrategy::IdentityBasedStrategy,
            },
        };
        let room = self.account().room(session_id)?;
        let recipients = users.iter().map(AsRef::as_ref);
        for request in olm.share_room_key(&room, recipients, settings).await? {
            let _: Value = self.carry_now(carrier, &Request::to_device(&request)).await?;
        }
        Ok(())
    }
}
