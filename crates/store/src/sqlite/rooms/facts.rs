//! What a decision about a room is made from, read inside the transaction that carries it out.

use parlor_domain::{Role, RoomFacts, Standing, UserId};
use rusqlite::{Connection, params};

use super::super::rows::{maybe_word, one, user_no, uuid};
use super::{Place, read};
use crate::StoreError;

/// The facts for a decision of `actor`; `None` when there is no such account.
pub(in super::super) fn facts(
    conn: &Connection,
    place: &Place,
    actor: UserId,
    people: &[UserId],
) -> Result<Option<RoomFacts>, StoreError> {
    let Some(actor_no) = user_no(conn, actor)? else {
        return Ok(None);
    };
    let Some(room) = read::find(conn, actor_no, place.id)? else {
        return Ok(None);
    };
    let Some(actor) = standing(conn, place.no, None, actor)? else {
        return Ok(None);
    };
    let mut known = Vec::with_capacity(people.len());
    for &user in people {
        known.extend(standing(conn, place.no, None, user)?);
    }
    let sql = "select password_hash from rooms where no = ?";
    Ok(Some(RoomFacts {
        room,
        password_hash: one(conn, sql, [place.no], |row| row.get(0))?.flatten(),
        actor,
        people: known,
        owners: owners(conn, place.no)?,
        heir: heir(conn, place.no)?,
    }))
}

/// How somebody stands to a room and, where there is one in question, to a session of it; `None`
/// when there is no such account.
pub(in super::super) fn standing(
    conn: &Connection,
    room_no: i64,
    session_no: Option<i64>,
    user: UserId,
) -> Result<Option<Standing>, StoreError> {
    let sql = "select rm.role, b.user_no is not null, sm.user_no is not null from users u \
               left join room_members rm on rm.room_no = ?1 and rm.user_no = u.no \
               left join bans b on b.room_no = ?1 and b.user_no = u.no \
               left join session_members sm on sm.session_no = ?2 and sm.user_no = u.no \
               where u.id = ?3";
    one(conn, sql, params![room_no, session_no, user.0.as_bytes()], |row| {
        Ok(Standing {
            user,
            role: maybe_word(row, 0, Role::parse)?,
            banned: row.get(1)?,
            present: row.get(2)?,
        })
    })
}

/// How many owners a room has.
pub(in super::super) fn owners(conn: &Connection, room_no: i64) -> Result<i64, StoreError> {
    let sql = "select count(*) from room_members where room_no = ? and role = 'owner'";
    Ok(one(conn, sql, [room_no], |row| row.get(0))?.unwrap_or(0))
}

/// Who would own a room after its last owner.
fn heir(conn: &Connection, room_no: i64) -> Result<Option<UserId>, StoreError> {
    // The words happen to sort by power: 'member' < 'moderator' < 'owner'.
    let sql = "select u.id from room_members rm join users u on u.no = rm.user_no \
               where rm.room_no = ? and rm.role < 'owner' \
               order by rm.role desc, rm.joined_at, rm.user_no limit 1";
    one(conn, sql, [room_no], |row| Ok(UserId(uuid(row, 0)?)))
}
