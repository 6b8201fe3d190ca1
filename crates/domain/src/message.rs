//! Path 4/8: what somebody says, and who may. (Who may reword it stands in `rewording.rs`.) Next:
//! the store, `store/src/sqlite/messages.rs`.

use crate::mention::Named;
use crate::permission::{Action, may};
use crate::saying::SendMessage;
use crate::{
    ClientId, Denied, Extras, File, Forwarded, Limits, MessageId, RoomId, Seal, SessionId, Time,
    Ttl, UserId, View, file, name,
};

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The id.
    pub id: MessageId,
    /// The small integer id over all sessions: a handle, never an order or an authority.
    pub no: i64,
    /// Counts the messages of the session without holes.
    pub number: i64,
    /// The event that posted it.
    pub seq: i64,
    /// Where it was said.
    pub session: SessionId,
    /// Who said it.
    pub sender: UserId,
    /// The sender's own id for it.
    pub client_id: ClientId,
    /// Markdown source; empty once deleted.
    pub content: String,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// The message that began the thread that it is in.
    pub thread: Option<MessageId>,
    /// Where a file that goes with it is, as its sender wrote it.
    pub file: Option<String>,
    /// When it was stored.
    pub sent_at: Time,
    /// When it was last reworded.
    pub edited_at: Option<Time>,
    /// When it was deleted, or has decayed.
    pub deleted_at: Option<Time>,
    /// When it decays; `None`: never.
    pub expires_at: Option<Time>,
    /// What else there is of it; mostly nothing.
    pub extras: Option<Box<Extras>>,
}

impl Message {
    /// Whether its text is ciphertext.
    pub fn is_encrypted(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.has(Extras::ENCRYPTED))
    }
}

/// A message, and the room of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The message.
    pub message: Message,
    /// The room.
    pub room: RoomId,
}

/// A message that may be stored, as long as `acl_version` still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its id to be.
    pub id: MessageId,
    /// The session.
    pub session: SessionId,
    /// The session's small id.
    pub session_no: i64,
    /// The sender.
    pub sender: UserId,
    /// The sender's small id.
    pub sender_no: i64,
    /// The sender's own id for it.
    pub client_id: ClientId,
    /// The text.
    pub content: String,
    /// The message that it answers; the store checks that it is of the same session.
    pub reply_to: Option<MessageId>,
    /// Where a file that goes with it is.
    pub file: Option<String>,
    /// The files that it carries; the store checks that the sender may have them.
    pub files: Vec<File>,
    /// The message that began the thread that it is said in; the store checks that it is of the
    /// same session and in no thread itself.
    pub thread: Option<MessageId>,
    /// Whose words these are, when somebody passes them on.
    pub forwarded: Option<Forwarded>,
    /// How long its sender wants it to live.
    pub ttl: Option<Ttl>,
    /// When what it passes on decays.
    pub source_expires_at: Option<Time>,
    /// When it decays; `None`: never.
    pub expires_at: Option<Time>,
    /// How it is kept.
    pub seal: Option<Seal>,
    /// Whom it names; the store keeps those who are members.
    pub mentions: Named,
    /// When.
    pub sent_at: Time,
    /// What the decision was based on.
    pub acl_version: i64,
    /// The membership that the text was encrypted for; `None`: it is plain.
    pub encrypted_for: Option<i64>,
    /// A keyed digest of what was asked, by which a repeated send is told from another one.
    pub digest: [u8; 16],
}

impl View {
    /// Decides about a message: may it be said here, and how. `id` is its id to be, `digest` the
    /// keyed digest of the request.
    ///
    /// # Errors
    /// [`Denied`] when the session is closed or the text is empty or too long.
    pub fn admit_post(
        &self,
        cmd: SendMessage,
        id: MessageId,
        digest: [u8; 16],
        now: Time,
        limits: &Limits,
    ) -> Result<Draft, Denied> {
        self.writable(now)?;
        may(self.role, Action::Talk)?;
        self.admit_form(cmd.encrypted_for)?;
        self.admit_file_forms(&cmd.carried)?;
        check_file(cmd.file.as_deref(), limits)?;
        file::check_carried(&cmd.carried, limits)?;
        let ttl = cmd.ttl_s.map(|seconds| Ttl::read("ttl_s", seconds, limits)).transpose()?;
        let expires_at = self.deadline(now, ttl, cmd.source_expires_at);
        let blank = cmd.blank || !cmd.carried.is_empty();
        if cmd.encrypted_for.is_some() {
            check_ciphertext(&cmd.content, limits)?;
        } else if !(blank && cmd.content.is_empty()) {
            check_content(&cmd.content, limits)?;
        }
        Ok(Draft {
            id,
            session: self.session,
            session_no: self.session_no,
            sender: self.user,
            sender_no: self.user_no,
            client_id: cmd.client_id,
            mentions: self.admit_names(&cmd, limits)?,
            encrypted_for: cmd.encrypted_for,
            content: cmd.content,
            reply_to: cmd.reply_to,
            thread: cmd.thread,
            forwarded: cmd.forwarded,
            ttl,
            source_expires_at: cmd.source_expires_at,
            expires_at,
            seal: self.seal(now, expires_at),
            file: cmd.file,
            files: cmd.carried,
            sent_at: now,
            acl_version: self.acl_version,
            digest,
        })
    }

    /// Decides again about a draft whose access list has changed meanwhile.
    ///
    /// # Errors
    /// As [`View::admit_post`].
    pub fn admit_again(&self, draft: Draft, limits: &Limits) -> Result<Draft, Denied> {
        self.writable(draft.sent_at)?;
        may(self.role, Action::Talk)?;
        self.admit_form(draft.encrypted_for)?;
        self.admit_all(draft.mentions.all, limits)?;
        let expires_at = self.deadline(draft.sent_at, draft.ttl, draft.source_expires_at);
        let seal = self.seal(draft.sent_at, expires_at);
        Ok(Draft { acl_version: self.acl_version, expires_at, seal, ..draft })
    }
}

/// Checks a text against the limits; it is stored as it came.
pub(crate) fn check_content(content: &str, limits: &Limits) -> Result<(), Denied> {
    if content.len() as u64 > limits.message_bytes_max {
        return Err(Denied::TooLong { field: "content", limit: limits.message_bytes_max });
    }
    if content.contains('\0') {
        return Err(Denied::invalid("content", "must not hold NUL"));
    }
    if !name::is_visible(content) {
        return Err(Denied::Empty("content"));
    }
    Ok(())
}

/// Checks the size of a text that means nothing here.
pub(crate) fn check_ciphertext(content: &str, limits: &Limits) -> Result<(), Denied> {
    if content.len() as u64 > limits.ciphertext_bytes_max {
        return Err(Denied::TooLong { field: "content", limit: limits.ciphertext_bytes_max });
    }
    Ok(())
}

/// Checks where a file is said to be.
pub(crate) fn check_file(file: Option<&str>, limits: &Limits) -> Result<(), Denied> {
    file.map_or(Ok(()), |file| name::text("file", file, limits.file_chars_max).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_must_say_something() {
        let limits = Limits::default();
        for bad in ["", " \n ", "\u{200b}", "a\0b"] {
            assert!(check_content(bad, &limits).is_err(), "{bad:?}");
        }
        assert!(check_content(&"x".repeat(16 * 1024), &limits).is_ok());
        let long = check_content(&"x".repeat(16 * 1024 + 1), &limits);
        assert!(matches!(long, Err(Denied::TooLong { field: "content", .. })));
    }
}
