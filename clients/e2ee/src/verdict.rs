//! What may be believed of a message, in words that are true.
//!
//! Owns the words. Refuses to soften them: what is not proven is not called so.

use serde::{Deserialize, Serialize};

/// What is known of who wrote a message that was opened; the later, the less is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The device is signed by its owner, whom the reader has verified.
    Verified,
    /// The device is signed by the identity that was there when the reader met its owner first.
    FirstSeen,
    /// The device is signed, but by another identity than the one that was known, and nobody has
    /// looked yet.
    IdentityChanged,
    /// The key came out of the backup: what it opens was in the history, but who wrote it is the
    /// server's word.
    FromBackup,
}

impl Verdict {
    /// Whether a warning belongs beside the message.
    pub fn warns(self) -> bool {
        matches!(self, Self::IdentityChanged | Self::FromBackup)
    }

    /// What to say of it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Verified => "encrypted by a person whom you verified",
            Self::FirstSeen => "encrypted by a person whom you have not verified",
            Self::IdentityChanged => "the identity of this person changed: verify it",
            Self::FromBackup => "from your key backup: who wrote it cannot be proven",
        }
    }
}

/// Why a message was not opened although its key is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distrust {
    /// The sender was verified, and has another identity now.
    IdentityChanged,
    /// The sender's identity has not signed the device that wrote it.
    UnsignedDevice,
    /// The device that wrote it is not known.
    UnknownDevice,
    /// The server says that another person wrote it than the one whose device did.
    AnotherSender,
}

impl Distrust {
    /// What to say of it.
    pub fn words(self) -> &'static str {
        match self {
            Self::IdentityChanged => "the sender was verified, and has another identity now",
            Self::UnsignedDevice => "it comes from a device that its owner has not signed",
            Self::UnknownDevice => "it comes from a device that is not known",
            Self::AnotherSender => "it was not written by the person that the server names",
        }
    }
}
