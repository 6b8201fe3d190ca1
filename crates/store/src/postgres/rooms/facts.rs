//! What a decision about a room is made from, read while it is locked.

use parlor_domain::{Role, RoomFacts, Standing, UserId};
use uuid::Uuid;

use super::super::readers::Db;
use super::super::rows::{many, maybe_user, maybe_word, one, uuid};
use super::{Place, read};
use crate::StoreError;

/// The facts for a decision of `actor`; `None` when there is no such account.
pub(in super::super) async fn facts(
    db: &Db,
    place: &Place,
    actor: UserId,
    people: &[UserId],
) -> Result<Option<RoomFacts>, StoreError> {
    let Some(room) = read::find(db, actor, place.id).await? else {
        return Ok(None);
    };
    let asked: Vec<UserId> = [actor].into_iter().chain(people.iter().copied()).collect();
    let mut people = standings(db, place.no, None, &asked).await?;
    if people.is_empty() {
        return Ok(None);
    }
    let actor = people.remove(0);
    // The words happen to sort by power: 'member' < 'moderator' < 'owner'.
    let sql = "select r.password_hash, (select count(*) from room_members rm \
               where rm.room_no = r.no and rm.role = 'owner'), (select u.id from room_members rm \
               join users u on u.no = rm.user_no where rm.room_no = r.no and rm.role < 'owner' \
               order by rm.role desc, rm.joined_at, rm.user_no limit 1) \
               from rooms r where r.no = $1";
    one(db, sql, &[&place.no], |row| {
        Ok(RoomFacts {
            room,
            password_hash: row.try_get(0)?,
            actor,
            people,
            owners: row.try_get(1)?,
            heir: maybe_user(row, 2)?,
        })
    })
    .await
}

/// How people stand to a room and, where there is one in question, to a session of it, in the order
/// in which they are asked for; those without an account are missing.
pub(in super::super) async fn standings(
    db: &Db,
    room_no: i64,
    session_no: Option<i64>,
    users: &[UserId],
) -> Result<Vec<Standing>, StoreError> {
    if users.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let sql = "select u.id, rm.role, b.user_no is not null, sm.user_no is not null \
               from unnest($3::uuid[]) with ordinality asked (id, nth) \
               join users u on u.id = asked.id \
               left join room_members rm on rm.room_no = $1 and rm.user_no = u.no \
               left join bans b on b.room_no = $1 and b.user_no = u.no \
               left join session_members sm on sm.session_no = $2 and sm.user_no = u.no \
               order by asked.nth";
    many(db, sql, &[&room_no, &session_no, &ids], |row| {
        Ok(Standing {
            user: UserId(uuid(row, 0)?),
            role: maybe_word(row, 1, Role::parse)?,
            banned: row.try_get(2)?,
            present: row.try_get(3)?,
        })
    })
    .await
}

/// How many owners a room has.
pub(in super::super) async fn owners(db: &Db, room_no: i64) -> Result<i64, StoreError> {
    let sql = "select count(*) from room_members where room_no = $1 and role = 'owner'";
    Ok(one(db, sql, &[&room_no], |row| Ok(row.try_get(0)?)).await?.unwrap_or(0))
}
