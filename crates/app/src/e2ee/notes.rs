//! What the devices of a person keep for each other, encrypted by a key that only they have.

use parlor_domain::Denied;
use serde_json::Value;

use super::{Object, malformed};
use crate::{Actor, App, Error};

/// What the name of a note may be.
const NAME_BYTES_MAX: usize = 255;

impl App {
    /// A note.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn account_data(&self, actor: &Actor, kind: &str) -> Result<Value, Error> {
        let content = self.store.account_data(actor.user, kind.to_owned()).await?;
        let content = content.ok_or(Denied::NotFound)?;
        serde_json::from_str(&content).map_err(|e| Error::Internal(e.to_string()))
    }

    /// Writes a note in the place of the one before.
    ///
    /// # Errors
    /// [`Denied::Malformed`] when it or its name is too long, [`Denied::NoRoom`] when there are too
    /// many.
    pub async fn set_account_data(
        &self,
        actor: &Actor,
        kind: &str,
        body: Object,
    ) -> Result<(), Error> {
        self.admit(actor)?;
        let content = Value::from(body).to_string();
        let long = content.len() as u64 > self.limits.to_device_bytes_max;
        if long || kind.is_empty() || kind.len() > NAME_BYTES_MAX {
            return Err(malformed("the note or its name is too long").into());
        }
        let most = self.limits.account_data_max;
        Ok(self.store.set_account_data(actor.user, kind.to_owned(), content, most).await?)
    }
}
