//! Previews: what is behind the links of messages.

use async_trait::async_trait;
use parlor_domain::{Denied, FileId, Message, MessageId, Preview, Time, UserId, View};

use crate::StoreError;
use crate::files::Blob;

/// Decides about taking previews off, with the message and the actor's view.
pub type DecideBare = Box<dyn FnOnce(&View, &Message) -> Result<(), Denied> + Send>;

/// A preview with its picture's bytes, which are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPreview {
    /// The preview.
    pub preview: Preview,
    /// Its picture.
    pub image: Option<Blob>,
}

/// A message whose links may be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// Its text.
    pub content: String,
    /// The previews that it has.
    pub previews: Vec<Preview>,
}

/// What became of previews that were brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    /// They are there, and told.
    Told,
    /// The message reads otherwise meanwhile: what is behind its links is to be looked at anew.
    Reworded,
    /// The message is gone, or is to have none.
    Unwanted,
}

/// Writes and reads previews.
#[async_trait]
pub trait Previews: Send + Sync {
    /// A message, whoever asks; `None` when it is deleted, or is to have no previews.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn linked(&self, message: MessageId) -> Result<Option<Linked>, StoreError>;

    /// Puts these previews in place of those that a message has, if it still reads `content`. The
    /// same ones again change nothing and are not told.
    ///
    /// # Errors
    /// [`Denied::Conflict`] when a picture was not expected, or not for long.
    async fn bring_previews(
        &self,
        message: MessageId,
        content: String,
        previews: Vec<NewPreview>,
        now: Time,
    ) -> Result<Brought, StoreError>;

    /// Takes the previews off a message for good. What is so already is not told.
    ///
    /// # Errors
    /// [`StoreError::Denied`] as decided; [`Denied::NotFound`] when `user` cannot see it.
    async fn drop_previews(
        &self,
        user: UserId,
        message: MessageId,
        now: Time,
        decide: DecideBare,
    ) -> Result<(), StoreError>;

    /// The picture of a preview of a message that `user` can see.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn preview_image(&self, user: UserId, id: FileId) -> Result<Option<Blob>, StoreError>;
}
