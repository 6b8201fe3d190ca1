//! Where the keys to what is sealed are kept: two small tables, in a schema that no backup of ours
//! copies, or in a database of their own. The nodes share them.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use parlor_domain::{Message, SessionId, Time};
use parlor_seal::{Secret, TimeKeys};
use tokio_postgres::{IsolationLevel, Row};
use uuid::Uuid;

use super::readers::Bound;
use super::{CALL_WAIT, CONNECT_WAIT, Config, LOCK, POOL_WAIT, PostgresConfig};
use crate::StoreError;
use crate::keyring::Keyring;
use crate::keys::KeySet;

/// Connections to them: they are asked for once in a session, and when something has decayed.
const CONNECTIONS: usize = 2;

/// The advisory lock of whoever makes the tables.
const MAKING: i64 = LOCK + 2;

/// `time_keys` has one row; `begins` is the first second whose key is in it.
const TABLES: [&str; 2] = [
    "create table if not exists parlor_keyring.time_keys \
     (one bigint primary key, begins bigint not null, keys bytea not null)",
    "create table if not exists parlor_keyring.session_keys \
     (session_id uuid primary key, secret bytea not null)",
];

/// The keys, and the tables that they are in.
pub(super) struct KeyTables {
    keys: Keyring,
    pool: Pool,
}

impl KeyTables {
    /// Opens them; they are made when missing.
    pub(super) async fn open(config: &Config) -> Result<Arc<Self>, StoreError> {
        let pool = pool(config)?;
        let time = within(async { make(&pool).await }).await?;
        Ok(Arc::new(Self { keys: Keyring::new(time), pool }))
    }

    /// The keys that are in memory.
    pub(super) fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// Has the secret of a session in memory: makes it, unless there is one. It is durable before
    /// it is used.
    pub(super) async fn prepare(&self, session: SessionId) -> Result<(), StoreError> {
        if self.keys.knows(session) {
            return Ok(());
        }
        let secret = Secret::random().map_err(damaged)?;
        let sql = "insert into parlor_keyring.session_keys (session_id, secret) values ($1, $2) \
                   on conflict do nothing";
        self.query(sql, &[&session.0, &&secret.bytes()[..]]).await?;
        self.look_up(session).await
    }

    /// Has the secret of a session in memory, if there is one.
    async fn look_up(&self, session: SessionId) -> Result<(), StoreError> {
        let sql = "select secret from parlor_keyring.session_keys where session_id = $1";
        for row in self.query(sql, &[&session.0]).await? {
            let secret: &[u8] = row.try_get(0)?;
            self.keys.learn(session, Secret::of(secret.try_into().map_err(damaged)?));
        }
        Ok(())
    }

    /// Destroys the secret of a session, in which nothing opens any more then.
    pub(super) async fn forget(&self, session: SessionId) -> Result<(), StoreError> {
        self.keys.forget(session);
        let sql = "delete from parlor_keyring.session_keys where session_id = $1 returning 1";
        if !self.query(sql, &[&session.0]).await?.is_empty() {
            self.clean("vacuum parlor_keyring.session_keys").await?;
        }
        Ok(())
    }

    /// Destroys the keys of seconds that are over. Another node may have gone further.
    pub(super) async fn advance(&self, now: Time) -> Result<(), StoreError> {
        let Some(keys) = self.keys.advance(now) else { return Ok(()) };
        let begins = i64::from(self.keys.begins());
        let sql = "update parlor_keyring.time_keys set begins = $1, keys = $2 where begins < $1 \
                   returning 1";
        if !self.query(sql, &[&begins, &keys]).await?.is_empty() {
            self.clean("vacuum parlor_keyring.time_keys").await?;
        }
        self.forget_with_others().await?;
        self.keys.settled(now);
        Ok(())
    }

    /// Throws secrets away that another node has destroyed.
    async fn forget_with_others(&self) -> Result<(), StoreError> {
        let here: Vec<Uuid> = self.keys.sessions().iter().map(|session| session.0).collect();
        if here.is_empty() {
            return Ok(());
        }
        let sql = "select h.id from unnest($1::uuid[]) h (id) where not exists \
                   (select 1 from parlor_keyring.session_keys k where k.session_id = h.id)";
        for row in self.query(sql, &[&here]).await? {
            self.keys.forget(SessionId(row.try_get(0)?));
        }
        Ok(())
    }

    /// Opens what is sealed of a message; `None`: its key is gone.
    pub(super) async fn open_text(
        &self,
        message: &Message,
        sealed: &[u8],
    ) -> Result<Option<String>, StoreError> {
        let open = || self.keys.open(message.session, message.id, sealed);
        if let Ok(text) = open() {
            return Ok(text);
        }
        // Another node may have made it.
        self.look_up(message.session).await?;
        Ok(open().unwrap_or(None))
    }

    async fn query(&self, sql: &str, bound: Bound<'_>) -> Result<Vec<Row>, StoreError> {
        within(async {
            let client = taken(&self.pool).await?;
            let statement = client.prepare_cached(sql).await?;
            Ok(client.query(&statement, bound).await?)
        })
        .await
    }

    /// Takes rows that are dead out of a table's pages.
    async fn clean(&self, sql: &str) -> Result<(), StoreError> {
        within(async { Ok(taken(&self.pool).await?.batch_execute(sql).await?) }).await
    }
}

fn pool(config: &Config) -> Result<Pool, StoreError> {
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let (at, tls) = config.keyring.clone();
    let pool = Pool::builder(Manager::from_config(at, tls, recycling))
        .max_size(CONNECTIONS)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(POOL_WAIT))
        .create_timeout(Some(CONNECT_WAIT))
        .recycle_timeout(Some(CONNECT_WAIT))
        .build();
    pool.map_err(|e| StoreError::Database(e.to_string()))
}

/// All keys in a database; `None`: there are none.
pub(crate) async fn read_keys(url: &str) -> Result<Option<KeySet>, StoreError> {
    let pool = pool_at(url)?;
    within(async {
        let mut client = taken(&pool).await?;
        let there = "select to_regclass('parlor_keyring.time_keys') is not null";
        if !client.query_one(there, &[]).await?.try_get::<_, bool>(0)? {
            return Ok(None);
        }
        let txn = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
        let txn = txn.read_only(true).start().await?;
        let row = txn.query_opt("select keys from parlor_keyring.time_keys", &[]).await?;
        let Some(row) = row else { return Ok(None) };
        let sql = "select session_id, secret from parlor_keyring.session_keys";
        let mut sessions = Vec::new();
        for row in txn.query(sql, &[]).await? {
            let secret: &[u8] = row.try_get(1)?;
            sessions.push((row.try_get(0)?, secret.try_into().map_err(damaged)?));
        }
        Ok(Some(KeySet { time: row.try_get(0)?, sessions }))
    })
    .await
}

/// Writes keys into a database, in the place of all that is there.
pub(crate) async fn write_keys(url: &str, keys: &KeySet) -> Result<(), StoreError> {
    let begins = TimeKeys::from_bytes(&keys.time).map_err(damaged)?.begins().unwrap_or(u32::MAX);
    let pool = pool_at(url)?;
    within(async {
        make(&pool).await?;
        let mut client = taken(&pool).await?;
        let txn = client.transaction().await?;
        txn.execute("delete from parlor_keyring.session_keys", &[]).await?;
        let sql = "update parlor_keyring.time_keys set begins = $1, keys = $2";
        txn.execute(sql, &[&i64::from(begins), &keys.time]).await?;
        let (sessions, secrets): (Vec<Uuid>, Vec<&[u8]>) =
            keys.sessions.iter().map(|(session, secret)| (*session, &secret[..])).unzip();
        let sql = "insert into parlor_keyring.session_keys (session_id, secret) \
                   select * from unnest($1::uuid[], $2::bytea[])";
        txn.execute(sql, &[&sessions, &secrets]).await?;
        Ok(txn.commit().await?)
    })
    .await
}

fn pool_at(url: &str) -> Result<Pool, StoreError> {
    let config = PostgresConfig {
        url: url.to_owned(),
        keyring_url: None,
        lanes: 1,
        connections: CONNECTIONS,
    };
    pool(&Config::read(&config)?)
}

/// Makes what is missing, and reads the keys of the seconds to come.
async fn make(pool: &Pool) -> Result<TimeKeys, StoreError> {
    let mut client = taken(pool).await?;
    let txn = client.transaction().await?;
    txn.execute("select pg_advisory_xact_lock($1)", &[&MAKING]).await?;
    // Asked for first: who may not make a schema may have been given one.
    let sql = "select to_regnamespace('parlor_keyring') is null";
    if txn.query_one(sql, &[]).await?.try_get(0)? {
        txn.batch_execute("create schema parlor_keyring").await?;
    }
    for sql in TABLES {
        txn.batch_execute(sql).await?;
    }
    let new = TimeKeys::new(Secret::random().map_err(damaged)?).to_bytes();
    let sql = "insert into parlor_keyring.time_keys (one, begins, keys) values (1, 0, $1) \
               on conflict do nothing";
    txn.execute(sql, &[&new]).await?;
    let row = txn.query_one("select keys from parlor_keyring.time_keys", &[]).await?;
    txn.commit().await?;
    TimeKeys::from_bytes(row.try_get(0)?).map_err(damaged)
}

async fn taken(pool: &Pool) -> Result<Object, StoreError> {
    pool.get().await.map_err(super::readers::unavailable)
}

/// Waits for the server, but not for ever.
async fn within<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let patience: Duration = POOL_WAIT + CONNECT_WAIT + CALL_WAIT;
    let slow = |_| StoreError::Unavailable("timeout waiting for the keys' server".to_owned());
    tokio::time::timeout(patience, call).await.map_err(slow)?
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("the keys of what is sealed: {error}"))
}
