//! A text under its key: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03). The nonce is a keyed hash
//! of the text and of what it is sealed for, so that there are two of the same only where both are
//! (Rogaway and Shrimpton, "A Provable-Security Treatment of the Key-Wrap Problem", EUROCRYPT
//! 2006); it takes nothing of the system's randomness.
//!
//! As bytes: a version (1), four bytes of the second in which it is to be gone, highest first, or
//! zeros when its session alone says when; twenty-four bytes of the nonce; then the ciphertext and
//! its tag. What stands before the nonce, and the id that it is sealed for, are authenticated.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::Secret;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 4;
const NONCE_BYTES: usize = 24;

/// What a text is sealed under.
#[derive(Debug, Clone)]
pub struct Key {
    cipher: Secret,
    nonce: Secret,
    until: u32,
}

impl Key {
    /// That of a session, as long as there is its secret.
    pub fn of_session(session: &Secret) -> Self {
        Self::of(&session.derive(&[b"parlor text of a session 1"]), 0)
    }

    /// That of a session and a second (seconds since 1970, not 0) together: it is gone as soon as
    /// either is.
    pub fn of_second(session: &Secret, until: u32, second: &Secret) -> Self {
        Self::of(&session.derive(&[b"parlor text of a second 1", second.bytes()]), until)
    }

    fn of(secret: &Secret, until: u32) -> Self {
        let (cipher, nonce) = (secret.derive(&[b"cipher"]), secret.derive(&[b"nonce"]));
        Self { cipher, nonce, until }
    }
}

/// Seals a text for whatever has this id: it opens nowhere else. The same text for the same id is
/// the same when it is sealed again.
///
/// # Panics
/// For a text of 256 GiB, which the cipher does not take.
pub fn seal(key: &Key, id: &[u8; 16], text: &str) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(HEAD_BYTES + NONCE_BYTES + text.len() + 16);
    sealed.push(VERSION);
    sealed.extend_from_slice(&key.until.to_be_bytes());
    let aad = [&sealed[..], id].concat();
    let hash = key.nonce.derive(&[&aad, text.as_bytes()]);
    let (nonce, _) = hash.bytes().split_first_chunk::<NONCE_BYTES>().expect("it is longer");
    sealed.extend_from_slice(nonce);
    let cipher = XChaCha20Poly1305::new(key.cipher.bytes().into());
    let payload = Payload { msg: text.as_bytes(), aad: &aad };
    sealed.extend(cipher.encrypt(&XNonce::from(*nonce), payload).expect("it is not too long"));
    sealed
}

/// The second (since 1970) in which a sealed text is to be gone; `Some(0)`: its session says when.
/// `None` for what is nothing sealed.
pub fn until(sealed: &[u8]) -> Option<u32> {
    let (head, _) = sealed.split_first_chunk::<HEAD_BYTES>()?;
    let [VERSION, until @ ..] = head else { return None };
    Some(u32::from_be_bytes(*until))
}

/// Opens a text; `None` when the key is another one, it was sealed for another id, or is damaged.
pub fn open(key: &Key, id: &[u8; 16], sealed: &[u8]) -> Option<String> {
    let (head, rest) = sealed.split_first_chunk::<HEAD_BYTES>()?;
    let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>()?;
    let aad = [&head[..], id].concat();
    let cipher = XChaCha20Poly1305::new(key.cipher.bytes().into());
    let text = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: &aad }).ok()?;
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 16] = [3; 16];

    fn keys() -> [Key; 4] {
        let (one, other) = (Secret::of([1; 32]), Secret::of([2; 32]));
        let second = Secret::of([9; 32]);
        [
            Key::of_session(&one),
            Key::of_session(&other),
            Key::of_second(&one, 77, &second),
            Key::of_second(&other, 77, &second),
        ]
    }

    #[test]
    fn a_text_opens_under_its_key_alone() {
        for (n, key) in keys().iter().enumerate() {
            let sealed = seal(key, &ID, "hello");
            assert!(!sealed.windows(5).any(|window| window == b"hello"));
            assert_eq!(until(&sealed), Some(key.until));
            for (m, other) in keys().iter().enumerate() {
                let opened = open(other, &ID, &sealed);
                assert_eq!(opened.as_deref(), (n == m).then_some("hello"));
            }
            let other = seal(key, &ID, "hullo");
            assert_ne!(sealed[5..29], other[5..29], "each text has a nonce of its own");
            assert_ne!(sealed[5..29], seal(key, &[4; 16], "hello")[5..29]);
        }
    }

    #[test]
    fn what_was_changed_or_put_elsewhere_does_not_open() {
        let [key, ..] = keys();
        let sealed = seal(&key, &ID, "");
        assert_eq!(open(&key, &ID, &sealed).as_deref(), Some(""));
        assert_eq!(open(&key, &[4; 16], &sealed), None);
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert_eq!(open(&key, &ID, &bad), None, "byte {at}");
            assert_eq!(open(&key, &ID, &sealed[..at]), None);
        }
        assert_eq!(until(&[]), None);
        assert_eq!(until(&[2, 0, 0, 0, 0]), None);
    }
}
