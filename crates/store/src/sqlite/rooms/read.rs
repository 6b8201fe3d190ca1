//! Rooms as somebody sees them.

use parlor_domain::{Ban, Member, Role, Room, RoomId, RoomKind, SessionId, Time, User, UserId};
use rusqlite::{Connection, Row, params};

use super::super::rows::{
    USER, USER_COLUMNS, exists, literally, many, maybe_time, maybe_user, maybe_word, most, one,
    rules_at, user_at, user_no, uuid, word,
};
use crate::StoreError;

/// Selects rooms `r` as the user `?1` sees them, to be read by [`room_row`].
pub(in super::super) const ROOM: &str = "select r.id, r.no, r.name, r.kind, r.description, \
    r.password_hash is not null, s.id, r.member_count, rm.role, r.created_at, r.archived_at, \
    r.lobby, r.message_ttl_s, r.retention_s, r.sessions_max, r.slug, s.no, s.created_by, \
    r.changed_at, r.created_at \
    from rooms r join sessions s on s.no = r.main_session_no \
    left join room_members rm on rm.room_no = r.no and rm.user_no = ?1";

/// How many columns [`ROOM`] has.
pub(in super::super) const ROOM_COLUMNS: usize = 15;

/// Reads a row of [`ROOM`]; a direct room's people are yet to be filled in.
pub(in super::super) fn room_row(row: &Row<'_>) -> rusqlite::Result<Room> {
    Ok(Room {
        id: RoomId(uuid(row, 0)?),
        no: row.get(1)?,
        name: row.get(2)?,
        kind: word(row, 3, RoomKind::parse)?,
        description: row.get(4)?,
        has_password: row.get(5)?,
        main_session: SessionId(uuid(row, 6)?),
        member_count: row.get(7)?,
        my_role: maybe_word(row, 8, Role::parse)?,
        created_at: Time(row.get(9)?),
        archived_at: maybe_time(row, 10)?,
        people: vec![],
        lobby: row.get(11)?,
        rules: rules_at(row, 12)?,
    })
}

/// A room as this user would see it, whether they may or not.
pub(super) fn find(
    conn: &Connection,
    user_no: i64,
    room: RoomId,
) -> Result<Option<Room>, StoreError> {
    let sql = format!("{ROOM} where r.id = ?2");
    let found = one(conn, &sql, params![user_no, room.0.as_bytes()], room_row)?;
    found.map(|room| with_people(conn, room)).transpose()
}

/// A room as a member sees it; `None` when they are not in it.
pub(in super::super) fn joined(
    conn: &Connection,
    user: UserId,
    room: RoomId,
) -> Result<Option<Room>, StoreError> {
    let Some(no) = user_no(conn, user)? else {
        return Ok(None);
    };
    Ok(find(conn, no, room)?.filter(|room| room.my_role.is_some()))
}

/// A room as somebody sees it: one they are in, or an open one they are not banned from.
pub(super) fn seen(
    conn: &Connection,
    user: UserId,
    room: RoomId,
) -> Result<Option<Room>, StoreError> {
    let Some(no) = user_no(conn, user)? else {
        return Ok(None);
    };
    let Some(room) = find(conn, no, room)? else {
        return Ok(None);
    };
    let sql = "select 1 from bans where room_no = ? and user_no = ?";
    let visible =
        room.my_role.is_some() || room.kind.is_open() && !exists(conn, sql, [room.no, no])?;
    Ok(visible.then_some(room))
}

/// Fills in the people of a direct room.
fn with_people(conn: &Connection, mut room: Room) -> Result<Room, StoreError> {
    if room.kind == RoomKind::Direct {
        room.people = people(conn, room.no)?;
    }
    Ok(room)
}

fn people(conn: &Connection, room_no: i64) -> Result<Vec<User>, StoreError> {
    let sql = format!(
        "select {USER} from room_members rm join users u on u.no = rm.user_no \
         where rm.room_no = ? order by u.username"
    );
    many(conn, &sql, [room_no], |row| user_at(row, 0))
}

/// The rooms that somebody is in.
pub(super) fn rooms_of(conn: &Connection, user_no: i64) -> Result<Vec<Room>, StoreError> {
    let sql = format!("{ROOM} where rm.role is not null order by r.no");
    let rooms = many(conn, &sql, [user_no], room_row)?;
    rooms.into_iter().map(|room| with_people(conn, room)).collect()
}

/// Public rooms with `no` above `after`.
pub(super) fn public_rooms(
    conn: &Connection,
    user_no: i64,
    query: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<Room>, StoreError> {
    let sql = format!(
        "{ROOM} where r.kind = 'public' and r.archived_at is null and r.no > ?2 \
         and r.search_key like ?3 escape '\\' and not exists \
         (select 1 from bans b where b.room_no = r.no and b.user_no = ?1) \
         order by r.no limit ?4"
    );
    let pattern = format!("%{}%", literally(&query.trim().to_lowercase()));
    many(conn, &sql, params![user_no, after, pattern, most(limit)], room_row)
}

/// A room's members, by username.
pub(super) fn members(
    conn: &Connection,
    room: RoomId,
    after: &str,
    limit: u64,
) -> Result<Vec<Member>, StoreError> {
    let sql = format!(
        "select {USER}, rm.role, rm.joined_at from room_members rm \
         join users u on u.no = rm.user_no \
         where rm.room_no = (select no from rooms where id = ?) and u.username > ? \
         order by u.username limit ?"
    );
    many(conn, &sql, params![room.0.as_bytes(), after, most(limit)], |row| {
        Ok(Member {
            user: user_at(row, 0)?,
            role: word(row, USER_COLUMNS, Role::parse)?,
            joined_at: Time(row.get(USER_COLUMNS + 1)?),
            read_number: None,
        })
    })
}

/// Who may not come back, newest first.
pub(super) fn bans(conn: &Connection, room: RoomId, limit: u64) -> Result<Vec<Ban>, StoreError> {
    let sql = format!(
        "select {USER}, by.id, b.banned_at, b.reason from bans b \
         join users u on u.no = b.user_no left join users by on by.no = b.by_no \
         where b.room_no = (select no from rooms where id = ?) \
         order by b.banned_at desc, b.user_no desc limit ?"
    );
    many(conn, &sql, params![room.0.as_bytes(), most(limit)], |row| {
        Ok(Ban {
            user: user_at(row, 0)?,
            by: maybe_user(row, USER_COLUMNS)?,
            at: Time(row.get(USER_COLUMNS + 1)?),
            reason: row.get(USER_COLUMNS + 2)?,
        })
    })
}
