//! A room is made, or the direct room of the same people is found.

use std::collections::HashMap;

use parlor_domain::{Denied, Role, Room, RoomId, RoomKind, Time, UserEventKind, UserId};

use super::super::receipts::{self, Made};
use super::super::rows::{Person, exists, one, person, uuid};
use super::super::sessions::{self, Newcomer};
use super::super::txn::{Space, Txn};
use super::{Place, admit, hashed, place, read, search_key, tell_added};
use crate::rooms::{RoomDraft, columns};
use crate::{Changed, StoreError};

const TOO_MANY: StoreError = StoreError::Denied(Denied::Conflict("you own too many rooms"));

/// Makes a room; see [`crate::Rooms::create_room`].
pub(super) async fn create(
    txn: &mut Txn,
    draft: &RoomDraft,
    owned_max: u64,
    now: Time,
) -> Result<Changed<Room>, StoreError> {
    let creator = person(txn, draft.creator).await?.ok_or(Denied::NotFound)?;
    // One thing at a time is made by somebody, so that a key is used once, and rooms are counted.
    txn.lock_key(Space::Maker, creator.no).await?;
    if let Some(room) = earlier(txn, &creator, draft).await? {
        return changed(txn, room, &creator, false).await;
    }
    let others = others(txn, draft).await?;
    let (place, fresh) = if draft.room.kind == RoomKind::Direct {
        direct(txn, draft, &creator, now).await?
    } else {
        if owned(txn, creator.no).await? >= owned_max {
            return Err(TOO_MANY);
        }
        check_free(txn, draft).await?;
        let made = insert(txn, draft, &creator, None, now).await?;
        (made.ok_or(Denied::Taken("room id"))?, true)
    };
    if let Some(key) = &draft.key
        && !receipts::keep(txn, creator.no, key, (Made::Room, place.no), now).await?
    {
        // Something was said with it at this moment.
        return Err(StoreError::KeyReused);
    }
    fill(txn, &place, draft, &creator, (&others, fresh), now).await?;
    changed(txn, place.id, &creator, fresh).await
}

/// What an earlier request with the same key made.
async fn earlier(
    txn: &Txn,
    creator: &Person,
    draft: &RoomDraft,
) -> Result<Option<RoomId>, StoreError> {
    let Some(key) = &draft.key else {
        return Ok(None);
    };
    let Some(no) = receipts::earlier(txn, creator.no, key, Made::Room).await? else {
        return Ok(None);
    };
    let sql = "select id from rooms where no = $1";
    one(txn, sql, &[&no], |row| Ok(RoomId(uuid(row, 0)?))).await
}

async fn changed(
    txn: &Txn,
    room: RoomId,
    creator: &Person,
    fresh: bool,
) -> Result<Changed<Room>, StoreError> {
    let value = read::seen(txn, creator.id, room).await?.ok_or(Denied::NotFound)?;
    Ok(Changed { value, fresh })
}

/// The people named besides the creator, each once.
async fn others(txn: &Txn, draft: &RoomDraft) -> Result<Vec<Person>, StoreError> {
    let mut known: HashMap<UserId, Person> = sessions::people(txn, &draft.room.members).await?;
    let mut others: Vec<Person> = Vec::with_capacity(draft.room.members.len());
    for &user in &draft.room.members {
        if user != draft.creator && !others.iter().any(|other| other.id == user) {
            others.push(known.remove(&user).ok_or(Denied::NotFound)?);
        }
    }
    Ok(others)
}

/// The direct room of these people, found or made; it is made once, whoever asks for it first.
async fn direct(
    txn: &mut Txn,
    draft: &RoomDraft,
    creator: &Person,
    now: Time,
) -> Result<(Place, bool), StoreError> {
    let key = direct_key(draft);
    if let Some(place) = place::lock_direct(txn, &key).await? {
        return Ok((place, false));
    }
    if let Some(place) = insert(txn, draft, creator, Some(&key), now).await? {
        return Ok((place, true));
    }
    // Somebody made it at this moment, and was waited for.
    let place = place::lock_direct(txn, &key).await?.ok_or(StoreError::Busy)?;
    Ok((place, false))
}

/// The ids of everybody, sorted and joined: the same for the same people, whoever asks.
fn direct_key(draft: &RoomDraft) -> Vec<u8> {
    let mut ids = draft.room.members.clone();
    ids.push(draft.creator);
    ids.sort_unstable();
    ids.dedup();
    ids.iter().flat_map(|id| *id.0.as_bytes()).collect()
}

/// How many rooms somebody owns.
async fn owned(txn: &Txn, user_no: i64) -> Result<u64, StoreError> {
    let sql = "select count(*) from room_members where user_no = $1 and role = 'owner'";
    let count: Option<i64> = one(txn, sql, &[&user_no], |row| Ok(row.try_get(0)?)).await?;
    Ok(count.unwrap_or(0).unsigned_abs())
}

/// Whether the names that the room is to have for itself are free.
async fn check_free(txn: &Txn, draft: &RoomDraft) -> Result<(), StoreError> {
    let by_slug = "select 1 from rooms where slug = $1 limit 1";
    if draft.slug.is_some() && exists(txn, by_slug, &[&draft.slug]).await? {
        return Err(Denied::Taken("room id").into());
    }
    if draft.unique {
        // No key of the table keeps two rooms from having one name: most of them may.
        txn.lock_key(Space::Name, hashed("room", &draft.room.name)).await?;
        let by_name = "select 1 from rooms where name = $1 limit 1";
        if exists(txn, by_name, &[&draft.room.name]).await? {
            return Err(Denied::Taken("room name").into());
        }
    }
    Ok(())
}

/// Writes a room without members and its main session; `None` when its slug or its set of people
/// has a room already, whose making is waited for.
async fn insert(
    txn: &mut Txn,
    draft: &RoomDraft,
    creator: &Person,
    direct_key: Option<&[u8]>,
    now: Time,
) -> Result<Option<Place>, StoreError> {
    let room = &draft.room;
    let sql = "insert into rooms (id, name, kind, description, search_key, password_hash, \
               main_session_no, direct_key, created_at, slug, message_ttl_s, retention_s, \
               sessions_max) values ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $12) \
               on conflict do nothing returning no";
    let (message_ttl, retention, sessions_max) = columns(&room.rules);
    let made = one(
        txn,
        sql,
        &[
            &draft.id.0,
            &room.name,
            &room.kind.as_str(),
            &room.description,
            &search_key(&room.name, &room.description),
            &draft.password_hash,
            &direct_key,
            &now.0,
            &draft.slug,
            &message_ttl,
            &retention,
            &sessions_max,
        ],
        |row| Ok(row.try_get(0)?),
    )
    .await?;
    let Some(no) = made else {
        return Ok(None);
    };
    let main = sessions::Opening {
        id: draft.main_session,
        name: "",
        main: true,
        encryption: draft.room.encryption,
        message_ttl: draft.room.rules.message_ttl,
        ending: None,
    };
    let main_no = sessions::insert(txn, no, &main, creator.no, now).await?;
    let sql = "update rooms set main_session_no = $2 where no = $1";
    txn.execute(sql, &[&no, &main_no]).await?;
    Ok(Some(Place { no, id: draft.id, main_no }))
}

/// Puts everybody into the room who is not in it, and tells them when all are there.
async fn fill(
    txn: &mut Txn,
    place: &Place,
    draft: &RoomDraft,
    creator: &Person,
    (others, fresh): (&[Person], bool),
    now: Time,
) -> Result<(), StoreError> {
    let direct = draft.room.kind == RoomKind::Direct;
    let role = if direct { Role::Member } else { Role::Owner };
    let by = Some(creator.id);
    let mut newcomers = vec![Newcomer { person: creator, role, by: None }];
    newcomers.extend(others.iter().map(|person| Newcomer { person, role: Role::Member, by }));
    let news = admit(txn, place, newcomers, now).await?;
    if fresh {
        let room = read::seen(txn, creator.id, place.id).await?.map(Box::new);
        txn.log_user(creator.no, now, UserEventKind::RoomCreated(room));
    }
    tell_added(txn, place, &news, now).await
}
