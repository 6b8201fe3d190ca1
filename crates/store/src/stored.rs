//! How entries of the logs are stored beside their messages: the same small JSON in every backend,
//! so that a database can be moved as it is.

use parlor_domain::{
    Ending, EventKind, Gone, MessageId, Role, RoomId, RoomKind, Rules, Time, Ttl, UserEventKind,
    UserId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::StoreError;

// What kind of event a row is, without looking at its data.
pub(crate) const POSTED: i64 = 1;
pub(crate) const EDITED: i64 = 2;
pub(crate) const DELETED: i64 = 3;
pub(crate) const OTHER: i64 = 4;
/// The index `events_of_reactions` has this number, too.
pub(crate) const REACTED: i64 = 5;

/// An event beside its message, as it is stored. Ids, never names: people change theirs.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Stored {
    Deleted {
        number: i64,
        by: Uuid,
    },
    Decayed {
        from: i64,
        to: i64,
    },
    Reacted(Box<StoredReaction>),
    Pinned {
        number: i64,
        by: Uuid,
        on: bool,
    },
    Previewed {
        number: i64,
    },
    Joined {
        user: Uuid,
        by: Option<Uuid>,
    },
    Left {
        user: Uuid,
        by: Option<Uuid>,
        reason: String,
    },
    RoleChanged {
        user: Uuid,
        role: String,
        by: Uuid,
    },
    SessionSettings {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_ttl_s: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end: Option<StoredEnding>,
        by: Uuid,
    },
    RoomSettings(Box<StoredRoom>),
    Ended {
        by: Option<Uuid>,
    },
}

/// When a session ends by itself.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredEnding {
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    silence_s: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_only_s: Option<i64>,
}

impl From<&Ending> for StoredEnding {
    fn from(ending: &Ending) -> Self {
        let (silence_s, read_only_s) = (ending.silence, ending.read_only);
        Self {
            at: ending.at.0,
            silence_s: silence_s.map(Ttl::seconds),
            read_only_s: read_only_s.map(Ttl::seconds),
        }
    }
}

impl From<StoredEnding> for Ending {
    fn from(stored: StoredEnding) -> Self {
        Self::stored(Time(stored.at), stored.silence_s, stored.read_only_s)
    }
}

/// A reaction that came or went.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredReaction {
    number: i64,
    user: Uuid,
    /// Taken out when the message is deleted.
    #[serde(default)]
    emoji: String,
    on: bool,
    count: i64,
}

/// A room's settings, as they were then.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredRoom {
    room: Uuid,
    name: String,
    description: String,
    room_kind: String,
    has_password: bool,
    archived_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_ttl_s: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retention_s: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sessions_max: Option<i64>,
    by: Uuid,
}

impl Stored {
    /// The code and the data of an event; posted and edited need no data but their message.
    pub(crate) fn of(kind: &EventKind) -> (i64, Option<String>) {
        let stored = match kind {
            EventKind::Posted(_) => return (POSTED, None),
            EventKind::Edited(_) => return (EDITED, None),
            EventKind::Deleted { number, by, .. } => Self::Deleted { number: *number, by: by.0 },
            EventKind::Decayed { from, to } => Self::Decayed { from: *from, to: *to },
            EventKind::Reacted { number, user, emoji, on, count, .. } => {
                let (number, user, emoji) = (*number, user.0, emoji.clone());
                Self::Reacted(Box::new(StoredReaction {
                    number,
                    user,
                    emoji,
                    on: *on,
                    count: *count,
                }))
            }
            EventKind::Pinned { number, by, on, .. } => {
                Self::Pinned { number: *number, by: by.0, on: *on }
            }
            EventKind::Previewed { number, .. } => Self::Previewed { number: *number },
            EventKind::Joined { user, by, .. } => {
                Self::Joined { user: user.0, by: by.map(|id| id.0) }
            }
            EventKind::Left { user, by, reason } => Self::Left {
                user: user.0,
                by: by.map(|id| id.0),
                reason: reason.as_str().to_owned(),
            },
            EventKind::RoleChanged { user, role, by } => {
                Self::RoleChanged { user: user.0, role: role.as_str().to_owned(), by: by.0 }
            }
            EventKind::SessionSettings { name, message_ttl, ending, by } => Self::SessionSettings {
                name: name.clone(),
                message_ttl_s: message_ttl.map(Ttl::seconds),
                end: ending.as_ref().map(Into::into),
                by: by.0,
            },
            EventKind::RoomSettings {
                room,
                name,
                description,
                kind,
                has_password,
                archived_at,
                rules,
                by,
            } => Self::RoomSettings(Box::new(StoredRoom {
                room: room.0,
                name: name.clone(),
                description: description.clone(),
                room_kind: kind.as_str().to_owned(),
                has_password: *has_password,
                archived_at: archived_at.map(|t| t.0),
                message_ttl_s: rules.message_ttl.map(Ttl::seconds),
                retention_s: rules.retention.map(Ttl::seconds),
                sessions_max: rules.sessions_max.map(u64::cast_signed),
                by: by.0,
            })),
            EventKind::Ended { by } => Self::Ended { by: by.map(|id| id.0) },
        };
        let code = match stored {
            Self::Deleted { .. } => DELETED,
            Self::Reacted(_) => REACTED,
            _ => OTHER,
        };
        (code, json(&stored))
    }

    /// The event again. `message` is the id of the message that it refers to, if any; `names` says
    /// by which handle and name somebody goes now.
    pub(crate) fn kind(
        self,
        message: Option<MessageId>,
        names: impl FnOnce(Uuid) -> Result<(String, String), StoreError>,
    ) -> Result<EventKind, StoreError> {
        Ok(match self {
            Self::Deleted { number, by } => EventKind::Deleted {
                message: message.ok_or_else(|| damaged("a deletion"))?,
                number,
                by: UserId(by),
            },
            Self::Decayed { from, to } => EventKind::Decayed { from, to },
            Self::Reacted(said) => EventKind::Reacted {
                message: message.ok_or_else(|| damaged("a reaction"))?,
                number: said.number,
                user: UserId(said.user),
                emoji: said.emoji,
                on: said.on,
                count: said.count,
            },
            Self::Pinned { number, by, on } => EventKind::Pinned {
                message: message.ok_or_else(|| damaged("a pin"))?,
                number,
                by: UserId(by),
                on,
            },
            // Which ones, is read where they are, as they are then.
            Self::Previewed { number } => EventKind::Previewed {
                message: message.ok_or_else(|| damaged("previews"))?,
                number,
                previews: vec![],
            },
            Self::Joined { user, by } => {
                let (username, name) = names(user)?;
                EventKind::Joined { user: UserId(user), username, name, by: by.map(UserId) }
            }
            Self::Left { user, by, reason } => EventKind::Left {
                user: UserId(user),
                by: by.map(UserId),
                reason: Gone::parse(&reason).ok_or_else(|| damaged("a reason"))?,
            },
            Self::RoleChanged { user, role, by } => EventKind::RoleChanged {
                user: UserId(user),
                role: Role::parse(&role).ok_or_else(|| damaged("a role"))?,
                by: UserId(by),
            },
            Self::SessionSettings { name, message_ttl_s, end, by } => EventKind::SessionSettings {
                name,
                message_ttl: message_ttl_s.and_then(Ttl::stored),
                ending: end.map(Into::into),
                by: UserId(by),
            },
            Self::RoomSettings(room) => EventKind::RoomSettings {
                room: RoomId(room.room),
                name: room.name,
                description: room.description,
                kind: RoomKind::parse(&room.room_kind).ok_or_else(|| damaged("a room kind"))?,
                has_password: room.has_password,
                archived_at: room.archived_at.map(Time),
                rules: Rules::stored(room.message_ttl_s, room.retention_s, room.sessions_max),
                by: UserId(room.by),
            },
            Self::Ended { by } => EventKind::Ended { by: by.map(UserId) },
        })
    }
}

/// An entry of a user's own log, as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum StoredUser {
    Added { room: Uuid, session: Uuid, by: Option<Uuid> },
    Removed { room: Uuid, session: Uuid, whole_room: bool, reason: String },
    RoomCreated { room: Uuid },
    DeviceAdded { device: Uuid },
    DeviceRemoved { device: Uuid },
    Settings,
    Nothing,
}

impl StoredUser {
    /// The code (one for all) and the data of an entry.
    pub(crate) fn of(kind: &UserEventKind) -> (i64, String) {
        let stored = match kind {
            UserEventKind::Added { room: Some(room), session: Some(session), by } => {
                Self::Added { room: room.id.0, session: session.id.0, by: by.map(|id| id.0) }
            }
            UserEventKind::Removed { room, session, whole_room, reason } => Self::Removed {
                room: room.0,
                session: session.0,
                whole_room: *whole_room,
                reason: reason.as_str().to_owned(),
            },
            UserEventKind::RoomCreated(Some(room)) => Self::RoomCreated { room: room.id.0 },
            UserEventKind::DeviceAdded(Some(device)) => Self::DeviceAdded { device: device.id.0 },
            UserEventKind::DeviceRemoved(device) => Self::DeviceRemoved { device: device.0 },
            UserEventKind::Settings(_) => Self::Settings,
            // What is written is always there when it is written.
            UserEventKind::Added { .. }
            | UserEventKind::RoomCreated(None)
            | UserEventKind::DeviceAdded(None) => Self::Nothing,
        };
        (OTHER, json(&stored).unwrap_or_default())
    }
}

/// Our own small types always print.
fn json<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// Something in the database is not what was put there.
pub(crate) fn damaged(what: &str) -> StoreError {
    StoreError::Database(format!("{what} cannot be read"))
}
