//! What a client did wrong, and the close code that answers it. Owns the four classes of fault;
//! refuses to carry anything that the client sent, so that it can be logged as it stands.

use bytes::Bytes;

use crate::close::code;

/// A breach of the protocol or of a limit. The connection is beyond repair: send
/// [`Violation::close_frame`], then close the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("read from the client: {reason} (close code {code})")]
pub struct Violation {
    /// The close code (RFC 6455, 7.4.1): 1002 protocol, 1007 not UTF-8 or not inflatable,
    /// 1008 policy, 1009 too big.
    pub code: u16,
    /// Why, in ASCII words that may be shown to the client; at most 123 bytes.
    pub reason: &'static str,
}

impl Violation {
    pub(crate) const NOT_UTF8: Self = Self::invalid("text is not utf-8");
    pub(crate) const TOO_BIG: Self = Self { code: code::TOO_BIG, reason: "message too big" };

    /// The close frame that tells the client so.
    pub fn close_frame(&self) -> Bytes {
        crate::frame::close(self.code, self.reason)
    }

    pub(crate) const fn protocol(reason: &'static str) -> Self {
        Self { code: code::PROTOCOL, reason }
    }

    pub(crate) const fn invalid(reason: &'static str) -> Self {
        Self { code: code::INVALID, reason }
    }

    pub(crate) const fn policy(reason: &'static str) -> Self {
        Self { code: code::POLICY, reason }
    }
}
