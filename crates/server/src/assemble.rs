//! The parts, put together, and taken apart again without losing anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::{Extension, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use parlor_app::mail::{FolderMail, SmtpMail};
use parlor_app::{
    App, Clock, Hashing, Mail, Parts, Settings, decay, deliver, exchange, heal, hear, jobs,
    presence,
};
use parlor_bus::Heard;
use parlor_doors::redirect::{self, Redirect};
use parlor_doors::{Doors, serve};
use parlor_egress::{Egress, System};
use parlor_front::Bound;
use parlor_hub::Hub;
use parlor_wire::Dialect;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Tls;
use crate::secrets::DataDir;
use crate::{Config, behind, certificate, embed, keys};

/// Commits that wait to be told; more make the writer wait.
const COMMITS_MAX: usize = 1024;

/// How long a stopping server waits for its connections and tasks, and after that for the database
/// and for what is still to be told: less than ten seconds in all, whatever does not answer.
const PATIENCE: Duration = Duration::from_secs(7);
const LAST: Duration = Duration::from_secs(1);

/// A server that runs.
pub struct Running {
    address: SocketAddr,
    compat: Vec<(SocketAddr, Dialect)>,
    plain: Option<SocketAddr>,
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
        behind::check(&config)?;
        let data = DataDir::open(&config.data_dir)?;
        let listener = listen(config.listen)?;
        let address = listener.local_addr()?;
        let others = compat_listeners(&config)?;
        let addressed = others.iter().map(|(on, dialect)| Ok((on.local_addr()?, *dialect)));
        let compat = addressed.collect::<std::io::Result<_>>()?;
        let plain = config.http_listen.map(listen).transpose()?;
        let plain_address = plain.as_ref().map(TcpListener::local_addr).transpose()?;
        let hub = Hub::new(config.limits);
        let (sink, commits) = mpsc::channel(COMMITS_MAX);
        let store = behind::store(&config, &data, sink).await?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        // Both go on until the very end, when nobody is left who could commit anything.
        let (told, quiet) = (TaskTracker::new(), CancellationToken::new());
        let neighbours = behind::neighbours(&config, store.epoch(), &told, &quiet)?;
        let tls = config.tls.as_ref();
        let tls = tls.map(|tls| certificate::server_config(tls, data.path(), &tasks, &stop));
        let tls = tls.transpose()?;
        let blobs = behind::blobs(&config, &data).await?;
        let app = App::new(Parts {
            store,
            blobs,
            egress: egress(&config),
            hub,
            bus: neighbours.bus,
            shared: neighbours.shared,
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
        told.spawn(deliver::deliver(Arc::clone(&app), commits, quiet.clone()));
        app.tidy_files().await.context("failed to put the files in order")?;
        // Before anybody is served.
        app.erase_first().await.context("failed to erase what is to be gone")?;
        listen_around(&app, neighbours.shared, neighbours.heard, &tasks, &stop);
        tasks.spawn(presence::murmur(Arc::clone(&app), stop.clone()));
        begin_jobs(&app, &tasks, &stop);
        keys::copy_in_turn(&config, &tasks, &stop);
        let doors = Doors {
            app: Arc::clone(&app),
            config: Arc::new(doors(&config, metrics)?),
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let front = parlor_front::front(front(&config));
        let router = parlor_doors::router(doors.clone(), embed::pages(), Some(front));
        serve_on(&doors, listener, router.clone(), tls.clone());
        for (listener, dialect) in others {
            let router = router.clone().layer(Extension(Bound(dialect)));
            serve_on(&doors, listener, router, tls.clone());
        }
        if let Some(listener) = plain {
            let redirect = redirect(&config, &data, &app.settings().public_url);
            serve_on(&doors, listener, redirect::router(redirect), None);
        }
        tracing::info!(%address, data_dir = %data.path().display(), "serving");
        Ok(Self { address, compat, plain: plain_address, app, tasks, stop, told, quiet, data })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for one façade each.
    pub fn compat_addresses(&self) -> &[(SocketAddr, Dialect)] {
        &self.compat
    }

    /// Where it says in plain HTTP that TLS is spoken elsewhere.
    pub fn plain_address(&self) -> Option<SocketAddr> {
        self.plain
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
        match tokio::time::timeout(LAST, self.app.check_store()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the database did not answer at the end"),
            Err(_) => tracing::warn!("the database did not answer in time at the end"),
        }
        self.quiet.cancel();
        self.told.close();
        if tokio::time::timeout(LAST, self.told.wait()).await.is_err() {
            tracing::warn!("did not tell everything that was committed at the end");
        }
        drop(self.app);
        drop(self.data);
        tracing::info!("stopped");
    }
}

/// Serves one address until the server stops.
fn serve_on(doors: &Doors, listener: TcpListener, router: Router, tls: Option<Arc<ServerConfig>>) {
    let (limits, trusted) = (*doors.app.limits(), doors.config.trusted_proxies.clone());
    let (tasks, stop) = (doors.tasks.clone(), doors.stop.clone());
    doors.tasks.spawn(async move {
        serve::serve(listener, router, &limits, trusted, tls, tasks, stop).await;
    });
}

/// The addresses of one façade each.
fn compat_listeners(config: &Config) -> anyhow::Result<Vec<(TcpListener, Dialect)>> {
    let bound = config.compat_listen.iter();
    bound.map(|(address, dialect)| Ok((listen(*address)?, *dialect))).collect()
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    serve::listen(address).with_context(|| format!("failed to listen on {address}"))
}

fn redirect(config: &Config, data: &DataDir, public_url: &str) -> Redirect {
    let mut hosts = config.allowed_hosts.clone();
    hosts.extend(config.compat_hosts.iter().map(|(host, _)| host.clone()));
    if let Some(Tls::Automatic(acme)) = &config.tls {
        hosts.extend(acme.domains.iter().cloned());
    }
    Redirect { public_url: public_url.to_owned(), hosts, web_root: data.path().join("webroot") }
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
        public_url: config.public_url.clone().unwrap_or_else(|| {
            let scheme = if config.tls.is_some() { "https" } else { "http" };
            format!("{scheme}://{address}")
        }),
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
        hsts: config.hsts,
    })
}

/// What fetches what is behind links, unless that is switched off.
fn egress(config: &Config) -> Option<Egress> {
    let rules = config.previews.clone()?;
    Some(Egress::new(Arc::new(System), rules, &config.limits))
}

/// What is done without being asked for, and what is done later.
fn begin_jobs(app: &Arc<App>, tasks: &TaskTracker, stop: &CancellationToken) {
    tasks.spawn(decay::decay(Arc::clone(app), stop.clone()));
    tasks.spawn(jobs::sweep(Arc::clone(app), stop.clone()));
    for kind in jobs::Kind::ALL {
        tasks.spawn(jobs::work(Arc::clone(app), kind, stop.clone()));
    }
}

/// Keeps in step with other nodes, where there may be any.
fn listen_around(
    app: &Arc<App>,
    shared: bool,
    heard: Option<mpsc::Receiver<Heard>>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    if shared {
        tasks.spawn(heal::heal(Arc::clone(app), stop.clone()));
        tasks.spawn(exchange::exchange(Arc::clone(app), stop.clone()));
    }
    if let Some(heard) = heard {
        tasks.spawn(hear::hear(Arc::clone(app), heard, stop.clone()));
        tasks.spawn(hear::wait_for_early(Arc::clone(app), stop.clone()));
    }
}
