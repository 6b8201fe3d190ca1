//! Where a search may look: sessions that the reader is in, as far as the query names them.

use std::collections::HashMap;

use parlor_domain::search::{Author, Place, Query};
use parlor_domain::{RoomId, SessionId, UserId};
use rusqlite::Connection;
use uuid::Uuid;

use super::super::rows::{one, user_no, uuid};
use crate::StoreError;

/// What a search may see.
pub(super) struct Scope {
    /// The reader's small id.
    pub(super) user_no: i64,
    /// The sessions' small ids, and the numbers of their newest messages.
    pub(super) sessions: Vec<(i64, i64)>,
    rooms: HashMap<SessionId, RoomId>,
    /// Who may have said it, with their small ids; `None`: anybody.
    pub(super) authors: Option<Vec<(UserId, i64)>>,
}

impl Scope {
    /// The scope of a query; `None` when there is nothing in it.
    pub(super) fn of(
        conn: &Connection,
        user: UserId,
        query: &Query,
    ) -> Result<Option<Self>, StoreError> {
        let Some(no) = user_no(conn, user)? else {
            return Ok(None);
        };
        let mut scope = Self {
            user_no: no,
            sessions: Vec::new(),
            rooms: HashMap::new(),
            authors: authors(conn, (user, no), &query.from)?,
        };
        scope.add_sessions(conn, no, query)?;
        let nobody = scope.authors.as_ref().is_some_and(Vec::is_empty);
        Ok((!nobody && !scope.sessions.is_empty()).then_some(scope))
    }

    /// Adds the sessions that hold anything and that the query names. Who is in a session without
    /// being in its room sees nothing of it, here as everywhere.
    fn add_sessions(
        &mut self,
        conn: &Connection,
        user_no: i64,
        query: &Query,
    ) -> Result<(), StoreError> {
        let sql = "select s.no, h.number, s.id, r.id, s.name, r.name from session_members sm \
                   join sessions s on s.no = sm.session_no join heads h on h.session_no = s.no \
                   join rooms r on r.no = s.room_no \
                   join room_members rm on rm.room_no = r.no and rm.user_no = sm.user_no \
                   where sm.user_no = ? and h.number > 0 and s.ended_at is null";
        let mut statement = conn.prepare_cached(sql).map_err(super::failed)?;
        let mut rows = statement.query([user_no]).map_err(super::failed)?;
        while let Some(row) = rows.next().map_err(super::failed)? {
            self.add_session(query, row).map_err(super::failed)?;
        }
        Ok(())
    }

    fn add_session(&mut self, query: &Query, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
        let (session, room) = (SessionId(uuid(row, 2)?), RoomId(uuid(row, 3)?));
        let (name, room_name) = (row.get_ref(4)?.as_str()?, row.get_ref(5)?.as_str()?);
        let named = |places: &[Place], id: Uuid, name: &str| {
            places.is_empty() || places.iter().any(|place| place.is(id, name))
        };
        if named(&query.sessions, session.0, name) && named(&query.rooms, room.0, room_name) {
            self.sessions.push((row.get(0)?, row.get(1)?));
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
fn authors(
    conn: &Connection,
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
                let sql = "select id, no from users where username_key = ?";
                one(conn, sql, [key], |row| Ok((UserId(uuid(row, 0)?), row.get(1)?)))?
            }
        };
        authors.extend(found.filter(|person| !authors.contains(person)));
    }
    Ok(Some(authors))
}
