//! What is on its way to one peer, written in as few calls as there can be.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use bytes::{Buf, Bytes};

use crate::serve::Stream;

/// Slices in one vectored write.
pub(crate) const SLICES: usize = 128;

/// Frames that the peer has not taken yet, the oldest perhaps in part.
#[derive(Default)]
pub(crate) struct Outgoing(VecDeque<Bytes>);

impl Outgoing {
    pub(crate) fn push(&mut self, frame: Bytes) {
        self.0.push_back(frame);
    }

    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        self.0.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.0.iter().map(|frame| frame.len() as u64).sum()
    }

    /// Writes as much as the peer takes without waiting; whether it took anything. What a stream
    /// under TLS has taken and not passed on is passed on first.
    ///
    /// # Errors
    /// When the connection is broken, or takes no bytes at all any more.
    pub(crate) fn write(&mut self, stream: &mut Stream) -> io::Result<bool> {
        let (mut took, before) = (false, stream.taken());
        stream.try_flush()?;
        while !self.0.is_empty() {
            match self.write_once(stream) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(bytes) => self.written(bytes),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
            took = true;
        }
        if self.0.is_empty() && self.0.capacity() > 64 {
            self.0.shrink_to(16);
        }
        Ok(took || stream.taken() != before)
    }

    /// One call. A single frame needs no list of slices: the plain call is cheaper.
    fn write_once(&self, stream: &mut Stream) -> io::Result<usize> {
        if self.0.len() == 1 {
            return stream.try_write(&self.0[0]);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = self.0.len().min(SLICES);
        for (slice, bytes) in slices.iter_mut().zip(&self.0) {
            *slice = IoSlice::new(bytes);
        }
        stream.try_write_vectored(&slices[..count])
    }

    fn written(&mut self, mut bytes: usize) {
        while let Some(front) = self.0.front_mut() {
            if front.len() > bytes {
                front.advance(bytes);
                return;
            }
            bytes -= front.len();
            self.0.pop_front();
        }
    }
}
