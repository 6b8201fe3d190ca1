//! The words for what went wrong: published once, never changed.

use std::fmt;

use parlor_domain::Denied;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $text:literal, $status:literal;)*) => {
        /// What went wrong, as a stable word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $variant,)* }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)* }
            }
        }
    };
}

codes! {
    /// The request cannot be understood.
    BadRequest = "bad_request", 400;
    /// The body is not JSON, or says a key twice.
    InvalidJson = "invalid_json", 400;
    /// The JSON is nested too deeply.
    TooDeep = "too_deep", 400;
    /// Nobody is signed in, or the token is not good.
    Unauthorized = "unauthorized", 401;
    /// It may be seen but not done.
    Forbidden = "forbidden", 403;
    /// The session is encrypted: nothing is taken in plain there.
    SessionEncrypted = "session_encrypted", 403;
    /// It is not there, or may not be seen.
    NotFound = "not_found", 404;
    /// It is taken, over, or changed meanwhile.
    Conflict = "conflict", 409;
    /// Somebody came or went since it was encrypted: encrypt it for those who are there now.
    StaleMembership = "stale_membership", 409;
    /// The id was used before, for something else.
    IdempotencyConflict = "idempotency_conflict", 409;
    /// The cursor is of another history: load afresh.
    ResyncRequired = "resync_required", 410;
    /// A text or body is longer than its limit.
    TooLong = "too_long", 413;
    /// What one may keep is used up: delete something first.
    QuotaExceeded = "quota_exceeded", 413;
    /// The content type or encoding is not spoken here.
    Unsupported = "unsupported", 415;
    /// A value is not acceptable.
    Invalid = "invalid", 422;
    /// A text says nothing.
    Empty = "empty", 422;
    /// Too much at once; `retry_after_ms` says when to try again.
    RateLimited = "rate_limited", 429;
    /// Something inside failed; the server's log has it under the request id.
    Internal = "internal", 500;
    /// The server cannot do it now; try again.
    Unavailable = "unavailable", 503;
    /// The disk is full.
    StorageFull = "storage_full", 507;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&Denied> for Code {
    fn from(denied: &Denied) -> Self {
        match denied {
            Denied::NotFound => Self::NotFound,
            Denied::Forbidden(_) | Denied::NotNewest(_) => Self::Forbidden,
            Denied::Malformed(_) => Self::BadRequest,
            Denied::Conflict(_) | Denied::Taken(_) => Self::Conflict,
            Denied::Invalid { .. } => Self::Invalid,
            Denied::Empty(_) => Self::Empty,
            // Too much to take at all; a name that is too long is just not a good one.
            Denied::TooLong { field: "content" | "upload", .. } => Self::TooLong,
            Denied::TooLong { .. } => Self::Invalid,
            Denied::SessionEncrypted => Self::SessionEncrypted,
            Denied::StaleMembership => Self::StaleMembership,
            Denied::NoRoom(_) => Self::QuotaExceeded,
            Denied::SlowDown { .. } => Self::RateLimited,
        }
    }
}
