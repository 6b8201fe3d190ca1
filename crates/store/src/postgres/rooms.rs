//! Rooms: made, found, entered, changed. Whoever changes a room, its members or its sessions holds
//! the lock on its row, so that the facts of a decision stay what they are until it is carried out.

mod change;
mod create;
mod delete;
mod facts;
mod members;
mod place;
mod read;

use async_trait::async_trait;
use parlor_domain::{Ban, Denied, Member, Room, RoomChange, RoomFacts, RoomId, Time, UserId};

use super::PostgresStore;
use super::handles::is_text;
use super::rows::one;
use super::txn::Txn;
use crate::rooms::{DecideRoom, RoomDraft, Rooms};
use crate::{Changed, StoreError};

pub(super) use change::delete_again;
pub(super) use facts::{facts, owners, standings};
pub(super) use members::{admit, tell_added};
pub(super) use place::{Place, date_lobby, hashed, lock, lock_joined, lock_lobby, lock_of};
pub(super) use read::{CROWD, ROOM, ROOM_COLUMNS, SEEN, joined, room_row};

#[async_trait]
impl Rooms for PostgresStore {
    async fn create_room(
        &self,
        draft: RoomDraft,
        owned_max: u64,
        now: Time,
    ) -> Result<Changed<Room>, StoreError> {
        let mut txn = self.begin().await?;
        let made = create::create(&mut txn, &draft, owned_max, now).await?;
        txn.commit().await?;
        Ok(made)
    }

    async fn change_room(
        &self,
        actor: UserId,
        room: RoomId,
        people: Vec<UserId>,
        now: Time,
        decide: DecideRoom,
    ) -> Result<Option<Room>, StoreError> {
        let mut txn = self.begin().await?;
        let place = lock(&txn, room).await?.ok_or(Denied::NotFound)?;
        change_locked(&mut txn, &place, actor, &people, now, decide).await?;
        let seen = read::seen(&txn, actor, room).await?;
        txn.commit().await?;
        Ok(seen)
    }

    async fn room(&self, user: UserId, room: RoomId) -> Result<Option<Room>, StoreError> {
        read::seen(&self.read().await?, user, room).await
    }

    async fn room_password(&self, room: RoomId) -> Result<Option<String>, StoreError> {
        let sql = "select password_hash from rooms where id = $1";
        let found = one(&self.one().await?, sql, &[&room.0], |row| Ok(row.try_get(0)?)).await?;
        Ok(found.flatten())
    }

    async fn lobby(&self, user: UserId) -> Result<Option<Room>, StoreError> {
        read::lobby(&self.one().await?, user).await
    }

    async fn rooms_of(&self, user: UserId) -> Result<Vec<Room>, StoreError> {
        read::rooms_of(&self.read().await?, user).await
    }

    async fn public_rooms(
        &self,
        user: UserId,
        query: String,
        after: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Room>, StoreError> {
        if !is_text(&query) {
            return Ok(vec![]);
        }
        read::public_rooms(&self.one().await?, user, &query, after.unwrap_or(0), limit).await
    }

    async fn room_members(
        &self,
        user: UserId,
        room: RoomId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Option<Vec<Member>>, StoreError> {
        let after = after.filter(|name| is_text(name)).unwrap_or_default();
        read::members(&self.read().await?, user, room, &after, limit).await
    }

    async fn bans(&self, room: RoomId, limit: u64) -> Result<Vec<Ban>, StoreError> {
        read::bans(&self.one().await?, room, limit).await
    }
}

/// Decides about a locked room with its facts, and carries out what was decided.
pub(super) async fn change_locked(
    txn: &mut Txn,
    place: &Place,
    actor: UserId,
    people: &[UserId],
    now: Time,
    decide: impl FnOnce(&RoomFacts) -> Result<Vec<RoomChange>, Denied> + Send,
) -> Result<(), StoreError> {
    let facts = facts(txn, place, actor, people).await?.ok_or(Denied::NotFound)?;
    let changes = decide(&facts)?;
    change::carry_out(txn, place, actor, &changes, now).await
}

/// What a room is found by in a search.
fn search_key(name: &str, description: &str) -> String {
    format!("{name}\n{description}").to_lowercase()
}
