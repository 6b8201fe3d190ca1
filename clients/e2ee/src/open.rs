//! Opening what arrives, and saying what may be believed of it.
//!
//! Owns the only way from ciphertext to text. Refuses whatever was not written by a device that its
//! owner has signed, what was moved to another session, and what was said before under another id.

use matrix_sdk_common::deserialized_responses::{
    DecryptedRoomEvent, DeviceLinkProblem, VerificationLevel, VerificationState,
};
use matrix_sdk_crypto::types::events::room::encrypted::EncryptedEvent;
use matrix_sdk_crypto::vodozemac::megolm::MegolmMessage;
use matrix_sdk_crypto::{DecryptionSettings, MegolmError, TrustRequirement};
use ruma::OwnedUserId;
use ruma::serde::Raw;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::{Distrust, Error, Machine, Payload, PayloadError, Sealed, Verdict, payload};

/// What every sender must be.
pub(crate) const TRUST: DecryptionSettings =
    DecryptionSettings { sender_device_trust_requirement: TrustRequirement::CrossSigned };

/// For keys out of one's own backup, of which the library knows no sender.
const HISTORY: DecryptionSettings =
    DecryptionSettings { sender_device_trust_requirement: TrustRequirement::Untrusted };

/// A ciphertext, and what the server says around it.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// The session that it stands in.
    pub session_id: &'a str,
    /// The message that it is.
    pub message_id: &'a str,
    /// Who is said to have sent it.
    pub sender_id: &'a str,
    /// The ciphertext.
    pub sealed: &'a Sealed,
}

/// What was inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// What was said.
    pub payload: Payload,
    /// What may be believed of it.
    pub verdict: Verdict,
    /// The device that wrote it, where that is known.
    pub device_id: Option<String>,
}

/// Why something stays locked.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key is not here (yet): try again when [`crate::Received::sessions`] names the session,
    /// or after a restore.
    #[error("the key is not here")]
    MissingKey,
    /// The key is here, and the sender is not to be believed. Of somebody whose devices were not
    /// looked up yet nobody is: after [`Machine::flush`] it may be otherwise.
    #[error("{}", .0.words())]
    NotTrusted(Distrust),
    /// It was said before, as another message.
    #[error("it was said before, as message {first}")]
    Replayed {
        /// The message that it was first.
        first: String,
    },
    /// It is no ciphertext of this session.
    #[error("it cannot be opened: {0}")]
    Damaged(String),
    /// It was opened, and is nothing that this client understands.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The machine itself failed.
    #[error(transparent)]
    Machine(#[from] Error),
}

impl OpenError {
    /// Whether it may open later.
    pub fn may_open_later(&self) -> bool {
        matches!(
            self,
            Self::MissingKey
                | Self::NotTrusted(Distrust::UnknownDevice | Distrust::UnsignedDevice)
                | Self::NotTrusted(Distrust::IdentityChanged)
                | Self::Machine(_)
        )
    }
}

/// The plaintext of Megolm.
#[derive(Deserialize)]
struct Plain {
    r#type: String,
    content: Box<RawValue>,
}

impl Machine {
    /// Opens a message. Opening the same message again gives the same again.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_message(&self, arrived: Arrived<'_>) -> Result<Opened, OpenError> {
        let sender = self.account().user(arrived.sender_id)?;
        let index = message_index(arrived.sealed)?;
        let (event, from_backup) = self.decrypt(&arrived, &sender).await?;
        let sealed = arrived.sealed;
        // Only what is authentic is noted: otherwise anybody could take a place before its message.
        let first = self.0.ledger.note(&sealed.session_id, index, arrived.message_id)?;
        if let Some(first) = first {
            return Err(OpenError::Replayed { first });
        }
        let payload = read(&event)?;
        let verdict =
            if from_backup { Verdict::FromBackup } else { self.verdict(&event, &sender).await? };
        let device_id = event.encryption_info.sender_device.as_ref().map(ToString::to_string);
        Ok(Opened { payload, verdict, device_id })
    }

    async fn decrypt(
        &self,
        arrived: &Arrived<'_>,
        sender: &OwnedUserId,
    ) -> Result<(DecryptedRoomEvent, bool), OpenError> {
        let event = encrypted_event(arrived, sender)?;
        let room = self.account().room(arrived.session_id)?;
        let olm = &self.0.olm;
        match olm.decrypt_room_event(&event, &room, &TRUST).await {
            Ok(opened) => Ok((opened, false)),
            Err(MegolmError::SenderIdentityNotTrusted(VerificationLevel::None(
                DeviceLinkProblem::InsecureSource,
            ))) => {
                let opened = olm.decrypt_room_event(&event, &room, &HISTORY).await;
                Ok((opened.map_err(refused)?, true))
            }
            Err(MegolmError::SenderIdentityNotTrusted(level)) => {
                // Whose devices are not looked up is never trusted; from now on they are.
                let who = std::iter::once(sender.as_ref());
                olm.update_tracked_users(who).await.map_err(Error::from)?;
                Err(OpenError::NotTrusted(distrust(&level)))
            }
            Err(error) => Err(refused(error)),
        }
    }

    async fn verdict(
        &self,
        event: &DecryptedRoomEvent,
        sender: &OwnedUserId,
    ) -> Result<Verdict, OpenError> {
        if event.encryption_info.verification_state == VerificationState::Verified {
            return Ok(Verdict::Verified);
        }
        let changed = self.changed_among(std::slice::from_ref(sender)).await?;
        Ok(if changed.is_empty() { Verdict::FirstSeen } else { Verdict::IdentityChanged })
    }
}

fn encrypted_event(
    arrived: &Arrived<'_>,
    sender: &OwnedUserId,
) -> Result<Raw<EncryptedEvent>, OpenError> {
    let event = json!({
        "type": "m.room.encrypted",
        "event_id": format!("${}", arrived.message_id),
        "sender": sender,
        // The server's time proves nothing; the sender's own is inside.
        "origin_server_ts": 0,
        "content": arrived.sealed,
    });
    let raw = Raw::new(&event).map_err(|error| OpenError::Damaged(error.to_string()))?;
    Ok(raw.cast_unchecked())
}

/// Which message of its key a ciphertext is; it is signed together with the rest.
pub(crate) fn message_index(sealed: &Sealed) -> Result<u32, OpenError> {
    let message = MegolmMessage::from_base64(&sealed.ciphertext);
    let message = message.map_err(|error| OpenError::Damaged(error.to_string()))?;
    Ok(message.message_index())
}

fn read(event: &DecryptedRoomEvent) -> Result<Payload, OpenError> {
    let plain: Plain = event
        .event
        .deserialize_as_unchecked()
        .map_err(|error| OpenError::Damaged(error.to_string()))?;
    if plain.r#type != payload::EVENT_TYPE {
        return Err(OpenError::Damaged("it is no message".to_owned()));
    }
    Ok(Payload::from_json(plain.content.get())?)
}

fn refused(error: MegolmError) -> OpenError {
    match error {
        MegolmError::MissingRoomKey(_) => OpenError::MissingKey,
        // The key begins after this message: what was said before one came stays closed.
        MegolmError::Decryption(
            matrix_sdk_crypto::vodozemac::megolm::DecryptionError::UnknownMessageIndex(..),
        ) => OpenError::MissingKey,
        MegolmError::SenderIdentityNotTrusted(level) => OpenError::NotTrusted(distrust(&level)),
        MegolmError::Store(error) => OpenError::Machine(error.into()),
        other => OpenError::Damaged(other.to_string()),
    }
}

fn distrust(level: &VerificationLevel) -> Distrust {
    match level {
        VerificationLevel::VerificationViolation => Distrust::IdentityChanged,
        VerificationLevel::UnsignedDevice => Distrust::UnsignedDevice,
        VerificationLevel::MismatchedSender => Distrust::AnotherSender,
        VerificationLevel::UnverifiedIdentity | VerificationLevel::None(_) => {
            Distrust::UnknownDevice
        }
    }
}
