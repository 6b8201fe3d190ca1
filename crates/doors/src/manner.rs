//! How a connection speaks, and how it ends.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use parlor_hub::{Form, Frame};
use parlor_wire::command::Codec;
use tokio::io::AsyncWriteExt as _;

use crate::outgoing::Outgoing;
use crate::serve::Stream;

/// How long a peer may take over its goodbye.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads from a peer to whom goodbye was said, at most.
const LINGER_READS: usize = 64;

/// How the connection speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) codec: Codec,
    pub(crate) deflate: bool,
}

/// Why a connection ends.
pub enum End {
    /// The peer is gone.
    Gone,
    /// We say goodbye with these bytes.
    Goodbye(Bytes),
}

impl End {
    /// We say goodbye with a close code that may travel, and a reason of up to 123 bytes.
    pub fn with(code: u16, reason: &str) -> Self {
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

/// Writes what is left, the goodbye last. A peer that does not take it is left without.
pub(crate) async fn part(stream: &mut Stream, left: &mut Outgoing) {
    let _ = tokio::time::timeout(PATIENCE, finish(stream, left)).await;
}

/// What the peer still sends is taken in: unread, it would make the close a reset, and the goodbye
/// would be lost with it.
async fn finish(stream: &mut Stream, left: &mut Outgoing) -> io::Result<()> {
    while let Some(mut bytes) = left.pop() {
        stream.write_all_buf(&mut bytes).await?;
    }
    stream.shutdown().await?;
    for _ in 0..LINGER_READS {
        stream.readable().await?;
        if discard(stream)? {
            break;
        }
    }
    Ok(())
}

/// Reads and forgets; true at the end.
fn discard(stream: &mut Stream) -> io::Result<bool> {
    match stream.try_read(&mut [0; 16 * 1024]) {
        Ok(n) => Ok(n == 0),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(e) => Err(e),
    }
}
