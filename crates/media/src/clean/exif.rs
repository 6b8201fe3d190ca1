//! The one thing of a picture's EXIF that is needed to see it: how it is turned.

/// The tag that says so.
const ORIENTATION: u16 = 0x0112;

/// Entries that are looked at.
const ENTRIES_MAX: u16 = 512;

/// Bytes of [`with`].
pub(super) const LENGTH: usize = 26;

/// An EXIF block that says nothing else.
pub(super) fn with(orientation: u8) -> [u8; LENGTH] {
    let mut block = *b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    block[19] = orientation;
    block
}

/// How the picture is turned, 1 to 8; `None` when the block does not say, or cannot be read.
pub(super) fn orientation(block: &[u8]) -> Option<u8> {
    let read = match block.get(..4)? {
        b"MM\0\x2a" => Order { big: true, block },
        b"II\x2a\0" => Order { big: false, block },
        _ => return None,
    };
    let directory = usize::try_from(read.u32(4)?).ok()?;
    for n in 0..read.u16(directory)?.min(ENTRIES_MAX) {
        let entry = directory.checked_add(2 + usize::from(n) * 12)?;
        if read.u16(entry)? == ORIENTATION {
            let value = u8::try_from(read.u16(entry + 8)?).ok()?;
            return (1..=8).contains(&value).then_some(value);
        }
    }
    None
}

struct Order<'a> {
    big: bool,
    block: &'a [u8],
}

impl Order<'_> {
    fn bytes<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.block.get(at..at.checked_add(N)?)?.try_into().ok()
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes(at)?;
        Some(if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes(at)?;
        Some(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for n in 1..=8 {
            assert_eq!(orientation(&with(n)), Some(n));
        }
        assert_eq!(orientation(&with(0)), None);
        assert_eq!(orientation(&with(9)), None);
    }

    #[test]
    fn the_other_order_of_bytes_is_read_too() {
        let block = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        assert_eq!(orientation(block), Some(6));
    }

    #[test]
    fn a_block_that_lies_about_its_size_says_nothing() {
        for bad in [
            &b""[..],
            b"MM",
            b"MM\0\x2a\xff\xff\xff\xff",
            b"MM\0\x2a\0\0\0\x08\xff\xff",
            b"XX\0\x2a\0\0\0\x08",
        ] {
            assert_eq!(orientation(bad), None, "{bad:?}");
        }
    }
}
