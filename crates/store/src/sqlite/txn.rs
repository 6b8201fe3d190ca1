//! What a change works with: the open transaction, the heads of the logs, and what will be told
//! when it is durable.

use std::collections::HashMap;

use parlor_domain::{Denied, Event, EventKind, SessionId, Time, UserEvent, UserEventKind, UserId};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::failed;
use super::keyring::KeyFile;
use super::search::Index;
use crate::erasures::Erasure;
use crate::stored::{Stored, StoredUser};
use crate::{Batch, StoreError};

/// The head of a session's log, and the version of its access list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) session: SessionId,
    pub(super) seq: i64,
    pub(super) number: i64,
    pub(super) threaded: i64,
    pub(super) acl_version: i64,
    pub(super) membership_version: i64,
    /// Whether what is said in the session is encrypted.
    pub(super) encrypted: bool,
    pub(super) dirty: bool,
}

/// What a change works with: the open transaction, the heads, and what will be told afterwards.
pub(super) struct Txn<'a> {
    pub(super) conn: &'a Connection,
    pub(super) heads: &'a mut HashMap<i64, Head>,
    pub(super) undo: &'a mut Vec<(i64, Option<Head>)>,
    pub(super) batch: &'a mut Batch,
    pub(super) next_message_no: &'a mut i64,
    pub(super) erased: &'a mut bool,
    pub(super) index: &'a mut Index,
    /// What is to be listed before this is committed.
    pub(super) erasures: &'a mut Vec<Erasure>,
    /// The keys to what is sealed.
    pub(super) keys: &'a KeyFile,
}

impl Txn<'_> {
    /// The head of a session's log.
    pub(super) fn head(&mut self, session_no: i64) -> Result<Head, StoreError> {
        if let Some(head) = self.heads.get(&session_no) {
            return Ok(*head);
        }
        let sql = "select s.id, h.seq, h.number, h.acl_version, h.threaded, h.membership_version, \
                   s.algorithm is not null from heads h \
                   join sessions s on s.no = h.session_no where h.session_no = ?";
        let mut statement = self.conn.prepare_cached(sql).map_err(failed)?;
        let found = statement.query_row([session_no], |row| {
            Ok(Head {
                session: SessionId(Uuid::from_bytes(row.get(0)?)),
                seq: row.get(1)?,
                number: row.get(2)?,
                acl_version: row.get(3)?,
                threaded: row.get(4)?,
                membership_version: row.get(5)?,
                encrypted: row.get(6)?,
                dirty: false,
            })
        });
        // A session that is gone has no head.
        let head = found.optional().map_err(failed)?.ok_or(Denied::NotFound)?;
        self.heads.insert(session_no, head);
        Ok(head)
    }

    /// Forgets the head of a session whose rows are deleted. Its small id is never given again,
    /// nor are those of its messages.
    pub(super) fn forget(&mut self, session_no: i64) -> Result<(), StoreError> {
        let head = self.head(session_no)?;
        self.undo.push((session_no, Some(head)));
        self.heads.remove(&session_no);
        let sql = "insert or replace into meta (key, value) values ('next_message_no', ?)";
        self.execute(sql, [self.next_message_no.to_string()])?;
        Ok(())
    }

    /// Notes that something was overwritten that must not stay in the write-ahead log for long.
    pub(super) fn erase(&mut self) {
        *self.erased = true;
    }

    /// Changes a head; written once, when the batch commits.
    pub(super) fn set_head(
        &mut self,
        session_no: i64,
        change: impl FnOnce(&mut Head),
    ) -> Result<Head, StoreError> {
        let before = self.head(session_no)?;
        self.undo.push((session_no, Some(before)));
        let mut head = before;
        change(&mut head);
        head.dirty = true;
        self.heads.insert(session_no, head);
        Ok(head)
    }

    /// Begins the log of a session whose row was just written.
    pub(super) fn begin_log(
        &mut self,
        session_no: i64,
        session: SessionId,
        encrypted: bool,
    ) -> Result<(), StoreError> {
        let sql = "insert into heads (session_no) values (?)";
        self.execute(sql, params![session_no])?;
        let head = Head {
            session,
            seq: 0,
            number: 0,
            threaded: 0,
            acl_version: 0,
            membership_version: 0,
            encrypted,
            dirty: false,
        };
        self.undo.push((session_no, None));
        self.heads.insert(session_no, head);
        Ok(())
    }

    /// Notes that who may do what in a session has changed: drafts decided before are refused.
    pub(super) fn bump_acl(&mut self, session_no: i64) -> Result<(), StoreError> {
        fail::fail_point!("store::acl::not-bumped", |_| Ok(()));
        self.set_head(session_no, |head| head.acl_version += 1).map(|_| ())
    }

    /// Appends an event by which somebody comes or goes. What was encrypted before does not hold
    /// any more.
    pub(super) fn log_membership(
        &mut self,
        session_no: i64,
        at: Time,
        kind: EventKind,
    ) -> Result<(), StoreError> {
        let seq = self.log(session_no, at, None, kind)?;
        let head = self.set_head(session_no, |head| head.membership_version = seq)?;
        if head.encrypted { self.bump_acl(session_no) } else { Ok(()) }
    }

    /// Appends an event to a session's log. `message_no` is the message it refers to.
    pub(super) fn log(
        &mut self,
        session_no: i64,
        at: Time,
        message_no: Option<i64>,
        kind: EventKind,
    ) -> Result<i64, StoreError> {
        let head = self.set_head(session_no, |head| head.seq = next(head.seq))?;
        let (code, data) = Stored::of(&kind);
        let sql = "insert into events (session_no, seq, kind, at, message_no, data) \
                   values (?, ?, ?, ?, ?, ?)";
        self.execute(sql, params![session_no, head.seq, code, at.0, message_no, data])?;
        self.batch.events.push(Event { session: head.session, seq: head.seq, at, kind });
        Ok(head.seq)
    }

    /// Appends an entry to a user's own log.
    pub(super) fn log_user(
        &mut self,
        user_no: i64,
        at: Time,
        kind: UserEventKind,
    ) -> Result<(), StoreError> {
        let sql = "update users set log_seq = log_seq + 1 where no = ? returning id, log_seq";
        let mut statement = self.conn.prepare_cached(sql).map_err(failed)?;
        let (id, seq): ([u8; 16], i64) =
            statement.query_row([user_no], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
        let (code, data) = StoredUser::of(&kind);
        let sql = "insert into user_events (user_no, seq, kind, at, data) values (?, ?, ?, ?, ?)";
        self.execute(sql, params![user_no, seq, code, at.0, data])?;
        let user = UserId(Uuid::from_bytes(id));
        self.batch.user_events.push(UserEvent { user, seq, at, kind });
        Ok(())
    }

    /// The small id of the next message.
    pub(super) fn take_message_no(&mut self) -> i64 {
        let no = *self.next_message_no;
        *self.next_message_no += 1;
        no
    }

    /// Runs one statement, prepared once, and returns how many rows it changed.
    pub(super) fn execute(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<usize, StoreError> {
        self.conn.prepare_cached(sql).and_then(|mut s| s.execute(params)).map_err(failed)
    }
}

/// What follows in a log: it has no holes.
fn next(seq: i64) -> i64 {
    fail::fail_point!("store::log::skip-seq", |_| seq + 2);
    seq + 1
}
