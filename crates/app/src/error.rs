//! What a use case can answer instead of a result.

use parlor_domain::Denied;
use parlor_store::StoreError;
use parlor_wire::Code;

/// How long somebody stays away who came when there was too much to do.
const BUSY_MS: u64 = 1_000;

/// A use case's refusal or failure. Each door turns it into its own answer by [`Error::code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The product says no.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Nobody is signed in, or what proves it is not good. One text for every cause.
    #[error("sign in first")]
    Unauthorized,
    /// The login or password is wrong. One text for every cause.
    #[error("the login or password is wrong")]
    WrongPassword,
    /// The id was used before, for something else.
    #[error("the id was used before, for something else")]
    IdempotencyConflict,
    /// The cursor is of another history.
    #[error("the cursor is of another history: load afresh")]
    ResyncRequired,
    /// The disk is full.
    #[error("the disk is full")]
    StorageFull,
    /// Too much is asked of the server at once.
    #[error("too much at once; try again")]
    Busy,
    /// The server cannot do it now.
    #[error("the server cannot do it now; try again")]
    Unavailable,
    /// Something inside failed; the text is for the log, never for the client.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// The stable word for it.
    pub fn code(&self) -> Code {
        match self {
            Self::Denied(denied) => denied.into(),
            Self::Unauthorized | Self::WrongPassword => Code::Unauthorized,
            Self::IdempotencyConflict => Code::IdempotencyConflict,
            Self::ResyncRequired => Code::ResyncRequired,
            Self::StorageFull => Code::StorageFull,
            Self::Busy | Self::Unavailable => Code::Unavailable,
            Self::Internal(_) => Code::Internal,
        }
    }

    /// What the client is told: never anything from inside.
    pub fn message(&self) -> String {
        match self {
            Self::Internal(_) => "something failed inside; the server's log knows more".into(),
            other => other.to_string(),
        }
    }

    /// When to try again, in milliseconds: for [`Code::RateLimited`] and [`Error::Busy`].
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Denied(Denied::SlowDown { retry_after_ms }) => Some(*retry_after_ms),
            Self::Busy => Some(BUSY_MS),
            _ => None,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Denied(denied) => Self::Denied(denied),
            StoreError::KeyReused => Self::IdempotencyConflict,
            StoreError::Full => Self::StorageFull,
            StoreError::Busy => Self::Busy,
            StoreError::Stale(_) | StoreError::Closed | StoreError::Unavailable(_) => {
                Self::Unavailable
            }
            StoreError::Panicked(_)
            | StoreError::Newer { .. }
            | StoreError::HalfMoved
            | StoreError::Damaged(_)
            | StoreError::Database(_) => Self::Internal(error.to_string()),
        }
    }
}
