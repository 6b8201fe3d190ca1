//! Before the first statement: whether the database keeps what it is given, its schema, and what
//! every installation begins with. One node at a time; the others wait for it.

use tokio::time::timeout;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::contents::noted;
use super::{CONNECT_WAIT, Config, LOCK};
use crate::StoreError;
use crate::tables;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// The advisory lock of whoever changes the schema.
const SCHEMA_LOCK: i64 = LOCK + 1;

/// The settings that decide whether a commit survives.
pub(super) const SETTINGS: &str = "select current_setting('fsync'), \
    current_setting('full_page_writes'), current_setting('synchronous_commit'), \
    current_setting('server_encoding'), current_setting('server_version_num')::bigint";

/// The oldest PostgreSQL that is tested.
const SERVER_MIN: i64 = 150_000;

/// Opens the database for the first time, and returns its epoch.
pub(super) async fn prepare(config: &Config) -> Result<String, StoreError> {
    let connecting = timeout(CONNECT_WAIT, config.postgres.connect(config.tls.clone())).await;
    let slow = |_| StoreError::Unavailable("timeout waiting for server".to_owned());
    let (mut client, connection) = connecting.map_err(slow)??;
    // Dropping the client ends the connection, and what is left of the work here.
    let work = async move {
        check_settings(&client.query_one(SETTINGS, &[]).await?)?;
        enter(&client).await?;
        client.execute("select pg_advisory_lock($1)", &[&SCHEMA_LOCK]).await?;
        is_ours(&client).await?;
        migrate(&mut client).await?;
        found(&mut client).await
    };
    let (_, epoch) = tokio::join!(connection, work);
    epoch
}

/// Refuses [`SETTINGS`] under which a commit that was answered could be lost, or half of it.
///
/// # Errors
/// [`StoreError::Database`] that says which.
pub(super) fn check_settings(row: &Row) -> Result<(), StoreError> {
    let (fsync, full): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
    let (commit, encoding): (&str, &str) = (row.try_get(2)?, row.try_get(3)?);
    let lost = "messages that were acknowledged could be lost";
    let refusal = match (fsync, full, commit, encoding) {
        ("off", ..) => format!("fsync is off in PostgreSQL: {lost}"),
        (_, "off", ..) => format!("full_page_writes is off in PostgreSQL: {lost}"),
        (_, _, "off", _) => format!("synchronous_commit is off in PostgreSQL: {lost}"),
        (.., "UTF8") if row.try_get::<_, i64>(4)? >= SERVER_MIN => return Ok(()),
        (.., "UTF8") => "PostgreSQL is older than 15".to_owned(),
        _ => format!("the database's encoding is {encoding}, and must be UTF8"),
    };
    Err(StoreError::Database(refusal))
}

/// Takes the lock that everybody shares who uses the database.
///
/// # Errors
/// [`StoreError::Database`] while it is being moved or restored.
pub(super) async fn enter(client: &Client) -> Result<(), StoreError> {
    let row = client.query_one("select pg_try_advisory_lock_shared($1)", &[&LOCK]).await?;
    if row.try_get(0)? {
        return Ok(());
    }
    Err(StoreError::Database(MOVING.to_owned()))
}

/// What is said while somebody moves or restores the database.
pub(super) const MOVING: &str = "the database is being moved or restored";

/// The number of the newest schema that this program knows.
pub(super) fn newest() -> i64 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(|step| i64::from(step.version())).max().unwrap_or(0)
}

/// The number of the database's schema; 0: it has none.
pub(super) async fn version(client: &Client) -> Result<i64, StoreError> {
    let sql = "select to_regclass('refinery_schema_history') is not null";
    if !client.query_one(sql, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let sql = "select coalesce(max(version), 0)::bigint from refinery_schema_history";
    Ok(client.query_one(sql, &[]).await?.try_get(0)?)
}

/// Refuses a database of a newer program, and one whose rows are still being moved into it.
///
/// # Errors
/// [`StoreError::Newer`], [`StoreError::HalfMoved`].
pub(super) async fn is_ours(client: &Client) -> Result<(), StoreError> {
    let (version, newest) = (version(client).await?, newest());
    if version > newest {
        return Err(StoreError::Newer { version, newest });
    }
    if version > 0 && noted(client, tables::MOVING).await?.is_some() {
        return Err(StoreError::HalfMoved);
    }
    Ok(())
}

/// Brings the schema up to date; a database that is newer than this program is refused.
///
/// # Errors
/// [`StoreError::Database`].
pub(crate) async fn migrate(client: &mut Client) -> Result<(), StoreError> {
    // Step by step, refinery would commit a step and the note of it apart.
    let runner = embedded::migrations::runner().set_abort_missing(true).set_grouped(true);
    let migrated = runner.run_async(client).await;
    migrated.map(|_| ()).map_err(|e| StoreError::Database(format!("migrate: {e}")))
}

/// Makes what every installation begins with, unless it is there: the epoch, and the lobby.
async fn found(client: &mut Client) -> Result<String, StoreError> {
    let txn = client.transaction().await?;
    let epoch = Uuid::new_v4().simple().to_string();
    let sql = "insert into meta (key, value) values ('epoch', $1) on conflict do nothing";
    txn.execute(sql, &[&epoch]).await?;
    let row = txn.query_one("select value from meta where key = 'epoch'", &[]).await?;
    if txn.query_opt("select 1 from rooms where lobby", &[]).await?.is_none() {
        let sql = "with room as (insert into rooms (id, name, kind, description, search_key, \
                   main_session_no, lobby, created_at, slug) values ($1, $2, 'public', '', $3, \
                   0, true, 0, 'lobby') returning no), session as (insert into sessions (id, \
                   room_no, name, main, created_at) select $4, no, '', true, 0 from room \
                   returning no) insert into heads (session_no) select no from session";
        let (room, session) = (Uuid::new_v4(), Uuid::new_v4());
        txn.execute(sql, &[&room, &LOBBY, &LOBBY_KEY, &session]).await?;
        let sql = "update rooms r set main_session_no = s.no from sessions s \
                   where s.room_no = r.no and r.id = $1";
        txn.execute(sql, &[&room]).await?;
    }
    txn.commit().await?;
    Ok(row.try_get(0)?)
}

const LOBBY: &str = "Lobby";
const LOBBY_KEY: &str = "lobby\n";
