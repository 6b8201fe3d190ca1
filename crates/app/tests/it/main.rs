//! Use cases over a real store, with a clock that moves when it is told to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod accounts;
mod facades;
mod guests;
mod house;
mod murmurs;
mod nodes;
mod sweeping;
