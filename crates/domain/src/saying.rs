//! What somebody who says something asks for.

use crate::{ClientId, File, FileId, Forwarded, MessageId, SessionId, Time};

/// What a sender asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendMessage {
    /// The sender's own id for it.
    pub client_id: ClientId,
    /// The session.
    pub session: SessionId,
    /// The text.
    pub content: String,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// Where a file that goes with it is.
    pub file: Option<String>,
    /// The files that it carries.
    pub files: Vec<FileId>,
    /// The same, once they are looked up.
    pub carried: Vec<File>,
    /// The message that began the thread that it is said in.
    pub thread: Option<MessageId>,
    /// The message that it passes on, whose words are still to be looked up.
    pub forward: Option<MessageId>,
    /// Whose words these are, once they are looked up.
    pub forwarded: Option<Forwarded>,
    /// For how many seconds it is to live, where that is less than what the session says.
    pub ttl_s: Option<i64>,
    /// When what it passes on decays, once that is looked up.
    pub source_expires_at: Option<Time>,
    /// Whether an empty text will do, as it does in some façades.
    pub blank: bool,
    /// The membership that the text was encrypted for ([`crate::View::membership_version`]).
    /// `None`: it is plain.
    pub encrypted_for: Option<i64>,
}

impl SendMessage {
    /// Plain words in a session's timeline, with nothing beside them.
    pub fn plain(client_id: ClientId, session: SessionId, content: String) -> Self {
        Self {
            client_id,
            session,
            content,
            reply_to: None,
            file: None,
            files: vec![],
            carried: vec![],
            thread: None,
            forward: None,
            forwarded: None,
            ttl_s: None,
            source_expires_at: None,
            blank: false,
            encrypted_for: None,
        }
    }
}
