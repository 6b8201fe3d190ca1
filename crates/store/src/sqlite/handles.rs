//! Things by the names that other systems have for them.

use async_trait::async_trait;
use parlor_domain::{Card, Person, Placed, RoomId, SessionId, Time, UserId};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::rooms::{ROOM, ROOM_COLUMNS, room_row};
use super::rows::{
    MESSAGE, MESSAGE_COLUMNS, USER_COLUMNS, exists, many, maybe_user, message, most, one, user_at,
    user_no, uuid,
};
use super::{SqliteStore, failed};
use crate::StoreError;
use crate::handles::{Handles, Listing, Which};

#[async_trait]
impl Handles for SqliteStore {
    async fn people(&self, ids: Vec<UserId>) -> Result<Vec<Person>, StoreError> {
        self.read(move |conn| {
            let sql = format!("{PERSON} where u.id = ?");
            let found = ids.iter().map(|id| one(conn, &sql, [id.0.as_bytes()], person));
            Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
        .await
    }

    async fn person_by_no(&self, no: i64) -> Result<Option<Person>, StoreError> {
        let sql = format!("{PERSON} where u.no = ? and u.deleted_at is null");
        self.read(move |conn| one(conn, &sql, [no], person)).await
    }

    async fn guest(&self, name: String) -> Result<Option<Person>, StoreError> {
        let sql = format!("{PERSON} where u.guest = 1 and u.name = ? order by u.no limit 1");
        self.read(move |conn| one(conn, &sql, [name], person)).await
    }

    async fn everybody(&self, limit: u64) -> Result<Vec<Person>, StoreError> {
        let sql =
            format!("{PERSON} where u.usable = 1 and u.deleted_at is null order by u.no limit ?");
        self.read(move |conn| many(conn, &sql, [most(limit)], person)).await
    }

    async fn acquaintances(&self, user: UserId) -> Result<Vec<UserId>, StoreError> {
        self.read(move |conn| {
            let sql = "select distinct u.id from room_members me \
                       join rooms r on r.no = me.room_no and r.lobby = 0 \
                       join room_members they on they.room_no = me.room_no \
                       join users u on u.no = they.user_no \
                       where me.user_no = (select no from users where id = ?)";
            many(conn, sql, [user.0.as_bytes()], |row| Ok(UserId(uuid(row, 0)?)))
        })
        .await
    }

    async fn are_acquainted(&self, user: UserId, other: UserId) -> Result<bool, StoreError> {
        self.read(move |conn| {
            let sql = "select 1 from room_members me \
                       join rooms r on r.no = me.room_no and r.lobby = 0 \
                       join room_members they on they.room_no = me.room_no \
                       where me.user_no = (select no from users where id = ?) \
                       and they.user_no = (select no from users where id = ?)";
            exists(conn, sql, [user.0.as_bytes(), other.0.as_bytes()])
        })
        .await
    }

    async fn rooms_shared(
        &self,
        reader: UserId,
        user: UserId,
    ) -> Result<Vec<(RoomId, Time)>, StoreError> {
        self.read(move |conn| {
            let sql = "select r.id, they.joined_at from room_members me \
                       join rooms r on r.no = me.room_no \
                       join room_members they on they.room_no = me.room_no \
                       where me.user_no = (select no from users where id = ?) \
                       and they.user_no = (select no from users where id = ?) \
                       order by they.joined_at, r.no";
            let bound = [reader.0.as_bytes(), user.0.as_bytes()];
            many(conn, sql, bound, |row| Ok((RoomId(uuid(row, 0)?), Time(row.get(1)?))))
        })
        .await
    }

    async fn session_by_no(&self, user: UserId, no: i64) -> Result<Option<SessionId>, StoreError> {
        self.read(move |conn| {
            let sql = "select s.id from sessions s \
                       join session_members sm on sm.session_no = s.no \
                       join users u on u.no = sm.user_no where s.no = ? and u.id = ?";
            let bound = params![no, user.0.as_bytes()];
            one(conn, sql, bound, |row| Ok(SessionId(uuid(row, 0)?)))
        })
        .await
    }

    async fn message_by_no(&self, user: UserId, no: i64) -> Result<Option<Placed>, StoreError> {
        self.read(move |conn| {
            let sql = format!("{} where m.no = ?2", placed_sql());
            one(conn, &sql, params![user.0.as_bytes(), no], placed)
        })
        .await
    }

    async fn cards(&self, user: UserId, which: Which) -> Result<Vec<Card>, StoreError> {
        self.read(move |conn| match user_no(conn, user)? {
            Some(no) => cards(conn, no, &which),
            None => Ok(vec![]),
        })
        .await
    }

    async fn is_banned(&self, user: UserId, slug: String) -> Result<bool, StoreError> {
        self.read(move |conn| {
            let id = Uuid::try_parse(&slug).ok().map(Uuid::into_bytes);
            let sql = "select 1 from rooms r join bans b on b.room_no = r.no \
                       and b.user_no = (select no from users where id = ?1) \
                       where (r.slug = ?2 or r.id = ?3 and r.slug is null) \
                       and r.kind in ('public', 'unlisted')";
            exists(conn, sql, params![user.0.as_bytes(), slug, id])
        })
        .await
    }

    async fn listing(
        &self,
        user: UserId,
        listing: Listing,
        scan_max: u64,
        bytes_max: u64,
    ) -> Result<(Vec<Placed>, u64), StoreError> {
        let scan = Scan { rows: scan_max, bytes: bytes_max };
        self.read(move |conn| match &listing.containing {
            Some(text) => containing(conn, user, &listing, &text.to_lowercase(), scan),
            None => listed(conn, user, &listing, scan),
        })
        .await
    }
}

/// Selects people, to be read by [`person`].
const PERSON: &str = "select u.id, u.no, u.username, u.name, u.status, u.created_at, \
    u.last_seen_at, u.show_last_seen, u.picture, u.email, u.shows_email, u.guest, u.changed_at \
    from users u";

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    let user = user_at(row, 0)?;
    let email: Option<String> = row.get(USER_COLUMNS)?;
    let shown: bool = row.get(USER_COLUMNS + 1)?;
    let changed: Option<i64> = row.get(USER_COLUMNS + 3)?;
    Ok(Person {
        email: email.filter(|_| shown),
        guest: row.get(USER_COLUMNS + 2)?,
        changed_at: changed.map_or(user.created_at, Time),
        user,
    })
}

fn cards(conn: &Connection, user_no: i64, which: &Which) -> Result<Vec<Card>, StoreError> {
    const SEEN: &str = "(rm.role is not null or r.kind in ('public', 'unlisted') and not exists \
        (select 1 from bans b where b.room_no = r.no and b.user_no = ?1))";
    let rows = match which {
        Which::Id(id) => {
            let sql = format!("{ROOM} where r.id = ?2 and {SEEN}");
            many(conn, &sql, params![user_no, id.0.as_bytes()], card_row)?
        }
        Which::Slug(slug) => {
            // Rooms that were made elsewhere go by their id, without its hyphens.
            let id = Uuid::try_parse(slug).ok().map(Uuid::into_bytes);
            let sql =
                format!("{ROOM} where (r.slug = ?2 or r.id = ?3 and r.slug is null) and {SEEN}");
            many(conn, &sql, params![user_no, slug, id], card_row)?
        }
        Which::Mine => {
            let sql = format!("{ROOM} where rm.role is not null order by r.no");
            many(conn, &sql, [user_no], card_row)?
        }
        Which::Joined => {
            let sql = format!("{ROOM} where rm.role is not null order by rm.joined_at, r.no");
            many(conn, &sql, [user_no], card_row)?
        }
        Which::Visible => {
            let sql = format!(
                "{ROOM} where (rm.role is not null or r.kind = 'public') and {SEEN} order by r.no"
            );
            many(conn, &sql, [user_no], card_row)?
        }
    };
    rows.into_iter().map(|card| completed(conn, card)).collect()
}

fn card_row(row: &Row<'_>) -> rusqlite::Result<(Card, Option<i64>)> {
    let room = room_row(row)?;
    let slug: Option<String> = row.get(ROOM_COLUMNS)?;
    let changed: Option<i64> = row.get(ROOM_COLUMNS + 3)?;
    let card = Card {
        slug: slug.unwrap_or_else(|| room.id.0.simple().to_string()),
        session_no: row.get(ROOM_COLUMNS + 1)?,
        owner: None,
        people: vec![],
        changed_at: changed.map_or(room.created_at, Time),
        room,
    };
    Ok((card, row.get(ROOM_COLUMNS + 2)?))
}

/// Fills in the owner and, for a member, the people.
fn completed(conn: &Connection, (card, maker): (Card, Option<i64>)) -> Result<Card, StoreError> {
    let sql = "select u.id from room_members rm join users u on u.no = rm.user_no \
               where rm.room_no = ? and rm.role = 'owner' \
               order by rm.joined_at, rm.user_no limit 1";
    let owner = one(conn, sql, [card.room.no], |row| Ok(UserId(uuid(row, 0)?)))?;
    let made = "select id from users where no = ?";
    let owner = match owner {
        Some(owner) => Some(owner),
        None => one(conn, made, [maker], |row| maybe_user(row, 0))?.flatten(),
    };
    if card.room.my_role.is_none() {
        return Ok(Card { owner, ..card });
    }
    let sql = "select u.id from room_members rm join users u on u.no = rm.user_no \
               where rm.room_no = ? order by rm.joined_at, rm.user_no";
    let people = many(conn, sql, [card.room.no], |row| Ok(UserId(uuid(row, 0)?)))?;
    Ok(Card { owner, people, ..card })
}

/// Selects messages of main sessions that the user `?1` is in, to be read by [`placed`].
fn placed_sql() -> String {
    let columns = MESSAGE.replacen(" from messages m", ", r.id from messages m", 1);
    format!(
        "{columns} join rooms r on r.main_session_no = m.session_no \
         join session_members me on me.session_no = m.session_no \
         and me.user_no = (select no from users where id = ?1)"
    )
}

fn placed(row: &Row<'_>) -> rusqlite::Result<Placed> {
    Ok(Placed { message: message(row)?, room: RoomId(uuid(row, MESSAGE_COLUMNS)?) })
}

/// What a listing leaves: its room is `?2`, its sender `?3`.
const FILTER: &str = "m.deleted_at is null and (?2 is null or r.id = ?2) \
    and (?3 is null or u.id = ?3)";

/// How much of the log a listing may look at, and how long its texts may be together.
#[derive(Clone, Copy)]
struct Scan {
    rows: u64,
    bytes: u64,
}

fn listed(
    conn: &Connection,
    user: UserId,
    listing: &Listing,
    scan: Scan,
) -> Result<(Vec<Placed>, u64), StoreError> {
    let room = listing.room.map(|room| room.0.into_bytes());
    let sender = listing.sender.map(|sender| sender.0.into_bytes());
    let sql = format!("{} where {FILTER} order by m.no desc limit ?4 offset ?5", placed_sql());
    let (limit, offset) = (most(listing.limit), most(listing.offset));
    let bound = params![user.0.as_bytes(), room, sender, limit, offset];
    let found = within(conn, &sql, bound, scan.bytes)?;
    let sql = format!(
        "select count(*) from messages m join users u on u.no = m.sender_no \
         join rooms r on r.main_session_no = m.session_no \
         join session_members me on me.session_no = m.session_no \
         and me.user_no = (select no from users where id = ?1) where {FILTER}"
    );
    let total: Option<i64> =
        one(conn, &sql, params![user.0.as_bytes(), room, sender], |row| row.get(0))?;
    Ok((found, total.unwrap_or(0).unsigned_abs()))
}

/// Messages until their texts are too long together.
fn within(
    conn: &Connection,
    sql: &str,
    bound: impl rusqlite::Params,
    bytes_max: u64,
) -> Result<Vec<Placed>, StoreError> {
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(bound).map_err(failed)?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next().map_err(failed)? {
        let next = placed(row).map_err(failed)?;
        bytes += next.message.content.len() as u64;
        if bytes > bytes_max {
            break;
        }
        found.push(next);
    }
    Ok(found)
}

/// Looks at messages one by one, the newest first, until enough are found.
fn containing(
    conn: &Connection,
    user: UserId,
    listing: &Listing,
    text: &str,
    scan: Scan,
) -> Result<(Vec<Placed>, u64), StoreError> {
    let room = listing.room.map(|room| room.0.into_bytes());
    let sender = listing.sender.map(|sender| sender.0.into_bytes());
    let sql = format!("{} where {FILTER} order by m.no desc limit ?4", placed_sql());
    let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
    let bound = params![user.0.as_bytes(), room, sender, most(scan.rows)];
    let mut rows = statement.query(bound).map_err(failed)?;
    let (mut found, mut passed, mut bytes) = (Vec::new(), 0, 0);
    while (found.len() as u64) < listing.limit
        && let Some(row) = rows.next().map_err(failed)?
    {
        let content = row.get_ref(7).map_err(failed)?.as_str().unwrap_or_default();
        if !content.to_lowercase().contains(text) {
            continue;
        }
        passed += 1;
        if passed > listing.offset {
            bytes += content.len() as u64;
            if bytes > scan.bytes {
                break;
            }
            found.push(placed(row).map_err(failed)?);
        }
    }
    let total = found.len() as u64;
    Ok((found, total))
}
