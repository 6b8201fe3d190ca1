//! The encryption of Parlor's clients: who holds which key, what is sealed for whom, and what may
//! be believed of what arrives.
//!
//! Owns the state of one device, its files on the disk, and the order in which things are done. Has
//! no network: it says which requests are due ([`Machine::outgoing`]) and is told what was answered
//! ([`Machine::mark_sent`]); a [`Carrier`] takes them, if one is given. Refuses to share a key with
//! a device that its owner has not signed, or with somebody whom only the server calls a member; to
//! send while somebody's identity has changed unseen; and to open anything whose sender cannot be
//! told.
//!
//! Who is a member of a session is the server's word; a key is given to those only whom somebody
//! let in: a member who is let in has signed a statement that says so ([`Machine::let_in`]).
//! Believed without one are those who are there when a client sees a session for the first time.
//! Nothing protects from a member who works together with the server, nor from a statement that
//! was made for an addition which the server carries out only later.
//!
//! The protocol is Olm and Megolm, which are of the Signal protocol's family. It is not
//! post-quantum.

pub mod attachment;
mod clock;
mod code;
mod delta;
mod error;
mod identity;
mod ids;
mod ledger;
mod let_in;
mod machine;
mod open;
pub mod payload;
mod recovery;
mod request;
mod restore;
mod roll;
mod seal;
mod settled;
mod statement;
mod store;
mod verdict;
mod verify;

pub use code::CodeError;
pub use delta::{Changed, EventList, Received, SyncDelta, ToDevice};
pub use error::Error;
pub use identity::{DeviceInfo, Standing};
pub use ids::Account;
pub use machine::Machine;
pub use open::{Arrived, OpenError, Opened};
pub use payload::{Payload, PayloadError};
pub use recovery::RecoveryKey;
pub use request::{Carrier, CarryError, Kind, Request};
pub use restore::Restored;
pub use roll::Members;
pub use seal::{Sealed, Settings};
pub use verdict::{Distrust, Verdict};
pub use verify::{Stage, Verification};
