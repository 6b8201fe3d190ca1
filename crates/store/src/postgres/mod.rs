//! PostgreSQL: what several nodes share. Each has a pool of connections, and a few lanes that
//! append messages in group commits.
//!
//! Nobody keeps in memory what another node may change: the head of a log is read under the lock
//! of its row, by whoever changes the log. Everything is durable before anybody is answered;
//! settings of the database that would make this untrue are refused when it is opened. A commit of
//! which it is not known whether it happened is answered as [`StoreError::Unavailable`], and found
//! by its receipt when it is asked for again.

mod accounts;
pub mod backup;
pub(crate) mod contents;
mod decay;
mod drafts;
mod e2ee;
mod erasures;
mod extras;
mod files;
mod handles;
pub mod health;
pub mod jobs;
mod keyring;
mod log;
mod logins;
mod messages;
mod pins;
mod previews;
mod reactions;
mod readers;
mod receipts;
mod rooms;
mod rows;
mod schema;
mod sealing;
mod search;
mod sessions;
mod spread;
mod threads;
mod tls;
mod txn;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::{Batch, StoreError};

use decay::Dust;
use keyring::KeyTables;
pub(crate) use keyring::{read_keys, write_keys};
use readers::{Db, Readers};
use search::Indexer;
use tls::Asked;
use txn::Txn;
use writer::Lanes;

/// Every connection holds this advisory lock, shared; whoever moves or restores the database takes
/// it for himself.
pub(crate) const LOCK: i64 = 0x7061_726c_6f72;

/// How the database is opened.
#[derive(Clone)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:port/database`; the password never leaves it.
    pub url: String,
    /// Where the keys to what is sealed are, in the same form; `None`: in the same database, in a
    /// schema of its own, `parlor_keyring`. The nodes share them.
    pub keyring_url: Option<String>,
    /// Connections that append messages.
    pub lanes: usize,
    /// Connections for everything else.
    pub connections: usize,
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lanes, connections) = (&self.lanes, &self.connections);
        f.debug_struct("PostgresConfig")
            .field("url", &"***")
            .field("keyring_url", &self.keyring_url.as_ref().map(|_| "***"))
            .field("lanes", lanes)
            .field("connections", connections)
            .finish()
    }
}

/// A database that other nodes may use at the same time.
pub struct PostgresStore {
    readers: Readers,
    keys: Arc<KeyTables>,
    lanes: Lanes,
    epoch: String,
    dust: Dust,
    sink: mpsc::Sender<Batch>,
    tasks: TaskTracker,
    /// Tells what runs beside to end when the store goes.
    _end: DropGuard,
}

impl PostgresStore {
    /// Opens the database, brings its schema up to date, and starts what runs beside. `sink`
    /// receives what each commit of this node made durable. What is committed in a session at
    /// almost the same time by a message and by another change may come the wrong way round:
    /// `seq` tells, and who hears of a hole reads the store. A full sink makes writers wait.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the URL cannot be read, the database is newer than this
    /// program, its settings are not safe, or it is being moved; [`StoreError::Unavailable`].
    pub async fn open(
        config: &PostgresConfig,
        sink: mpsc::Sender<Batch>,
    ) -> Result<Self, StoreError> {
        let config = Config::read(config)?;
        let epoch = schema::prepare(&config).await?;
        let keys = KeyTables::open(&config).await?;
        let readers = Readers::start(&config, Arc::clone(&keys))?;
        let (end, tasks) = (CancellationToken::new(), TaskTracker::new());
        let lanes = Lanes::start(config.lanes, &readers, &sink, &tasks);
        Indexer::start(&readers, &tasks, end.clone());
        let (dust, end) = (Dust::default(), end.drop_guard());
        Ok(Self { readers, keys, lanes, epoch, dust, sink, tasks, _end: end })
    }

    /// Begins a change; see [`txn`].
    async fn begin(&self) -> Result<Txn, StoreError> {
        let db = self.readers.take().await?;
        Ok(Txn::begin(db, self.sink.clone(), self.tasks.clone()))
    }

    /// A connection that reads from one state of the database, however many statements it takes.
    async fn read(&self) -> Result<Db, StoreError> {
        let mut db = self.readers.take().await?;
        db.begin("begin isolation level repeatable read, read only");
        Ok(db)
    }

    /// A connection for one statement: each sees what was committed before it.
    async fn one(&self) -> Result<Db, StoreError> {
        self.readers.take().await
    }
}

/// How long it may take to connect, to get a connection out of the pool, to wait for a lock, and
/// to run a statement: as the server measures it, and, for a server that does not even do that, as
/// we do. Together they are less than anybody's patience with a request.
const CONNECT_WAIT: Duration = Duration::from_millis(2_500);
const POOL_WAIT: Duration = Duration::from_millis(2_500);
const LOCK_WAIT: Duration = Duration::from_secs(2);
const STATEMENT_WAIT: Duration = Duration::from_millis(3_500);
const CALL_WAIT: Duration = Duration::from_secs(4);

/// The configuration as the driver takes it.
struct Config {
    postgres: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    /// Where the keys to what is sealed are.
    keyring: (tokio_postgres::Config, MakeRustlsConnect),
    lanes: usize,
    /// All of them: each lane keeps one, and the index job takes one now and then.
    connections: usize,
}

impl Config {
    fn read(config: &PostgresConfig) -> Result<Self, StoreError> {
        // The driver's own words might hold a part of the URL, and so of the password.
        let unread = |()| {
            let form = "postgres://user:password@host:port/database";
            StoreError::Database(format!("the database's URL is not of the form {form}"))
        };
        let read = |url: &str| {
            let (url, asked) = Asked::take(url).ok_or(()).map_err(unread)?;
            let mut postgres: tokio_postgres::Config = url.parse().map_err(|_| unread(()))?;
            postgres
                .ssl_mode(if asked.tls { SslMode::Require } else { SslMode::Disable })
                .application_name("parlor")
                .connect_timeout(CONNECT_WAIT)
                .tcp_user_timeout(CALL_WAIT)
                .keepalives_idle(CALL_WAIT)
                .keepalives_interval(Duration::from_secs(2))
                .keepalives_retries(2);
            Ok::<_, StoreError>((postgres, asked.connector()?))
        };
        let (postgres, tls) = read(&config.url)?;
        let keyring = read(config.keyring_url.as_ref().unwrap_or(&config.url))?;
        let lanes = config.lanes.max(1);
        let connections = config.connections.max(1) + lanes + 1;
        Ok(Self { postgres, tls, keyring, lanes, connections })
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return on_the_way(&error);
        };
        let text = || format!("{} ({})", db.message(), db.code().code());
        match *db.code() {
            SqlState::DISK_FULL => Self::Full,
            SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::LOCK_NOT_AVAILABLE => Self::Busy,
            SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::TOO_MANY_CONNECTIONS
            | SqlState::QUERY_CANCELED
            | SqlState::READ_ONLY_SQL_TRANSACTION
            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Self::Unavailable(text()),
            _ => Self::Database(text()),
        }
    }
}

/// What went wrong between us and the server.
fn on_the_way(error: &tokio_postgres::Error) -> StoreError {
    let source = std::error::Error::source(error);
    let text = source.map_or(error.to_string(), |source| format!("{error}: {source}"));
    let lost = error.is_closed()
        || source.is_some_and(|source| source.is::<std::io::Error>())
        || text.starts_with("error connecting")
        || text.starts_with("timeout");
    if lost { StoreError::Unavailable(text) } else { StoreError::Database(text) }
}

/// Names the constraint that a statement violated by a key that is there already.
fn violated(error: &tokio_postgres::Error) -> Option<&str> {
    let db = error.as_db_error()?;
    (*db.code() == SqlState::UNIQUE_VIOLATION).then(|| db.constraint()).flatten()
}
