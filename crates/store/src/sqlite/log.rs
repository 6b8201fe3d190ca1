//! The logs: how an event is stored, and how a stretch of a log is read.

use async_trait::async_trait;
use parlor_domain::{
    DeviceId, Event, EventKind, Gone, MessageId, Role, RoomId, RoomKind, SessionId, Time,
    UserEvent, UserEventKind, UserId,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rows::{message_at, view};
use super::{SqliteStore, accounts, failed, logins, rooms, sessions};
use crate::{Log, LogPage, StoreError, UserLogPage};

const POSTED: i64 = 1;
const EDITED: i64 = 2;
const DELETED: i64 = 3;
const OTHER: i64 = 4;

/// An event beside its message, as it is stored. Ids, never names: people change theirs.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Stored {
    Deleted { number: i64, by: Uuid },
    Joined { user: Uuid, by: Option<Uuid> },
    Left { user: Uuid, by: Option<Uuid>, reason: String },
    RoleChanged { user: Uuid, role: String, by: Uuid },
    SessionSettings { name: String, by: Uuid },
    RoomSettings(Box<StoredRoom>),
    Ended { by: Option<Uuid> },
}

/// A room's settings, as they were then.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredRoom {
    room: Uuid,
    name: String,
    description: String,
    room_kind: String,
    has_password: bool,
    archived_at: Option<i64>,
    by: Uuid,
}

impl Stored {
    /// The code and the data of an event; posted and edited need no data but their message.
    pub(super) fn of(kind: &EventKind) -> (i64, Option<String>) {
        let stored = match kind {
            EventKind::Posted(_) => return (POSTED, None),
            EventKind::Edited(_) => return (EDITED, None),
            EventKind::Deleted { number, by, .. } => Self::Deleted { number: *number, by: by.0 },
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
            EventKind::SessionSettings { name, by } => {
                Self::SessionSettings { name: name.clone(), by: by.0 }
            }
            EventKind::RoomSettings {
                room,
                name,
                description,
                kind,
                has_password,
                archived_at,
                by,
            } => Self::RoomSettings(Box::new(StoredRoom {
                room: room.0,
                name: name.clone(),
                description: description.clone(),
                room_kind: kind.as_str().to_owned(),
                has_password: *has_password,
                archived_at: archived_at.map(|t| t.0),
                by: by.0,
            })),
            EventKind::Ended { by } => Self::Ended { by: by.map(|id| id.0) },
        };
        let code = if matches!(stored, Self::Deleted { .. }) { DELETED } else { OTHER };
        (code, json(&stored))
    }

    /// The event again. `message` is the id of the message that a deletion refers to.
    fn kind(self, conn: &Connection, message: Option<MessageId>) -> Result<EventKind, StoreError> {
        Ok(match self {
            Self::Deleted { number, by } => EventKind::Deleted {
                message: message.ok_or_else(|| damaged("a deletion"))?,
                number,
                by: UserId(by),
            },
            Self::Joined { user, by } => {
                let (username, name) = names(conn, user)?;
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
            Self::SessionSettings { name, by } => {
                EventKind::SessionSettings { name, by: UserId(by) }
            }
            Self::RoomSettings(room) => EventKind::RoomSettings {
                room: RoomId(room.room),
                name: room.name,
                description: room.description,
                kind: RoomKind::parse(&room.room_kind).ok_or_else(|| damaged("a room kind"))?,
                has_password: room.has_password,
                archived_at: room.archived_at.map(Time),
                by: UserId(room.by),
            },
            Self::Ended { by } => EventKind::Ended { by: by.map(UserId) },
        })
    }
}

/// An entry of a user's own log, as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum StoredUser {
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
    pub(super) fn of(kind: &UserEventKind) -> (i64, String) {
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

    /// The entry again, with everything as it is now and as the user may see it now.
    fn kind(self, conn: &Connection, user: UserId) -> Result<UserEventKind, StoreError> {
        Ok(match self {
            Self::Added { room, session, by } => UserEventKind::Added {
                room: rooms::joined(conn, user, RoomId(room))?.map(Box::new),
                session: sessions::joined(conn, user, SessionId(session))?.map(Box::new),
                by: by.map(UserId),
            },
            Self::Removed { room, session, whole_room, reason } => UserEventKind::Removed {
                room: RoomId(room),
                session: SessionId(session),
                whole_room,
                reason: Gone::parse(&reason).ok_or_else(|| damaged("a reason"))?,
            },
            Self::RoomCreated { room } => {
                let room = rooms::joined(conn, user, RoomId(room))?;
                UserEventKind::RoomCreated(room.map(Box::new))
            }
            Self::DeviceAdded { device } => {
                UserEventKind::DeviceAdded(logins::device(conn, DeviceId(device))?)
            }
            Self::DeviceRemoved { device } => UserEventKind::DeviceRemoved(DeviceId(device)),
            Self::Settings => {
                let profile = accounts::profile(conn, user)?;
                UserEventKind::Settings(Box::new(profile.ok_or_else(|| damaged("a user"))?))
            }
            Self::Nothing => return Err(damaged("a user's log")),
        })
    }
}

#[async_trait]
impl Log for SqliteStore {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    async fn events_after(
        &self,
        user: UserId,
        session: SessionId,
        after: i64,
        limit: u64,
    ) -> Result<Option<LogPage>, StoreError> {
        self.read(move |conn| {
            let Some(view) = view(conn, user, session)? else {
                return Ok(None);
            };
            let sql = "select seq from heads where session_no = ?";
            let mut statement = conn.prepare_cached(sql).map_err(failed)?;
            let head = statement.query_row([view.session_no], |row| row.get(0)).map_err(failed)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let events = between(conn, session, view.session_no, (after, i64::MAX), limit)?;
            Ok(Some(LogPage { events, head }))
        })
        .await
    }

    async fn events_between(
        &self,
        session: SessionId,
        after: i64,
        before: i64,
    ) -> Result<Vec<Event>, StoreError> {
        self.read(move |conn| {
            let sql = "select no from sessions where id = ?";
            let mut statement = conn.prepare_cached(sql).map_err(failed)?;
            let no = statement.query_row([session.0.as_bytes()], |row| row.get(0)).optional();
            let Some(no) = no.map_err(failed)? else {
                return Ok(vec![]);
            };
            between(conn, session, no, (after, before), i64::MAX)
        })
        .await
    }

    async fn user_events_after(
        &self,
        user: UserId,
        after: i64,
        limit: u64,
    ) -> Result<UserLogPage, StoreError> {
        self.read(move |conn| user_events(conn, user, after, limit)).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.read(|conn| {
            conn.query_row("select 1", [], |row| row.get::<_, i64>(0)).map_err(failed)
        })
        .await?;
        // An empty change commits too: it fails while the database cannot be written.
        self.write(|_| Ok(())).await
    }
}

/// Events with `after < seq < before`, ascending.
fn between(
    conn: &Connection,
    session: SessionId,
    session_no: i64,
    (after, before): (i64, i64),
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    if limit == 0 {
        return Ok(vec![]);
    }
    let sql = "select e.seq, e.kind, e.at, e.data, m.id, m.no, m.number, m.seq, s.id, u.id, \
               m.client_id, m.content, m.reply_to, m.sent_at, m.edited_at, m.deleted_at, m.file \
               from events e left join messages m on m.no = e.message_no \
               left join sessions s on s.no = m.session_no \
               left join users u on u.no = m.sender_no \
               where e.session_no = ? and e.seq > ? and e.seq < ? order by e.seq limit ?";
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(params![session_no, after, before, limit]).map_err(failed)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        events.push(event(conn, session, row)?);
    }
    Ok(events)
}

fn event(conn: &Connection, session: SessionId, row: &Row<'_>) -> Result<Event, StoreError> {
    let kind = match row.get(1).map_err(failed)? {
        POSTED => EventKind::Posted(message_at(row, 4).map_err(failed)?),
        EDITED => EventKind::Edited(message_at(row, 4).map_err(failed)?),
        _ => {
            let text = row.get_ref(3).map_err(failed)?;
            let text = text.as_str().map_err(|_| damaged("an event"))?;
            let stored: Stored = serde_json::from_str(text).map_err(|_| damaged("an event"))?;
            let message: Option<[u8; 16]> = row.get(4).map_err(failed)?;
            stored.kind(conn, message.map(|id| MessageId(Uuid::from_bytes(id))))?
        }
    };
    let (seq, at) = (row.get(0).map_err(failed)?, Time(row.get(2).map_err(failed)?));
    Ok(Event { session, seq, at, kind })
}

fn user_events(
    conn: &Connection,
    user: UserId,
    after: i64,
    limit: u64,
) -> Result<UserLogPage, StoreError> {
    let sql = "select no, log_seq from users where id = ?";
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    let found = statement
        .query_row([user.0.as_bytes()], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
        .optional();
    let Some((user_no, head)) = found.map_err(failed)? else {
        return Ok(UserLogPage { events: vec![], head: 0 });
    };
    let sql = "select seq, at, data from user_events where user_no = ? and seq > ? \
               order by seq limit ?";
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![user_no, after, limit]).map_err(failed)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let data: String = row.get(2).map_err(failed)?;
        let stored: StoredUser = serde_json::from_str(&data).map_err(|_| damaged("an entry"))?;
        let (seq, at) = (row.get(0).map_err(failed)?, Time(row.get(1).map_err(failed)?));
        events.push(UserEvent { user, seq, at, kind: stored.kind(conn, user)? });
    }
    Ok(UserLogPage { events, head })
}

fn names(conn: &Connection, user: Uuid) -> Result<(String, String), StoreError> {
    let sql = "select username, name from users where id = ?";
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    let found = statement.query_row([user.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional().map_err(failed)?.unwrap_or_default())
}

/// Our own small types always print.
fn json<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok()
}

fn damaged(what: &str) -> StoreError {
    StoreError::Database(format!("{what} cannot be read"))
}
