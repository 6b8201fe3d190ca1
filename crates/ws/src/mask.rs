//! The client's masking key. Owns undoing it, eight bytes at a time, across pieces of one frame;
//! refuses nothing, since any four bytes are a key.

/// A masking key, turned so that its first byte belongs to the next payload byte.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask([u8; 4]);

impl Mask {
    pub(crate) fn new(key: [u8; 4]) -> Self {
        Self(key)
    }

    /// Unmasks the next piece of the payload in place.
    pub(crate) fn apply(&mut self, piece: &mut [u8]) {
        let [a, b, c, d] = self.0;
        let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
        let (words, tail) = piece.as_chunks_mut::<8>();
        for masked in words {
            *masked = (u64::from_ne_bytes(*masked) ^ word).to_ne_bytes();
        }
        for (masked, key) in tail.iter_mut().zip(self.0.into_iter().cycle()) {
            *masked ^= key;
        }
        self.0.rotate_left(piece.len() % 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What RFC 6455, 5.3 says, byte by byte.
    fn by_the_book(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
        payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect()
    }

    #[test]
    fn every_length_and_every_cut_agrees_with_the_rfc() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for len in 0..40_u8 {
            let payload: Vec<u8> = (0..len).collect();
            let expected = by_the_book(&payload, key);
            for cut in 0..=payload.len() {
                let (mut bytes, mut mask) = (payload.clone(), Mask::new(key));
                let (head, tail) = bytes.split_at_mut(cut);
                mask.apply(head);
                mask.apply(tail);
                assert_eq!(bytes, expected, "{len} bytes cut at {cut}");
            }
        }
    }
}
