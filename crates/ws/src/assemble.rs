//! What a connection keeps between two reads. Owns the bytes of unfinished headers, frames and
//! messages; refuses to outlive them: when nothing is unfinished, nothing is kept.

use crate::frame::Kind;
use crate::head::{HEAD_BYTES_MAX, Head};
use crate::mask::Mask;
use crate::violation::Violation;

/// A frame whose header is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) head: Head,
    pub(crate) mask: Mask,
    /// Payload bytes that have not arrived yet.
    pub(crate) missing: usize,
}

/// Everything unfinished on one connection.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) head: PartHead,
    pub(crate) frame: Option<Frame>,
    /// The payload so far of a control frame, which may come between two frames of a message.
    pub(crate) control: Vec<u8>,
    pub(crate) message: Option<Message>,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.head.len == 0
            && self.frame.is_none()
            && self.control.is_empty()
            && self.message.is_none()
    }
}

/// The first bytes of a header.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct PartHead {
    bytes: [u8; HEAD_BYTES_MAX],
    len: usize,
}

impl PartHead {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Takes as many bytes as a header can have; the surplus belongs to the payload.
    pub(crate) fn extend(&mut self, input: &[u8]) {
        let taken = input.len().min(HEAD_BYTES_MAX - self.len);
        self.bytes[self.len..self.len + taken].copy_from_slice(&input[..taken]);
        self.len += taken;
    }
}

/// A text or binary message of which a part has arrived.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    pub(crate) compressed: bool,
    /// How many of its frames are complete.
    pub(crate) fragments: u32,
    /// The unmasked payload so far; compressed if the message is.
    pub(crate) data: Vec<u8>,
    /// How many bytes of the data are whole, valid characters.
    checked: usize,
}

impl Message {
    pub(crate) fn new(kind: Kind, compressed: bool) -> Self {
        Self { kind, compressed, fragments: 0, data: Vec::new(), checked: 0 }
    }

    /// Adds an unmasked piece; text that can no longer become valid is refused at once.
    pub(crate) fn append(&mut self, piece: &[u8]) -> Result<(), Violation> {
        self.data.extend_from_slice(piece);
        if self.kind == Kind::Binary || self.compressed {
            return Ok(());
        }
        match str::from_utf8(&self.data[self.checked..]) {
            Ok(_) => self.checked = self.data.len(),
            Err(fault) if fault.error_len().is_some() => return Err(Violation::NOT_UTF8),
            // The last character is cut; its rest may still come.
            Err(fault) => self.checked += fault.valid_up_to(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes of a text are taken, one at a time, before it is refused.
    fn taken(text: &[u8]) -> usize {
        let mut message = Message::new(Kind::Text, false);
        text.iter().take_while(|byte| message.append(&[**byte]).is_ok()).count()
    }

    #[test]
    fn a_character_may_be_cut_anywhere() {
        let text = "aé€😀z";
        assert_eq!(taken(text.as_bytes()), text.len());
    }

    #[test]
    fn text_is_refused_at_the_first_byte_that_cannot_be() {
        assert_eq!(taken(b"a\xff"), 1);
        assert_eq!(taken(b"\xc0\x80"), 0, "overlong");
        assert_eq!(taken(b"\xe0\x80\x80"), 1, "overlong");
        assert_eq!(taken(b"\xed\xa0\x80"), 1, "surrogate");
        assert_eq!(taken(b"\xf4\x90\x80\x80"), 1, "above U+10FFFF");
        assert_eq!(taken(b"\xf5"), 0);
        assert_eq!(taken(b"\xe2\x82z"), 2, "character broken off");
    }
}
