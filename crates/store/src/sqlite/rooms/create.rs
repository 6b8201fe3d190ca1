//! A room is made, or the direct room of the same people is found.

use parlor_domain::{Denied, Role, Room, RoomKind, Time, UserId};
use rusqlite::params;

use super::super::receipts::{self, Made};
use super::super::rows::{Person, exists, one, person};
use super::super::sessions;
use super::super::txn::Txn;
use super::{PLACE, Place, admit, created, place_row, read, search_key, tell_added};
use crate::rooms::{RoomDraft, columns};
use crate::{Changed, StoreError};

const TOO_MANY: StoreError = StoreError::Denied(Denied::Conflict("you own too many rooms"));

/// Makes a room; see [`crate::Rooms::create_room`].
pub(super) fn create(
    txn: &mut Txn<'_>,
    draft: &RoomDraft,
    owned_max: u64,
    now: Time,
) -> Result<Changed<Room>, StoreError> {
    let creator = person(txn.conn, draft.creator)?.ok_or(Denied::NotFound)?;
    if let Some(place) = earlier(txn, &creator, draft)? {
        return changed(txn, &place, &creator, false);
    }
    let others = others(txn, draft)?;
    let direct_key = (draft.room.kind == RoomKind::Direct).then(|| direct_key(&creator, &others));
    let known = match &direct_key {
        Some(key) => one(txn.conn, &format!("{PLACE} where r.direct_key = ?"), [key], place_row)?,
        None => None,
    };
    let fresh = known.is_none();
    let place = match known {
        Some(place) => place,
        None => {
            if direct_key.is_none() && owned(txn, creator.no)? >= owned_max {
                return Err(TOO_MANY);
            }
            check_free(txn, draft)?;
            insert(txn, draft, &creator, direct_key.as_deref(), now)?
        }
    };
    if let Some(key) = &draft.key {
        receipts::keep(txn, creator.no, key, (Made::Room, place.no), now)?;
    }
    fill(txn, &place, draft.room.kind, &creator, &others, fresh, now)?;
    changed(txn, &place, &creator, fresh)
}

/// What an earlier request with the same key made.
fn earlier(
    txn: &Txn<'_>,
    creator: &Person,
    draft: &RoomDraft,
) -> Result<Option<Place>, StoreError> {
    let Some(key) = &draft.key else {
        return Ok(None);
    };
    let Some(no) = receipts::earlier(txn.conn, creator.no, key, Made::Room)? else {
        return Ok(None);
    };
    one(txn.conn, &format!("{PLACE} where r.no = ?"), [no], place_row)
}

fn changed(
    txn: &Txn<'_>,
    place: &Place,
    creator: &Person,
    fresh: bool,
) -> Result<Changed<Room>, StoreError> {
    let room = read::seen(txn.conn, creator.id, place.id)?;
    let value = room.ok_or(Denied::NotFound)?;
    Ok(Changed { value, fresh })
}

/// The people named besides the creator, each once.
fn others(txn: &Txn<'_>, draft: &RoomDraft) -> Result<Vec<Person>, StoreError> {
    let mut others: Vec<Person> = Vec::with_capacity(draft.room.members.len());
    for &user in &draft.room.members {
        let known = user == draft.creator || others.iter().any(|other| other.id == user);
        if !known {
            others.push(person(txn.conn, user)?.ok_or(Denied::NotFound)?);
        }
    }
    Ok(others)
}

/// The ids of everybody, sorted and joined: the same for the same people, whoever asks.
fn direct_key(creator: &Person, others: &[Person]) -> Vec<u8> {
    let mut ids: Vec<UserId> = others.iter().map(|other| other.id).collect();
    ids.push(creator.id);
    ids.sort_unstable();
    ids.iter().flat_map(|id| *id.0.as_bytes()).collect()
}

/// How many rooms somebody owns.
fn owned(txn: &Txn<'_>, user_no: i64) -> Result<u64, StoreError> {
    let sql = "select count(*) from room_members where user_no = ? and role = 'owner'";
    let count: Option<i64> = one(txn.conn, sql, [user_no], |row| row.get(0))?;
    Ok(count.unwrap_or(0).unsigned_abs())
}

/// Whether the names that the room is to have for itself are free.
fn check_free(txn: &Txn<'_>, draft: &RoomDraft) -> Result<(), StoreError> {
    let by_slug = "select 1 from rooms where slug = ?";
    if draft.slug.is_some() && exists(txn.conn, by_slug, [&draft.slug])? {
        return Err(Denied::Taken("room id").into());
    }
    let by_name = "select 1 from rooms where name = ?";
    if draft.unique && exists(txn.conn, by_name, [&draft.room.name])? {
        return Err(Denied::Taken("room name").into());
    }
    Ok(())
}

fn insert(
    txn: &mut Txn<'_>,
    draft: &RoomDraft,
    creator: &Person,
    direct_key: Option<&[u8]>,
    now: Time,
) -> Result<Place, StoreError> {
    let room = &draft.room;
    let sql = "insert into rooms (id, name, kind, description, search_key, password_hash, \
               main_session_no, direct_key, created_at, slug, message_ttl_s, retention_s, \
               sessions_max) values (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)";
    let (message_ttl, retention, sessions_max) = columns(&room.rules);
    txn.execute(
        sql,
        params![
            draft.id.0.as_bytes(),
            room.name,
            room.kind.as_str(),
            room.description,
            search_key(&room.name, &room.description),
            draft.password_hash,
            direct_key,
            now.0,
            draft.slug,
            message_ttl,
            retention,
            sessions_max,
        ],
    )?;
    let no = txn.conn.last_insert_rowid();
    let main = sessions::Opening {
        id: draft.main_session,
        name: "",
        main: true,
        encryption: room.encryption,
        message_ttl: draft.room.rules.message_ttl,
        ending: None,
    };
    let main_no = sessions::insert(txn, no, &main, Some(creator.no), now)?;
    let sql = "update rooms set main_session_no = ? where no = ?";
    txn.execute(sql, [main_no, no])?;
    Ok(Place { no, id: draft.id, main_no, main: draft.main_session })
}

/// Puts everybody into the room who is not in it, and tells them when all are there.
fn fill(
    txn: &mut Txn<'_>,
    place: &Place,
    kind: RoomKind,
    creator: &Person,
    others: &[Person],
    fresh: bool,
    now: Time,
) -> Result<(), StoreError> {
    let direct = kind == RoomKind::Direct;
    let role = if direct { Role::Member } else { Role::Owner };
    let mut news = Vec::new();
    if admit(txn, place, creator, role, None, now)? {
        news.push((creator, None));
    }
    let by = Some(creator.id);
    for other in others {
        if admit(txn, place, other, Role::Member, by, now)? {
            news.push((other, by));
        }
    }
    if fresh && let Some(room) = read::seen(txn.conn, creator.id, place.id)? {
        txn.log_user(creator.no, now, created(&room))?;
    }
    for (person, by) in news {
        tell_added(txn, place, person, by, now)?;
    }
    Ok(())
}
