//! The server from outside: over real sockets, in every protocol, by the well-behaved and by the
//! others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod accounts;
mod bad_input;
mod checker;
mod compat;
mod conversations;
mod described;
mod disconnects;
mod kills;
mod matrix;
mod memory;
mod readme;
mod search;
mod simulation;
