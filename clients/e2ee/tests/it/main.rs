//! The machine against a key service in memory: what people do with it, and what a server could do
//! to them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod attacks;
mod codes;
mod crowd;
mod identities;
mod kit;
mod letting_in;
mod messages;
mod recovery;
mod relay;
mod restart;
mod verifying;
