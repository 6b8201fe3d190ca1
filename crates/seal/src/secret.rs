//! Thirty-two bytes that nobody can guess.

use std::fmt;

use zeroize::Zeroizing;

/// A key. It is overwritten in memory when it is dropped, and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// A new one, from the system's source of randomness.
    ///
    /// # Errors
    /// Those of the source: a machine that has none cannot keep secrets.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut())?;
        Ok(Self(bytes))
    }

    /// One that was kept.
    pub fn of(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes, to be kept.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Another one that follows from it and from `parts`, one after the other, and tells nothing of
    /// it: BLAKE3's keyed hash.
    pub(crate) fn derive(&self, parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            hasher.update(part);
        }
        Self::of(*hasher.finalize().as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
