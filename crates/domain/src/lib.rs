//! What Parlor is, as pure decisions.
//!
//! Owns the words of the product (room, session, member, message, event), who may do what, and
//! every limit. Refuses input and output of any kind: no clock, no runtime, no randomness, no
//! storage. Time and facts come in as arguments, decisions go out as values.

pub mod account;
pub mod decay;
pub mod denied;
pub mod emoji;
pub mod encryption;
pub mod ending;
pub mod event;
pub mod extras;
pub mod file;
pub mod forward;
pub mod ids;
pub mod limits;
pub mod link;
pub mod member;
pub mod mention;
pub mod message;
pub mod name;
pub mod network;
pub mod permission;
pub mod pin;
pub mod preview;
pub mod reaction;
pub mod rewording;
pub mod room;
pub mod rules;
pub mod saying;
pub mod search;
pub mod session;
pub mod thread;
pub mod time;
pub mod unsent;

pub use account::{Device, Person, Profile, User};
pub use decay::{SEALED_MAX, Seal, Ttl};
pub use denied::Denied;
pub use encryption::{Algorithm, Encryption};
pub use ending::Ending;
pub use event::{Event, EventKind, Gone, UserEvent, UserEventKind};
pub use extras::Extras;
pub use file::File;
pub use forward::Forwarded;
pub use ids::{ClientId, DeviceId, FileId, LoginId, MessageId, RoomId, SessionId, UserId};
pub use limits::Limits;
pub use member::{Ban, Member, Role};
pub use message::{Draft, Message, Placed};
pub use network::Network;
pub use preview::Preview;
pub use reaction::Reaction;
pub use rewording::{Revision, Rewording};
pub use room::{Card, Room, RoomChange, RoomFacts, RoomKind, Standing};
pub use rules::Rules;
pub use session::{Session, SessionChange, SessionFacts, View};
pub use thread::Thread;
pub use time::Time;
pub use unsent::Unsent;
