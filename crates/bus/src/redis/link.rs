//! One connection to Redis, of whatever kind it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, SendError};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ProtocolVersion, PushInfo,
    RedisError, RedisResult, TlsMode, Value,
};
use tokio::sync::mpsc;

use super::address::{Address, Kind};

/// How long a connection may take to be made, and a command to be answered.
const PATIENCE: Duration = Duration::from_secs(2);

/// Things that came and were not read yet, at most, and their bytes.
const UNREAD_MAX: usize = 8_192;
const UNREAD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A connection.
#[derive(Clone)]
pub(super) enum Link {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// What came over it.
pub(super) struct Pushes {
    came: mpsc::Receiver<PushInfo>,
    unread: Arc<Unread>,
}

#[derive(Default)]
struct Unread {
    bytes: AtomicUsize,
    /// Whether something was thrown away, because too much was not read.
    overrun: AtomicBool,
}

impl Pushes {
    /// The next thing; `None` when the connection is over. With it, whether others before it were
    /// thrown away.
    pub(super) async fn next(&mut self) -> Option<(PushInfo, bool)> {
        let push = self.came.recv().await?;
        self.unread.bytes.fetch_sub(bytes(&push), Ordering::Relaxed);
        Some((push, self.unread.overrun.swap(false, Ordering::Relaxed)))
    }
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// When nobody answers, or somebody who is no Redis.
    pub(super) async fn connect(address: &Address) -> RedisResult<(Self, Pushes)> {
        let (sender, came) = mpsc::channel(UNREAD_MAX);
        let unread = Arc::new(Unread::default());
        let pushes = Pushes { came, unread: Arc::clone(&unread) };
        let hear = move |push: PushInfo| {
            let size = bytes(&push);
            let before = unread.bytes.fetch_add(size, Ordering::Relaxed);
            let fits = before + size <= UNREAD_BYTES_MAX;
            if !fits || sender.try_send(push).is_err() {
                unread.bytes.fetch_sub(size, Ordering::Relaxed);
                unread.overrun.store(true, Ordering::Relaxed);
                metrics::counter!("parlor_bus_lost_total", "what" => "unread").increment(1);
            }
            Ok::<_, SendError>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let link = match &address.0 {
            Kind::One(info) => match is_cluster(info, &config).await? {
                true => Self::Cluster(cluster(vec![(**info).clone()], hear).await?),
                false => {
                    let client = Client::open((**info).clone())?;
                    let config = config.set_push_sender(hear);
                    Self::One(client.get_multiplexed_async_connection_with_config(&config).await?)
                }
            },
            Kind::Cluster(infos) => Self::Cluster(cluster(infos.clone(), hear).await?),
            Kind::Sentinel { hosts, name } => {
                let config = config.set_push_sender(hear);
                Self::One(primary(hosts, name, &config).await?)
            }
        };
        Ok((link, pushes))
    }

    /// Publishes a letter on a channel.
    pub(super) async fn publish(mut self, channel: String, letter: Vec<u8>) -> RedisResult<()> {
        self.ask(redis::cmd("SPUBLISH").arg(channel).arg(letter)).await
    }

    /// Hears a channel from now on.
    pub(super) async fn subscribe(mut self, channel: String) -> RedisResult<()> {
        self.ask(redis::cmd("SSUBSCRIBE").arg(channel)).await
    }

    /// Hears a channel no more.
    pub(super) async fn unsubscribe(mut self, channel: String) -> RedisResult<()> {
        self.ask(redis::cmd("SUNSUBSCRIBE").arg(channel)).await
    }

    async fn ask(&mut self, command: &Cmd) -> RedisResult<()> {
        let answer = match self {
            Self::One(connection) => connection.req_packed_command(command).await?,
            Self::Cluster(connection) => connection.req_packed_command(command).await?,
        };
        answer.extract_error().map(drop)
    }
}

/// Whether a server says that it is one of a cluster.
async fn is_cluster(info: &ConnectionInfo, config: &AsyncConnectionConfig) -> RedisResult<bool> {
    let client = Client::open(info.clone())?;
    let mut connection = client.get_multiplexed_async_connection_with_config(config).await?;
    let said = connection.req_packed_command(redis::cmd("INFO").arg("cluster")).await?;
    let said: String = redis::from_redis_value(said).map_err(RedisError::from)?;
    Ok(said.contains("cluster_enabled:1"))
}

async fn cluster(
    infos: Vec<ConnectionInfo>,
    hear: impl Fn(PushInfo) -> Result<(), SendError> + Send + Sync + 'static,
) -> RedisResult<ClusterConnection> {
    let client = ClusterClientBuilder::new(infos)
        .use_protocol(ProtocolVersion::RESP3)
        .connection_timeout(PATIENCE)
        .response_timeout(PATIENCE)
        .push_sender(hear)
        .build()?;
    let connecting = client.get_async_connection();
    match tokio::time::timeout(2 * PATIENCE, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}

/// The primary that sentinels name.
async fn primary(
    hosts: &[ConnectionInfo],
    name: &str,
    config: &AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    let addresses = hosts.iter().map(|info| info.addr().clone());
    let mut builder = SentinelClientBuilder::new(addresses, name, SentinelServerType::Master)?
        .set_client_to_redis_protocol(ProtocolVersion::RESP3);
    let Some(first) = hosts.first() else {
        return Err(std::io::Error::from(std::io::ErrorKind::AddrNotAvailable).into());
    };
    if let Some(password) = first.redis_settings().password() {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(username) = first.redis_settings().username() {
        builder = builder.set_client_to_redis_username(username);
    }
    if matches!(first.addr(), ConnectionAddr::TcpTls { .. }) {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
    }
    let mut client = builder.build()?;
    let connecting = client.get_async_connection_with_config(config);
    match tokio::time::timeout(2 * PATIENCE, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}

/// About how many bytes something takes.
fn bytes(push: &PushInfo) -> usize {
    let size = |value: &Value| match value {
        Value::BulkString(bytes) => bytes.len(),
        _ => 0,
    };
    64 + push.data.iter().map(size).sum::<usize>()
}
