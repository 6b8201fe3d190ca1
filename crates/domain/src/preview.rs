//! What is behind a link: a few words and a picture, fetched by the server and shown under the
//! message, so that no reader's browser asks the other site.

use crate::{Denied, FileId, Message, View};

/// What a page on the web says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The link, as it stands in the message.
    pub url: String,
    /// The page's title.
    pub title: String,
    /// What it is about; may be empty.
    pub description: String,
    /// Whose it is.
    pub site: String,
    /// A picture of it, which is fetched like a file.
    pub image: Option<FileId>,
}

impl View {
    /// Decides about taking the previews off a message: whoever may delete it may.
    ///
    /// # Errors
    /// [`Denied`] when not, or when it is deleted.
    pub fn admit_bare(&self, message: &Message) -> Result<(), Denied> {
        self.admit_delete(message)
    }
}
