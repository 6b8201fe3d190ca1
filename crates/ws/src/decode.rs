//! Bytes from a client, turned into messages. Owns the order of frames, the limits on a message and
//! the fate of a connection that broke a rule; refuses to answer anything: pongs, close frames and
//! deadlines are the caller's.

use std::ops::ControlFlow;

use crate::assemble::{Frame, Message, PartHead, Pending};
use crate::close::Close;
use crate::deflate;
use crate::frame::Kind;
use crate::head::{Head, Opcode};
use crate::mask::Mask;
use crate::violation::Violation;

/// What a client's messages may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest message, in bytes after inflation and without headers.
    pub message_bytes_max: usize,
    /// The most frames that one message may be cut into.
    pub fragments_max: u32,
}

impl Default for Limits {
    /// 64 KiB in 16 fragments.
    fn default() -> Self {
        Self { message_bytes_max: 64 * 1024, fragments_max: 16 }
    }
}

/// Something whole that a client sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping: answer with [`crate::pong`] and the same payload, at most 125 bytes.
    Ping(&'a [u8]),
    /// A pong, asked for or not.
    Pong,
    /// A close frame: answer with [`crate::close_answer`] and break. Anything behind it, if not
    /// broken off, is a violation.
    Close(Option<Close<'a>>),
}

/// Who is told of what arrived, and says whether to go on.
type Sink<'f> = dyn FnMut(Incoming<'_>) -> ControlFlow<()> + 'f;

/// The reading half of one connection. While nothing is unfinished it owns no heap memory.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    deflate: bool,
    phase: Phase,
    pending: Option<Box<Pending>>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Open,
    /// The caller broke off.
    Stopped,
    /// A close frame came.
    Closed,
    Failed(Violation),
}

impl Decoder {
    /// A decoder for a connection whose handshake just ended; `deflate` as in
    /// [`crate::Accepted::deflate`].
    pub fn new(limits: Limits, deflate: bool) -> Self {
        Self { limits, deflate, phase: Phase::Open, pending: None }
    }

    /// Takes bytes that were read from the socket, unmasks them in place, and hands everything that
    /// is complete to `on`, in order. What is incomplete is kept for the next call. After a break
    /// the rest of the bytes, and of the connection, is ignored.
    ///
    /// # Errors
    /// The first [`Violation`], when everything before it was handed over; and the same one for
    /// all that follows.
    pub fn feed(
        &mut self,
        bytes: &mut [u8],
        mut on: impl FnMut(Incoming<'_>) -> ControlFlow<()>,
    ) -> Result<(), Violation> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let stepped = match self.phase {
                Phase::Open => self.step(rest, &mut on),
                Phase::Stopped => return Ok(()),
                Phase::Closed => Err(Violation::protocol("data after close")),
                Phase::Failed(violation) => Err(violation),
            };
            rest = stepped.inspect_err(|violation| self.end(Phase::Failed(*violation)))?;
        }
        Ok(())
    }

    /// Whether nothing is unfinished. A connection that stays otherwise for long (the attack: one
    /// byte a minute) deserves a deadline.
    pub fn is_idle(&self) -> bool {
        self.pending.is_none()
    }

    /// Takes one frame, or as much of it as there is, and answers the bytes behind it.
    fn step<'b>(
        &mut self,
        input: &'b mut [u8],
        on: &mut Sink<'_>,
    ) -> Result<&'b mut [u8], Violation> {
        let Some((mut frame, used)) = self.frame(input)? else {
            return Ok(&mut []);
        };
        let here = frame.missing.min(input.len() - used);
        let (piece, rest) = input[used..].split_at_mut(here);
        frame.mask.apply(piece);
        frame.missing -= here;
        if frame.missing > 0 {
            self.keep(frame, piece)?;
        } else {
            self.complete(frame.head, piece, on)?;
            self.pending.take_if(|pending| pending.is_empty());
        }
        Ok(rest)
    }

    /// The frame that the input goes on with, or the one that it begins with and its header's
    /// length. `None` when even the header is incomplete; it is kept.
    fn frame(&mut self, input: &[u8]) -> Result<Option<(Frame, usize)>, Violation> {
        if let Some(frame) = self.pending.as_mut().and_then(|pending| pending.frame.take()) {
            return Ok(Some((frame, 0)));
        }
        let mut part = self.pending.as_ref().map_or_else(PartHead::default, |it| it.head);
        let held = part.len();
        part.extend(input);
        match self.begin(part.bytes())? {
            Some((frame, head_len)) => {
                if let Some(pending) = &mut self.pending {
                    pending.head = PartHead::default();
                }
                Ok(Some((frame, head_len - held)))
            }
            None => {
                self.pending.get_or_insert_default().head = part;
                Ok(None)
            }
        }
    }

    /// Reads a frame's header and how long it is, and judges it before its payload arrives.
    fn begin(&self, bytes: &[u8]) -> Result<Option<(Frame, usize)>, Violation> {
        let Some(head) = Head::parse(bytes, self.deflate)? else {
            return Ok(None);
        };
        let missing = self.admit(&head)?;
        let Some(key) = bytes[head.mask_at..].first_chunk::<4>() else {
            return Ok(None);
        };
        Ok(Some((Frame { head, mask: Mask::new(*key), missing }, head.mask_at + 4)))
    }

    /// Whether a frame may come now, and the length of its payload. Nothing is allocated for what
    /// a header announces.
    fn admit(&self, head: &Head) -> Result<usize, Violation> {
        let message = self.pending.as_ref().and_then(|pending| pending.message.as_ref());
        let mut before = 0;
        match (head.opcode, message) {
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(Violation::protocol("message inside a message"));
            }
            (Opcode::Continuation, None) => {
                return Err(Violation::protocol("continuation of nothing"));
            }
            (Opcode::Continuation, Some(message)) => {
                // Without a cap, empty frames could keep a message open for ever.
                if message.fragments >= self.limits.fragments_max {
                    return Err(Violation::policy("too many fragments"));
                }
                before = message.data.len();
            }
            _ => {}
        }
        let compressed = head.compressed || message.is_some_and(|message| message.compressed);
        let room = self.bytes_max(compressed).saturating_sub(before);
        let len = usize::try_from(head.payload_len).map_err(|_| Violation::TOO_BIG)?;
        if head.opcode.is_control() || len <= room { Ok(len) } else { Err(Violation::TOO_BIG) }
    }

    fn bytes_max(&self, compressed: bool) -> usize {
        let plain = self.limits.message_bytes_max;
        if compressed { deflate::packed_bytes_max(plain) } else { plain }
    }

    /// Keeps a frame that goes on, and the piece of it that has come.
    fn keep(&mut self, frame: Frame, piece: &[u8]) -> Result<(), Violation> {
        let pending = self.pending.get_or_insert_default();
        pending.frame = Some(frame);
        if piece.is_empty() {
            return Ok(());
        }
        if frame.head.opcode.is_control() {
            pending.control.extend_from_slice(piece);
            return Ok(());
        }
        pending.message_for(&frame.head).append(piece)
    }

    /// Takes the last piece of a frame, and hands over what it completes. Where nothing was kept,
    /// the piece is the whole payload and is lent as it lies.
    fn complete(&mut self, head: Head, piece: &[u8], on: &mut Sink<'_>) -> Result<(), Violation> {
        if head.opcode.is_control() {
            let mut kept = self.pending.as_mut().map(|it| std::mem::take(&mut it.control));
            return match kept.as_mut().filter(|kept| !kept.is_empty()) {
                None => self.control(head.opcode, piece, on),
                Some(kept) => {
                    kept.extend_from_slice(piece);
                    self.control(head.opcode, kept, on)
                }
            };
        }
        if head.fin && self.pending.as_ref().is_none_or(|pending| pending.message.is_none()) {
            return self.message(kind(head.opcode), head.compressed, piece, on);
        }
        let pending = self.pending.get_or_insert_default();
        let message = pending.message_for(&head);
        message.append(piece)?;
        message.fragments += 1;
        match pending.message.take_if(|_| head.fin) {
            Some(whole) => self.message(whole.kind, whole.compressed, &whole.data, on),
            None => Ok(()),
        }
    }

    fn control(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        on: &mut Sink<'_>,
    ) -> Result<(), Violation> {
        match opcode {
            Opcode::Ping => self.hand(Incoming::Ping(payload), on),
            Opcode::Close => {
                let close = Close::parse(payload)?;
                self.end(Phase::Closed);
                self.hand(Incoming::Close(close), on);
            }
            _ => self.hand(Incoming::Pong, on),
        }
        Ok(())
    }

    fn message(
        &mut self,
        kind: Kind,
        compressed: bool,
        payload: &[u8],
        on: &mut Sink<'_>,
    ) -> Result<(), Violation> {
        if compressed {
            let plain = deflate::inflate(payload, self.limits.message_bytes_max)?;
            return self.message(kind, false, &plain, on);
        }
        match kind {
            Kind::Binary => self.hand(Incoming::Binary(payload), on),
            Kind::Text => {
                let text = str::from_utf8(payload).map_err(|_| Violation::NOT_UTF8)?;
                self.hand(Incoming::Text(text), on);
            }
        }
        Ok(())
    }

    fn hand(&mut self, incoming: Incoming<'_>, on: &mut Sink<'_>) {
        if on(incoming).is_break() {
            self.end(Phase::Stopped);
        }
    }

    /// Nothing more will be read: give back what was kept.
    fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.pending = None;
    }
}

impl Pending {
    /// The message that a data frame belongs to; its first frame begins it.
    fn message_for(&mut self, head: &Head) -> &mut Message {
        self.message.get_or_insert_with(|| Message::new(kind(head.opcode), head.compressed))
    }
}

/// The kind of message that a frame begins. A continuation begins none: it was refused before.
fn kind(opcode: Opcode) -> Kind {
    if opcode == Opcode::Text { Kind::Text } else { Kind::Binary }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_is_small() {
        assert!(size_of::<Decoder>() <= 96, "{}", size_of::<Decoder>());
    }
}
