//! What can go wrong with a store, apart from a decision against it.

use parlor_domain::{Denied, Draft};

/// A failure of the store. The first three are the caller's to handle, the others are inside.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What was to be changed, or the decision about it, says no.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The decision was based on an access list that has changed: decide again about the draft,
    /// which comes back.
    #[error("the access list has changed")]
    Stale(Box<Draft>),
    /// The idempotency key was used before, for something else.
    #[error("the key was used for something else")]
    KeyReused,
    /// The disk is full: nothing was written.
    #[error("the disk is full")]
    Full,
    /// Too much waits to be read: nothing was done, and a little later it can be.
    #[error("too much waits to be read")]
    Busy,
    /// The database cannot be reached, or was lost while it worked: what was asked may have been
    /// done or not, and can be asked again.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The store is shutting down or cannot write any more.
    #[error("the store is closed")]
    Closed,
    /// The code that served the request panicked: what it had done is undone.
    #[error("panicked: {0}")]
    Panicked(String),
    /// A newer program has written the database: this one does not know what it would break.
    #[error(
        "the database has schema {version}, and this program knows only up to {newest}: use the \
         version of Parlor that wrote it last, or a newer one"
    )]
    Newer {
        /// The schema's number.
        version: i64,
        /// The newest that this program knows.
        newest: i64,
    },
    /// A move into the database has begun and not ended: rows are missing.
    #[error("a move into this database is not finished: run the same `parlor migrate` again")]
    HalfMoved,
    /// The database's own check of itself has found something.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The database failed.
    #[error("database: {0}")]
    Database(String),
}

/// The outcome of something that a repeated request must not do twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<T> {
    /// What is there now.
    pub value: T,
    /// False when an earlier request with the same key, or with the same meaning, had done it.
    pub fresh: bool,
}
