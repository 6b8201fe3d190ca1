//! What is done without being asked for, and what is done later.

mod sweep;
mod work;

pub use parlor_store::jobs::Kind;
pub use sweep::sweep;
pub use work::work;

pub(crate) use work::Bells;
