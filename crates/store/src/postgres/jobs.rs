//! Jobs: what is done later. No statement locks anything besides.

use async_trait::async_trait;
use parlor_domain::{Denied, Time};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::contents::connect;
use super::readers::Db;
use super::rows::{exists, many, most, time, uuid};
use super::{PostgresStore, schema};
use crate::StoreError;
use crate::jobs::{Claimed, Job, Jobs, Kind, Lease, Order};

#[async_trait]
impl Jobs for PostgresStore {
    async fn ask_job(&self, kind: Kind, about: Uuid, now: Time) -> Result<(), StoreError> {
        ask(&self.one().await?, kind, about, now).await
    }

    async fn claim_jobs(
        &self,
        kind: Kind,
        lease: Lease,
        limit: u64,
        now: Time,
    ) -> Result<Vec<Claimed>, StoreError> {
        let db = self.one().await?;
        // Mostly there is nothing to be done.
        let due = "select 1 from jobs where not given_up and kind = $1 and due_at <= $2 \
                   and leased_until <= $2 limit 1";
        if !exists(&db, due, &[&kind.as_str(), &now.0]).await? {
            return Ok(vec![]);
        }
        // Chosen once, whatever the plan: to choose again would lock more than the limit.
        let sql = "with due as materialized (select id from jobs where not given_up \
                   and kind = $3 and due_at <= $4 and leased_until <= $4 order by due_at \
                   limit $5 for update skip locked) \
                   update jobs j set worker = $1, leased_until = $2, tries = j.tries + 1 \
                   from due where j.id = due.id returning j.id, j.about, j.tries, j.asked";
        let until = lease.until.0;
        let limit = most(limit);
        many(&db, sql, &[&lease.worker, &until, &kind.as_str(), &now.0, &limit], |row| {
            let (tries, asked) = (row.try_get(2)?, row.try_get(3)?);
            Ok(Claimed { id: uuid(row, 0)?, about: uuid(row, 1)?, tries, asked })
        })
        .await
    }

    async fn finish_job(&self, job: Claimed, worker: Uuid) -> Result<(), StoreError> {
        let db = self.one().await?;
        let sql = "delete from jobs where id = $1 and worker = $2 and asked = $3";
        match db.execute(sql, &[&job.id, &worker, &job.asked]).await? {
            0 => free(&db, job, worker).await,
            _ => Ok(()),
        }
    }

    async fn fail_job(
        &self,
        job: Claimed,
        worker: Uuid,
        error: String,
        again: Option<Time>,
    ) -> Result<(), StoreError> {
        let sql = "update jobs set worker = null, leased_until = 0, error = $4, \
                   due_at = coalesce($5, due_at), given_up = $6 \
                   where id = $1 and worker = $2 and asked = $3";
        let (again, never) = (again.map(|at| at.0), again.is_none());
        let db = self.one().await?;
        match db.execute(sql, &[&job.id, &worker, &job.asked, &error, &again, &never]).await? {
            0 => free(&db, job, worker).await,
            _ => Ok(()),
        }
    }

    async fn free_jobs(&self, worker: Option<Uuid>) -> Result<(), StoreError> {
        let sql = "update jobs set worker = null, leased_until = 0, \
                   tries = greatest(tries - ($1::uuid is not null)::int, 0) \
                   where worker is not null and worker = coalesce($1, worker)";
        self.one().await?.execute(sql, &[&worker]).await.map(drop)
    }

    async fn forget_jobs(&self, before: Time, limit: u64) -> Result<u64, StoreError> {
        let sql = "delete from jobs where id in (select id from jobs where given_up \
                   and due_at < $1 limit $2)";
        self.one().await?.execute(sql, &[&before.0, &most(limit)]).await
    }
}

/// Asks for a job; see [`Jobs::ask_job`]. For those who ask together with what it is about.
pub(super) async fn ask(db: &Db, kind: Kind, about: Uuid, now: Time) -> Result<(), StoreError> {
    let sql = "insert into jobs (id, kind, about, created_at, due_at) \
               values ($1, $2, $3, $4, $4) on conflict (kind, about) do update set \
               asked = jobs.asked + 1, due_at = least(jobs.due_at, $4), tries = 0, \
               given_up = false, error = null";
    db.execute(sql, &[&Uuid::new_v4(), &kind.as_str(), &about, &now.0]).await.map(drop)
}

/// Gives back a job that was asked for again while it was being done.
async fn free(db: &Db, job: Claimed, worker: Uuid) -> Result<(), StoreError> {
    let sql = "update jobs set worker = null, leased_until = 0 where id = $1 and worker = $2";
    db.execute(sql, &[&job.id, &worker]).await.map(drop)
}

const JOB: &str = "select id, kind, about, created_at, due_at, leased_until, tries, error, \
    given_up from jobs";

fn job(row: &Row) -> Result<Job, StoreError> {
    Ok(Job {
        id: uuid(row, 0)?,
        kind: row.try_get(1)?,
        about: uuid(row, 2)?,
        created_at: time(row, 3)?,
        due_at: time(row, 4)?,
        leased_until: time(row, 5)?,
        tries: row.try_get(6)?,
        error: row.try_get(7)?,
        given_up: row.try_get(8)?,
    })
}

/// Up to `limit` jobs of a database that servers may use, the next first and those that were given
/// up last; of one id, when it is given.
///
/// # Errors
/// [`StoreError`].
pub async fn list(url: &str, id: Option<Uuid>, limit: u64) -> Result<Vec<Job>, StoreError> {
    let client = open(url).await?;
    let sql = format!("{JOB} where id = coalesce($1, id) order by given_up, due_at, id limit $2");
    client.query(&sql, &[&id, &most(limit)]).await?.iter().map(job).collect()
}

/// Gives an order about a job, beside servers that may use the database.
///
/// # Errors
/// [`Denied::NotFound`] when there is no such job; [`StoreError`].
pub async fn order(url: &str, id: Uuid, order: Order, now: Time) -> Result<(), StoreError> {
    let client = open(url).await?;
    let changed = match order {
        Order::Retry => {
            let sql = "update jobs set due_at = $2, tries = 0, given_up = false, worker = null, \
                       leased_until = 0 where id = $1";
            client.execute(sql, &[&id, &now.0]).await?
        }
        Order::Cancel => client.execute("delete from jobs where id = $1", &[&id]).await?,
    };
    match changed {
        0 => Err(Denied::NotFound.into()),
        _ => Ok(()),
    }
}

/// Nobody moves or restores the database meanwhile. An older one has no jobs, and must not be
/// brought up to date by the way.
async fn open(url: &str) -> Result<Client, StoreError> {
    let client = connect(url).await?;
    schema::enter(&client).await?;
    schema::is_ours(&client).await?;
    if schema::version(&client).await? == schema::newest() {
        return Ok(client);
    }
    Err(StoreError::Database("its schema is older: start this version of the server once".into()))
}
