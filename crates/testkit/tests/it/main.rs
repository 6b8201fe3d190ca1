//! The server from outside: over real sockets, in every protocol, by the well-behaved and by the
//! others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod accounts;
mod bad_input;
mod checker;
mod compat;
mod conversations;
mod decay;
mod deploy;
mod described;
mod disconnects;
mod e2ee;
mod ending;
mod files;
mod kills;
mod log;
mod matrix;
mod memory;
mod operate;
mod previews;
mod readme;
mod rules;
mod scale;
mod search;
mod simulation;
mod stored;
mod storm;
mod talker;
mod tls;
