//! People and their devices, as others and they themselves see them.

use crate::{DeviceId, FileId, Time, UserId};

/// A person, as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The small integer id: a handle, never an order or an authority.
    pub no: i64,
    /// The unique handle.
    pub username: String,
    /// The free display name.
    pub name: String,
    /// What they say of themselves.
    pub status: String,
    /// Since when there is this account.
    pub created_at: Time,
    /// When they were last here; `None` when hidden or never.
    pub last_seen_at: Option<Time>,
    /// Whether others may know when they are here.
    pub show_last_seen: bool,
    /// What they look like: a small square picture, if they have one.
    pub picture: Option<FileId>,
}

/// A person, as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What others see.
    pub user: User,
    /// The mail address, if one was given.
    pub email: Option<String>,
    /// Whether a mailed code proved it.
    pub email_verified: bool,
    /// Whether the people of their rooms see it.
    pub show_email: bool,
}

/// A person, as the façades show them: by every name that another system has for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What others see.
    pub user: User,
    /// The mail address, if it may be shown to the people of their rooms.
    pub email: Option<String>,
    /// Whether a name is all that opens the account.
    pub guest: bool,
    /// When the profile was last changed.
    pub changed_at: Time,
}

/// A device that somebody signed in from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The id.
    pub id: DeviceId,
    /// What it is called in the list.
    pub name: String,
    /// When it signed in.
    pub created_at: Time,
    /// When it was last used.
    pub last_used_at: Time,
}
