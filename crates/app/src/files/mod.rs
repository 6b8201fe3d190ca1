//! Files: how they come, what they are, who may have them, and how they go.
//!
//! The store keeps the books and `parlor_blobs` the bytes. Who is killed in the middle leaves
//! nothing that [`crate::App::sweep_files`] does not find in the books.

mod begin;
mod carry;
mod delete;
mod fetch;
mod finish;
mod look;
mod seal;
mod sweep;
mod thumbnail;
mod ticket;
mod turn;
mod write;

pub use begin::NewFile;
pub use fetch::{Bytes, Part};
pub use parlor_blobs::{BlobError, Pieces};
pub use parlor_store::files::Upload;
pub use write::{Writing, Written};

pub(crate) use ticket::Tickets;
pub(crate) use turn::Turns;

use parlor_blobs::BlobError as Failure;

use crate::Error;

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Full => Self::StorageFull,
            Failure::Busy => Self::Busy,
            // What the books say to be there must be there.
            Failure::Missing | Failure::Failed(_) => Self::Internal(failure.to_string()),
        }
    }
}

/// A length, or a limit, as the store takes it.
pub(crate) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A length as the store has it, which is never negative.
fn unsigned(bytes: i64) -> u64 {
    bytes.unsigned_abs()
}
