//! The server's half of WebSocket (RFC 6455, with permessage-deflate of RFC 7692), without I/O.
//!
//! The crate turns request headers into an accepted [handshake], bytes that were read from a
//! socket into [messages](decode), and payloads into [frames](frame) which are built once and
//! shared by every receiver. It owns no socket, no task, no clock and no timer: whoever reads and
//! writes the bytes does that, and holds the deadlines.
//!
//! It refuses to be a client, to negotiate extensions other than permessage-deflate, and to keep
//! compression state between messages, since that would make every receiver's stream different.
//! `Host`, `Origin` and authentication are the door's business.

#![forbid(unsafe_code)]

mod assemble;
pub mod budget;
pub mod close;
pub mod decode;
mod deflate;
mod extension;
pub mod frame;
pub mod handshake;
mod head;
mod mask;
pub mod violation;

pub use budget::PingBudget;
pub use close::{Close, code};
pub use decode::{Decoder, Incoming, Limits};
pub use frame::{Kind, Shared, close, close_answer, ping, pong};
pub use handshake::{Accepted, Offer, Refused, accept};
pub use violation::Violation;
