//! Keys that go, and what is sealed under them.
//!
//! Owns which key a text is sealed under: one of its session, together with one of the second in
//! which it is to be gone. [`TimeKeys`] has the keys of all seconds that are still to come, and
//! none of those that are over; a session's [`Secret`] is thrown away with the session. Whoever has
//! the sealed text, and every key that is there later, has nothing. The bytes of a file are under a
//! [`FileKey`], which is such a text itself. Refuses to keep anything: where keys are, and when
//! they go, is for whoever holds them.

mod file;
mod secret;
mod text;
mod time_keys;

pub use file::FileKey;
pub use secret::Secret;
pub use text::{Key, open, seal, until};
pub use time_keys::{Damaged, TimeKeys};
