//! A key for each second since 1970, of which those that are over cannot be had any more.
//!
//! They are the leaves of a tree: each node is a secret from which its two children follow by a
//! keyed hash, and no node follows from its children (Goldreich, Goldwasser and Micali, "How to
//! Construct Random Functions", J. ACM 33(4), 1986). Kept are the highest nodes that have nothing
//! below them but what is to come: 32 of them at most, whatever was sealed (a puncturable
//! pseudorandom function, as in Boneh and Waters, ASIACRYPT 2013, punctured from one end).

use std::fmt;

use crate::Secret;

/// Seconds since 1970 have this many bits: they end in 2106.
const DEPTH: u8 = 32;

/// A node: the key of the seconds whose upper bits are `index`, all but the lowest `height`.
#[derive(Clone, PartialEq, Eq)]
struct Node {
    height: u8,
    index: u64,
    secret: Secret,
}

/// Bytes of a node as it is kept: its height, its index, its secret.
const NODE_BYTES: usize = 1 + 4 + 32;

/// The keys of the seconds that are still to come.
#[derive(Clone, PartialEq, Eq)]
pub struct TimeKeys(Vec<Node>);

/// What was kept is no such keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys of the seconds to come cannot be read")
    }
}

impl std::error::Error for Damaged {}

impl TimeKeys {
    /// The keys of all seconds.
    pub fn new(root: Secret) -> Self {
        Self(vec![Node { height: DEPTH, index: 0, secret: root }])
    }

    /// Throws the keys of all seconds before this one away, and says whether there were any.
    pub fn advance(&mut self, second: u32) -> bool {
        let second = u64::from(second);
        let mut changed = false;
        // The first node is that of the earliest seconds.
        while let Some(first) = self.0.first() {
            let (begins, ends) = (first.begins(), first.ends());
            if begins >= second {
                break;
            }
            changed = true;
            let node = self.0.remove(0);
            if ends > second {
                self.0.splice(0..0, node.children());
            }
        }
        changed
    }

    /// The first second whose key is here; `None` when there is none left.
    pub fn begins(&self) -> Option<u32> {
        self.0.first().and_then(|first| u32::try_from(first.begins()).ok())
    }

    /// The key of a second; `None` when it is over.
    pub fn key(&self, second: u32) -> Option<Secret> {
        let second = u64::from(second);
        let above = |node: &&Node| (node.begins()..node.ends()).contains(&second);
        let node = self.0.iter().find(above)?;
        let bits = (0..node.height).rev().map(|bit| (second >> bit) & 1 == 1);
        Some(bits.fold(node.secret.clone(), |secret, right| child(&secret, right)))
    }

    /// The keys as bytes, to be kept where nothing copies them: 37 for each of up to 32 nodes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * NODE_BYTES);
        for node in &self.0 {
            bytes.push(node.height);
            // An index of a node below the root has fewer than 32 bits, and that of the root none.
            bytes.extend_from_slice(&u32::try_from(node.index).unwrap_or(0).to_be_bytes());
            bytes.extend_from_slice(node.secret.bytes());
        }
        bytes
    }

    /// The keys again.
    ///
    /// # Errors
    /// [`Damaged`] for what [`Self::to_bytes`] never says.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Damaged> {
        let (nodes, rest) = bytes.as_chunks::<NODE_BYTES>();
        let nodes: Vec<Node> = nodes.iter().filter_map(Node::read).collect();
        let whole = rest.is_empty() && nodes.len() * NODE_BYTES == bytes.len();
        let joined = nodes.windows(2).all(|two| two[0].ends() == two[1].begins());
        let last = nodes.last().is_none_or(|last| last.ends() == 1 << DEPTH);
        (whole && joined && last).then_some(Self(nodes)).ok_or(Damaged)
    }
}

impl fmt::Debug for TimeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeKeys").field("begins", &self.begins()).finish_non_exhaustive()
    }
}

impl Node {
    /// The first second below it.
    fn begins(&self) -> u64 {
        self.index << self.height
    }

    /// The first second after those below it.
    fn ends(&self) -> u64 {
        (self.index + 1) << self.height
    }

    fn children(&self) -> impl Iterator<Item = Self> + use<> {
        let height = self.height.checked_sub(1);
        let both = [false, true].map(|right| (right, child(&self.secret, right)));
        let index = self.index << 1;
        both.into_iter().filter_map(move |(right, secret)| {
            Some(Self { height: height?, index: index | u64::from(right), secret })
        })
    }

    fn read(bytes: &[u8; NODE_BYTES]) -> Option<Self> {
        let (height, index) = (bytes[0], bytes[1..5].try_into().ok()?);
        let (index, secret) = (u64::from(u32::from_be_bytes(index)), bytes[5..].try_into().ok()?);
        let node = Self { height, index, secret: Secret::of(secret) };
        (height <= DEPTH && node.ends() <= 1 << DEPTH).then_some(node)
    }
}

fn child(secret: &Secret, right: bool) -> Secret {
    secret.derive(&[b"parlor time keys 1", &[u8::from(right)]])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fresh() -> TimeKeys {
        TimeKeys::new(Secret::of([7; 32]))
    }

    proptest! {
        #[test]
        fn what_is_over_has_no_key_and_what_is_to_come_has_the_one_it_had(
            mut steps in proptest::collection::vec(any::<u32>(), 1..6),
            near in proptest::collection::vec(0_u32..4_000, 1..20),
        ) {
            steps.sort_unstable();
            let (all, mut keys) = (fresh(), fresh());
            for step in steps {
                keys.advance(step);
                prop_assert!(keys.0.len() <= usize::from(DEPTH));
                prop_assert_eq!(keys.begins(), Some(step));
                for by in &near {
                    if let Some(before) = step.checked_sub(by + 1) {
                        prop_assert_eq!(keys.key(before), None);
                    }
                    let after = step.saturating_add(*by);
                    prop_assert_eq!(keys.key(after), all.key(after));
                }
                let again = TimeKeys::from_bytes(&keys.to_bytes());
                prop_assert_eq!(again.as_ref(), Ok(&keys));
            }
        }

        #[test]
        fn bytes_that_are_no_keys_are_refused_or_read_as_they_are(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            if let Ok(keys) = TimeKeys::from_bytes(&bytes) {
                prop_assert_eq!(keys.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn each_second_has_a_key_of_its_own() {
        let keys = fresh();
        let seconds = [0, 1, 2, 1 << 31, u32::MAX - 1, u32::MAX];
        let found: Vec<_> = seconds.iter().filter_map(|second| keys.key(*second)).collect();
        assert_eq!(found.len(), seconds.len());
        for (n, one) in found.iter().enumerate() {
            assert!(found[n + 1..].iter().all(|other| one != other));
        }
    }

    #[test]
    fn time_goes_forward_only() {
        let mut keys = fresh();
        assert!(keys.advance(1_000));
        assert!(!keys.advance(1_000) && !keys.advance(10));
        assert_eq!(keys.begins(), Some(1_000));
        assert!(keys.advance(u32::MAX));
        assert!(keys.key(u32::MAX).is_some() && keys.key(u32::MAX - 1).is_none());
    }

    #[test]
    fn a_hole_in_what_was_kept_is_damage() {
        let mut keys = fresh();
        keys.advance(12_345);
        let bytes = keys.to_bytes();
        let shorter = [&bytes[..NODE_BYTES], &bytes[2 * NODE_BYTES..]].concat();
        for bad in [&shorter[..], &bytes[..bytes.len() - NODE_BYTES], &bytes[..bytes.len() - 1]] {
            assert_eq!(TimeKeys::from_bytes(bad), Err(Damaged));
        }
    }
}
