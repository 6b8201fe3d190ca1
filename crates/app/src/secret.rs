//! What must not be shown: the server's secret, passwords, tokens. None of these types prints
//! what it holds.

use std::fmt;

/// The server's secret: every key is derived from it, each for one purpose.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Bytes a secret has at least.
    pub const BYTES_MIN: usize = 32;

    /// Takes a secret; `None` when it is too short to be one.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= Self::BYTES_MIN).then_some(Self(bytes))
    }

    /// The key for one purpose, which is named by a constant that is used nowhere else.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A text that is not for logs: a password, a token, a code.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whom it is meant.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::new(vec![7; 32]).unwrap();
        assert_eq!(format!("{secret:?} {:?}", Hidden::new("hunter2")), "*** ***");
    }

    #[test]
    fn keys_for_different_purposes_differ_and_short_secrets_are_none() {
        let secret = Secret::new(vec![7; 32]).unwrap();
        assert_ne!(secret.derive("a"), secret.derive("b"));
        assert!(Secret::new(vec![7; 31]).is_none());
    }
}
