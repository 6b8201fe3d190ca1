//! Rows in the domain's words: what every query of a kind selects, and how it is read.

use parlor_domain::{
    Algorithm, ClientId, Encryption, Ending, Extras, FileId, Message, MessageId, Role, RoomId,
    RoomKind, Rules, SessionId, Time, Ttl, User, UserId, View,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::readers::{Bound, Db};
use crate::StoreError;

/// The first row of a query that is prepared once.
pub(super) async fn one<T>(
    db: &Db,
    sql: &str,
    bound: Bound<'_>,
    read: impl FnOnce(&Row) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    db.query(sql, bound).await?.first().map(read).transpose()
}

/// All rows of a query that is prepared once.
pub(super) async fn many<T>(
    db: &Db,
    sql: &str,
    bound: Bound<'_>,
    read: impl FnMut(&Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    db.query(sql, bound).await?.iter().map(read).collect()
}

/// Whether a query that is prepared once finds anything.
pub(super) async fn exists(db: &Db, sql: &str, bound: Bound<'_>) -> Result<bool, StoreError> {
    Ok(!db.query(sql, bound).await?.is_empty())
}

/// A limit as the database takes it.
pub(super) fn most(limit: u64) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A text as a part of a `like $n` pattern that means just itself.
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
pub(super) fn uuid(row: &Row, column: usize) -> Result<Uuid, StoreError> {
    Ok(row.try_get(column)?)
}

/// A word in this column that the domain knows.
pub(super) fn word<T>(
    row: &Row,
    column: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, StoreError> {
    let text: &str = row.try_get(column)?;
    parse(text).ok_or_else(|| StoreError::Database(format!("unknown word {text:?}")))
}

/// A word in this column, or nothing.
pub(super) fn maybe_word<T>(
    row: &Row,
    column: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    match row.try_get::<_, Option<&str>>(column)? {
        None => Ok(None),
        Some(_) => word(row, column, parse).map(Some),
    }
}

/// A time in this column.
pub(super) fn time(row: &Row, column: usize) -> Result<Time, StoreError> {
    Ok(Time(row.try_get(column)?))
}

/// A time in this column, or nothing.
pub(super) fn maybe_time(row: &Row, column: usize) -> Result<Option<Time>, StoreError> {
    Ok(row.try_get::<_, Option<i64>>(column)?.map(Time))
}

/// A time to live in this column, or nothing.
pub(super) fn maybe_ttl(row: &Row, column: usize) -> Result<Option<Ttl>, StoreError> {
    Ok(row.try_get::<_, Option<i64>>(column)?.and_then(Ttl::stored))
}

/// When a session ends, of which the columns `ends_at`, `silence_s` and `read_only_s` begin at
/// `at`.
pub(super) fn ending_at(row: &Row, at: usize) -> Result<Option<Ending>, StoreError> {
    let (ends_at, silence) = (maybe_time(row, at)?, row.try_get(at + 1)?);
    let read_only = row.try_get(at + 2)?;
    Ok(ends_at.map(|at| Ending::stored(at, silence, read_only)))
}

/// What a room lays down, of which the columns `message_ttl_s`, `retention_s` and `sessions_max`
/// begin at `at`.
pub(super) fn rules_at(row: &Row, at: usize) -> Result<Rules, StoreError> {
    Ok(Rules::stored(row.try_get(at)?, row.try_get(at + 1)?, row.try_get(at + 2)?))
}

/// The id of a user in this column, or nothing.
pub(super) fn maybe_user(row: &Row, column: usize) -> Result<Option<UserId>, StoreError> {
    Ok(row.try_get::<_, Option<Uuid>>(column)?.map(UserId))
}

/// The id of a message in this column, or nothing.
pub(super) fn maybe_message(row: &Row, column: usize) -> Result<Option<MessageId>, StoreError> {
    Ok(row.try_get::<_, Option<Uuid>>(column)?.map(MessageId))
}

/// The id of a file in this column, or nothing.
pub(super) fn maybe_file(row: &Row, column: usize) -> Result<Option<FileId>, StoreError> {
    Ok(row.try_get::<_, Option<Uuid>>(column)?.map(FileId))
}

/// A person, as the logs name them.
pub(super) struct Person {
    pub(super) no: i64,
    pub(super) id: UserId,
    pub(super) username: String,
    pub(super) name: String,
}

/// The person with this id, unless their account is deleted.
pub(super) async fn person(db: &Db, id: UserId) -> Result<Option<Person>, StoreError> {
    let sql = "select no, username, name from users where id = $1 and deleted_at is null";
    one(db, sql, &[&id.0], |row| {
        let (no, username, name) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        Ok(Person { no, id, username, name })
    })
    .await
}

/// The small id of a user.
pub(super) async fn user_no(db: &Db, id: UserId) -> Result<Option<i64>, StoreError> {
    let sql = "select no from users where id = $1";
    one(db, sql, &[&id.0], |row| Ok(row.try_get(0)?)).await
}

/// Selects messages `m`, to be read by [`message`].
pub(super) const MESSAGE: &str = "select m.id, m.no, m.number, m.seq, s.id, u.id, m.client_id, \
    m.content, m.reply_to, m.sent_at, m.edited_at, m.deleted_at, m.file, m.thread_id, m.extras, \
    m.expires_at, s.ended_at from messages m join sessions s on s.no = m.session_no \
    join users u on u.no = m.sender_no";

/// How many columns [`MESSAGE`] has.
pub(super) const MESSAGE_COLUMNS: usize = 17;

/// Reads a row of [`MESSAGE`]; what else there is of it is still to be read.
pub(super) fn message(row: &Row) -> Result<Message, StoreError> {
    message_at(row, 0)
}

/// Reads a row of [`MESSAGE`] whose columns begin at `at`. This is the one place where what was
/// said in a session that has ended is left out.
pub(super) fn message_at(row: &Row, at: usize) -> Result<Message, StoreError> {
    let message = Message {
        id: MessageId(uuid(row, at)?),
        no: row.try_get(at + 1)?,
        number: row.try_get(at + 2)?,
        seq: row.try_get(at + 3)?,
        session: SessionId(uuid(row, at + 4)?),
        sender: UserId(uuid(row, at + 5)?),
        client_id: ClientId(uuid(row, at + 6)?),
        content: row.try_get(at + 7)?,
        reply_to: maybe_message(row, at + 8)?,
        sent_at: time(row, at + 9)?,
        edited_at: maybe_time(row, at + 10)?,
        deleted_at: maybe_time(row, at + 11)?,
        file: row.try_get(at + 12)?,
        thread: maybe_message(row, at + 13)?,
        extras: Extras::of(row.try_get(at + 14)?),
        expires_at: maybe_time(row, at + 15)?,
    };
    Ok(message.veiled(maybe_time(row, at + 16)?))
}

/// The columns of a user `u`, to be read by [`user_at`].
pub(super) const USER: &str = "u.id, u.no, u.username, u.name, u.status, u.created_at, \
    u.last_seen_at, u.show_last_seen, u.picture";

/// How many columns [`USER`] has.
pub(super) const USER_COLUMNS: usize = 9;

/// Reads the columns of [`USER`] that begin at `at`. When somebody hides when they were here, it
/// does not leave the store.
pub(super) fn user_at(row: &Row, at: usize) -> Result<User, StoreError> {
    let show_last_seen: bool = row.try_get(at + 7)?;
    Ok(User {
        id: UserId(uuid(row, at)?),
        no: row.try_get(at + 1)?,
        username: row.try_get(at + 2)?,
        name: row.try_get(at + 3)?,
        status: row.try_get(at + 4)?,
        created_at: time(row, at + 5)?,
        last_seen_at: maybe_time(row, at + 6)?.filter(|_| show_last_seen),
        show_last_seen,
        picture: maybe_file(row, at + 8)?,
    })
}

/// How a session is encrypted, of whom the columns `algorithm`, `rotation_period_ms`,
/// `rotation_period_msgs` and `verified_only` begin at `at`.
pub(super) fn encryption_at(row: &Row, at: usize) -> Result<Option<Encryption>, StoreError> {
    let Some(algorithm) = maybe_word(row, at, Algorithm::parse)? else {
        return Ok(None);
    };
    Ok(Some(Encryption {
        algorithm,
        rotation_period_ms: row.try_get(at + 1)?,
        rotation_period_msgs: row.try_get(at + 2)?,
        verified_only: row.try_get(at + 3)?,
    }))
}

/// A session as a member sees it, fresh; `None` when they are not in it.
pub(super) async fn view(
    db: &Db,
    user: UserId,
    session: SessionId,
) -> Result<Option<View>, StoreError> {
    // The session by its key, so that it is not looked for among all those that they are in.
    let sql = "select s.no, s.main, s.ended_at is not null, c.id, r.id, r.kind, \
               r.archived_at is not null, u.no, rm.role, h.acl_version, s.member_count, \
               h.membership_version, s.algorithm, s.rotation_period_ms, s.rotation_period_msgs, \
               s.verified_only, s.message_ttl_s, s.ends_at, s.silence_s, s.read_only_s, \
               r.retention_s from sessions s \
               join users u on u.no = (select no from users where id = $2) \
               join session_members sm on sm.session_no = s.no and sm.user_no = u.no \
               join rooms r on r.no = s.room_no \
               join room_members rm on rm.room_no = r.no and rm.user_no = u.no \
               join heads h on h.session_no = s.no \
               left join users c on c.no = s.created_by \
               where s.no = (select no from sessions where id = $1)";
    one(db, sql, &[&session.0, &user.0], |row| {
        Ok(View {
            session,
            session_no: row.try_get(0)?,
            main: row.try_get(1)?,
            ended: row.try_get(2)?,
            created_by: maybe_user(row, 3)?,
            room: RoomId(uuid(row, 4)?),
            kind: word(row, 5, RoomKind::parse)?,
            archived: row.try_get(6)?,
            user,
            user_no: row.try_get(7)?,
            role: word(row, 8, Role::parse)?,
            acl_version: row.try_get(9)?,
            people: row.try_get(10)?,
            membership_version: row.try_get(11)?,
            encryption: encryption_at(row, 12)?,
            message_ttl: maybe_ttl(row, 16)?,
            retention: maybe_ttl(row, 20)?,
            ending: ending_at(row, 17)?,
        })
    })
    .await
}
