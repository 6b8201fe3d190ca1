//! The server from outside: over real sockets, in every protocol, by the well-behaved and by the
//! others.

mod bad_input;
mod conversations;
mod matrix;
mod memory;
mod readme;
