//! The bus over real Redis: what arrives, what does not, and what a node hears of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod away;
mod carried;
mod node;
