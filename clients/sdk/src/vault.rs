//! What stands on the disk, so that nobody reads it without the passphrase.
//!
//! Owns the key of the cache, which is itself kept under the passphrase. Refuses to open with
//! another one. Without a passphrase it writes as it is, and then nothing of an encrypted session
//! is kept.

use matrix_sdk_store_encryption::StoreCipher;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// The cipher of one cache.
pub(crate) enum Vault {
    /// Nothing is hidden.
    Plain,
    /// Everything is.
    Sealed(Box<StoreCipher>),
}

impl Vault {
    /// A new key, and how it is kept under the passphrase.
    pub(crate) fn make(passphrase: &str) -> Result<(Self, Vec<u8>), Error> {
        let cipher = StoreCipher::new().map_err(Error::malformed)?;
        let kept = cipher.export(passphrase).map_err(Error::malformed)?;
        Ok((Self::Sealed(Box::new(cipher)), kept))
    }

    /// The key that is kept.
    pub(crate) fn open(passphrase: &str, kept: &[u8]) -> Result<Self, Error> {
        let cipher = StoreCipher::import(passphrase, kept).map_err(|_| Error::Passphrase)?;
        Ok(Self::Sealed(Box::new(cipher)))
    }

    /// Writes a value.
    pub(crate) fn close<T: Serialize>(&self, value: &T) -> Result<Vec<u8>, Error> {
        match self {
            Self::Plain => Ok(serde_json::to_vec(value)?),
            Self::Sealed(cipher) => cipher.encrypt_value(value).map_err(Error::malformed),
        }
    }

    /// Reads a value.
    pub(crate) fn read<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, Error> {
        match self {
            Self::Plain => Ok(serde_json::from_slice(bytes)?),
            Self::Sealed(cipher) => cipher.decrypt_value(bytes).map_err(|_| Error::Passphrase),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_shows_nothing_and_opens_only_by_its_passphrase() {
        let (vault, kept) = Vault::make("right").unwrap();
        let closed = vault.close(&"a secret word").unwrap();
        assert!(!String::from_utf8_lossy(&closed).contains("secret"));
        let again = Vault::open("right", &kept).unwrap();
        assert_eq!(again.read::<String>(&closed).unwrap(), "a secret word");
        assert!(matches!(Vault::open("wrong", &kept), Err(Error::Passphrase)));
    }
}
