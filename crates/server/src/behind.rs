//! What stands behind this node: the store that it commits to, and what tells it of other nodes.

use std::sync::Arc;

use anyhow::Context as _;
use parlor_blobs::{Blobs, Disk, S3, S3Config};
use parlor_bus::{Address, Bus, Heard, Local, Redis};
use parlor_store::postgres::{PostgresConfig, PostgresStore};
use parlor_store::sqlite::{SqliteConfig, SqliteStore};
use parlor_store::{Batch, Store};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Config;
use crate::secrets::DataDir;

/// Connections to PostgreSQL that append messages, and those for everything else.
const LANES: usize = 4;
const CONNECTIONS: usize = 16;

/// The folder of the files that people send, in the data folder.
pub(crate) const BLOBS: &str = "blobs";

/// What tells a node of others.
pub(crate) struct Neighbours {
    /// Carries.
    pub(crate) bus: Arc<dyn Bus>,
    /// Whether there may be any.
    pub(crate) shared: bool,
    /// What they tell, where something carries it.
    pub(crate) heard: Option<mpsc::Receiver<Heard>>,
}

/// Opens the store.
///
/// # Errors
/// When it cannot be opened.
pub(crate) async fn store(
    config: &Config,
    data: &DataDir,
    sink: mpsc::Sender<Batch>,
) -> anyhow::Result<Arc<dyn Store>> {
    let Some(url) = &config.database_url else {
        let readers = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 4));
        let database = SqliteConfig { path: data.path().join("parlor.sqlite"), readers };
        let store = SqliteStore::open(&database, sink).context("failed to open the database")?;
        return Ok(Arc::new(store));
    };
    let url = url.expose().to_owned();
    let keyring_url = config.keyring_url.as_ref().map(|url| url.expose().to_owned());
    let (lanes, connections) = (LANES, CONNECTIONS);
    let database = PostgresConfig { url, keyring_url, lanes, connections };
    let store = PostgresStore::open(&database, sink).await;
    Ok(Arc::new(store.context("failed to open the database")?))
}

/// Opens what keeps the bytes of files.
///
/// # Errors
/// When it cannot be opened.
pub(crate) async fn blobs(config: &Config, data: &DataDir) -> anyhow::Result<Arc<dyn Blobs>> {
    if let Some(s3) = config.s3.clone() {
        let bucket = S3Config {
            endpoint: s3.endpoint,
            bucket: s3.bucket,
            prefix: s3.prefix,
            region: s3.region,
            access_key: s3.access_key,
            secret_key: s3.secret_key.expose().to_owned(),
        };
        let opened = S3::open(bucket, parlor_egress::tls(), data.path().to_owned()).await;
        return Ok(Arc::new(opened.context("failed to open the bucket of files (s3_url)")?));
    }
    let folder = config.files_dir.clone().unwrap_or_else(|| data.path().join(BLOBS));
    Ok(Arc::new(Disk::open(&folder).context("failed to open the folder of files")?))
}

/// Begins to talk to other nodes, where there may be any. With PostgreSQL and without Redis they
/// find in the database what the others commit.
///
/// # Errors
/// When the configuration is not one of several nodes.
pub(crate) fn neighbours(
    config: &Config,
    epoch: &str,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<Neighbours> {
    let shared = config.database_url.is_some();
    if shared && config.secret.is_none() {
        tracing::warn!("secret_key is not set: another node would not know this one's tokens");
    }
    let Some(url) = &config.redis_url else {
        return Ok(Neighbours { bus: Arc::new(Local), shared, heard: None });
    };
    let address = Address::parse(url.expose()).context("redis_url")?;
    let (bus, heard) = Redis::new(address, epoch);
    tasks.spawn(bus.clone().run(stop.clone()));
    Ok(Neighbours { bus: Arc::new(bus), shared, heard: Some(heard) })
}

/// Refuses a configuration in which nodes would not know each other.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(config: &Config) -> anyhow::Result<()> {
    let several = config.redis_url.is_some();
    anyhow::ensure!(
        !several || config.database_url.is_some(),
        "redis_url is for several nodes, and SQLite serves one: set database_url to PostgreSQL, or \
         leave redis_url out"
    );
    anyhow::ensure!(
        !several || config.secret.is_some(),
        "redis_url is for several nodes, which need one secret: set secret_key, the same on each"
    );
    Ok(())
}
