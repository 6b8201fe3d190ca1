//! What people say: sent, reworded, deleted, read.

mod delete;
mod edit;
mod read;
mod send;

pub use send::Pending;
