//! What Parlor says on the wire: commands, events and errors, in JSON and protobuf of the same
//! types, generated from `proto/`.
//!
//! Owns every first-party byte format, its parsing and its printing. Refuses HTTP, SQL and every
//! decision: it only says what was said.

pub mod command;
pub mod dialect;
mod erase;
pub mod error;
pub mod frame;
pub mod from;
pub mod json;
mod number;
mod opaque;
pub mod packet;
pub mod reference;
pub mod time;

/// The generated types: what `proto/parlor/v1` says.
#[expect(
    missing_docs,
    clippy::large_enum_variant,
    reason = "generated: the schema has the words, and frames are made to be encoded, not kept"
)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/parlor.v1.rs"));
}

pub use dialect::Dialect;
pub use error::Code;

/// The schema's source, for those who build their own client: one text holding every file.
pub const SCHEMA: &str = concat!(
    include_str!("../../../proto/parlor/v1/objects.proto"),
    "\n",
    include_str!("../../../proto/parlor/v1/events.proto"),
    "\n",
    include_str!("../../../proto/parlor/v1/socket.proto"),
    "\n",
    include_str!("../../../proto/parlor/v1/rest.proto"),
);
