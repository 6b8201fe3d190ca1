//! Parlor's ids in the form that the library demands.
//!
//! Owns the translation, both ways: everywhere else an id is the text that the server gives.
//! Refuses an id of another installation.

use ruma::{OwnedDeviceId, OwnedRoomId, OwnedUserId, RoomId, UserId};

use crate::Error;

/// Who this device is, as `GET /api/v1/e2ee` says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Account {
    /// The name of the installation, which is inside every signature and never changes.
    pub server_name: String,
    /// The user's id, without the installation's name.
    pub user_id: String,
    /// The device of the login.
    pub device_id: String,
}

impl Account {
    /// Reads the answer of `GET /api/v1/e2ee`, whose `user_id` has the installation's name in it.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn from_answer(answer: &serde_json::Value) -> Result<Self, Error> {
        let field = |name: &str| {
            let text = answer[name].as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or_else(|| Error::malformed(name))
        };
        let mut account = Self {
            server_name: field("server_name")?,
            user_id: field("user_id")?,
            device_id: field("device_id")?,
        };
        if account.user_id.starts_with('@') {
            let user = UserId::parse(&*account.user_id).map_err(|_| Error::malformed("user_id"))?;
            account.user_id = account.user_of(&user)?;
        }
        Ok(account)
    }

    pub(crate) fn own(&self) -> Result<OwnedUserId, Error> {
        self.user(&self.user_id)
    }

    pub(crate) fn device(&self) -> OwnedDeviceId {
        self.device_id.as_str().into()
    }

    /// The user of this id.
    pub(crate) fn user(&self, id: &str) -> Result<OwnedUserId, Error> {
        UserId::parse(format!("@{id}:{}", self.server_name))
            .map_err(|_| Error::malformed("a user's id"))
    }

    /// The crypto room of a session.
    pub(crate) fn room(&self, session_id: &str) -> Result<OwnedRoomId, Error> {
        RoomId::parse(format!("!{session_id}:{}", self.server_name))
            .map_err(|_| Error::malformed("a session's id"))
    }

    /// The id of a user of this installation.
    pub(crate) fn user_of(&self, user: &UserId) -> Result<String, Error> {
        if user.server_name().as_str() != self.server_name {
            return Err(Error::malformed("a user's id"));
        }
        Ok(user.localpart().to_owned())
    }

    /// The id of the session that a crypto room stands for.
    pub(crate) fn session_of(&self, room: &RoomId) -> Result<String, Error> {
        let bare = room.as_str().strip_prefix('!');
        let bare = bare.and_then(|text| text.strip_suffix(&format!(":{}", self.server_name)));
        bare.map(str::to_owned).ok_or_else(|| Error::malformed("a crypto room's id"))
    }
}
