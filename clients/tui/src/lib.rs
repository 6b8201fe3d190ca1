//! Parlor in a terminal: rooms and sessions, a timeline, a composer, a palette, a search.
//!
//! Owns what is shown and what keys do. What happens is a value ([`effect::Effect`]) that [`run`]
//! carries out, so that every screen can be drawn in a test. Refuses control characters in what
//! others send: nobody but this program moves the cursor.

pub mod app;
pub mod args;
mod carry;
pub mod clean;
pub mod effect;
pub mod form;
mod home;
pub mod input;
pub mod keys;
pub mod program;
pub mod run;
pub mod shield;
mod start;
pub mod terminal;
mod verifier;
pub mod view;
