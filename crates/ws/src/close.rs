//! Close codes and the payload of a close frame. Owns which codes may travel; refuses the reserved
//! ones (1004 to 1006, 1015, anything unregistered), which only ever describe an event locally.

use crate::violation::Violation;

/// The registered close codes that a server has a use for (RFC 6455, 7.4.1, and the IANA list).
/// Codes from 4000 to 4999 are the application's own.
pub mod code {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: u16 = 1000;
    /// The page was left or the server goes away.
    pub const GOING_AWAY: u16 = 1001;
    /// The peer broke the framing rules.
    pub const PROTOCOL: u16 = 1002;
    /// The peer sent a kind of data (say, binary) that is not accepted here.
    pub const UNSUPPORTED: u16 = 1003;
    /// The payload is not what its type says: text that is not UTF-8.
    pub const INVALID: u16 = 1007;
    /// The peer broke a rule that has no code of its own.
    pub const POLICY: u16 = 1008;
    /// A message is larger than the limit.
    pub const TOO_BIG: u16 = 1009;
    /// The server failed.
    pub const INTERNAL: u16 = 1011;
    /// The server restarts: come back.
    pub const RESTART: u16 = 1012;
}

/// What a client's close frame said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close<'a> {
    /// A code that may travel: 1000–1003, 1007–1014 or 3000–4999.
    pub code: u16,
    /// The reason, at most 123 bytes; often empty. Written by the client: not to be trusted.
    pub reason: &'a str,
}

impl<'a> Close<'a> {
    /// Reads a close frame's payload, already unmasked; an empty one says nothing.
    pub(crate) fn parse(payload: &'a [u8]) -> Result<Option<Self>, Violation> {
        let Some((&code, reason)) = payload.split_first_chunk::<2>() else {
            return match payload {
                [] => Ok(None),
                _ => Err(Violation::protocol("close payload of one byte")),
            };
        };
        let code = u16::from_be_bytes(code);
        if !may_travel(code) {
            return Err(Violation::protocol("close code is not allowed"));
        }
        let reason = str::from_utf8(reason).map_err(|_| Violation::NOT_UTF8)?;
        Ok(Some(Self { code, reason }))
    }
}

/// Whether a close frame may carry this code.
pub(crate) fn may_travel(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_that_may_travel_are_accepted() {
        for code in [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999] {
            let payload = u16::to_be_bytes(code);
            assert_eq!(Close::parse(&payload), Ok(Some(Close { code, reason: "" })));
        }
        for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, u16::MAX] {
            let payload = u16::to_be_bytes(code);
            assert_eq!(Close::parse(&payload).map_err(|v| v.code), Err(1002), "{code}");
        }
    }

    #[test]
    fn an_empty_close_says_nothing_and_one_byte_is_half_a_code() {
        assert_eq!(Close::parse(b""), Ok(None));
        assert_eq!(Close::parse(b"\x03").map_err(|v| v.code), Err(1002));
    }

    #[test]
    fn a_reason_is_text() {
        let said = Close { code: 4001, reason: "adiós" };
        assert_eq!(Close::parse(b"\x0f\xa1adi\xc3\xb3s"), Ok(Some(said)));
        assert_eq!(Close::parse(b"\x0f\xa1adi\xc3").map_err(|v| v.code), Err(1007));
    }
}
