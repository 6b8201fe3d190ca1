//! Rewording and deleting what was said: who may.

use crate::message::{check_ciphertext, check_content, check_file};
use crate::permission::{Action, may};
use crate::{Denied, Extras, Limits, Message, Time, View};

/// An earlier wording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The text as it was.
    pub content: String,
    /// When it was written.
    pub written_at: Time,
    /// Whether the text is ciphertext.
    pub encrypted: bool,
}

/// A message's new words; `None` leaves what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewording {
    /// The text.
    pub content: Option<String>,
    /// Where a file that goes with it is.
    pub file: Option<String>,
    /// The membership that the text was encrypted for; `None`: it is plain.
    pub encrypted_for: Option<i64>,
}

impl From<String> for Rewording {
    fn from(content: String) -> Self {
        Self { content: Some(content), ..Self::default() }
    }
}

impl View {
    /// Decides about rewording a message that has `revisions` earlier wordings.
    ///
    /// # Errors
    /// [`Denied`] when it is not one's own, deleted, or the text is not acceptable.
    pub fn admit_edit(
        &self,
        message: &Message,
        revisions: u64,
        asked: &Rewording,
        now: Time,
        limits: &Limits,
    ) -> Result<(), Denied> {
        if message.deleted_at.is_some() {
            return Err(Denied::NotFound);
        }
        if message.sender != self.user {
            return Err(Denied::Forbidden("only its author may reword a message"));
        }
        if message.extras.as_ref().is_some_and(|extras| extras.has(Extras::FORWARDED)) {
            return Err(Denied::Forbidden("these are somebody else's words"));
        }
        self.writable(now)?;
        if revisions >= limits.revisions_max {
            return Err(Denied::Conflict("the message was reworded too often"));
        }
        self.admit_form(asked.encrypted_for)?;
        check_file(asked.file.as_deref(), limits)?;
        match asked.content.as_deref() {
            Some(content) if asked.encrypted_for.is_some() => check_ciphertext(content, limits),
            Some(content) => check_content(content, limits),
            None => Ok(()),
        }
    }

    /// Decides about deleting a message: its author may, and who keeps order.
    ///
    /// # Errors
    /// [`Denied`] when not, or when it is deleted already.
    pub fn admit_delete(&self, message: &Message) -> Result<(), Denied> {
        if message.deleted_at.is_some() {
            return Err(Denied::NotFound);
        }
        self.open()?;
        if message.sender == self.user {
            return Ok(());
        }
        may(self.role, Action::DeleteOthers)
    }
}
