//! The parts, put together, and taken apart again without losing anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::{Extension, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use parlor_app::mail::{FolderMail, SmtpMail};
use parlor_app::{App, Clock, Hashing, Mail, Parts, Settings, deliver, jobs, presence};
use parlor_bus::Local;
use parlor_doors::{Doors, serve};
use parlor_front::Bound;
use parlor_hub::Hub;
use parlor_store::sqlite::{SqliteConfig, SqliteStore};
use parlor_wire::Dialect;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::secrets::DataDir;
use crate::{Config, embed};

/// Commits that wait to be told; more make the writer wait.
const COMMITS_MAX: usize = 1024;

/// How long a stopping server waits for its connections and tasks.
const PATIENCE: Duration = Duration::from_secs(8);

/// A server that runs.
pub struct Running {
    address: SocketAddr,
    compat: Vec<(SocketAddr, Dialect)>,
    app: Arc<App>,
    tasks: TaskTracker,
    /// Cancelled first: nothing new comes in.
    stop: CancellationToken,
    told: TaskTracker,
    /// Cancelled last: nobody is left to be told.
    quiet: CancellationToken,
    data: DataDir,
}

impl Running {
    /// Starts a server and returns when it listens.
    ///
    /// # Errors
    /// When the data folder, the database or the address cannot be had.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        metrics: Option<PrometheusHandle>,
    ) -> anyhow::Result<Self> {
        let data = DataDir::open(&config.data_dir)?;
        let listener = serve::listen(config.listen)
            .with_context(|| format!("failed to listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let others = compat_listeners(&config)?;
        let addressed = others.iter().map(|(on, dialect)| Ok((on.local_addr()?, *dialect)));
        let compat = addressed.collect::<std::io::Result<_>>()?;
        let hub = Hub::new(config.limits);
        let readers = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 4));
        let database = SqliteConfig { path: data.path().join("parlor.sqlite"), readers };
        let (sink, commits) = tokio::sync::mpsc::channel(COMMITS_MAX);
        let store = SqliteStore::open(&database, sink).context("failed to open the database")?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let app = App::new(Parts {
            store: Arc::new(store),
            hub,
            clock,
            limits: config.limits,
            secret: match &config.secret {
                Some(secret) => secret.clone(),
                None => data.secret()?,
            },
            mail: mail(&config, &data)?,
            settings: settings(&config, address),
            tasks: tasks.clone(),
        });
        // Tells until the very end, when nobody is left who could commit anything.
        let told = TaskTracker::new();
        let quiet = CancellationToken::new();
        let deliver = deliver::deliver(Arc::clone(&app), Arc::new(Local), commits, quiet.clone());
        told.spawn(deliver);
        tasks.spawn(presence::murmur(Arc::clone(&app), stop.clone()));
        tasks.spawn(jobs::sweep(Arc::clone(&app), stop.clone()));
        let doors = Doors {
            app: Arc::clone(&app),
            config: Arc::new(doors(&config, metrics)?),
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let front = parlor_front::front(front(&config));
        let router = parlor_doors::router(doors.clone(), embed::pages(), Some(front));
        serve_on(&doors, listener, router.clone());
        for (listener, dialect) in others {
            serve_on(&doors, listener, router.clone().layer(Extension(Bound(dialect))));
        }
        tracing::info!(%address, data_dir = %data.path().display(), "serving");
        Ok(Self { address, compat, app, tasks, stop, told, quiet, data })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for one façade each.
    pub fn compat_addresses(&self) -> &[(SocketAddr, Dialect)] {
        &self.compat
    }

    /// The use cases, for tests that look inside.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Stops: takes nothing new, finishes what was begun, tells clients to come back, and closes
    /// the database. Takes at most ten seconds.
    pub async fn stop(self) {
        self.stop.cancel();
        self.app.hub().drain();
        self.tasks.close();
        if tokio::time::timeout(PATIENCE, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "left tasks behind that did not end");
        }
        if let Err(error) = self.app.check_store().await {
            tracing::warn!(%error, "the database did not answer at the end");
        }
        self.quiet.cancel();
        self.told.close();
        self.told.wait().await;
        drop(self.app);
        drop(self.data);
        tracing::info!("stopped");
    }
}

/// Serves one address until the server stops.
fn serve_on(doors: &Doors, listener: TcpListener, router: Router) {
    let (limits, trusted) = (*doors.app.limits(), doors.config.trusted_proxies.clone());
    let (tasks, stop) = (doors.tasks.clone(), doors.stop.clone());
    doors.tasks.spawn(async move {
        serve::serve(listener, router, &limits, trusted, tasks, stop).await;
    });
}

/// The addresses of one façade each.
fn compat_listeners(config: &Config) -> anyhow::Result<Vec<(TcpListener, Dialect)>> {
    let listen = |(address, dialect): &(SocketAddr, Dialect)| {
        let listener = serve::listen(*address);
        Ok((listener.with_context(|| format!("failed to listen on {address}"))?, *dialect))
    };
    config.compat_listen.iter().map(listen).collect()
}

fn front(config: &Config) -> parlor_front::Config {
    parlor_front::Config {
        on: config.compat.clone(),
        hosts: config.compat_hosts.clone(),
        web_app: config.compat_static.clone(),
    }
}

/// Who carries letters. Codes are written to files only where nobody but this machine signs in:
/// elsewhere whoever reads the folder, or a copy of it, could set anybody's password.
fn mail(config: &Config, data: &DataDir) -> anyhow::Result<Option<Arc<dyn Mail>>> {
    if let Some(url) = &config.smtp_url {
        return Ok(Some(Arc::new(SmtpMail::new(url.expose(), &config.email_from)?)));
    }
    if config.listen.ip().is_loopback() {
        let folder = data.path().join("mail");
        return Ok(Some(Arc::new(FolderMail::new(folder, &config.email_from)?)));
    }
    tracing::warn!("no mail is sent, so nobody can set a forgotten password: set smtp_url");
    Ok(None)
}

fn settings(config: &Config, address: SocketAddr) -> Settings {
    Settings {
        access_token_ttl: config.access_token_ttl,
        refresh_ttl: config.refresh_ttl,
        code_ttl: config.code_ttl,
        verification_required: config.smtp_url.is_some(),
        public_url: config.public_url.clone().unwrap_or_else(|| format!("http://{address}")),
        issuer: config.public_url.clone(),
        server_name: config.server_name.clone(),
        guests: guests(config),
        hashing: if config.lifted { Hashing::Minimal } else { Hashing::Full },
    }
}

/// Whether a name alone makes an account: where nobody but this machine comes in, or where the
/// operator says so.
fn guests(config: &Config) -> bool {
    let here = config.listen.ip().is_loopback() && config.public_url.is_none();
    config.compat_guests.unwrap_or(here)
}

fn doors(
    config: &Config,
    metrics: Option<PrometheusHandle>,
) -> anyhow::Result<parlor_doors::Config> {
    let proxies = config.trusted_proxies.iter().map(|network| network.parse());
    Ok(parlor_doors::Config {
        allowed_origins: config.allowed_origins.clone(),
        allowed_hosts: config.allowed_hosts.clone(),
        trusted_proxies: proxies.collect::<Result<_, _>>().context("trusted_proxies")?,
        metrics: metrics.map(|handle| Box::new(move || handle.render()) as parlor_doors::Metrics),
        metrics_token: config.metrics_token.clone(),
        deflate: config.deflate,
    })
}
