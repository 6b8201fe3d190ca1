//! The server, assembled: configuration, the parts put together, the web client inside.
//!
//! Owns the process: it makes the clock, opens the data folder, listens, and drains when asked to
//! stop. Refuses to decide anything about chat.

mod acme;
pub mod admin;
pub mod assemble;
pub mod backup;
mod behind;
mod certificate;
pub mod cli;
pub mod clock;
pub mod config;
pub mod doctor;
mod dump;
pub mod embed;
pub mod health;
mod keys;
mod manifest;
pub mod migrate;
mod progress;
pub mod restore;
pub mod run;
pub mod secrets;
pub mod shutdown;
pub mod telemetry;
mod tui;

pub use assemble::Running;
pub use clock::{SteadyClock, SystemClock};
pub use config::Config;
