//! Passing on what somebody said elsewhere.

use crate::saying::SendMessage;
use crate::{Denied, Message, Time, UserId};

/// Whose words a message passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forwarded {
    /// Who said them first.
    pub sender: UserId,
    /// When.
    pub sent_at: Time,
}

impl SendMessage {
    /// The same with the words and the files of `source`, which the sender can see. Who passes on
    /// what was passed on keeps whose words they were, and when they decay: no later than
    /// `ends`, when the session ends that they were said in, or its room keeps them no longer.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when it is deleted, [`Denied::SessionEncrypted`] when only its
    /// members can read it, [`Denied::Invalid`] when there are words or files already.
    pub fn passing_on(self, source: Message, ends: Option<Time>) -> Result<Self, Denied> {
        if source.deleted_at.is_some() {
            return Err(Denied::NotFound);
        }
        if source.is_encrypted() {
            return Err(Denied::SessionEncrypted);
        }
        if !self.content.is_empty() {
            return Err(Denied::invalid("content", "must be empty where a message is forwarded"));
        }
        if !self.carried.is_empty() {
            return Err(Denied::invalid("files", "must be empty where a message is forwarded"));
        }
        let extras = source.extras.map(|extras| *extras).unwrap_or_default();
        let said = Forwarded { sender: source.sender, sent_at: source.sent_at };
        Ok(Self {
            content: source.content,
            file: source.file,
            carried: extras.files,
            blank: true,
            forwarded: Some(extras.forwarded.unwrap_or(said)),
            source_expires_at: [source.expires_at, ends].into_iter().flatten().min(),
            ..self
        })
    }
}
