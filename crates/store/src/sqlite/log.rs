//! The logs: how an event is stored, and how a stretch of a log is read.

use async_trait::async_trait;
use parlor_domain::{
    DeviceId, Event, EventKind, Gone, Message, MessageId, RoomId, SessionId, Time, UserEvent,
    UserEventKind, UserId,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::rows::{maybe_time, message_at, one, view};
use super::{SqliteStore, accounts, extras, failed, logins, previews, rooms, sessions};
use crate::stored::{EDITED, POSTED, Stored, StoredUser, damaged};
use crate::{Log, LogPage, StoreError, UserLogPage};

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

    async fn heads(&self, sessions: Vec<SessionId>) -> Result<Vec<(SessionId, i64)>, StoreError> {
        self.read(move |conn| {
            let sql = "select h.seq from sessions s join heads h on h.session_no = s.no \
                       where s.id = ?";
            each(sessions, |id| one(conn, sql, [id.0.as_bytes()], |row| row.get(0)))
        })
        .await
    }

    async fn user_heads(&self, users: Vec<UserId>) -> Result<Vec<(UserId, i64)>, StoreError> {
        self.read(move |conn| {
            let sql = "select log_seq from users where id = ?";
            each(users, |id| one(conn, sql, [id.0.as_bytes()], |row| row.get(0)))
        })
        .await
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

/// The head of each of these, where there is one.
fn each<T: Copy>(
    ids: Vec<T>,
    head: impl Fn(T) -> Result<Option<i64>, StoreError>,
) -> Result<Vec<(T, i64)>, StoreError> {
    let found = ids.into_iter().map(|id| Ok(head(id)?.map(|seq| (id, seq))));
    found.filter_map(Result::transpose).collect()
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
               m.client_id, iif(m.sealed is null, m.content, unsealed(m.sealed, s.id, m.id)), \
               m.reply_to, m.sent_at, m.edited_at, m.deleted_at, m.file, \
               m.thread_id, m.extras, m.expires_at, s.ended_at \
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
        POSTED => EventKind::Posted(told(conn, row)?),
        EDITED => EventKind::Edited(told(conn, row)?),
        _ => {
            let text = row.get_ref(3).map_err(failed)?;
            let text = text.as_str().map_err(|_| damaged("an event"))?;
            let stored: Stored = serde_json::from_str(text).map_err(|_| damaged("an event"))?;
            let message: Option<[u8; 16]> = row.get(4).map_err(failed)?;
            let mut kind = stored
                .kind(message.map(|id| MessageId(Uuid::from_bytes(id))), |user| {
                    names(conn, user)
                })?;
            if maybe_time(row, 20).map_err(failed)?.is_some() {
                kind.veil();
            } else if let EventKind::Previewed { previews, .. } = &mut kind {
                *previews = previews::of_message(conn, row.get(5).map_err(failed)?)?;
            }
            kind
        }
    };
    let (seq, at) = (row.get(0).map_err(failed)?, Time(row.get(2).map_err(failed)?));
    Ok(Event { session, seq, at, kind })
}

/// The message of an event, as everybody is told of it.
fn told(conn: &Connection, row: &Row<'_>) -> Result<Message, StoreError> {
    extras::filled(conn, extras::NOBODY, message_at(row, 4).map_err(failed)?)
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
        events.push(UserEvent { user, seq, at, kind: entry(conn, user, stored)? });
    }
    Ok(UserLogPage { events, head })
}

/// The entry again, with everything as it is now and as the user may see it now.
fn entry(conn: &Connection, user: UserId, stored: StoredUser) -> Result<UserEventKind, StoreError> {
    Ok(match stored {
        StoredUser::Added { room, session, by } => UserEventKind::Added {
            room: rooms::joined(conn, user, RoomId(room))?.map(Box::new),
            session: sessions::joined(conn, user, SessionId(session))?.map(Box::new),
            by: by.map(UserId),
        },
        StoredUser::Removed { room, session, whole_room, reason } => UserEventKind::Removed {
            room: RoomId(room),
            session: SessionId(session),
            whole_room,
            reason: Gone::parse(&reason).ok_or_else(|| damaged("a reason"))?,
        },
        StoredUser::RoomCreated { room } => {
            let room = rooms::joined(conn, user, RoomId(room))?;
            UserEventKind::RoomCreated(room.map(Box::new))
        }
        StoredUser::DeviceAdded { device } => {
            UserEventKind::DeviceAdded(logins::device(conn, DeviceId(device))?)
        }
        StoredUser::DeviceRemoved { device } => UserEventKind::DeviceRemoved(DeviceId(device)),
        StoredUser::Settings => {
            let profile = accounts::profile(conn, user)?;
            UserEventKind::Settings(Box::new(profile.ok_or_else(|| damaged("a user"))?))
        }
        StoredUser::Nothing => return Err(damaged("a user's log")),
    })
}

fn names(conn: &Connection, user: Uuid) -> Result<(String, String), StoreError> {
    let sql = "select username, name from users where id = ?";
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    let found = statement.query_row([user.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional().map_err(failed)?.unwrap_or_default())
}
