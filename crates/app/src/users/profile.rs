//! What people say of themselves.

use parlor_domain::{Denied, Limits, Profile, name};
use parlor_store::accounts::ProfileChange;

use crate::{Actor, App, Error};

/// What is to change; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfilePatch {
    /// The handle.
    pub username: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// The status text; may be empty.
    pub status: Option<String>,
    /// Whether others see when one is here.
    pub show_last_seen: Option<bool>,
    /// Whether the people of one's rooms see one's mail address.
    pub show_email: Option<bool>,
}

impl App {
    /// The actor's own profile.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when the account is gone.
    pub async fn profile(&self, actor: &Actor) -> Result<Profile, Error> {
        let profile = self.store.profile(actor.user).await?;
        profile.ok_or(Error::Unauthorized)
    }

    /// Changes the actor's profile.
    ///
    /// # Errors
    /// [`Denied`] when a value is not acceptable or the handle is taken.
    pub async fn change_profile(
        &self,
        actor: &Actor,
        patch: ProfilePatch,
    ) -> Result<Profile, Error> {
        let now = self.admit(actor)?;
        let change = checked(patch, &self.limits)?;
        if change == ProfileChange::default() {
            return self.profile(actor).await;
        }
        let turns = match change.show_last_seen {
            Some(shown) => self.profile(actor).await?.user.show_last_seen != shown,
            None => false,
        };
        let profile = self.store.change_profile(actor.user, change, now).await?;
        self.people.forget(actor.user);
        if turns && self.hub.is_online(actor.user) {
            self.turned.note(actor.user);
        }
        Ok(profile)
    }
}

fn checked(patch: ProfilePatch, limits: &Limits) -> Result<ProfileChange, Denied> {
    let username = patch.username.map(|text| name::username(&text, limits));
    let shown = patch.name.map(|text| name::line("name", &text, limits));
    let status = patch.status.map(|text| status(&text, limits));
    Ok(ProfileChange {
        username: username.transpose()?,
        name: shown.transpose()?,
        status: status.transpose()?,
        show_last_seen: patch.show_last_seen,
        show_email: patch.show_email,
    })
}

fn status(text: &str, limits: &Limits) -> Result<String, Denied> {
    let text = name::text("status", text, limits.status_chars_max)?;
    if text.contains(['\n', '\r', '\t']) {
        return Err(Denied::invalid("status", "must be one line"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line_that_may_be_empty() {
        let limits = Limits::default();
        assert_eq!(status("", &limits).as_deref(), Ok(""));
        assert_eq!(status(" at sea ", &limits).as_deref(), Ok("at sea"));
        assert!(status("a\nb", &limits).is_err());
        assert!(status(&"x".repeat(141), &limits).is_err());
    }
}
