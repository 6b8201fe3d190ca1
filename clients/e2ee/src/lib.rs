//! The encryption of Parlor's clients: who holds which key, what is sealed for whom, and what may
//! be believed of what arrives.
//!
//! Owns the state of one device, its files on the disk, and the order in which things are done. Has
//! no network: it says which requests are due ([`Machine::outgoing`]) and is told what was answered
//! ([`Machine::mark_sent`]); a [`Carrier`] takes them, if one is given. Refuses to share a key with
//! a device that its owner has not signed, to send while somebody's identity has changed unseen,
//! and to open anything whose sender cannot be told.
//!
//! The protocol is Olm and Megolm, which are of the Signal protocol's family. It is not
//! post-quantum, and who is a member of a session is the server's word.

pub mod attachment;
mod clock;
mod delta;
mod error;
mod identity;
mod ids;
mod ledger;
mod machine;
mod open;
pub mod payload;
mod recovery;
mod request;
mod restore;
mod seal;
mod settled;
mod verdict;
mod verify;

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
pub use seal::{Sealed, Settings};
pub use verdict::{Distrust, Verdict};
pub use verify::{Stage, Verification};
