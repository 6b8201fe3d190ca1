//! Why something is refused: one list, which every door turns into its own answer.

/// A refusal. Its text finishes "failed to …: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It is not there, or may not be seen: the two look alike.
    #[error("not found")]
    NotFound,
    /// It may be seen but not done.
    #[error("{0}")]
    Forbidden(&'static str),
    /// It is taken, over, or changed meanwhile.
    #[error("{0}")]
    Conflict(&'static str),
    /// Somebody or something else has it.
    #[error("the {0} is taken")]
    Taken(&'static str),
    /// It is not of the shape that the protocol wants.
    #[error("{0}")]
    Malformed(&'static str),
    /// It is not about the newest version of the backup, which is this one; 0: there is none.
    #[error("the newest version is {0}")]
    NotNewest(i64),
    /// A value is not acceptable.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field's name on the wire.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A text says nothing.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A text is longer than its limit.
    #[error("{field} is longer than {limit}")]
    TooLong {
        /// The field's name on the wire.
        field: &'static str,
        /// The limit, in the unit of the field's limit.
        limit: u64,
    },
    /// What somebody may keep, or what there is room for, is used up.
    #[error("{0}")]
    NoRoom(&'static str),
    /// The session is encrypted: the server takes nothing in plain there.
    #[error("the session is encrypted")]
    SessionEncrypted,
    /// Somebody came or went since it was encrypted: to be encrypted anew.
    #[error("the members have changed: encrypt it for those who are here now")]
    StaleMembership,
    /// Too much at once.
    #[error("slow down")]
    SlowDown {
        /// When to try again, in milliseconds.
        retry_after_ms: u64,
    },
}

impl Denied {
    /// A value that is not acceptable.
    pub fn invalid(field: &'static str, reason: &'static str) -> Self {
        Self::Invalid { field, reason }
    }
}
