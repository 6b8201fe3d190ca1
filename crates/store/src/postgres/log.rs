//! The logs: how a stretch of a log is read.

use std::collections::HashMap;

use async_trait::async_trait;
use parlor_domain::{
    DeviceId, Event, EventKind, Gone, MessageId, RoomId, SessionId, UserEvent, UserEventKind,
    UserId,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::readers::Db;
use super::rows::{many, maybe_time, message_at, most, one, time, uuid, view};
use super::{PostgresStore, accounts, extras, logins, previews, rooms, schema, sessions};
use crate::stored::{EDITED, POSTED, Stored, StoredUser, damaged};
use crate::{Log, LogPage, StoreError, UserLogPage};

#[async_trait]
impl Log for PostgresStore {
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
        let db = self.read().await?;
        let Some(view) = view(&db, user, session).await? else {
            return Ok(None);
        };
        let sql = "select seq from heads where session_no = $1";
        let head = one(&db, sql, &[&view.session_no], |row| Ok(row.try_get(0)?)).await?;
        let range = (after, i64::MAX);
        let events = between(&db, (session, view.session_no), range, most(limit)).await?;
        Ok(Some(LogPage { events, head: head.unwrap_or(0) }))
    }

    async fn events_between(
        &self,
        session: SessionId,
        after: i64,
        before: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let db = self.read().await?;
        let sql = "select no from sessions where id = $1";
        match one(&db, sql, &[&session.0], |row| Ok(row.try_get(0)?)).await? {
            Some(no) => between(&db, (session, no), (after, before), i64::MAX).await,
            None => Ok(vec![]),
        }
    }

    async fn user_events_after(
        &self,
        user: UserId,
        after: i64,
        limit: u64,
    ) -> Result<UserLogPage, StoreError> {
        user_events(&self.read().await?, user, after, limit).await
    }

    async fn heads(&self, sessions: Vec<SessionId>) -> Result<Vec<(SessionId, i64)>, StoreError> {
        let sql = "select s.id, h.seq from sessions s join heads h on h.session_no = s.no \
                   where s.id = any($1)";
        let ids: Vec<_> = sessions.into_iter().map(|id| id.0).collect();
        let read = |row: &Row| Ok((SessionId(uuid(row, 0)?), row.try_get(1)?));
        many(&self.one().await?, sql, &[&ids], read).await
    }

    async fn user_heads(&self, users: Vec<UserId>) -> Result<Vec<(UserId, i64)>, StoreError> {
        let sql = "select id, log_seq from users where id = any($1)";
        let ids: Vec<_> = users.into_iter().map(|id| id.0).collect();
        let read = |row: &Row| Ok((UserId(uuid(row, 0)?), row.try_get(1)?));
        many(&self.one().await?, sql, &[&ids], read).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        let db = self.one().await?;
        db.query(schema::SETTINGS, &[]).await?.iter().try_for_each(schema::check_settings)?;
        // It fails while the database cannot be written: a full disk, or one that only follows.
        let sql = "insert into meta (key, value) values ('probe', '') \
                   on conflict (key) do update set value = excluded.value";
        db.execute(sql, &[]).await.map(drop)
    }
}

/// Events with `after < seq < before`, ascending.
async fn between(
    db: &Db,
    (session, session_no): (SessionId, i64),
    (after, before): (i64, i64),
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    if limit == 0 {
        return Ok(vec![]);
    }
    let sql = "select e.seq, e.kind, e.at, e.data, m.id, m.no, m.number, m.seq, s.id, u.id, \
               m.client_id, m.content, m.reply_to, m.sent_at, m.edited_at, m.deleted_at, m.file, \
               m.thread_id, m.extras, m.expires_at, s.ended_at \
               from events e left join messages m on m.no = e.message_no \
               left join sessions s on s.no = m.session_no \
               left join users u on u.no = m.sender_no \
               where e.session_no = $1 and e.seq > $2 and e.seq < $3 order by e.seq limit $4";
    let rows = db.query(sql, &[&session_no, &after, &before, &limit]).await?;
    let stored = rows.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
    let names = names(db, &stored).await?;
    let each = rows.iter().zip(stored);
    let events = each.map(|(row, stored)| event(session, row, stored, &names));
    let mut events = events.collect::<Result<Vec<_>, _>>()?;
    let messages = events.iter_mut().filter_map(|event| match &mut event.kind {
        EventKind::Posted(message) | EventKind::Edited(message) => Some(message),
        _ => None,
    });
    extras::fill(db, extras::NOBODY, &mut messages.collect::<Vec<_>>()).await?;
    fill_previews(db, &rows, &mut events).await?;
    Ok(events)
}

/// Reads what previews there are now of the messages that events tell it of.
async fn fill_previews(db: &Db, rows: &[Row], events: &mut [Event]) -> Result<(), StoreError> {
    let mut told = Vec::new();
    for (row, event) in rows.iter().zip(events) {
        if let EventKind::Previewed { previews, .. } = &mut event.kind
            && maybe_time(row, 20)?.is_none()
        {
            told.push((row.try_get::<_, i64>(5)?, previews));
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    let nos: Vec<i64> = told.iter().map(|(no, _)| *no).collect();
    let found = previews::of_messages(db, &nos).await?;
    for (no, previews) in told {
        *previews = found.get(&no).cloned().unwrap_or_default();
    }
    Ok(())
}

/// What an event is beside its message; nothing when it is all message.
fn stored(row: &Row) -> Result<Option<Stored>, StoreError> {
    if matches!(row.try_get(1)?, POSTED | EDITED) {
        return Ok(None);
    }
    let text: Option<&str> = row.try_get(3)?;
    let stored = serde_json::from_str(text.ok_or_else(|| damaged("an event"))?);
    stored.map(Some).map_err(|_| damaged("an event"))
}

/// How those who joined are called now.
type Names = HashMap<Uuid, (String, String)>;

async fn names(db: &Db, stored: &[Option<Stored>]) -> Result<Names, StoreError> {
    let joined = stored.iter().flatten().filter_map(|stored| match stored {
        Stored::Joined { user, .. } => Some(*user),
        _ => None,
    });
    let joined: Vec<Uuid> = joined.collect();
    if joined.is_empty() {
        return Ok(Names::new());
    }
    let sql = "select id, username, name from users where id = any($1)";
    let rows = db.query(sql, &[&joined]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)))).collect()
}

fn event(
    session: SessionId,
    row: &Row,
    stored: Option<Stored>,
    names: &Names,
) -> Result<Event, StoreError> {
    let kind = match stored {
        None if row.try_get::<_, i64>(1)? == POSTED => EventKind::Posted(message_at(row, 4)?),
        None => EventKind::Edited(message_at(row, 4)?),
        Some(stored) => {
            let message = row.try_get::<_, Option<Uuid>>(4)?.map(MessageId);
            let named = |user| Ok(names.get(&user).cloned().unwrap_or_default());
            let mut kind = stored.kind(message, named)?;
            if maybe_time(row, 20)?.is_some() {
                kind.veil();
            }
            kind
        }
    };
    Ok(Event { session, seq: row.try_get(0)?, at: time(row, 2)?, kind })
}

async fn user_events(
    db: &Db,
    user: UserId,
    after: i64,
    limit: u64,
) -> Result<UserLogPage, StoreError> {
    let sql = "select no, log_seq from users where id = $1";
    let found = one(db, sql, &[&user.0], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await?;
    let Some((user_no, head)): Option<(i64, i64)> = found else {
        return Ok(UserLogPage { events: vec![], head: 0 });
    };
    let sql = "select seq, at, data from user_events where user_no = $1 and seq > $2 \
               order by seq limit $3";
    let rows = db.query(sql, &[&user_no, &after, &most(limit)]).await?;
    let mut events = Vec::with_capacity(rows.len());
    for row in &rows {
        let stored: Result<StoredUser, _> = serde_json::from_str(row.try_get(2)?);
        let kind = entry(db, user, stored.map_err(|_| damaged("an entry"))?).await?;
        events.push(UserEvent { user, seq: row.try_get(0)?, at: time(row, 1)?, kind });
    }
    Ok(UserLogPage { events, head })
}

/// An entry again, with everything as it is now and as the user may see it now.
async fn entry(db: &Db, user: UserId, stored: StoredUser) -> Result<UserEventKind, StoreError> {
    Ok(match stored {
        StoredUser::Added { room, session, by } => UserEventKind::Added {
            room: rooms::joined(db, user, RoomId(room)).await?.map(Box::new),
            session: sessions::joined(db, user, SessionId(session)).await?.map(Box::new),
            by: by.map(UserId),
        },
        StoredUser::Removed { room, session, whole_room, reason } => UserEventKind::Removed {
            room: RoomId(room),
            session: SessionId(session),
            whole_room,
            reason: Gone::parse(&reason).ok_or_else(|| damaged("a reason"))?,
        },
        StoredUser::RoomCreated { room } => {
            let room = rooms::joined(db, user, RoomId(room)).await?;
            UserEventKind::RoomCreated(room.map(Box::new))
        }
        StoredUser::DeviceAdded { device } => {
            UserEventKind::DeviceAdded(logins::device(db, DeviceId(device)).await?)
        }
        StoredUser::DeviceRemoved { device } => UserEventKind::DeviceRemoved(DeviceId(device)),
        StoredUser::Settings => {
            let profile = accounts::profile(db, user).await?;
            UserEventKind::Settings(Box::new(profile.ok_or_else(|| damaged("a user"))?))
        }
        StoredUser::Nothing => return Err(damaged("a user's log")),
    })
}
