//! Sessions: who is in them and how far they have read.

mod change;
mod create;
mod membership;
mod read;

use async_trait::async_trait;
use parlor_domain::{Denied, Member, RoomId, Session, SessionId, Time, UserId, View};

use super::handles::is_text;
use super::rows::{one, view};
use super::{PostgresStore, rooms};
use crate::sessions::{DecideOpen, DecideSession, NewSession, Sessions};
use crate::{Changed, StoreError};

pub(super) use change::end;
pub(super) use create::{Opening, insert};
pub(super) use membership::{Leaving, Newcomer, enter, leave, people, tell_added, tell_removed};
pub(super) use read::joined;

#[async_trait]
impl Sessions for PostgresStore {
    async fn create_session(
        &self,
        new: NewSession,
        now: Time,
        decide: DecideOpen,
    ) -> Result<Changed<Session>, StoreError> {
        let mut txn = self.begin().await?;
        let made = create::create(&mut txn, &new, now, decide).await?;
        txn.commit().await?;
        Ok(made)
    }

    async fn change_session(
        &self,
        user: UserId,
        session: SessionId,
        people: Vec<UserId>,
        now: Time,
        decide: DecideSession,
    ) -> Result<Option<Session>, StoreError> {
        let mut txn = self.begin().await?;
        let place = rooms::lock_of(&txn, session).await?.ok_or(Denied::NotFound)?;
        let facts = change::facts(&mut txn, &place, user, session, &people).await?;
        let facts = facts.ok_or(Denied::NotFound)?;
        let changes = decide(&facts)?;
        change::carry_out(&mut txn, &place, &facts.view, &changes, now).await?;
        let seen = read::joined_now(&mut txn, user, session).await?;
        txn.commit().await?;
        Ok(seen)
    }

    async fn session_as_seen_by(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<View>, StoreError> {
        view(&self.one().await?, user, session).await
    }

    async fn session(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<Session>, StoreError> {
        joined(&self.one().await?, user, session).await
    }

    async fn sessions_of(
        &self,
        user: UserId,
        room: Option<RoomId>,
    ) -> Result<Vec<Session>, StoreError> {
        read::sessions_of(&self.one().await?, user, room).await
    }

    async fn sessions_shared(
        &self,
        user: UserId,
        other: UserId,
        room: Option<RoomId>,
    ) -> Result<Vec<Session>, StoreError> {
        read::sessions_shared(&self.one().await?, user, other, room).await
    }

    async fn session_members(
        &self,
        user: UserId,
        session: SessionId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Option<Vec<Member>>, StoreError> {
        let after = after.filter(|name| is_text(name)).unwrap_or_default();
        read::members(&self.read().await?, user, session, &after, limit).await
    }

    async fn mark_read(
        &self,
        user: UserId,
        session: SessionId,
        number: i64,
    ) -> Result<Option<i64>, StoreError> {
        // Nothing is written when the marker is there already. Where it is moved at the same moment
        // by another device, it is at least where this one wanted it.
        let sql = "with mine as (select sm.session_no, sm.user_no, sm.read_number as was, \
                   least($3, h.number) as wanted from session_members sm \
                   join heads h on h.session_no = sm.session_no \
                   where sm.session_no = (select no from sessions where id = $1) \
                   and sm.user_no = (select no from users where id = $2)), \
                   moved as (update session_members sm set read_number = mine.wanted from mine \
                   where sm.session_no = mine.session_no and sm.user_no = mine.user_no \
                   and sm.read_number < mine.wanted) select greatest(was, wanted) from mine";
        let read = |row: &tokio_postgres::Row| Ok(row.try_get(0)?);
        one(&self.one().await?, sql, &[&session.0, &user.0, &number], read).await
    }
}
