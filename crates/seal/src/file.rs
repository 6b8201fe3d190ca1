//! The bytes of a file under a key of their own: the stream of XChaCha20
//! (draft-irtf-cfrg-xchacha-03), of which any stretch is had by itself.
//!
//! A key is for one sequence of bytes, so that its nonce is zeros. There is no tag: bytes that lie
//! somewhere go by their own hash. The key itself is kept as a text under the [`Key`] of whatever
//! carries the file, and so goes with it.
//!
//! [`Key`]: crate::Key

use chacha20::XChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _};

use crate::Secret;

/// What the text of a key begins with.
const VERSION: &str = "1 ";

/// The key of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileKey(Secret);

impl FileKey {
    /// A new one.
    ///
    /// # Errors
    /// As [`Secret::random`].
    pub fn random() -> Result<Self, getrandom::Error> {
        Secret::random().map(Self)
    }

    /// The key of the file's small picture.
    pub fn of_thumbnail(&self) -> Self {
        Self(self.0.derive(&[b"parlor small picture 1"]))
    }

    /// Encrypts bytes that begin at `at`, or decrypts them: it is the same.
    ///
    /// # Panics
    /// Behind 256 GiB, where the stream ends.
    pub fn apply(&self, at: u64, bytes: &mut [u8]) {
        let mut stream = XChaCha20::new(self.0.bytes().into(), &[0; 24].into());
        stream.seek(at);
        stream.apply_keystream(bytes);
    }

    /// The key and what its file is called, as a text.
    pub fn to_text(&self, name: &str) -> String {
        format!("{VERSION}{} {name}", blake3::Hash::from_bytes(*self.0.bytes()).to_hex())
    }

    /// A key and what its file is called, out of their text.
    pub fn of_text(text: &str) -> Option<(Self, &str)> {
        let (key, name) = text.strip_prefix(VERSION)?.split_once(' ')?;
        let key = blake3::Hash::from_hex(key).ok()?;
        Some((Self(Secret::of(*key.as_bytes())), name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stretch_of_a_file_is_decrypted_by_itself() {
        let key = FileKey(Secret::of([7; 32]));
        let plain: Vec<u8> = (0..1_000).map(|n| (n % 251) as u8).collect();
        let mut sealed = plain.clone();
        key.apply(0, &mut sealed);
        assert_ne!(sealed, plain);
        for (from, to) in [(0, 1_000), (1, 64), (63, 65), (500, 1_000), (999, 1_000), (7, 7)] {
            let mut some = sealed[from..to].to_vec();
            key.apply(from as u64, &mut some);
            assert_eq!(some, plain[from..to], "{from}..{to}");
        }
        let mut other = sealed.clone();
        key.of_thumbnail().apply(0, &mut other);
        assert_ne!(other, plain, "the small picture has a key of its own");
    }

    #[test]
    fn a_key_is_a_text_with_the_name_of_its_file() {
        let key = FileKey::random().unwrap();
        for name in ["a cat.jpg", "", "1 2", "ä\u{1f408}"] {
            let text = key.to_text(name);
            assert_eq!(FileKey::of_text(&text), Some((key.clone(), name)));
        }
        for bad in ["", "1 ", "1 00 x", "2 ", "words"] {
            assert_eq!(FileKey::of_text(bad), None, "{bad}");
        }
    }
}
