//! Things by the names that other systems have for them.

mod cards;
mod listing;

use async_trait::async_trait;
use parlor_domain::{Card, Person, Placed, RoomId, SessionId, Time, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::PostgresStore;
use super::rows::{USER_COLUMNS, exists, many, maybe_time, most, one, time, user_at, uuid};
use crate::StoreError;
use crate::handles::{Handles, Listing, Which};

#[async_trait]
impl Handles for PostgresStore {
    async fn people(&self, ids: Vec<UserId>) -> Result<Vec<Person>, StoreError> {
        let sql = format!(
            "{PERSON} join unnest($1::uuid[]) with ordinality as asked (id, nth) \
             on asked.id = u.id order by asked.nth"
        );
        let ids: Vec<Uuid> = ids.into_iter().map(|id| id.0).collect();
        many(&self.one().await?, &sql, &[&ids], person).await
    }

    async fn person_by_no(&self, no: i64) -> Result<Option<Person>, StoreError> {
        let sql = format!("{PERSON} where u.no = $1 and u.deleted_at is null");
        one(&self.one().await?, &sql, &[&no], person).await
    }

    async fn guest(&self, name: String) -> Result<Option<Person>, StoreError> {
        if !is_text(&name) {
            return Ok(None);
        }
        let sql = format!("{PERSON} where u.guest and u.name = $1 order by u.no limit 1");
        one(&self.one().await?, &sql, &[&name], person).await
    }

    async fn everybody(&self, limit: u64) -> Result<Vec<Person>, StoreError> {
        let sql =
            format!("{PERSON} where u.usable and u.deleted_at is null order by u.no limit $1");
        many(&self.one().await?, &sql, &[&most(limit)], person).await
    }

    async fn acquaintances(&self, user: UserId) -> Result<Vec<UserId>, StoreError> {
        let sql = "select distinct u.id from room_members me \
                   join rooms r on r.no = me.room_no and not r.lobby \
                   join room_members they on they.room_no = me.room_no \
                   join users u on u.no = they.user_no \
                   where me.user_no = (select no from users where id = $1)";
        many(&self.one().await?, sql, &[&user.0], |row| Ok(UserId(uuid(row, 0)?))).await
    }

    async fn are_acquainted(&self, user: UserId, other: UserId) -> Result<bool, StoreError> {
        let sql = "select 1 from room_members me \
                   join rooms r on r.no = me.room_no and not r.lobby \
                   join room_members they on they.room_no = me.room_no \
                   where me.user_no = (select no from users where id = $1) \
                   and they.user_no = (select no from users where id = $2) limit 1";
        exists(&self.one().await?, sql, &[&user.0, &other.0]).await
    }

    async fn rooms_shared(
        &self,
        reader: UserId,
        user: UserId,
    ) -> Result<Vec<(RoomId, Time)>, StoreError> {
        let sql = "select r.id, they.joined_at from room_members me \
                   join rooms r on r.no = me.room_no \
                   join room_members they on they.room_no = me.room_no \
                   where me.user_no = (select no from users where id = $1) \
                   and they.user_no = (select no from users where id = $2) \
                   order by they.joined_at, r.no";
        let read = |row: &Row| Ok((RoomId(uuid(row, 0)?), time(row, 1)?));
        many(&self.one().await?, sql, &[&reader.0, &user.0], read).await
    }

    async fn session_by_no(&self, user: UserId, no: i64) -> Result<Option<SessionId>, StoreError> {
        let sql = "select s.id from sessions s \
                   join session_members sm on sm.session_no = s.no \
                   join users u on u.no = sm.user_no where s.no = $1 and u.id = $2";
        let read = |row: &Row| Ok(SessionId(uuid(row, 0)?));
        one(&self.one().await?, sql, &[&no, &user.0], read).await
    }

    async fn message_by_no(&self, user: UserId, no: i64) -> Result<Option<Placed>, StoreError> {
        let sql = format!("{} where m.no = $2", listing::select());
        let db = self.one().await?;
        let mut found = one(&db, &sql, &[&user.0, &no], listing::placed).await?;
        listing::open(&db, found.as_mut_slice()).await?;
        Ok(found)
    }

    async fn cards(&self, user: UserId, which: Which) -> Result<Vec<Card>, StoreError> {
        cards::cards(&self.read().await?, user, &which).await
    }

    async fn is_banned(&self, user: UserId, slug: String) -> Result<bool, StoreError> {
        if !is_text(&slug) {
            return Ok(false);
        }
        let id = Uuid::try_parse(&slug).ok();
        let sql = "select 1 from rooms r join bans b on b.room_no = r.no \
                   and b.user_no = (select no from users where id = $1) \
                   where (r.slug = $2 or r.id = $3 and r.slug is null) \
                   and r.kind in ('public', 'unlisted')";
        exists(&self.one().await?, sql, &[&user.0, &slug, &id]).await
    }

    async fn listing(
        &self,
        user: UserId,
        listing: Listing,
        scan_max: u64,
        bytes_max: u64,
    ) -> Result<(Vec<Placed>, u64), StoreError> {
        let db = self.read().await?;
        match &listing.containing {
            Some(text) => {
                let scan = listing::Scan { text: text.to_lowercase(), rows: scan_max };
                listing::containing(&db, user, &listing, &scan, bytes_max).await
            }
            None => listing::listed(&db, user, &listing, bytes_max).await,
        }
    }
}

/// Whether the database can hold this as a text. What it cannot is nobody's name and in no text.
pub(super) fn is_text(text: &str) -> bool {
    !text.contains('\0')
}

/// Selects people, to be read by [`person`].
const PERSON: &str = "select u.id, u.no, u.username, u.name, u.status, u.created_at, \
    u.last_seen_at, u.show_last_seen, u.picture, u.email, u.shows_email, u.guest, u.changed_at \
    from users u";

fn person(row: &Row) -> Result<Person, StoreError> {
    let user = user_at(row, 0)?;
    let email: Option<String> = row.try_get(USER_COLUMNS)?;
    let shown: bool = row.try_get(USER_COLUMNS + 1)?;
    Ok(Person {
        email: email.filter(|_| shown),
        guest: row.try_get(USER_COLUMNS + 2)?,
        changed_at: maybe_time(row, USER_COLUMNS + 3)?.unwrap_or(user.created_at),
        user,
    })
}
