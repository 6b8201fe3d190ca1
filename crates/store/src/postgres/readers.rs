//! The pool of connections, and a connection out of it.
//!
//! A connection goes back to the pool whatever happened to it: one that was in the middle of
//! something is told to undo it before anybody else's first statement, one that does not answer is
//! thrown away.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use futures_util::FutureExt;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::keyring::KeyTables;
use super::{
    CALL_WAIT, CONNECT_WAIT, Config, LOCK, LOCK_WAIT, POOL_WAIT, STATEMENT_WAIT, schema, violated,
};
use crate::StoreError;

/// What a statement is given.
pub(super) type Bound<'a> = &'a [&'a (dyn ToSql + Sync)];

/// How long a connection may be in a transaction without a statement.
const IDLE_WAIT: Duration = Duration::from_secs(10);

/// What a patient statement may take.
const LONG: Duration = Duration::from_secs(120);

/// The pool.
#[derive(Clone)]
pub(super) struct Readers {
    pool: Pool,
    keys: Arc<KeyTables>,
}

impl Readers {
    /// Makes the pool; connections are opened when they are needed.
    pub(super) fn start(config: &Config, keys: Arc<KeyTables>) -> Result<Self, StoreError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config.postgres.clone(), config.tls.clone(), recycling);
        let set_up = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
            Box::pin(async move {
                client.batch_execute(&settings()).await.map_err(HookError::Backend)?;
                let sql = "select pg_try_advisory_lock_shared($1)";
                let row = client.query_one(sql, &[&LOCK]).await.map_err(HookError::Backend)?;
                let free = row.try_get(0).map_err(HookError::Backend)?;
                if free { Ok(()) } else { Err(HookError::message(schema::MOVING)) }
            })
        });
        let pool = Pool::builder(manager)
            .max_size(config.connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POOL_WAIT))
            .create_timeout(Some(CONNECT_WAIT))
            .recycle_timeout(Some(CONNECT_WAIT))
            .post_create(set_up)
            .build();
        let pool = pool.map_err(|e| StoreError::Database(e.to_string()))?;
        Ok(Self { pool, keys })
    }

    /// A connection; whoever has to wait for one too long is told that there is too much to do.
    pub(super) async fn take(&self) -> Result<Db, StoreError> {
        // The pool's own limits do not hold for setting a connection up.
        let took = tokio::time::timeout(POOL_WAIT + CONNECT_WAIT, self.pool.get()).await;
        let slow = |_| StoreError::Unavailable("timeout waiting for server".to_owned());
        let client = took.map_err(slow)?.map_err(unavailable)?;
        Ok(Db {
            client: Some(client),
            open: false,
            lost: AtomicBool::new(false),
            wait: CALL_WAIT,
            keys: Arc::clone(&self.keys),
        })
    }
}

/// What every connection is set to. The setting for commits is kept as it was when the connection
/// was opened, which the server's configuration cannot change any more. The plan of a statement is
/// kept, too: its values change nothing about it, and to plan it anew each time takes as long as
/// many a statement does.
fn settings() -> String {
    format!(
        "select set_config('synchronous_commit', current_setting('synchronous_commit'), false); \
         set statement_timeout = {}; set lock_timeout = {}; \
         set idle_in_transaction_session_timeout = {}; set jit = off; \
         set plan_cache_mode = force_generic_plan; \
         set client_min_messages = warning",
        STATEMENT_WAIT.as_millis(),
        LOCK_WAIT.as_millis(),
        IDLE_WAIT.as_millis(),
    )
}

pub(super) fn unavailable(error: PoolError) -> StoreError {
    match error {
        PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => StoreError::Busy,
        PoolError::Timeout(_) => StoreError::Unavailable("timeout waiting for server".to_owned()),
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            error.into()
        }
        PoolError::PostCreateHook(HookError::Message(text)) => {
            StoreError::Unavailable(text.into_owned())
        }
        PoolError::Closed | PoolError::NoRuntimeSpecified => StoreError::Closed,
    }
}

/// A connection. Statements are prepared once for each.
pub(super) struct Db {
    /// There until it is dropped.
    client: Option<Object>,
    /// Whether it is in a transaction.
    open: bool,
    /// Whether it did not answer, or not as a server that can be used: then nobody else gets it.
    lost: AtomicBool,
    wait: Duration,
    keys: Arc<KeyTables>,
}

impl Db {
    /// The keys to what is sealed.
    pub(super) fn keys(&self) -> &KeyTables {
        &self.keys
    }

    /// Begins a transaction, without waiting for the answer: the next statement does.
    pub(super) fn begin(&mut self, sql: &str) {
        self.open = true;
        self.order(sql);
    }

    /// Ends a transaction that was committed.
    pub(super) async fn commit(&mut self) -> Result<(), StoreError> {
        let committed = self.within(self.client().batch_execute("commit")).await;
        self.open = false;
        committed
    }

    /// Lets statements take minutes from now on, to the end of the transaction: where much goes.
    pub(super) async fn be_patient(&mut self) -> Result<(), StoreError> {
        self.wait = LONG + CALL_WAIT;
        let sql = format!("set local statement_timeout = {}", LONG.as_millis());
        self.within(self.client().batch_execute(&sql)).await
    }

    /// Takes rows that are dead out of tables, which may take minutes and holds nobody up. Tables
    /// that somebody else does this to are left out.
    pub(super) async fn vacuum(mut self, tables: &str) -> Result<(), StoreError> {
        self.wait = LONG + CALL_WAIT;
        // It has other limits now, and is closed afterwards.
        self.lost.store(true, Ordering::Relaxed);
        let limits = format!("set statement_timeout = {}", LONG.as_millis());
        self.within(self.client().batch_execute(&limits)).await?;
        let sql = format!("vacuum (skip_locked) {tables}");
        self.within(self.client().batch_execute(&sql)).await
    }

    /// Runs one statement, prepared once, and returns how many rows it changed.
    pub(super) async fn execute(&self, sql: &str, bound: Bound<'_>) -> Result<u64, StoreError> {
        self.within(async {
            let statement = self.client().prepare_cached(sql).await?;
            self.client().execute(&statement, bound).await
        })
        .await
    }

    /// Like [`Db::execute`], where a key may be there already: `taken` is given the name of its
    /// constraint. The transaction can only be undone then.
    pub(super) async fn insert(
        &self,
        sql: &str,
        bound: Bound<'_>,
        taken: impl FnOnce(&str) -> Option<StoreError>,
    ) -> Result<u64, StoreError> {
        let inserting = async {
            let statement = self.client().prepare_cached(sql).await?;
            match self.client().execute(&statement, bound).await {
                Err(error) => match violated(&error).and_then(taken) {
                    Some(refused) => Ok(Err(refused)),
                    None => Err(error),
                },
                Ok(rows) => Ok(Ok(rows)),
            }
        };
        self.within(inserting).await?
    }

    /// All rows of a query, prepared once.
    pub(super) async fn query(&self, sql: &str, bound: Bound<'_>) -> Result<Vec<Row>, StoreError> {
        self.within(async {
            let statement = self.client().prepare_cached(sql).await?;
            self.client().query(&statement, bound).await
        })
        .await
    }

    /// Locks, and then does something, in a transaction of its own that takes one round trip: all
    /// is sent at once. [`StoreError::Unavailable`]: it may have happened or not. Any other error:
    /// it has not.
    pub(super) async fn at_once(
        &self,
        lock: (&str, Bound<'_>),
        work: (&str, Bound<'_>),
    ) -> Result<Vec<Row>, StoreError> {
        self.within(async {
            let client = self.client();
            let (lock_sql, work_sql) =
                (client.prepare_cached(lock.0).await?, client.prepare_cached(work.0).await?);
            let (begun, locked, done, committed) = futures_util::join!(
                client.batch_execute("begin isolation level read committed"),
                client.execute(&lock_sql, lock.1),
                client.query(&work_sql, work.1),
                // Of a transaction that has failed, this is the end too.
                client.batch_execute("commit"),
            );
            begun.and(locked)?;
            let rows = done?;
            committed.map(|()| rows)
        })
        .await
    }

    /// Whether the server has ended the connection.
    pub(super) fn is_closed(&self) -> bool {
        self.client().is_closed()
    }

    /// Waits for the server, but not for ever.
    async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        let result = match tokio::time::timeout(self.wait, call).await {
            Ok(result) => result.map_err(StoreError::from),
            Err(_) => Err(StoreError::Unavailable("timeout waiting for server".to_owned())),
        };
        if matches!(result, Err(StoreError::Unavailable(_))) {
            self.lost.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Gives an order without waiting for the answer. What is sent on a connection is done in turn.
    fn order(&self, sql: &str) {
        if let Some(client) = &self.client {
            // The first poll sends it. Whether it fails is seen by the next statement.
            let _ = pin!(client.batch_execute(sql)).now_or_never();
        }
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("the connection is there until this is dropped")
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        if self.lost.load(Ordering::Relaxed) {
            // Closed, so that the server undoes what is under way, and the pool opens another.
            drop(self.client.take().map(Object::take));
        } else if self.open {
            self.order("rollback");
        }
    }
}
