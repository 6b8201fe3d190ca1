//! What bytes are: files, pictures and pages. Everything here reads what strangers have sent.
//!
//! Owns telling a file's type by its content, taking out of a picture what its sender did not mean
//! to send (where and when it was taken, by which device), making a small picture of it, reading
//! what a page says of itself, all within limits of size and memory. Refuses files, networks,
//! runtimes, and trust in names.

mod clean;
mod kind;
mod page;
mod small;

pub use clean::{Picture, clean};
pub use kind::{HEAD, Kind, is_shown, kind};
pub use page::{Lengths, Page, page};
pub use small::{Small, fitted, squared};

/// How much may be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of a picture.
    pub pixels_max: u64,
    /// Pictures in one, of an animation.
    pub frames_max: u64,
    /// Bytes of memory that one picture may take.
    pub memory_max: u64,
}

/// Why a picture is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is not what it claims to be, or not whole.
    #[error("the picture is damaged")]
    Damaged,
    /// It has more pixels, or pictures in it, than the limit.
    #[error("the picture is too large")]
    TooLarge,
    /// It could not be read, or written.
    #[error("picture: {0}")]
    Failed(#[from] std::io::Error),
}

/// The end of a file where there should be more is damage, not failure.
fn ended(error: std::io::Error) -> Refused {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Refused::Damaged,
        _ => Refused::Failed(error),
    }
}
