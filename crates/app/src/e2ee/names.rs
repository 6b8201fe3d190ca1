//! The ids by which the protocol knows people and sessions: ours, and the name of the installation.

use parlor_domain::{Denied, SessionId, UserId};

use super::malformed;
use crate::{App, Error};

/// The name of the installation, by which ids are made and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names(String);

impl Names {
    /// `@<user id>:<name>`.
    pub(super) fn user(&self, id: UserId) -> String {
        format!("@{id}:{}", self.0)
    }

    /// `!<session id>:<name>`.
    pub(super) fn session(&self, id: SessionId) -> String {
        format!("!{id}:{}", self.0)
    }

    /// Reads a user's id; nobody of another installation is known here.
    pub(super) fn read_user(&self, text: &str) -> Option<UserId> {
        self.inner(text, '@')?.parse().ok()
    }

    pub(super) fn read_session(&self, text: &str) -> Result<SessionId, Denied> {
        let id = self.inner(text, '!').and_then(|id| id.parse().ok());
        id.ok_or(malformed("a room's id"))
    }

    fn inner<'a>(&self, text: &'a str, sigil: char) -> Option<&'a str> {
        let (id, name) = text.strip_prefix(sigil)?.split_once(':')?;
        (name == self.0).then_some(id)
    }
}

impl App {
    /// The name of this installation in signed ids: the same for ever.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn server_name(&self) -> Result<String, Error> {
        Ok(self.names().await?.0)
    }

    pub(super) async fn names(&self) -> Result<Names, Error> {
        let name = self.server_name.get_or_try_init(|| self.store.server_name()).await?;
        Ok(Names(name.clone()))
    }

    /// The id of a user in the protocol.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn signed_id(&self, user: UserId) -> Result<String, Error> {
        Ok(self.names().await?.user(user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_only_here() {
        let names = Names("a.invalid".to_owned());
        let user: UserId = "0190f5c2-7a1e-7000-8000-000000000001".parse().unwrap();
        assert_eq!(names.read_user(&names.user(user)), Some(user));
        let elsewhere = format!("@{user}:b.invalid");
        for bad in [elsewhere.as_str(), "@x:a.invalid", "a.invalid", "", "@:a.invalid"] {
            assert_eq!(names.read_user(bad), None, "{bad}");
        }
        let session: SessionId = "0190f5c2-7a1e-7000-8000-000000000002".parse().unwrap();
        assert_eq!(names.read_session(&names.session(session)), Ok(session));
        assert!(names.read_session(&names.user(user)).is_err());
    }
}
