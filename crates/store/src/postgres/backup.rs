//! What a copy made by `pg_dump` says of itself, and what becomes of it when it is restored.

use parlor_domain::Time;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::LOCK;
use super::contents::{Database, connect, note, noted, parse};
use super::schema::{is_ours, newest, version};
use crate::moves::content;
use crate::state::{LAST_MESSAGE, LastMessage};
use crate::tables::EPOCH;
use crate::{Kept, State, StoreError};

/// One state of a database that servers may go on to write to.
pub struct Snapshot {
    database: Database,
    name: String,
}

impl Snapshot {
    /// Holds the state of this moment.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::HalfMoved`], [`StoreError::Database`].
    pub async fn take(url: &str) -> Result<Self, StoreError> {
        let client = connect(url).await?;
        is_ours(&client).await?;
        client.batch_execute("begin isolation level repeatable read, read only").await?;
        let name = client.query_one("select pg_export_snapshot()", &[]).await?.try_get(0)?;
        Ok(Self { database: Database::of(client), name })
    }

    /// What `pg_dump --snapshot` takes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is in it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn state(mut self) -> Result<State, StoreError> {
        inspect(&mut self.database).await
    }
}

/// Whether there is nothing in the database, so that something can be restored into it.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn is_empty(url: &str) -> Result<bool, StoreError> {
    let sql = "select not exists (select 1 from pg_tables where schemaname = current_schema())";
    Ok(connect(url).await?.query_one(sql, &[]).await?.try_get(0)?)
}

/// What is in a database that was just restored.
///
/// # Errors
/// As [`Snapshot::take`].
pub async fn restored(url: &str) -> Result<State, StoreError> {
    let mut database = Database::open(url).await?;
    is_ours(database.client()).await?;
    inspect(&mut database).await
}

/// Makes the restored database a history of its own, and takes out of it what must not come back.
/// Returns the new epoch.
///
/// # Errors
/// As [`Snapshot::take`].
pub async fn renew(url: &str, kept: Kept, now: Time) -> Result<String, StoreError> {
    let client = connect(url).await?;
    is_ours(&client).await?;
    client.batch_execute("begin").await?;
    client.execute("select pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    forget(&client, kept, now).await?;
    let epoch = Uuid::new_v4().simple().to_string();
    note(&client, EPOCH, &epoch).await?;
    client.batch_execute("commit; analyze").await?;
    Ok(epoch)
}

/// As SQLite's: codes that may have been used since the backup, logins that may have been revoked
/// since. What else was erased after it (messages that decayed) is to be erased here.
async fn forget(client: &Client, kept: Kept, now: Time) -> Result<(), StoreError> {
    client.execute("delete from codes", &[]).await?;
    if kept == Kept::Nobody {
        let sql = "update logins set revoked_at = $1 where revoked_at is null";
        client.execute(sql, &[&now.0]).await?;
    }
    Ok(())
}

async fn inspect(database: &mut Database) -> Result<State, StoreError> {
    let client = database.client();
    let schema = version(client).await?;
    let epoch = noted(client, EPOCH).await?;
    let last = client.query_opt(LAST_MESSAGE, &[]).await?;
    let last_message = last.map(|row| last_message(&row)).transpose()?;
    let current = schema == newest();
    let content = if current { Some(content(database, &|_, _| {}).await?) } else { None };
    Ok(State { schema, epoch, last_message, content })
}

fn last_message(row: &Row) -> Result<LastMessage, tokio_postgres::Error> {
    Ok(LastMessage {
        id: row.try_get::<_, Uuid>(0)?.to_string(),
        session: row.try_get::<_, Uuid>(1)?.to_string(),
        number: row.try_get(2)?,
        seq: row.try_get(3)?,
        sent_at: row.try_get(4)?,
    })
}

/// How a database is reached, for PostgreSQL's own programs.
pub struct Reached {
    /// The name of the database.
    pub database: String,
    hosts: String,
    ports: String,
    user: String,
    password: Option<String>,
}

impl Reached {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`StoreError::Database`] when it cannot be read; the text holds nothing of it.
    pub fn read(url: &str) -> Result<Self, StoreError> {
        let config = parse(url)?;
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let ports = config.get_ports().iter().map(ToString::to_string).collect::<Vec<_>>();
        let user = config.get_user().unwrap_or("postgres").to_owned();
        Ok(Self {
            database: config.get_dbname().unwrap_or(&user).to_owned(),
            hosts: hosts.collect::<Vec<_>>().join(","),
            ports: if ports.is_empty() { "5432".to_owned() } else { ports.join(",") },
            user,
            password: config.get_password().map(|it| String::from_utf8_lossy(it).into_owned()),
        })
    }

    /// The variables of the environment that libpq reads.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("PGHOST", self.hosts.clone()),
            ("PGPORT", self.ports.clone()),
            ("PGUSER", self.user.clone()),
            ("PGDATABASE", self.database.clone()),
        ];
        variables.extend(self.password.clone().map(|password| ("PGPASSWORD", password)));
        variables
    }

    /// A URL without the password.
    pub fn shown(&self) -> String {
        format!("postgres://{}@{}:{}/{}", self.user, self.hosts, self.ports, self.database)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_for_the_environment_and_nothing_else() {
        let reached = Reached::read("postgres://ana:hunter%402@db:5433/parlor").unwrap();
        assert_eq!(reached.shown(), "postgres://ana@db:5433/parlor");
        let password = reached.variables().into_iter().find(|(name, _)| *name == "PGPASSWORD");
        assert_eq!(password, Some(("PGPASSWORD", "hunter@2".to_owned())));
        let error = Reached::read("postgres://ana:hunter2@db:port/parlor").err().unwrap();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
