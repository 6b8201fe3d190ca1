//! The codec from outside: what it accepts, what it refuses, and what another implementation says.

mod client;
mod compression;
mod handshake;
mod messages;
mod oracle;
mod properties;
mod violations;
