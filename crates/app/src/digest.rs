//! Keyed digests of requests, by which a repeated request is told from another one with its id.

use parlor_domain::ending::AskedEnding;
use parlor_domain::{Encryption, Rules, Ttl};
use uuid::Uuid;

use crate::Secret;

/// Makes digests that nobody without the key can compute from a guessed text.
pub(crate) struct Digests([u8; 32]);

impl Digests {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self(secret.derive("parlor v1 request digest"))
    }

    /// The digest of one kind of request with these parts.
    pub(crate) fn of(&self, kind: &str, parts: &[&[u8]]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in [kind.as_bytes()].iter().chain(parts) {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        digest
    }
}

/// How something is encrypted, as one part; nothing when it is not.
pub(crate) fn encryption(encryption: Option<Encryption>) -> Vec<u8> {
    let Some(encryption) = encryption else {
        return vec![];
    };
    let Encryption { algorithm, rotation_period_ms, rotation_period_msgs, verified_only } =
        encryption;
    let mut part = algorithm.as_str().as_bytes().to_vec();
    part.extend(rotation_period_ms.to_le_bytes());
    part.extend(rotation_period_msgs.to_le_bytes());
    // Without it, it is what it was before there was this choice.
    part.extend(verified_only.then_some(1));
    part
}

/// How something ends, as one part.
pub(crate) fn ending(asked: AskedEnding) -> Vec<u8> {
    let AskedEnding { at, silence_s, read_only_s } = asked;
    let parts = [at.map(|at| at.0), silence_s, read_only_s];
    parts.into_iter().flat_map(|part| part.unwrap_or(0).to_le_bytes()).collect()
}

/// What a room lays down, as one part.
pub(crate) fn rules(rules: &Rules) -> Vec<u8> {
    let lives = [rules.message_ttl, rules.retention].map(|ttl| ttl.map_or(0, Ttl::seconds));
    let most = rules.sessions_max.map_or(0, u64::cast_signed);
    lives.into_iter().chain([most]).flat_map(i64::to_le_bytes).collect()
}

/// Many ids as one part.
pub(crate) fn ids(ids: impl IntoIterator<Item = Uuid>) -> Vec<u8> {
    ids.into_iter().flat_map(Uuid::into_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_the_key_the_kind_and_where_parts_end() {
        let one = Digests::new(&Secret::new(vec![1; 32]).unwrap());
        let two = Digests::new(&Secret::new(vec![2; 32]).unwrap());
        let base = one.of("room", &[b"ab", b"c"]);
        assert_eq!(base, one.of("room", &[b"ab", b"c"]));
        assert_ne!(base, one.of("room", &[b"a", b"bc"]));
        assert_ne!(base, one.of("session", &[b"ab", b"c"]));
        assert_ne!(base, two.of("room", &[b"ab", b"c"]));
    }
}
