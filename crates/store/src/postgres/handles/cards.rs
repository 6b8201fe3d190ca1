//! Rooms by every name that another system has for them, with their people.

use std::collections::HashMap;

use parlor_domain::{Card, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::readers::{Bound, Db};
use super::super::rooms::{ROOM, ROOM_COLUMNS, SEEN, room_row};
use super::super::rows::{many, maybe_time, maybe_user, uuid};
use super::is_text;
use crate::StoreError;
use crate::handles::Which;

/// Rooms that somebody can see; see [`crate::Handles::cards`].
pub(super) async fn cards(db: &Db, user: UserId, which: &Which) -> Result<Vec<Card>, StoreError> {
    let found = match which {
        Which::Id(id) => select(db, &format!("r.id = $2 and {SEEN}"), &[&user.0, &id.0]).await,
        Which::Slug(slug) if !is_text(slug) => Ok(vec![]),
        Which::Slug(slug) => {
            // Rooms that were made elsewhere go by their id, without its hyphens.
            let id = Uuid::try_parse(slug).ok();
            let wanted = format!("(r.slug = $2 or r.id = $3 and r.slug is null) and {SEEN}");
            select(db, &wanted, &[&user.0, slug, &id]).await
        }
        Which::Mine => select(db, "rm.role is not null order by r.no", &[&user.0]).await,
        Which::Joined => {
            let wanted = "rm.role is not null order by rm.joined_at, r.no";
            select(db, wanted, &[&user.0]).await
        }
        Which::Visible => {
            let wanted =
                format!("(rm.role is not null or r.kind = 'public') and {SEEN} order by r.no");
            select(db, &wanted, &[&user.0]).await
        }
    };
    completed(db, found?).await
}

async fn select(db: &Db, wanted: &str, bound: Bound<'_>) -> Result<Vec<Card>, StoreError> {
    many(db, &format!("{ROOM} and {wanted}"), bound, card_row).await
}

/// Reads a room; its owner is who made it, until [`completed`] finds one.
fn card_row(row: &Row) -> Result<Card, StoreError> {
    let room = room_row(row)?;
    let slug: Option<String> = row.try_get(ROOM_COLUMNS)?;
    Ok(Card {
        slug: slug.unwrap_or_else(|| room.id.0.simple().to_string()),
        session_no: row.try_get(ROOM_COLUMNS + 1)?,
        owner: maybe_user(row, ROOM_COLUMNS + 2)?,
        people: vec![],
        changed_at: maybe_time(row, ROOM_COLUMNS + 3)?.unwrap_or(room.created_at),
        room,
    })
}

/// Fills in the owners and, for a member, the people.
async fn completed(db: &Db, mut cards: Vec<Card>) -> Result<Vec<Card>, StoreError> {
    let all: Vec<i64> = cards.iter().map(|card| card.room.no).collect();
    let sql = "select distinct on (rm.room_no) rm.room_no, u.id \
               from room_members rm join users u on u.no = rm.user_no \
               where rm.room_no = any($1) and rm.role = 'owner' \
               order by rm.room_no, rm.joined_at, rm.user_no";
    let owners: HashMap<i64, UserId> = many(db, sql, &[&all], placed).await?.into_iter().collect();
    let mine = cards.iter().filter(|card| card.room.my_role.is_some());
    let mine: Vec<i64> = mine.map(|card| card.room.no).collect();
    let sql = "select rm.room_no, u.id from room_members rm join users u on u.no = rm.user_no \
               where rm.room_no = any($1) order by rm.joined_at, rm.user_no";
    let mut people: HashMap<i64, Vec<UserId>> = HashMap::new();
    for (room_no, user) in many(db, sql, &[&mine], placed).await? {
        people.entry(room_no).or_default().push(user);
    }
    for card in &mut cards {
        card.owner = owners.get(&card.room.no).copied().or(card.owner);
        card.people = people.remove(&card.room.no).unwrap_or_default();
    }
    Ok(cards)
}

/// Somebody, and the room that they are in.
fn placed(row: &Row) -> Result<(i64, UserId), StoreError> {
    Ok((row.try_get(0)?, UserId(uuid(row, 1)?)))
}
