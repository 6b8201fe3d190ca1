//! Rows in the domain's words: what every query of a kind selects, and how it is read.

use parlor_domain::{
    Algorithm, ClientId, Encryption, Ending, Extras, FileId, Message, MessageId, Role, RoomId,
    RoomKind, Rules, SessionId, Time, Ttl, User, UserId, View,
};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use uuid::Uuid;

use super::failed;
use crate::StoreError;

/// The first row of a query that is prepared once.
pub(super) fn one<T>(
    conn: &Connection,
    sql: &str,
    bound: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    statement.query_row(bound, read).optional().map_err(failed)
}

/// All rows of a query that is prepared once.
pub(super) fn many<T>(
    conn: &Connection,
    sql: &str,
    bound: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    let rows = statement.query_map(bound, read).map_err(failed)?;
    rows.collect::<Result<_, _>>().map_err(failed)
}

/// Whether a query that is prepared once finds anything.
pub(super) fn exists(conn: &Connection, sql: &str, bound: impl Params) -> Result<bool, StoreError> {
    conn.prepare_cached(sql).and_then(|mut s| s.exists(bound)).map_err(failed)
}

/// A limit as the database takes it.
pub(super) fn most(limit: u64) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A text as a part of a `like ? escape '\'` pattern that means just itself.
pub(super) fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

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

/// A word in this column, or nothing.
pub(super) fn maybe_word<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<Option<T>> {
    if row.get_ref(column)? == ValueRef::Null {
        return Ok(None);
    }
    word(row, column, parse).map(Some)
}

/// A time in this column, or nothing.
pub(super) fn maybe_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Time>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Time))
}

/// A time to live in this column, or nothing.
pub(super) fn maybe_ttl(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Ttl>> {
    Ok(row.get::<_, Option<i64>>(column)?.and_then(Ttl::stored))
}

/// When a session ends, of which the columns `ends_at`, `silence_s` and `read_only_s` begin at
/// `at`.
pub(super) fn ending_at(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Ending>> {
    let (ends_at, silence) = (maybe_time(row, at)?, row.get(at + 1)?);
    let read_only = row.get(at + 2)?;
    Ok(ends_at.map(|at| Ending::stored(at, silence, read_only)))
}

/// What a room lays down, of which the columns `message_ttl_s`, `retention_s` and `sessions_max`
/// begin at `at`.
pub(super) fn rules_at(row: &Row<'_>, at: usize) -> rusqlite::Result<Rules> {
    Ok(Rules::stored(row.get(at)?, row.get(at + 1)?, row.get(at + 2)?))
}

/// The id of a user in this column, or nothing.
pub(super) fn maybe_user(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<UserId>> {
    let id: Option<[u8; 16]> = row.get(column)?;
    Ok(id.map(|id| UserId(Uuid::from_bytes(id))))
}

/// The id of a message in this column, or nothing.
pub(super) fn maybe_message(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<MessageId>> {
    let id: Option<[u8; 16]> = row.get(column)?;
    Ok(id.map(|id| MessageId(Uuid::from_bytes(id))))
}

/// The id of a file in this column, or nothing.
pub(super) fn maybe_file(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<FileId>> {
    let id: Option<[u8; 16]> = row.get(column)?;
    Ok(id.map(|id| FileId(Uuid::from_bytes(id))))
}

/// How a session is encrypted, of whom the columns `algorithm`, `rotation_period_ms`,
/// `rotation_period_msgs` and `verified_only` begin at `at`.
pub(super) fn encryption_at(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Encryption>> {
    let Some(algorithm) = maybe_word(row, at, Algorithm::parse)? else {
        return Ok(None);
    };
    Ok(Some(Encryption {
        algorithm,
        rotation_period_ms: row.get(at + 1)?,
        rotation_period_msgs: row.get(at + 2)?,
        verified_only: row.get(at + 3)?,
    }))
}

/// A person, as the logs name them.
pub(super) struct Person {
    pub(super) no: i64,
    pub(super) id: UserId,
    pub(super) username: String,
    pub(super) name: String,
}

/// The person with this id, unless their account is deleted.
pub(super) fn person(conn: &Connection, id: UserId) -> Result<Option<Person>, StoreError> {
    let sql = "select no, username, name from users where id = ? and deleted_at is null";
    one(conn, sql, [id.0.as_bytes()], |row| {
        let (no, username, name) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Person { no, id, username, name })
    })
}

/// The small id of a user.
pub(super) fn user_no(conn: &Connection, id: UserId) -> Result<Option<i64>, StoreError> {
    let sql = "select no from users where id = ?";
    one(conn, sql, [id.0.as_bytes()], |row| row.get(0))
}

/// Selects messages `m`, to be read by [`message`]. What is sealed is opened; without its key the
/// text is null.
pub(super) const MESSAGE: &str = "select m.id, m.no, m.number, m.seq, s.id, u.id, m.client_id, \
    iif(m.sealed is null, m.content, unsealed(m.sealed, s.id, m.id)), m.reply_to, \
    m.sent_at, m.edited_at, m.deleted_at, m.file, m.thread_id, m.extras, m.expires_at, \
    s.ended_at from messages m join sessions s on s.no = m.session_no \
    join users u on u.no = m.sender_no";

/// How many columns [`MESSAGE`] has.
pub(super) const MESSAGE_COLUMNS: usize = 17;

/// Reads a row of [`MESSAGE`]; what else there is of it is still to be read.
pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    message_at(row, 0)
}

/// Reads a row of [`MESSAGE`] whose columns begin at `at`. This is the one place where what was
/// said in a session that has ended is left out, and that of which the key is gone.
pub(super) fn message_at(row: &Row<'_>, at: usize) -> rusqlite::Result<Message> {
    let content: Option<String> = row.get(at + 7)?;
    let lost = content.is_none();
    let message = Message {
        id: MessageId(uuid(row, at)?),
        no: row.get(at + 1)?,
        number: row.get(at + 2)?,
        seq: row.get(at + 3)?,
        session: SessionId(uuid(row, at + 4)?),
        sender: UserId(uuid(row, at + 5)?),
        client_id: ClientId(uuid(row, at + 6)?),
        content: content.unwrap_or_default(),
        reply_to: maybe_message(row, at + 8)?,
        sent_at: Time(row.get(at + 9)?),
        edited_at: row.get::<_, Option<i64>>(at + 10)?.map(Time),
        deleted_at: row.get::<_, Option<i64>>(at + 11)?.map(Time),
        file: row.get(at + 12)?,
        thread: maybe_message(row, at + 13)?,
        extras: Extras::of(row.get(at + 14)?),
        expires_at: maybe_time(row, at + 15)?,
    };
    let lost_at = lost.then_some(message.sent_at);
    Ok(message.veiled(maybe_time(row, at + 16)?.or(lost_at)))
}

/// The columns of a user `u`, to be read by [`user_at`].
pub(super) const USER: &str = "u.id, u.no, u.username, u.name, u.status, u.created_at, \
    u.last_seen_at, u.show_last_seen, u.picture";

/// How many columns [`USER`] has.
pub(super) const USER_COLUMNS: usize = 9;

/// Reads the columns of [`USER`] that begin at `at`. When somebody hides when they were here, it
/// does not leave the store.
pub(super) fn user_at(row: &Row<'_>, at: usize) -> rusqlite::Result<User> {
    let show_last_seen: bool = row.get(at + 7)?;
    Ok(User {
        id: UserId(uuid(row, at)?),
        no: row.get(at + 1)?,
        username: row.get(at + 2)?,
        name: row.get(at + 3)?,
        status: row.get(at + 4)?,
        created_at: Time(row.get(at + 5)?),
        last_seen_at: maybe_time(row, at + 6)?.filter(|_| show_last_seen),
        show_last_seen,
        picture: maybe_file(row, at + 8)?,
    })
}

/// A session as a member sees it, fresh; `None` when they are not in it.
pub(super) fn view(
    conn: &Connection,
    user: UserId,
    session: SessionId,
) -> Result<Option<View>, StoreError> {
    let sql = "select s.no, s.main, s.ended_at is not null, c.id, r.id, r.kind, \
               r.archived_at is not null, u.no, rm.role, h.acl_version, s.member_count, \
               h.membership_version, s.algorithm, s.rotation_period_ms, s.rotation_period_msgs, \
               s.verified_only, s.message_ttl_s, s.ends_at, s.silence_s, s.read_only_s, \
               r.retention_s from sessions s join users u on u.id = ?2 \
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
            people: row.get(10)?,
            membership_version: row.get(11)?,
            encryption: encryption_at(row, 12)?,
            message_ttl: maybe_ttl(row, 16)?,
            retention: maybe_ttl(row, 20)?,
            ending: ending_at(row, 17)?,
        })
    });
    found.optional().map_err(failed)
}
