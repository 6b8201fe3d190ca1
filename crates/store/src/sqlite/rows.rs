//! Rows in the domain's words: what every query of a kind selects, and how it is read.

use parlor_domain::{
    ClientId, Message, MessageId, Role, RoomId, RoomKind, SessionId, Time, User, UserId, View,
};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::failed;
use crate::StoreError;

/// A 16-byte id in this column.
pub(super) fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

/// A word in this column that the domain knows.
pub(super) fn word<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    let unknown = || {
        let error = format!("unknown word {text:?}").into();
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error)
    };
    parse(text).ok_or_else(unknown)
}

/// Selects messages `m`, to be read by [`message`].
pub(super) const MESSAGE: &str = "select m.id, m.no, m.number, m.seq, s.id, u.id, m.client_id, \
    m.content, m.reply_to, m.sent_at, m.edited_at, m.deleted_at from messages m \
    join sessions s on s.no = m.session_no join users u on u.no = m.sender_no";

/// Reads a row of [`MESSAGE`].
pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    message_at(row, 0)
}

/// Reads a row of [`MESSAGE`] whose columns begin at `at`.
pub(super) fn message_at(row: &Row<'_>, at: usize) -> rusqlite::Result<Message> {
    let reply_to: Option<[u8; 16]> = row.get(at + 8)?;
    Ok(Message {
        id: MessageId(uuid(row, at)?),
        no: row.get(at + 1)?,
        number: row.get(at + 2)?,
        seq: row.get(at + 3)?,
        session: SessionId(uuid(row, at + 4)?),
        sender: UserId(uuid(row, at + 5)?),
        client_id: ClientId(uuid(row, at + 6)?),
        content: row.get(at + 7)?,
        reply_to: reply_to.map(|id| MessageId(Uuid::from_bytes(id))),
        sent_at: Time(row.get(at + 9)?),
        edited_at: row.get::<_, Option<i64>>(at + 10)?.map(Time),
        deleted_at: row.get::<_, Option<i64>>(at + 11)?.map(Time),
    })
}

/// The columns of a user `u`, to be read by [`user_at`].
pub(super) const USER: &str = "u.id, u.no, u.username, u.name, u.status, u.created_at, \
    u.last_seen_at, u.show_last_seen";

/// How many columns [`USER`] has.
pub(super) const USER_COLUMNS: usize = 8;

/// Reads the columns of [`USER`] that begin at `at`.
pub(super) fn user_at(row: &Row<'_>, at: usize) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId(uuid(row, at)?),
        no: row.get(at + 1)?,
        username: row.get(at + 2)?,
        name: row.get(at + 3)?,
        status: row.get(at + 4)?,
        created_at: Time(row.get(at + 5)?),
        last_seen_at: row.get::<_, Option<i64>>(at + 6)?.map(Time),
        show_last_seen: row.get(at + 7)?,
    })
}

/// A session as a member sees it, fresh; `None` when they are not in it.
pub(super) fn view(
    conn: &Connection,
    user: UserId,
    session: SessionId,
) -> Result<Option<View>, StoreError> {
    let sql = "select s.no, s.main, s.ended_at is not null, c.id, r.id, r.kind, \
               r.archived_at is not null, u.no, rm.role, h.acl_version \
               from sessions s join users u on u.id = ?2 \
               join session_members sm on sm.session_no = s.no and sm.user_no = u.no \
               join rooms r on r.no = s.room_no \
               join room_members rm on rm.room_no = r.no and rm.user_no = u.no \
               join heads h on h.session_no = s.no \
               left join users c on c.no = s.created_by where s.id = ?1";
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    let found = statement.query_row(params![session.0.as_bytes(), user.0.as_bytes()], |row| {
        let creator: Option<[u8; 16]> = row.get(3)?;
        Ok(View {
            session,
            session_no: row.get(0)?,
            main: row.get(1)?,
            ended: row.get(2)?,
            created_by: creator.map(|id| UserId(Uuid::from_bytes(id))),
            room: RoomId(uuid(row, 4)?),
            kind: word(row, 5, RoomKind::parse)?,
            archived: row.get(6)?,
            user,
            user_no: row.get(7)?,
            role: word(row, 8, Role::parse)?,
            acl_version: row.get(9)?,
        })
    });
    found.optional().map_err(failed)
}
