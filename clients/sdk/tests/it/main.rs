//! The client against a real server, whose binary `PARLOR_BIN` names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod canaries;
mod dice;
mod encrypted;
mod examples;
mod forged;
mod hostile;
mod hostile_events;
mod hostile_keys;
mod keeping;
mod killed;
mod kit;
mod middle;
mod outbox;
mod plain;
mod proxy;
mod resuming;
mod town;
