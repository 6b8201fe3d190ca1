//! Where a search may look: sessions that the reader is in, as far as the query names them.

use std::collections::HashMap;

use parlor_domain::search::{self, Author, Query};
use parlor_domain::{RoomId, SessionId, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::readers::Db;
use super::super::rows::{one, user_no, uuid};
use crate::StoreError;

/// What a search may see.
pub(super) struct Scope {
    /// The reader's small id.
    pub(super) user_no: i64,
    /// The small ids of the sessions.
    pub(super) sessions: Vec<i64>,
    rooms: HashMap<SessionId, RoomId>,
    /// Who may have said it, with their small ids; `None`: anybody.
    pub(super) authors: Option<Vec<(UserId, i64)>>,
}

impl Scope {
    /// The scope of a query; `None` when there is nothing in it.
    pub(super) async fn of(
        db: &Db,
        user: UserId,
        query: &Query,
    ) -> Result<Option<Self>, StoreError> {
        let Some(no) = user_no(db, user).await? else {
            return Ok(None);
        };
        let mut scope = Self {
            user_no: no,
            sessions: Vec::new(),
            rooms: HashMap::new(),
            authors: authors(db, (user, no), &query.from).await?,
        };
        scope.add_sessions(db, no, query).await?;
        let nobody = scope.authors.as_ref().is_some_and(Vec::is_empty);
        Ok((!nobody && !scope.sessions.is_empty()).then_some(scope))
    }

    /// Adds the sessions that the query names. Who is in a session without
    /// being in its room sees nothing of it, here as everywhere.
    async fn add_sessions(
        &mut self,
        db: &Db,
        user_no: i64,
        query: &Query,
    ) -> Result<(), StoreError> {
        let sql = "select s.no, s.id, r.id, s.name, r.name from session_members sm \
                   join sessions s on s.no = sm.session_no join rooms r on r.no = s.room_no \
                   join room_members rm on rm.room_no = r.no and rm.user_no = sm.user_no \
                   where sm.user_no = $1 and s.ended_at is null";
        db.query(sql, &[&user_no]).await?.iter().try_for_each(|row| self.add_session(query, row))
    }

    fn add_session(&mut self, query: &Query, row: &Row) -> Result<(), StoreError> {
        let (session, room) = (SessionId(uuid(row, 1)?), RoomId(uuid(row, 2)?));
        let (name, room_name): (&str, &str) = (row.try_get(3)?, row.try_get(4)?);
        let named = |places: &[search::Place], id: Uuid, name: &str| {
            places.is_empty() || places.iter().any(|place| place.is(id, name))
        };
        if named(&query.sessions, session.0, name) && named(&query.rooms, room.0, room_name) {
            self.sessions.push(row.try_get(0)?);
            self.rooms.insert(session, room);
        }
        Ok(())
    }

    /// The room of a session that may be looked at; `None` for any other.
    pub(super) fn room_of(&self, session: SessionId) -> Option<RoomId> {
        self.rooms.get(&session).copied()
    }

    /// Whether what this person said is looked for.
    pub(super) fn is_author(&self, user: UserId) -> bool {
        let named = |authors: &Vec<(UserId, i64)>| authors.iter().any(|(id, _)| *id == user);
        self.authors.as_ref().is_none_or(named)
    }
}

/// The people whom the query names; a name that is nobody's adds nobody.
async fn authors(
    db: &Db,
    me: (UserId, i64),
    from: &[Author],
) -> Result<Option<Vec<(UserId, i64)>>, StoreError> {
    if from.is_empty() {
        return Ok(None);
    }
    let mut authors = Vec::with_capacity(from.len());
    for author in from {
        let found = match author {
            Author::Me => Some(me),
            Author::Key(key) => {
                let sql = "select id, no from users where username_key = $1";
                one(db, sql, &[key], |row| Ok((UserId(uuid(row, 0)?), row.try_get(1)?))).await?
            }
        };
        authors.extend(found.filter(|person| !authors.contains(person)));
    }
    Ok(Some(authors))
}
