//! What nodes say to each other that is not kept: who is writing, who is here, who was signed out,
//! what was spent of a rate. Every word may be lost, and nothing but comfort is lost with it:
//! what must hold is asked from the store.

use parlor_domain::{DeviceId, LoginId, MessageId, SessionId, Unsent, UserId};
use parlor_wire::Dialect;

use crate::{Node, Topic};

/// Something that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Somebody is writing.
    Typing(SessionId, UserId),
    /// Somebody has read up to this number.
    Read(SessionId, UserId, i64),
    /// Somebody has begun to write something, on one of their devices.
    Draft(UserId, DeviceId, Unsent),
    /// Somebody has read up to this number in the thread of this message, on one of their devices.
    ThreadRead(UserId, DeviceId, MessageId, i64),
    /// Something may wait in the queues of a user's devices.
    Queue(UserId),
    /// Somebody came, or went, as the people of a session see it.
    Presence(SessionId, UserId, bool),
    /// These logins are over.
    Revoked(Vec<LoginId>),
    /// Something that only the connections of one façade hear: a text.
    Murmur(Dialect, Vec<u8>),
    /// So many people are at the node that says it, and their ids give this when combined.
    Here {
        /// How many.
        count: u64,
        /// All their ids, combined by exclusive or.
        digest: u128,
    },
    /// That node is asked who is there.
    Ask(Node),
    /// People who are at the node that says it; `first` forgets those it said before.
    People {
        /// Whether it begins anew.
        first: bool,
        /// Who.
        users: Vec<UserId>,
    },
    /// Who came to the node that says it, and who went from it.
    Moved {
        /// Who came.
        came: Vec<UserId>,
        /// Who went.
        went: Vec<UserId>,
    },
    /// What was used up of rates.
    Spent(Vec<Spent>),
}

/// What was used up of one rate by one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Which rate; nodes of one version agree on the numbers.
    pub rate: u8,
    /// Whose.
    pub key: [u8; 16],
    /// How many tries; negative when some were given back.
    pub tries: i64,
}

impl Word {
    /// Who hears it: the followers of a log, or all nodes.
    pub fn topic(&self) -> Option<Topic> {
        match self {
            Self::Typing(session, _) | Self::Read(session, ..) | Self::Presence(session, ..) => {
                Some(Topic::Session(*session))
            }
            Self::Draft(user, ..) | Self::ThreadRead(user, ..) | Self::Queue(user) => {
                Some(Topic::User(*user))
            }
            _ => None,
        }
    }
}
