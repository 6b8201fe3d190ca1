//! What somebody has begun to write and not said yet, kept for their other devices.

use crate::{Denied, Limits, MessageId, SessionId, Time, View};

/// A text that is not said yet: one for each session, and for each thread in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// Where it is to be said.
    pub session: SessionId,
    /// In which thread of it.
    pub thread: Option<MessageId>,
    /// The text so far; empty: there is none any more.
    pub content: String,
    /// The message that it is to answer.
    pub reply_to: Option<MessageId>,
    /// When it was last changed.
    pub updated_at: Time,
}

impl View {
    /// Decides about keeping a text that is not said yet. It may be blank, and be there where
    /// nothing can be said for now: of a session that has ended nothing is left.
    ///
    /// # Errors
    /// [`Denied`] when it is too long or holds NUL, when the session has ended, and in an encrypted
    /// session: the server would read it.
    pub fn admit_unsent(&self, unsent: &Unsent, limits: &Limits) -> Result<(), Denied> {
        if !unsent.content.is_empty() {
            self.admit_plain()?;
            if self.ended {
                return Err(Denied::Conflict("the session has ended"));
            }
        }
        if unsent.content.len() as u64 > limits.message_bytes_max {
            return Err(Denied::TooLong { field: "content", limit: limits.message_bytes_max });
        }
        if unsent.content.contains('\0') {
            return Err(Denied::invalid("content", "must not hold NUL"));
        }
        Ok(())
    }
}
