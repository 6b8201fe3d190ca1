//! What a room is.

use parlor_domain::room::{self, Settings};
use parlor_domain::rules::AskedRules;
use parlor_domain::{Denied, Room, RoomId, RoomKind};

use super::check_password;
use crate::{Actor, App, Error, Hidden};

/// What is to change about a room; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct RoomPatch {
    /// The name.
    pub name: Option<String>,
    /// The description; may be empty.
    pub description: Option<String>,
    /// Who can find and enter it.
    pub kind: Option<RoomKind>,
    /// What joining takes; the empty text takes the password away.
    pub password: Option<Hidden>,
    /// Archived or not.
    pub archived: Option<bool>,
    /// What it lays down for its sessions.
    pub rules: AskedRules,
}

impl App {
    /// Changes a room's settings.
    ///
    /// # Errors
    /// [`Denied`] when the actor may not, or a value is not acceptable.
    pub async fn change_room(
        &self,
        actor: &Actor,
        room: RoomId,
        patch: RoomPatch,
    ) -> Result<Room, Error> {
        let now = self.admit(actor)?;
        let asked = Settings {
            password_hash: self.new_password(patch.password.as_ref()).await?,
            name: patch.name,
            description: patch.description,
            kind: patch.kind,
            archived: patch.archived,
            rules: patch.rules.read(&self.limits)?,
        };
        if asked == Settings::default() {
            return self.room(actor, room).await;
        }
        let limits = self.limits;
        let decide = Box::new(move |facts: &_| room::settings(facts, asked, &limits));
        let changed = self.store.change_room(actor.user, room, vec![], now, decide).await?;
        Ok(changed.ok_or(Denied::NotFound)?)
    }

    /// What becomes of the password: unchanged, taken away, or replaced by this hash.
    async fn new_password(
        &self,
        password: Option<&Hidden>,
    ) -> Result<Option<Option<String>>, Error> {
        match password {
            None => Ok(None),
            Some(text) if text.expose().is_empty() => Ok(Some(None)),
            Some(text) => {
                check_password(text, &self.limits)?;
                Ok(Some(Some(self.passwords.hash(text).await?)))
            }
        }
    }
}
