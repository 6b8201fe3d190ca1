//! Why the machine did not do something.

use matrix_sdk_crypto::{
    CryptoStoreError, MegolmError, OlmError, SessionRecipientCollectionError, SetRoomSettingsError,
};

use crate::{CarryError, CodeError, PayloadError};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A request was not carried.
    #[error(transparent)]
    Carry(#[from] CarryError),
    /// The passphrase does not open the store.
    #[error("open the key store: the passphrase is wrong")]
    Passphrase,
    /// The store belongs to another login.
    #[error("open the key store: it belongs to another device")]
    OtherDevice,
    /// The store failed.
    #[error("use the key store: {0}")]
    Store(String),
    /// Something that came from the server is not what it should be.
    #[error("understand what the server says: {0} is malformed")]
    Malformed(String),
    /// These people's identities are not the ones that were known: look, then accept or verify.
    #[error("the identity of {} changed", .0.join(", "))]
    IdentityChanged(Vec<String>),
    /// This account has no identity yet: set one up.
    #[error("encryption is not set up for this account")]
    NotSetUp,
    /// The account has an identity already: verify this device, or recover.
    #[error("encryption is set up for this account already")]
    AlreadySetUp,
    /// The identity has not signed this device yet: verify it, or recover.
    #[error("this device is not verified")]
    DeviceUnverified,
    /// The session was encrypted otherwise before; it is never encrypted less.
    #[error("the server says that the encryption of this session was changed")]
    Downgrade,
    /// There is no such device, person or verification.
    #[error("find {0}")]
    Unknown(&'static str),
    /// A code was not shown or not taken; the verification goes on.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// What was to be said cannot be written.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The recovery key is not the one.
    #[error("the recovery key is wrong")]
    RecoveryKey,
    /// There is nothing to recover from.
    #[error("recovery was never set up")]
    NoRecovery,
    /// The library refused; the text says why.
    #[error("encrypt: {0}")]
    Library(String),
}

impl Error {
    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }

    pub(crate) fn library(error: impl std::fmt::Display) -> Self {
        Self::Library(error.to_string())
    }

    /// Whether the same may succeed later without anybody doing anything.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Carry(error) if error.temporary)
    }
}

impl From<CryptoStoreError> for Error {
    fn from(error: CryptoStoreError) -> Self {
        match error {
            CryptoStoreError::MismatchedAccount { .. } => Self::OtherDevice,
            other => Self::Store(other.to_string()),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<OlmError> for Error {
    fn from(error: OlmError) -> Self {
        use SessionRecipientCollectionError as Refused;
        match error {
            OlmError::SessionRecipientCollectionError(refused) => match refused {
                Refused::VerifiedUserChangedIdentity(users) => Self::IdentityChanged(
                    users.iter().map(|user| user.localpart().to_owned()).collect(),
                ),
                Refused::CrossSigningNotSetup => Self::NotSetUp,
                Refused::SendingFromUnverifiedDevice => Self::DeviceUnverified,
                other => Self::library(other),
            },
            OlmError::Store(error) => error.into(),
            other => Self::library(other),
        }
    }
}

impl From<MegolmError> for Error {
    fn from(error: MegolmError) -> Self {
        match error {
            MegolmError::Store(error) => error.into(),
            other => Self::library(other),
        }
    }
}

impl From<SetRoomSettingsError> for Error {
    fn from(error: SetRoomSettingsError) -> Self {
        match error {
            SetRoomSettingsError::EncryptionDowngrade => Self::Downgrade,
            SetRoomSettingsError::InvalidSettings => Self::malformed("the session's encryption"),
            SetRoomSettingsError::Store(error) => error.into(),
        }
    }
}
