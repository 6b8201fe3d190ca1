//! What a change works with: an open transaction, the heads of the logs that it holds, and what
//! will be told when it is durable.
//!
//! How a change is written:
//!
//! ```text
//! let mut txn = self.begin().await?;          // undone unless it is committed
//! let place = rooms::lock(&txn, room).await?; // first whatever the facts depend on,
//! txn.lock_heads(&session_nos).await?;        // then the logs, all at once,
//! let facts = facts(&txn, …).await?;          // then the facts, as they are now
//! let changes = decide(&facts)?;              // a refusal leaves no trace
//! txn.execute("update …", &[&…]).await?;      // a `Txn` is a `Db`: pass `&txn` to what reads
//! txn.log(session_no, now, None, kind).await?; // seq at once; the rows are written by `commit`
//! txn.log_user(user_no, now, kind);           // everything of it by `commit`
//! txn.commit().await?;                        // rows of the logs, heads, durable, told
//! ```
//!
//! Several nodes do this at once, so rows are locked in one order: an advisory lock if any, rooms,
//! heads, then users, each by their small ids, ascending; then devices with keys, and last the
//! count of whose keys have changed. What must not happen twice although
//! nothing is there to be locked yet rests on a unique key ([`Db::insert`]) or on
//! [`Txn::lock_key`]. Where all this fails, PostgreSQL finds the circle and the change is refused
//! as [`StoreError::Busy`].
//!
//! A reading begins anew with every statement (`read committed`): what is read after a lock was
//! taken is as the one before left it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use parlor_domain::{Denied, Event, EventKind, SessionId, Time, UserEvent, UserEventKind, UserId};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::e2ee::Changes;
use super::erasures;
use super::readers::Db;
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
    dirty: bool,
}

/// A row of `events` to be written.
#[derive(Default)]
struct Events {
    sessions: Vec<i64>,
    seqs: Vec<i64>,
    codes: Vec<i64>,
    times: Vec<i64>,
    messages: Vec<Option<i64>>,
    data: Vec<Option<String>>,
}

/// What a change works with. Dropped without [`Txn::commit`], nothing of it has happened.
pub(super) struct Txn {
    db: Db,
    heads: BTreeMap<i64, Head>,
    events: Events,
    told: Vec<Event>,
    entries: Vec<(i64, Time, UserEventKind)>,
    /// Users whose own logs are told but not kept.
    unkept: BTreeSet<i64>,
    changes: Changes,
    erasures: Vec<Erasure>,
    sink: mpsc::Sender<Batch>,
    tasks: TaskTracker,
}

impl Deref for Txn {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

impl Txn {
    /// Begins a change on a connection.
    pub(super) fn begin(mut db: Db, sink: mpsc::Sender<Batch>, tasks: TaskTracker) -> Self {
        db.begin("begin isolation level read committed");
        let (heads, unkept) = (BTreeMap::new(), BTreeSet::new());
        let (told, entries) = (Vec::new(), Vec::new());
        let (changes, events, erasures) = (Changes::default(), Events::default(), Vec::new());
        Self { db, heads, events, told, entries, unkept, changes, erasures, sink, tasks }
    }

    /// Lets statements take minutes from now on: where much goes.
    pub(super) async fn be_patient(&mut self) -> Result<(), StoreError> {
        self.db.be_patient().await
    }

    /// Waits until nobody else is in a change that locks the same thing, to the end of this one.
    pub(super) async fn lock_key(&self, space: Space, key: i64) -> Result<(), StoreError> {
        let sql = "select pg_advisory_xact_lock($1, hashint8($2))";
        self.db.execute(sql, &[&(space as i32), &key]).await.map(drop)
    }

    /// Locks the logs of several sessions. One that is gone has no head.
    pub(super) async fn lock_heads(&mut self, session_nos: &[i64]) -> Result<(), StoreError> {
        let sql = "select h.session_no, s.id, h.seq, h.number, h.acl_version, h.threaded, \
                   h.membership_version, s.algorithm is not null \
                   from heads h join sessions s on s.no = h.session_no \
                   where h.session_no = any($1) order by h.session_no \
                   for no key update of h";
        let new = |no: &&i64| !self.heads.contains_key(*no);
        let new: Vec<i64> = session_nos.iter().filter(new).copied().collect();
        for row in self.db.query(sql, &[&new]).await? {
            let head = Head {
                session: SessionId(row.try_get::<_, Uuid>(1)?),
                seq: row.try_get(2)?,
                number: row.try_get(3)?,
                acl_version: row.try_get(4)?,
                threaded: row.try_get(5)?,
                membership_version: row.try_get(6)?,
                encrypted: row.try_get(7)?,
                dirty: false,
            };
            self.heads.insert(row.try_get(0)?, head);
        }
        Ok(())
    }

    /// The head of a session's log, locked.
    pub(super) async fn head(&mut self, session_no: i64) -> Result<Head, StoreError> {
        if !self.heads.contains_key(&session_no) {
            self.lock_heads(&[session_no]).await?;
        }
        self.heads.get(&session_no).copied().ok_or(Denied::NotFound.into())
    }

    /// Changes a head; written once, by [`Txn::commit`].
    pub(super) async fn set_head(
        &mut self,
        session_no: i64,
        change: impl FnOnce(&mut Head),
    ) -> Result<Head, StoreError> {
        let mut head = self.head(session_no).await?;
        change(&mut head);
        head.dirty = true;
        self.heads.insert(session_no, head);
        Ok(head)
    }

    /// Begins the log of a session whose row was just written.
    pub(super) async fn begin_log(
        &mut self,
        session_no: i64,
        session: SessionId,
        encrypted: bool,
    ) -> Result<(), StoreError> {
        self.db.execute("insert into heads (session_no) values ($1)", &[&session_no]).await?;
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
        self.heads.insert(session_no, head);
        Ok(())
    }

    /// Notes that who may do what in a session has changed: drafts decided before are refused.
    pub(super) async fn bump_acl(&mut self, session_no: i64) -> Result<(), StoreError> {
        self.set_head(session_no, |head| head.acl_version += 1).await.map(drop)
    }

    /// Appends an event by which somebody comes or goes. What was encrypted before does not hold
    /// any more.
    pub(super) async fn log_membership(
        &mut self,
        session_no: i64,
        at: Time,
        kind: EventKind,
    ) -> Result<(), StoreError> {
        let seq = self.log(session_no, at, None, kind).await?;
        let head = self.set_head(session_no, |head| head.membership_version = seq).await?;
        if head.encrypted { self.bump_acl(session_no).await } else { Ok(()) }
    }

    /// Whose keys are to be asked for again, once this is committed.
    pub(super) fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// What is to be listed before this is committed.
    pub(super) fn erasures(&mut self) -> &mut Vec<Erasure> {
        &mut self.erasures
    }

    /// Appends an event to a session's log. `message_no` is the message it refers to.
    pub(super) async fn log(
        &mut self,
        session_no: i64,
        at: Time,
        message_no: Option<i64>,
        kind: EventKind,
    ) -> Result<i64, StoreError> {
        let head = self.set_head(session_no, |head| head.seq += 1).await?;
        let (code, data) = Stored::of(&kind);
        self.events.sessions.push(session_no);
        self.events.seqs.push(head.seq);
        self.events.codes.push(code);
        self.events.times.push(at.0);
        self.events.messages.push(message_no);
        self.events.data.push(data);
        self.told.push(Event { session: head.session, seq: head.seq, at, kind });
        Ok(head.seq)
    }

    /// Appends an entry to a user's own log.
    pub(super) fn log_user(&mut self, user_no: i64, at: Time, kind: UserEventKind) {
        self.entries.push((user_no, at, kind));
    }

    /// Forgets the log of a session whose rows are deleted: what happened in it is told, and not
    /// kept. The caller deletes the rows that were there before.
    pub(super) fn forget(&mut self, session_no: i64) {
        self.heads.remove(&session_no);
        self.events.forget(session_no);
    }

    /// The same for a user's own log: what happened is told, and not kept.
    pub(super) fn forget_user(&mut self, user_no: i64) {
        self.unkept.insert(user_no);
    }

    /// Writes the logs, makes everything durable, and tells it. A caller that goes away after this
    /// began its last step changes nothing about it.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.write_heads().await?;
        self.events.write(&self.db).await?;
        let user_events = self.write_entries().await?;
        self.changes.write(&self.db).await?;
        if !self.erasures.is_empty() {
            let nth = self.db.keys().list(&self.erasures).await?;
            erasures::done(&self.db, nth).await?;
        }
        let batch = Batch { events: std::mem::take(&mut self.told), user_events };
        let (answer, answered) = oneshot::channel();
        let tasks = self.tasks.clone();
        tasks.spawn(async move {
            let committed = self.db.commit().await;
            if committed.is_ok() {
                destroy_keys(&self.db, &batch).await;
            }
            if committed.is_ok() && !batch.is_empty() && self.sink.send(batch).await.is_err() {
                tracing::debug!("nobody hears of commits any more");
            }
            // A caller that went away needs no answer.
            let _ = answer.send(committed);
        });
        answered.await.map_err(|_| StoreError::Closed)?
    }

    async fn write_heads(&self) -> Result<(), StoreError> {
        let dirty = || self.heads.iter().filter(|(_, head)| head.dirty);
        let nos: Vec<i64> = dirty().map(|(no, _)| *no).collect();
        if nos.is_empty() {
            return Ok(());
        }
        let seqs: Vec<i64> = dirty().map(|(_, head)| head.seq).collect();
        let numbers: Vec<i64> = dirty().map(|(_, head)| head.number).collect();
        let versions: Vec<i64> = dirty().map(|(_, head)| head.acl_version).collect();
        let members: Vec<i64> = dirty().map(|(_, head)| head.membership_version).collect();
        // `threaded` moves with what is said alone, which is written elsewhere.
        let sql = "update heads h set seq = n.seq, number = n.number, \
                   acl_version = n.acl_version, membership_version = n.membership_version \
                   from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
                   $5::bigint[]) n (session_no, seq, number, acl_version, membership_version) \
                   where h.session_no = n.session_no";
        self.db.execute(sql, &[&nos, &seqs, &numbers, &versions, &members]).await.map(drop)
    }

    /// Writes the entries of users' own logs: users are locked here, last and in their order.
    async fn write_entries(&mut self) -> Result<Vec<UserEvent>, StoreError> {
        let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
        for (user_no, ..) in &self.entries {
            *counts.entry(*user_no).or_default() += 1;
        }
        if counts.is_empty() {
            return Ok(vec![]);
        }
        let nos: Vec<i64> = counts.keys().copied().collect();
        let counts: Vec<i64> = counts.values().copied().collect();
        let sql = "select 1 from users where no = any($1) order by no for no key update";
        self.db.query(sql, &[&nos]).await?;
        let sql = "update users u set log_seq = u.log_seq + c.count \
                   from unnest($1::bigint[], $2::bigint[]) c (no, count) where u.no = c.no \
                   returning u.no, u.id, u.log_seq - c.count";
        let mut heads: BTreeMap<i64, (UserId, i64)> = BTreeMap::new();
        for row in self.db.query(sql, &[&nos, &counts]).await? {
            heads.insert(row.try_get(0)?, (UserId(row.try_get(1)?), row.try_get(2)?));
        }
        let mut rows = Entries::default();
        let mut told = Vec::with_capacity(self.entries.len());
        for (user_no, at, kind) in self.entries.drain(..) {
            let (user, seq) = heads.get_mut(&user_no).ok_or(Denied::NotFound)?;
            *seq += 1;
            if !self.unkept.contains(&user_no) {
                rows.push(user_no, *seq, at, &kind);
            }
            told.push(UserEvent { user: *user, seq: *seq, at, kind });
        }
        rows.write(&self.db).await?;
        Ok(told)
    }
}

/// The keys of sessions that have ended go once that is durable. Where this fails, or is not come
/// to, they go before what was said in the session is erased.
async fn destroy_keys(db: &Db, batch: &Batch) {
    for event in &batch.events {
        if matches!(event.kind, EventKind::Ended { .. })
            && let Err(error) = db.keys().forget(event.session).await
        {
            tracing::error!(%error, "failed to destroy the key of a session that has ended");
        }
    }
}

/// What [`Txn::lock_key`] locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// What somebody makes, by their small id: how many rooms they own.
    Maker = 1,
    /// A name that only one may have.
    Name = 2,
    /// Who writes what is not said yet, by their small id: how much of it there is.
    Writer = 3,
    /// Who keeps keys and notes for their devices, by their small id.
    Keeper = 4,
}

impl Events {
    fn forget(&mut self, session_no: i64) {
        let kept: Vec<bool> = self.sessions.iter().map(|no| *no != session_no).collect();
        let mut all = [&mut self.sessions, &mut self.seqs, &mut self.codes, &mut self.times];
        for column in &mut all {
            retain(column, &kept);
        }
        retain(&mut self.messages, &kept);
        retain(&mut self.data, &kept);
    }

    async fn write(&self, db: &Db) -> Result<(), StoreError> {
        if self.seqs.is_empty() {
            return Ok(());
        }
        let sql = "insert into events (session_no, seq, kind, at, message_no, data) \
                   select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
                   $5::bigint[], $6::text[])";
        let Self { sessions, seqs, codes, times, messages, data } = self;
        db.execute(sql, &[sessions, seqs, codes, times, messages, data]).await.map(drop)
    }
}

/// Keeps those of a column's values that are to be kept.
fn retain<T>(column: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    column.retain(|_| kept.next().is_none_or(|kept| *kept));
}

/// Rows of `user_events` to be written.
#[derive(Default)]
struct Entries {
    users: Vec<i64>,
    seqs: Vec<i64>,
    codes: Vec<i64>,
    times: Vec<i64>,
    data: Vec<String>,
}

impl Entries {
    fn push(&mut self, user_no: i64, seq: i64, at: Time, kind: &UserEventKind) {
        let (code, data) = StoredUser::of(kind);
        self.users.push(user_no);
        self.seqs.push(seq);
        self.codes.push(code);
        self.times.push(at.0);
        self.data.push(data);
    }

    async fn write(&self, db: &Db) -> Result<(), StoreError> {
        if self.seqs.is_empty() {
            return Ok(());
        }
        let sql = "insert into user_events (user_no, seq, kind, at, data) \
                   select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
                   $5::text[])";
        let Self { users, seqs, codes, times, data } = self;
        db.execute(sql, &[users, seqs, codes, times, data]).await.map(drop)
    }
}
