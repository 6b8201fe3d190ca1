//! Sending files with a message.

use parlor_domain::Denied;
use parlor_domain::saying::SendMessage;

use crate::{Actor, App, Error};

impl App {
    /// Looks up the files that a message is to carry: those that its sender may have, their own or
    /// others'.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when there is no such file; [`Denied::Invalid`] when they are too many.
    pub(crate) async fn with_files(
        &self,
        actor: &Actor,
        mut cmd: SendMessage,
    ) -> Result<SendMessage, Error> {
        if cmd.files.len() as u64 > self.limits.files_per_message_max {
            return Err(Denied::invalid("files", "too many for one message").into());
        }
        for id in &cmd.files {
            cmd.carried.push(self.file(actor, *id).await?);
        }
        Ok(cmd)
    }
}
