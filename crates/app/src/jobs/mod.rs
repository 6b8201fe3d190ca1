//! What is done without being asked for.

mod sweep;

pub use sweep::sweep;
