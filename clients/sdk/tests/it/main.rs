//! The client against a real server, whose binary `PARLOR_BIN` names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod encrypted;
mod examples;
mod kit;
mod outbox;
mod plain;
mod proxy;
mod resuming;
