//! What people say: sent, reworded, deleted, read.

mod delete;
mod edit;
mod handles;
mod murmur;
mod react;
mod read;
pub mod search;
mod send;

pub use send::Pending;
