//! Rooms: made, found, entered, changed.

mod change;
mod create;
mod delete;
mod facts;
mod lobby;
mod read;

use async_trait::async_trait;
use parlor_domain::{
    Ban, Denied, EventKind, Member, Role, Room, RoomChange, RoomFacts, RoomId, SessionId, Time,
    UserEventKind, UserId,
};
use rusqlite::{Connection, Row, params};

use super::rows::{Person, one, user_no, uuid};
use super::txn::Txn;
use super::{SqliteStore, sessions};
use crate::rooms::{DecideRoom, RoomDraft, Rooms};
use crate::{Changed, StoreError};

pub(super) use delete::delete;
pub(super) use facts::{facts, owners, standing};
pub(super) use lobby::{date_lobby, found_lobby, lobby};
pub(super) use read::{ROOM, ROOM_COLUMNS, joined, room_row};

#[async_trait]
impl Rooms for SqliteStore {
    async fn create_room(
        &self,
        draft: RoomDraft,
        owned_max: u64,
        now: Time,
    ) -> Result<Changed<Room>, StoreError> {
        self.write(move |txn| create::create(txn, &draft, owned_max, now)).await
    }

    async fn change_room(
        &self,
        actor: UserId,
        room: RoomId,
        people: Vec<UserId>,
        now: Time,
        decide: DecideRoom,
    ) -> Result<Option<Room>, StoreError> {
        self.write(move |txn| {
            change_by(txn, actor, room, &people, now, decide)?;
            read::seen(txn.conn, actor, room)
        })
        .await
    }

    async fn room(&self, user: UserId, room: RoomId) -> Result<Option<Room>, StoreError> {
        self.read(move |conn| read::seen(conn, user, room)).await
    }

    async fn room_password(&self, room: RoomId) -> Result<Option<String>, StoreError> {
        self.read(move |conn| {
            let sql = "select password_hash from rooms where id = ?";
            Ok(one(conn, sql, [room.0.as_bytes()], |row| row.get(0))?.flatten())
        })
        .await
    }

    async fn lobby(&self, user: UserId) -> Result<Option<Room>, StoreError> {
        self.read(move |conn| read::seen(conn, user, lobby(conn)?.id)).await
    }

    async fn rooms_of(&self, user: UserId) -> Result<Vec<Room>, StoreError> {
        self.read(move |conn| match user_no(conn, user)? {
            Some(no) => read::rooms_of(conn, no),
            None => Ok(vec![]),
        })
        .await
    }

    async fn public_rooms(
        &self,
        user: UserId,
        query: String,
        after: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Room>, StoreError> {
        self.read(move |conn| match user_no(conn, user)? {
            Some(no) => read::public_rooms(conn, no, &query, after.unwrap_or(0), limit),
            None => Ok(vec![]),
        })
        .await
    }

    async fn room_members(
        &self,
        user: UserId,
        room: RoomId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Option<Vec<Member>>, StoreError> {
        self.read(move |conn| {
            if joined(conn, user, room)?.is_none() {
                return Ok(None);
            }
            read::members(conn, room, &after.unwrap_or_default(), limit).map(Some)
        })
        .await
    }

    async fn bans(&self, room: RoomId, limit: u64) -> Result<Vec<Ban>, StoreError> {
        self.read(move |conn| read::bans(conn, room, limit)).await
    }
}

/// Decides about a room with its facts, and carries out what was decided.
pub(super) fn change_by(
    txn: &mut Txn<'_>,
    actor: UserId,
    room: RoomId,
    people: &[UserId],
    now: Time,
    decide: impl FnOnce(&RoomFacts) -> Result<Vec<RoomChange>, Denied>,
) -> Result<(), StoreError> {
    let place = place(txn.conn, room)?.ok_or(Denied::NotFound)?;
    let facts = facts(txn.conn, &place, actor, people)?.ok_or(Denied::NotFound)?;
    let changes = decide(&facts)?;
    changes.into_iter().try_for_each(|change| change::apply(txn, &place, actor, change, now))
}

/// Where a room's rows are.
pub(super) struct Place {
    pub(super) no: i64,
    pub(super) id: RoomId,
    pub(super) main_no: i64,
    pub(super) main: SessionId,
}

const PLACE: &str = "select r.no, r.id, r.main_session_no, s.id from rooms r \
    join sessions s on s.no = r.main_session_no";

fn place_row(row: &Row<'_>) -> rusqlite::Result<Place> {
    Ok(Place {
        no: row.get(0)?,
        id: RoomId(uuid(row, 1)?),
        main_no: row.get(2)?,
        main: SessionId(uuid(row, 3)?),
    })
}

/// Where the rows of the room with this id are.
pub(super) fn place(conn: &Connection, room: RoomId) -> Result<Option<Place>, StoreError> {
    one(conn, &format!("{PLACE} where r.id = ?"), [room.0.as_bytes()], place_row)
}

/// Puts somebody into a room and its main session; false when they are in it already.
pub(super) fn admit(
    txn: &mut Txn<'_>,
    place: &Place,
    person: &Person,
    role: Role,
    by: Option<UserId>,
    now: Time,
) -> Result<bool, StoreError> {
    let sql = "insert or ignore into room_members (room_no, user_no, role, joined_at) \
               values (?, ?, ?, ?)";
    if txn.execute(sql, params![place.no, person.no, role.as_str(), now.0])? == 0 {
        return Ok(false);
    }
    let sql = "update rooms set member_count = member_count + 1 where no = ?";
    txn.execute(sql, [place.no])?;
    sessions::enter(txn, place.main_no, person, by, now)
}

/// Logs, in somebody's own log, that they are in a room now.
pub(super) fn tell_added(
    txn: &mut Txn<'_>,
    place: &Place,
    person: &Person,
    by: Option<UserId>,
    now: Time,
) -> Result<(), StoreError> {
    sessions::tell_added(txn, (place.id, place.main), person, by, now)
}

/// Logs, in the log of a room's main session, how its settings are now.
fn tell_settings(
    txn: &mut Txn<'_>,
    place: &Place,
    by: UserId,
    now: Time,
) -> Result<(), StoreError> {
    let room = read::find(txn.conn, 0, place.id)?.ok_or(Denied::NotFound)?;
    let kind = EventKind::RoomSettings {
        room: room.id,
        name: room.name,
        description: room.description,
        kind: room.kind,
        has_password: room.has_password,
        archived_at: room.archived_at,
        rules: room.rules,
        by,
    };
    txn.log(place.main_no, now, None, kind).map(|_| ())
}

/// What a room is found by in a search.
fn search_key(name: &str, description: &str) -> String {
    format!("{name}\n{description}").to_lowercase()
}

/// An entry for the log of somebody who made a room.
fn created(room: &Room) -> UserEventKind {
    UserEventKind::RoomCreated(Some(Box::new(room.clone())))
}
