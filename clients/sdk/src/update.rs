//! What a program is told while it is connected.

use crate::Message;

/// Something happened. Everything that stays is in the cache before it is told; a program that was
/// too slow to hear all of it reads there.
#[derive(Debug, Clone)]
pub enum Update {
    /// The server is reached, and everything that was missed was told.
    Connected,
    /// The server is not reached; it is tried again by itself.
    Disconnected,
    /// The login is over: sign in.
    SignedOut,
    /// A message came.
    Posted(Box<Message>),
    /// A message is different: reworded, opened later, reacted to, or deleted.
    Changed(Box<Message>),
    /// A message decayed and is gone.
    Decayed {
        /// Which.
        message_id: String,
        /// The session that it was in.
        session_id: String,
    },
    /// A message of one's own is on the server.
    Sent {
        /// By which id it was handed over.
        client_id: String,
        /// What the server calls it.
        message_id: String,
    },
    /// A message of one's own was refused, and waits in the outbox.
    SendFailed {
        /// By which id it was handed over.
        client_id: String,
        /// Why.
        reason: String,
    },
    /// Somebody came into a session.
    Joined {
        /// The session.
        session_id: String,
        /// Who.
        user_id: String,
    },
    /// Somebody is gone from a session.
    Left {
        /// The session.
        session_id: String,
        /// Who.
        user_id: String,
    },
    /// Who is writing in a session now.
    Typing {
        /// The session.
        session_id: String,
        /// Who.
        user_ids: Vec<String>,
    },
    /// Who came and went among the people of a session.
    Presence {
        /// The session.
        session_id: String,
        /// Who came.
        online: Vec<String>,
        /// Who went.
        offline: Vec<String>,
    },
    /// Somebody has read a session up to a number.
    Read {
        /// The session.
        session_id: String,
        /// Who.
        user_id: String,
        /// How far.
        number: i64,
    },
    /// Rooms or sessions came, changed or went: read them anew.
    Rooms,
    /// Somebody asks to verify.
    Verification {
        /// Who.
        user_id: String,
        /// The verification's name, for `Encryption::verification`.
        name: String,
    },
    /// Devices or verifications changed, as far as encryption is concerned.
    Keys,
}
