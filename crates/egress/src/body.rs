//! The bytes of an answer, unpacked, and never more of them than are wanted.

use std::io::{self, Write};

use flate2::write::GzDecoder;

use crate::EgressError;

/// How an answer is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Not at all.
    None,
    /// As gzip does.
    Gzip,
}

impl Packing {
    /// Reads a `Content-Encoding`: of those that are known, one.
    pub(crate) fn read(text: &str) -> Result<Self, EgressError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::None),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            _ => Err(EgressError::Packing),
        }
    }
}

/// What has come.
pub(crate) struct Kept {
    /// Bytes that still may come, packed.
    left: usize,
    unpacked: Unpacked,
}

enum Unpacked {
    Plain(Bounded),
    Gzip(Box<GzDecoder<Bounded>>),
}

/// Bytes, up to so many: a few kilobytes of gzip can be gigabytes.
struct Bounded {
    bytes: Vec<u8>,
    max: usize,
}

impl Kept {
    /// Nothing yet, and at most so many bytes, packed and unpacked.
    pub(crate) fn new(packing: Packing, max: usize) -> Self {
        let bounded = Bounded { bytes: Vec::new(), max };
        let unpacked = match packing {
            Packing::None => Unpacked::Plain(bounded),
            Packing::Gzip => Unpacked::Gzip(Box::new(GzDecoder::new(bounded))),
        };
        Self { left: max, unpacked }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`EgressError::TooLarge`] when not all of them are wanted; [`EgressError::Garbled`].
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<(), EgressError> {
        let wanted = &piece[..piece.len().min(self.left)];
        self.left -= wanted.len();
        let written = match &mut self.unpacked {
            Unpacked::Plain(bounded) => bounded.write_all(wanted),
            Unpacked::Gzip(decoder) => decoder.write_all(wanted),
        };
        match written {
            // What stands behind the end of gzip is nothing.
            Err(error) if error.kind() == io::ErrorKind::WriteZero => {}
            written => written.map_err(|error| fault(&error))?,
        }
        if wanted.len() < piece.len() { Err(EgressError::TooLarge) } else { Ok(()) }
    }

    /// No more will come.
    ///
    /// # Errors
    /// As [`Kept::take`].
    pub(crate) fn end(&mut self) -> Result<(), EgressError> {
        match &mut self.unpacked {
            Unpacked::Plain(_) => Ok(()),
            Unpacked::Gzip(decoder) => decoder.try_finish().map_err(|error| fault(&error)),
        }
    }

    /// What there is.
    pub(crate) fn so_far(&mut self) -> Vec<u8> {
        let bounded = match &mut self.unpacked {
            Unpacked::Plain(bounded) => bounded,
            Unpacked::Gzip(decoder) => decoder.get_mut(),
        };
        std::mem::take(&mut bounded.bytes)
    }
}

impl Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        let wanted = more.len().min(self.max - self.bytes.len());
        if wanted == 0 && !more.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(&more[..wanted]);
        Ok(wanted)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fault(error: &io::Error) -> EgressError {
    match error.kind() {
        io::ErrorKind::StorageFull => EgressError::TooLarge,
        _ => EgressError::Garbled,
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn taken(packing: Packing, max: usize, pieces: &[&[u8]]) -> (Result<(), EgressError>, Vec<u8>) {
        let mut kept = Kept::new(packing, max);
        let taken = pieces.iter().try_for_each(|piece| kept.take(piece));
        let ended = taken.and_then(|()| kept.end());
        (ended, kept.so_far())
    }

    #[test]
    fn what_is_wanted_is_taken_and_no_more() {
        let (ended, bytes) = taken(Packing::None, 5, &[b"abc", b"de"]);
        assert_eq!((ended, bytes.as_slice()), (Ok(()), &b"abcde"[..]));
        let (ended, bytes) = taken(Packing::None, 4, &[b"abc", b"de"]);
        assert_eq!((ended, bytes.as_slice()), (Err(EgressError::TooLarge), &b"abcd"[..]));
    }

    #[test]
    fn gzip_is_unpacked_in_any_pieces() {
        let text = b"what is said twice is said twice".repeat(40);
        let packed = gzip(&text);
        let pieces: Vec<&[u8]> = packed.chunks(3).collect();
        assert_eq!(taken(Packing::Gzip, text.len(), &pieces), (Ok(()), text));
    }

    #[test]
    fn a_bomb_stops_at_what_is_wanted() {
        let packed = gzip(&vec![0; 1 << 20]);
        assert!(packed.len() < 16 << 10);
        let (ended, bytes) = taken(Packing::Gzip, 16 << 10, &[&packed]);
        assert_eq!((ended, bytes.len()), (Err(EgressError::TooLarge), 16 << 10));
        assert!(bytes.capacity() <= 64 << 10);
    }

    #[test]
    fn gzip_that_is_cut_or_broken_is_told() {
        let packed = gzip(b"hello");
        let (cut, bytes) = taken(Packing::Gzip, 100, &[&packed[..packed.len() - 9]]);
        assert_eq!(cut, Err(EgressError::Garbled), "{bytes:?}");
        let (broken, _) = taken(Packing::Gzip, 100, &[b"this is no gzip"]);
        assert_eq!(broken, Err(EgressError::Garbled));
        assert_eq!(Packing::read("br"), Err(EgressError::Packing));
        assert_eq!(Packing::read(" GZIP "), Ok(Packing::Gzip));
    }
}
