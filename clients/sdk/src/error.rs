//! What goes wrong, and which of it is worth another try.

use parlor_e2ee::Error as CryptoError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server could not be reached, or went away in between.
    #[error("reach the server: {0}")]
    Unreachable(String),
    /// The server refused.
    #[error("{message} ({code})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable word.
        code: String,
        /// For people.
        message: String,
        /// When to try again, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// Nobody is signed in any more: sign in again.
    #[error("not signed in")]
    SignedOut,
    /// The server said something that this client does not understand.
    #[error("understand the server: {0}")]
    Malformed(String),
    /// The local cache failed.
    #[error("use the local cache: {0}")]
    Cache(#[from] rusqlite::Error),
    /// The cache is locked with another passphrase, or was damaged.
    #[error("open the local cache: the passphrase is wrong")]
    Passphrase,
    /// A file could not be read or written.
    #[error("read or write a file: {0}")]
    Io(#[from] std::io::Error),
    /// Encryption refused or failed.
    #[error(transparent)]
    Encryption(#[from] CryptoError),
    /// The server or this client has no encryption.
    #[error("encryption is not available here")]
    NoEncryption,
    /// The server calls a session plain that was encrypted: nothing is sent there.
    #[error("the server says that this session is not encrypted any more")]
    Downgrade,
    /// There is no such thing in the cache.
    #[error("not found")]
    NotFound,
    /// The client was stopped.
    #[error("the client was stopped")]
    Stopped,
}

impl Error {
    /// Whether the same may succeed later without anybody doing anything.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::Encryption(error) => error.is_temporary(),
            _ => false,
        }
    }

    /// Whether the server refused with this word.
    pub fn is_code(&self, word: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == word)
    }

    pub(crate) fn malformed(what: impl std::fmt::Display) -> Self {
        Self::Malformed(what.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::malformed(error)
    }
}
