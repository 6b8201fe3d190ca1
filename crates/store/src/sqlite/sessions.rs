//! Sessions: who is in them and how far they have read.

mod change;
mod create;
mod membership;
mod read;

use async_trait::async_trait;
use parlor_domain::{Denied, Member, RoomId, Session, SessionId, Time, UserId, View};

use super::SqliteStore;
use super::rows::{one, view};
use super::txn::Txn;
use crate::sessions::{DecideOpen, DecideSession, NewSession, Sessions};
use crate::{Changed, StoreError};

pub(super) use change::end;
pub(super) use create::{Opening, insert};
pub(super) use membership::{Leaving, enter, leave, tell_added, tell_removed};
pub(super) use read::joined;

#[async_trait]
impl Sessions for SqliteStore {
    async fn create_session(
        &self,
        new: NewSession,
        now: Time,
        decide: DecideOpen,
    ) -> Result<Changed<Session>, StoreError> {
        self.write(move |txn| create::create(txn, &new, now, decide)).await
    }

    async fn change_session(
        &self,
        user: UserId,
        session: SessionId,
        people: Vec<UserId>,
        now: Time,
        decide: DecideSession,
    ) -> Result<Option<Session>, StoreError> {
        self.write(move |txn| {
            let facts = change::facts(txn, user, session, &people)?.ok_or(Denied::NotFound)?;
            for change in decide(&facts)? {
                change::apply(txn, &facts.view, change, now)?;
            }
            read::joined_now(txn, user, session)
        })
        .await
    }

    async fn session_as_seen_by(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<View>, StoreError> {
        self.read(move |conn| view(conn, user, session)).await
    }

    async fn session(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<Session>, StoreError> {
        self.read(move |conn| joined(conn, user, session)).await
    }

    async fn sessions_of(
        &self,
        user: UserId,
        room: Option<RoomId>,
    ) -> Result<Vec<Session>, StoreError> {
        self.read(move |conn| read::sessions_of(conn, user, room)).await
    }

    async fn sessions_shared(
        &self,
        user: UserId,
        other: UserId,
        room: Option<RoomId>,
    ) -> Result<Vec<Session>, StoreError> {
        self.read(move |conn| read::sessions_shared(conn, user, other, room)).await
    }

    async fn session_members(
        &self,
        user: UserId,
        session: SessionId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Option<Vec<Member>>, StoreError> {
        self.read(move |conn| {
            let Some(view) = view(conn, user, session)? else {
                return Ok(None);
            };
            read::members(conn, &view, &after.unwrap_or_default(), limit).map(Some)
        })
        .await
    }

    async fn mark_read(
        &self,
        user: UserId,
        session: SessionId,
        number: i64,
    ) -> Result<Option<i64>, StoreError> {
        self.write(move |txn| mark_read(txn, user, session, number)).await
    }
}

/// Moves a reader's marker forward, no further than the newest message.
fn mark_read(
    txn: &mut Txn<'_>,
    user: UserId,
    session: SessionId,
    number: i64,
) -> Result<Option<i64>, StoreError> {
    let Some(view) = view(txn.conn, user, session)? else {
        return Ok(None);
    };
    let (session_no, user_no) = (view.session_no, view.user_no);
    let sql = "select read_number from session_members where session_no = ? and user_no = ?";
    let read: Option<i64> = one(txn.conn, sql, [session_no, user_no], |row| row.get(0))?;
    let number = number.min(txn.head(session_no)?.number);
    if let Some(read) = read.filter(|&read| read >= number) {
        return Ok(Some(read));
    }
    let sql = "update session_members set read_number = ? where session_no = ? and user_no = ?";
    txn.execute(sql, [number, session_no, user_no])?;
    Ok(Some(number))
}
