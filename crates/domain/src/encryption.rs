//! Encrypted sessions: how one is encrypted, and who may say what in it.
//!
//! What is said is encrypted on the senders' devices for those of the members; here it is a text
//! that means nothing. Encryption is chosen when a session is made and never taken away.

use crate::{Denied, File, Limits, RoomKind, View};

/// How what is said in a session is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Sender keys in the manner of Signal's groups, handed over by Olm's double ratchet:
    /// `m.megolm.v1.aes-sha2` of Matrix. Names that begin with `mls10.` are kept for MLS
    /// (RFC 9420).
    Megolm,
}

impl Algorithm {
    /// The name on the wire and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Megolm => "m.megolm.v1.aes-sha2",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Megolm].into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// How a session is encrypted: as its maker chose it, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encryption {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// After how many milliseconds a sender takes a new key.
    pub rotation_period_ms: i64,
    /// After how many messages a sender takes a new key.
    pub rotation_period_msgs: i64,
    /// Whether senders give keys to those only whom they have verified. It is up to their clients:
    /// nobody else knows whom they have.
    pub verified_only: bool,
}

/// How long a sender's key lasts unless somebody chooses otherwise, and at least and at most.
const PERIOD_MS: [i64; 3] = [7 * 24 * 3_600_000, 3_600_000, 30 * 24 * 3_600_000];

/// For how many messages it lasts, in the same order.
const PERIOD_MSGS: [i64; 3] = [100, 1, 10_000];

impl Encryption {
    /// Reads what somebody who makes a session asks for.
    ///
    /// # Errors
    /// [`Denied::Invalid`] for an algorithm that there is not, or a period out of its bounds: an
    /// hour to thirty days, 1 to 10,000 messages.
    pub fn read(
        algorithm: &str,
        period_ms: Option<i64>,
        period_msgs: Option<i64>,
        verified_only: bool,
    ) -> Result<Self, Denied> {
        let within = |value: Option<i64>, [usual, least, most]: [i64; 3], reason| {
            let value = value.unwrap_or(usual);
            (least..=most).contains(&value).then_some(value).ok_or(Denied::invalid(FIELD, reason))
        };
        let algorithm = Algorithm::parse(algorithm);
        Ok(Self {
            algorithm: algorithm.ok_or(Denied::invalid(FIELD, "unknown algorithm"))?,
            rotation_period_ms: within(period_ms, PERIOD_MS, "a key lasts an hour to thirty days")?,
            rotation_period_msgs: within(
                period_msgs,
                PERIOD_MSGS,
                "a key lasts for 1 to 10,000 messages",
            )?,
            verified_only,
        })
    }
}

const FIELD: &str = "encryption";

/// Decides about the encryption of a new room's main session: those of rooms that anybody can enter
/// are plain, so that other systems' clients can take part.
///
/// # Errors
/// [`Denied::Invalid`] for such a room.
pub fn of_room(kind: RoomKind, encryption: Option<Encryption>) -> Result<(), Denied> {
    match encryption {
        Some(_) if kind.is_open() => {
            Err(Denied::invalid(FIELD, "only private and direct rooms can be encrypted"))
        }
        _ => Ok(()),
    }
}

/// Decides whether people may come into a session that then has so many devices with keys; `None`:
/// it is not encrypted. Who is in it may sign in by further ones all the same.
///
/// # Errors
/// [`Denied::Conflict`] when every new key would have to be sent to too many.
pub fn admit_devices(devices: Option<u64>, limits: &Limits) -> Result<(), Denied> {
    match devices {
        Some(devices) if devices > limits.session_devices_max => {
            Err(Denied::Conflict("they have more devices than an encrypted session takes"))
        }
        _ => Ok(()),
    }
}

impl View {
    /// Decides about the form of something that is to be said here: `encrypted_for` is the
    /// membership that it was encrypted for, `None` for plain text.
    ///
    /// # Errors
    /// [`Denied::SessionEncrypted`] for plain text in an encrypted session,
    /// [`Denied::StaleMembership`] when somebody came or went since it was encrypted,
    /// [`Denied::Invalid`] for ciphertext in a plain one.
    pub fn admit_form(&self, encrypted_for: Option<i64>) -> Result<(), Denied> {
        match (self.encryption, encrypted_for) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Denied::invalid("encrypted", "the session is not encrypted")),
            (Some(_), None) => Err(Denied::SessionEncrypted),
            (Some(_), Some(version)) if version == self.membership_version => Ok(()),
            (Some(_), Some(_)) => Err(Denied::StaleMembership),
        }
    }

    /// Decides about something in words that the server could read: reactions, drafts, files as
    /// they are.
    ///
    /// # Errors
    /// [`Denied::SessionEncrypted`] in an encrypted session.
    pub fn admit_plain(&self) -> Result<(), Denied> {
        self.encryption.map_or(Ok(()), |_| Err(Denied::SessionEncrypted))
    }

    /// Decides about the files of something that is to be said here.
    ///
    /// # Errors
    /// [`Denied::SessionEncrypted`] when one is not encrypted in an encrypted session.
    pub fn admit_file_forms(&self, files: &[File]) -> Result<(), Denied> {
        if files.iter().all(|file| file.encrypted) { Ok(()) } else { self.admit_plain() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_is_named_and_others_are_refused() {
        let read = |name| Encryption::read(name, None, None, false);
        let usual = read("m.megolm.v1.aes-sha2").unwrap();
        assert_eq!((usual.rotation_period_ms, usual.rotation_period_msgs), (604_800_000, 100));
        for bad in ["", "m.megolm.v2", "mls10.anything", "none"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_lasts_neither_for_nothing_nor_for_ever() {
        let read = |ms, msgs| Encryption::read(Algorithm::Megolm.as_str(), ms, msgs, false);
        assert!(read(Some(3_600_000), Some(1)).is_ok());
        for (ms, msgs) in [(Some(3_599_999), None), (Some(i64::MAX), None), (None, Some(0))] {
            assert!(read(ms, msgs).is_err(), "{ms:?} {msgs:?}");
        }
    }

    #[test]
    fn only_rooms_that_are_not_open_can_be_encrypted() {
        let encryption = Encryption::read(Algorithm::Megolm.as_str(), None, None, false).ok();
        assert!(of_room(RoomKind::Private, encryption).is_ok());
        assert!(of_room(RoomKind::Direct, encryption).is_ok());
        assert!(of_room(RoomKind::Public, encryption).is_err());
        assert!(of_room(RoomKind::Unlisted, encryption).is_err());
        assert!(of_room(RoomKind::Public, None).is_ok());
    }
}
