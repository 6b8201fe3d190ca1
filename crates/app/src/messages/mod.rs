//! What people say: sent, reworded, deleted, read.

mod delete;
mod edit;
mod forward;
mod handles;
mod murmur;
mod pin;
mod preview;
mod react;
mod read;
pub mod search;
mod send;
mod threads;

pub use send::Pending;
