//! The hub, from outside: what is told, to whom, in which order, and what is forgotten.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod ears;
mod model;
mod murmurs;
mod places;
mod said;
