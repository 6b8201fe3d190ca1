//! Rooms as somebody sees them.

use std::collections::HashMap;

use parlor_domain::{Ban, Member, Role, Room, RoomId, RoomKind, SessionId, User, UserId};
use tokio_postgres::Row;

use super::super::readers::Db;
use super::super::rows::{
    USER, USER_COLUMNS, literally, many, maybe_time, maybe_user, maybe_word, most, one, rules_at,
    time, user_at, uuid, word,
};
use crate::StoreError;

/// Selects rooms `r` as the user `$1` sees them, to be read by [`room_row`]; nothing when there is
/// no such user.
pub(in super::super) const ROOM: &str = "select r.id, r.no, r.name, r.kind, r.description, \
    r.password_hash is not null, s.id, r.member_count, rm.role, r.created_at, r.archived_at, \
    r.lobby, r.message_ttl_s, r.retention_s, r.sessions_max, r.slug, s.no, maker.id, \
    r.changed_at \
    from users me cross join rooms r join sessions s on s.no = r.main_session_no \
    left join room_members rm on rm.room_no = r.no and rm.user_no = me.no \
    left join users maker on maker.no = s.created_by where me.id = $1";

/// How many columns of [`ROOM`] belong to the room itself.
pub(in super::super) const ROOM_COLUMNS: usize = 15;

/// What makes a room one that the reader of [`ROOM`] may see: they are in it, or it is open and
/// they are not banned from it.
pub(in super::super) const SEEN: &str = "(rm.role is not null or r.kind in ('public', 'unlisted') \
    and not exists (select 1 from bans b where b.room_no = r.no and b.user_no = me.no))";

/// Reads a row of [`ROOM`]; a direct room's people are yet to be filled in.
pub(in super::super) fn room_row(row: &Row) -> Result<Room, StoreError> {
    Ok(Room {
        id: RoomId(uuid(row, 0)?),
        no: row.try_get(1)?,
        name: row.try_get(2)?,
        kind: word(row, 3, RoomKind::parse)?,
        description: row.try_get(4)?,
        has_password: row.try_get(5)?,
        main_session: SessionId(uuid(row, 6)?),
        member_count: row.try_get(7)?,
        my_role: maybe_word(row, 8, Role::parse)?,
        created_at: time(row, 9)?,
        archived_at: maybe_time(row, 10)?,
        people: vec![],
        lobby: row.try_get(11)?,
        rules: rules_at(row, 12)?,
    })
}

/// A room as this user would see it, whether they may or not.
pub(super) async fn find(db: &Db, user: UserId, room: RoomId) -> Result<Option<Room>, StoreError> {
    first(db, user, room, &format!("{ROOM} and r.id = $2")).await
}

/// A room as a member sees it; `None` when they are not in it.
pub(in super::super) async fn joined(
    db: &Db,
    user: UserId,
    room: RoomId,
) -> Result<Option<Room>, StoreError> {
    first(db, user, room, &format!("{ROOM} and r.id = $2 and rm.role is not null")).await
}

/// A room as somebody sees it: one they are in, or an open one they are not banned from.
pub(super) async fn seen(db: &Db, user: UserId, room: RoomId) -> Result<Option<Room>, StoreError> {
    first(db, user, room, &format!("{ROOM} and r.id = $2 and {SEEN}")).await
}

/// The lobby, as somebody sees it.
pub(super) async fn lobby(db: &Db, user: UserId) -> Result<Option<Room>, StoreError> {
    one(db, &format!("{ROOM} and r.lobby and {SEEN}"), &[&user.0], room_row).await
}

async fn first(db: &Db, user: UserId, room: RoomId, sql: &str) -> Result<Option<Room>, StoreError> {
    let found = one(db, sql, &[&user.0, &room.0], room_row).await?;
    Ok(with_people(db, found.into_iter().collect()).await?.pop())
}

/// Fills in the people of direct rooms.
async fn with_people(db: &Db, mut rooms: Vec<Room>) -> Result<Vec<Room>, StoreError> {
    let direct = rooms.iter().filter(|room| room.kind == RoomKind::Direct);
    let direct: Vec<i64> = direct.map(|room| room.no).collect();
    if direct.is_empty() {
        return Ok(rooms);
    }
    let sql = format!(
        "select {USER}, rm.room_no from room_members rm join users u on u.no = rm.user_no \
         where rm.room_no = any($1) order by u.username"
    );
    let found = many(db, &sql, &[&direct], |row| {
        Ok((row.try_get::<_, i64>(USER_COLUMNS)?, user_at(row, 0)?))
    })
    .await?;
    let mut people: HashMap<i64, Vec<User>> = HashMap::new();
    for (room_no, user) in found {
        people.entry(room_no).or_default().push(user);
    }
    for room in &mut rooms {
        room.people = people.remove(&room.no).unwrap_or_default();
    }
    Ok(rooms)
}

/// The rooms that somebody is in.
pub(super) async fn rooms_of(db: &Db, user: UserId) -> Result<Vec<Room>, StoreError> {
    let sql = format!("{ROOM} and rm.role is not null order by r.no");
    with_people(db, many(db, &sql, &[&user.0], room_row).await?).await
}

/// Public rooms with `no` above `after`.
pub(super) async fn public_rooms(
    db: &Db,
    user: UserId,
    query: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<Room>, StoreError> {
    let sql = format!(
        "{ROOM} and r.kind = 'public' and r.archived_at is null and r.no > $2 \
         and r.search_key like $3 and not exists \
         (select 1 from bans b where b.room_no = r.no and b.user_no = me.no) \
         order by r.no limit $4"
    );
    let pattern = format!("%{}%", literally(&query.trim().to_lowercase()));
    many(db, &sql, &[&user.0, &after, &pattern, &most(limit)], room_row).await
}

/// From how many members on they are found by going through everybody by username: in the lobby,
/// where nearly everybody is, the next page is then read without looking at all the others.
pub(in super::super) const CROWD: i64 = 5_000;

/// A room's members, by username; `None` when the reader is not one.
pub(super) async fn members(
    db: &Db,
    reader: UserId,
    room: RoomId,
    after: &str,
    limit: u64,
) -> Result<Option<Vec<Member>>, StoreError> {
    let sql = "select no, member_count from rooms where id = $1 and exists \
               (select 1 from room_members where room_no = rooms.no \
               and user_no = (select no from users where id = $2))";
    let placed = |row: &Row| Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?));
    let Some((no, count)) = one(db, sql, &[&room.0, &reader.0], placed).await? else {
        return Ok(None);
    };
    let from = if count < CROWD {
        "room_members rm join users u on u.no = rm.user_no where rm.room_no = $1 and"
    } else {
        "users u cross join lateral (select role, joined_at from room_members \
         where room_no = $1 and user_no = u.no offset 0) rm where"
    };
    let sql = format!(
        "select {USER}, rm.role, rm.joined_at from {from} u.username > $2 \
         order by u.username limit $3"
    );
    many(db, &sql, &[&no, &after, &most(limit)], |row| {
        Ok(Member {
            user: user_at(row, 0)?,
            role: word(row, USER_COLUMNS, Role::parse)?,
            joined_at: time(row, USER_COLUMNS + 1)?,
            read_number: None,
        })
    })
    .await
    .map(Some)
}

/// Who may not come back, newest first.
pub(super) async fn bans(db: &Db, room: RoomId, limit: u64) -> Result<Vec<Ban>, StoreError> {
    let sql = format!(
        "select {USER}, by.id, b.banned_at, b.reason from bans b \
         join users u on u.no = b.user_no left join users by on by.no = b.by_no \
         where b.room_no = (select no from rooms where id = $1) \
         order by b.banned_at desc, b.user_no desc limit $2"
    );
    many(db, &sql, &[&room.0, &most(limit)], |row| {
        Ok(Ban {
            user: user_at(row, 0)?,
            by: maybe_user(row, USER_COLUMNS)?,
            at: time(row, USER_COLUMNS + 1)?,
            reason: row.try_get(USER_COLUMNS + 2)?,
        })
    })
    .await
}
