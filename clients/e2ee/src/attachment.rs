//! Files, encrypted before they leave the device and opened after they came.
//!
//! Owns the key that travels inside the message. Refuses a file that is not the one that was sent:
//! its hash is in the message, and the server cannot change that.

use std::io::{self, Read, Write};

use matrix_sdk_crypto::{AttachmentDecryptor, AttachmentEncryptor, MediaEncryptionInfo};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a file is opened. It is a secret: it belongs inside a [`crate::Payload`] and nowhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileKey(Value);

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKey(***)")
    }
}

/// Why a file cannot be encrypted or opened.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// Reading or writing failed.
    #[error("read or write the file: {0}")]
    Io(#[from] io::Error),
    /// The key is not one.
    #[error("open the file: its key is malformed: {0}")]
    Key(String),
    /// It is not the file that was sent.
    #[error("open the file: it was changed on its way")]
    Tampered,
}

/// Encrypts what is read and writes the ciphertext; a fresh key each time.
///
/// # Errors
/// [`AttachmentError::Io`].
pub fn seal(from: &mut impl Read, to: &mut impl Write) -> Result<FileKey, AttachmentError> {
    let mut sealing = AttachmentEncryptor::new(from);
    io::copy(&mut sealing, to)?;
    let key = serde_json::to_value(sealing.finish());
    Ok(FileKey(key.map_err(|error| AttachmentError::Key(error.to_string()))?))
}

/// Opens what is read and writes the file. Whether it is the right one is known only at its end:
/// after an error, what was written is to be thrown away.
///
/// # Errors
/// [`AttachmentError`]; `Tampered` when the hash is not the one in the key.
pub fn open(
    key: &FileKey,
    from: &mut impl Read,
    to: &mut impl Write,
) -> Result<(), AttachmentError> {
    let malformed = |error: &dyn std::fmt::Display| AttachmentError::Key(error.to_string());
    let key: MediaEncryptionInfo =
        serde_json::from_value(key.0.clone()).map_err(|error| malformed(&error))?;
    let mut source = Source { from, failed: false };
    let mut opening =
        AttachmentDecryptor::new(&mut source, key).map_err(|error| malformed(&error))?;
    let mut piece = [0; 16 * 1024];
    loop {
        match opening.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => to.write_all(&piece[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                drop(opening);
                let source_failed = source.failed;
                return Err(if source_failed { error.into() } else { AttachmentError::Tampered });
            }
        }
    }
}

/// Opens a file that is wholly in memory: nothing comes out unless it is the right one.
///
/// # Errors
/// [`AttachmentError`].
pub fn open_bytes(key: &FileKey, mut ciphertext: &[u8]) -> Result<Vec<u8>, AttachmentError> {
    let mut plain = Vec::with_capacity(ciphertext.len());
    open(key, &mut ciphertext, &mut plain)?;
    Ok(plain)
}

/// Remembers whether the failure was the source's own, since a wrong hash is told as one, too.
struct Source<'a, R> {
    from: &'a mut R,
    failed: bool,
}

impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.from.read(to).inspect_err(|_| self.failed = true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(plain: &[u8]) -> (FileKey, Vec<u8>) {
        let mut ciphertext = Vec::new();
        let key = seal(&mut &*plain, &mut ciphertext).unwrap();
        (key, ciphertext)
    }

    #[test]
    fn a_file_comes_back_as_it_was_and_looks_like_nothing_in_between() {
        let plain: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
        let (key, ciphertext) = sealed(&plain);
        assert_eq!(ciphertext.len(), plain.len());
        assert_ne!(ciphertext, plain);
        let travelled: FileKey =
            serde_json::from_str(&serde_json::to_string(&key).unwrap()).unwrap();
        assert_eq!(open_bytes(&travelled, &ciphertext).unwrap(), plain);
    }

    #[test]
    fn the_same_file_twice_has_two_keys() {
        let (one, ciphertext) = sealed(b"twice");
        let (two, other) = sealed(b"twice");
        assert_ne!(one, two);
        assert_ne!(ciphertext, other);
    }

    #[test]
    fn a_changed_shortened_or_lengthened_file_is_refused() {
        let (key, ciphertext) = sealed(b"some words that matter");
        let mut changed = ciphertext.clone();
        changed[3] ^= 1;
        let mut longer = ciphertext.clone();
        longer.push(0);
        for bad in [changed, longer, ciphertext[..5].to_vec(), Vec::new()] {
            assert!(matches!(open_bytes(&key, &bad), Err(AttachmentError::Tampered)));
        }
        let (other, _) = sealed(b"another");
        assert!(matches!(open_bytes(&other, &ciphertext), Err(AttachmentError::Tampered)));
    }

    #[test]
    fn a_source_that_fails_is_not_called_tampered() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let (key, _) = sealed(b"x");
        let refused = open(&key, &mut Broken, &mut Vec::new());
        assert!(matches!(refused, Err(AttachmentError::Io(_))));
    }
}
