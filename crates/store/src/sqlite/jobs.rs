//! Jobs: what is done later.

use std::path::Path;

use async_trait::async_trait;
use parlor_domain::{Denied, Time};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::rows::{exists, many, most, one, uuid};
use super::txn::Txn;
use super::{SqliteStore, failed, open_reading, open_writing, schema};
use crate::StoreError;
use crate::jobs::{Claimed, Job, Jobs, Kind, Lease, Order};

#[async_trait]
impl Jobs for SqliteStore {
    async fn ask_job(&self, kind: Kind, about: Uuid, now: Time) -> Result<(), StoreError> {
        self.write(move |txn| ask(txn, kind, about, now)).await
    }

    async fn claim_jobs(
        &self,
        kind: Kind,
        lease: Lease,
        limit: u64,
        now: Time,
    ) -> Result<Vec<Claimed>, StoreError> {
        // Mostly there is nothing to be done: the writer is not asked for that.
        let due = "select 1 from jobs where given_up = 0 and kind = ?1 and due_at <= ?2 \
                   and leased_until <= ?2";
        let any = move |conn: &Connection| exists(conn, due, params![kind.as_str(), now.0]);
        if !self.read(any).await? {
            return Ok(vec![]);
        }
        self.write(move |txn| claim(txn, kind, lease, most(limit), now)).await
    }

    async fn finish_job(&self, job: Claimed, worker: Uuid) -> Result<(), StoreError> {
        self.write(move |txn| {
            let sql = "delete from jobs where id = ?1 and worker = ?2 and asked = ?3";
            let bound = params![job.id.as_bytes(), worker.as_bytes(), job.asked];
            if txn.execute(sql, bound)? == 0 {
                free(txn, job, worker)?;
            }
            Ok(())
        })
        .await
    }

    async fn fail_job(
        &self,
        job: Claimed,
        worker: Uuid,
        error: String,
        again: Option<Time>,
    ) -> Result<(), StoreError> {
        self.write(move |txn| {
            let sql = "update jobs set worker = null, leased_until = 0, error = ?4, \
                       due_at = coalesce(?5, due_at), given_up = ?6 \
                       where id = ?1 and worker = ?2 and asked = ?3";
            let (id, worker_id) = (job.id.as_bytes(), worker.as_bytes());
            let (again, never) = (again.map(|at| at.0), again.is_none());
            let bound = params![id, worker_id, job.asked, error, again, never];
            if txn.execute(sql, bound)? == 0 {
                free(txn, job, worker)?;
            }
            Ok(())
        })
        .await
    }

    async fn free_jobs(&self, worker: Option<Uuid>) -> Result<(), StoreError> {
        let any = "select 1 from jobs where worker is not null";
        if !self.read(move |conn| exists(conn, any, [])).await? {
            return Ok(());
        }
        self.write(move |txn| {
            let sql = "update jobs set worker = null, leased_until = 0, \
                       tries = max(tries - (?1 is not null), 0) \
                       where worker is not null and worker = coalesce(?1, worker)";
            txn.execute(sql, [worker.map(Uuid::into_bytes)]).map(drop)
        })
        .await
    }

    async fn forget_jobs(&self, before: Time, limit: u64) -> Result<u64, StoreError> {
        let any = "select 1 from jobs where given_up = 1 and due_at < ?";
        if !self.read(move |conn| exists(conn, any, [before.0])).await? {
            return Ok(0);
        }
        self.write(move |txn| {
            let sql = "delete from jobs where id in \
                       (select id from jobs where given_up = 1 and due_at < ? limit ?)";
            Ok(txn.execute(sql, params![before.0, most(limit)])? as u64)
        })
        .await
    }
}

/// Asks for a job; see [`Jobs::ask_job`]. For those who ask together with what it is about.
pub(super) fn ask(txn: &Txn<'_>, kind: Kind, about: Uuid, now: Time) -> Result<(), StoreError> {
    let sql = "insert into jobs (id, kind, about, created_at, due_at) \
               values (?1, ?2, ?3, ?4, ?4) on conflict (kind, about) do update set \
               asked = asked + 1, due_at = min(due_at, ?4), tries = 0, given_up = 0, error = null";
    let id = Uuid::new_v4();
    txn.execute(sql, params![id.as_bytes(), kind.as_str(), about.as_bytes(), now.0]).map(drop)
}

fn claim(
    txn: &Txn<'_>,
    kind: Kind,
    lease: Lease,
    limit: i64,
    now: Time,
) -> Result<Vec<Claimed>, StoreError> {
    let sql = "update jobs set worker = ?1, leased_until = ?2, tries = tries + 1 where id in \
               (select id from jobs where given_up = 0 and kind = ?3 and due_at <= ?4 \
               and leased_until <= ?4 order by due_at limit ?5) \
               returning id, about, tries, asked";
    let bound = params![lease.worker.as_bytes(), lease.until.0, kind.as_str(), now.0, limit];
    many(txn.conn, sql, bound, |row| {
        let (tries, asked) = (row.get(2)?, row.get(3)?);
        Ok(Claimed { id: uuid(row, 0)?, about: uuid(row, 1)?, tries, asked })
    })
}

/// Gives back a job that was asked for again while it was being done.
fn free(txn: &Txn<'_>, job: Claimed, worker: Uuid) -> Result<(), StoreError> {
    let sql = "update jobs set worker = null, leased_until = 0 where id = ? and worker = ?";
    txn.execute(sql, params![job.id.as_bytes(), worker.as_bytes()]).map(drop)
}

const JOB: &str = "select id, kind, about, created_at, due_at, leased_until, tries, error, \
    given_up from jobs";

fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: uuid(row, 0)?,
        kind: row.get(1)?,
        about: uuid(row, 2)?,
        created_at: Time(row.get(3)?),
        due_at: Time(row.get(4)?),
        leased_until: Time(row.get(5)?),
        tries: row.get(6)?,
        error: row.get(7)?,
        given_up: row.get(8)?,
    })
}

/// Up to `limit` jobs of a database that a server may have open, the next first and those that were
/// given up last; of one id, when it is given.
///
/// # Errors
/// [`StoreError`].
pub fn list(path: &Path, id: Option<Uuid>, limit: u64) -> Result<Vec<Job>, StoreError> {
    is_file(path)?;
    let conn = open_reading(path)?;
    is_there(&conn)?;
    if let Some(id) = id {
        let found = one(&conn, &format!("{JOB} where id = ?"), [id.as_bytes()], job)?;
        return Ok(found.into_iter().collect());
    }
    many(&conn, &format!("{JOB} order by given_up, due_at, id limit ?"), [most(limit)], job)
}

/// Gives an order about a job, beside a server that may have the database open.
///
/// # Errors
/// [`Denied::NotFound`] when there is no such job; [`StoreError`].
pub fn order(path: &Path, id: Uuid, order: Order, now: Time) -> Result<(), StoreError> {
    is_file(path)?;
    let conn = open_writing(path)?;
    is_there(&conn)?;
    let changed = match order {
        Order::Retry => {
            let sql = "update jobs set due_at = ?2, tries = 0, given_up = 0, worker = null, \
                       leased_until = 0 where id = ?1";
            conn.execute(sql, params![id.as_bytes(), now.0])
        }
        Order::Cancel => conn.execute("delete from jobs where id = ?", [id.as_bytes()]),
    };
    match changed.map_err(failed)? {
        0 => Err(Denied::NotFound.into()),
        _ => Ok(()),
    }
}

/// Nobody makes a database by asking after its jobs.
fn is_file(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        return Ok(());
    }
    Err(StoreError::Database(format!("there is no database {}", path.display())))
}

/// An older database has none, and must not be brought up to date by the way.
fn is_there(conn: &Connection) -> Result<(), StoreError> {
    schema::is_ours(conn)?;
    if schema::version(conn)? == schema::newest() {
        return Ok(());
    }
    Err(StoreError::Database("its schema is older: start this version of the server once".into()))
}
