//! How a connection speaks, and how it ends.

use std::io;

use bytes::Bytes;
use parlor_hub::{Form, Frame};
use parlor_wire::command::Codec;

/// How the connection speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) codec: Codec,
    pub(crate) deflate: bool,
}

/// Why a connection ends.
pub(crate) enum End {
    /// The peer is gone.
    Gone,
    /// We say goodbye with these bytes.
    Goodbye(Bytes),
}

impl End {
    pub(crate) fn with(code: u16, reason: &str) -> Self {
        Self::Goodbye(parlor_ws::close(code, reason))
    }
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Manner {
    /// The frame as this connection takes it.
    pub(crate) fn bytes(self, frame: &Frame) -> Bytes {
        let form = if self.deflate { Form::Deflated } else { Form::Plain(self.codec) };
        form.of(frame).bytes().clone()
    }
}
