//! Certificates that are had automatically: ordered, proved on the very port that they are for
//! (TLS-ALPN-01), kept in the data folder, and renewed when two thirds of their time are over.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use futures_util::{FutureExt as _, StreamExt as _};
use parking_lot::RwLock;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};
use rustls_acme::{
    AccountCache, AcmeConfig, AcmeState, CertCache, EventError, EventOk, ResolvesServerCertAcme,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::certificate;
use crate::config::Acme;

/// After this long everything is begun again with what is in the folder: an authority that does not
/// answer an order would otherwise be waited for until the certificate is over.
const ROUND: Duration = Duration::from_secs(24 * 60 * 60);

/// Has certificates from now on; what it returns shows the one that is good.
///
/// # Errors
/// When the folder cannot be made, or the authority's own certificates cannot be read.
pub(crate) fn resolver(
    acme: &Acme,
    folder: &Path,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<Arc<dyn ResolvesServerCert>> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    let order = Order { config: order(acme)?, folder: folder.to_owned() };
    let mut state = order.state();
    let current = Arc::new(Current(RwLock::new(state.resolver())));
    let shown = Arc::clone(&current);
    let stop = stop.clone();
    tasks.spawn(async move {
        while !round(&mut state, &stop).await {
            state = order.state();
            // A certificate that is kept is there with the first look: nobody is left without.
            state.next().now_or_never().flatten().iter().for_each(tell);
            *current.0.write() = state.resolver();
        }
    });
    Ok(shown)
}

/// What is ordered, and where it is kept.
struct Order {
    config: Box<dyn Fn() -> AcmeConfig<std::convert::Infallible> + Send>,
    folder: PathBuf,
}

impl Order {
    fn state(&self) -> AcmeState<io::Error> {
        (self.config)().cache(Folder(self.folder.clone())).state()
    }
}

fn order(
    acme: &Acme,
) -> anyhow::Result<Box<dyn Fn() -> AcmeConfig<std::convert::Infallible> + Send>> {
    let acme = acme.clone();
    let client = match &acme.directory_ca {
        None => None,
        Some(pem) => Some(client(&certificate::read(pem).context("tls_directory_ca")?)?),
    };
    Ok(Box::new(move || {
        let domains = &acme.domains;
        let config = match &client {
            Some(client) => AcmeConfig::new_with_client_config(domains, Arc::clone(client)),
            None => AcmeConfig::new_with_provider(domains, Arc::new(ring::default_provider())),
        };
        let contact = acme.contact.iter().map(|address| format!("mailto:{address}"));
        config.directory(&acme.directory).contact(contact)
    }))
}

/// A client that believes these roots and no others.
fn client(pem: &[u8]) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(pem) {
        let root = root.map_err(|e| anyhow::anyhow!("tls_directory_ca: not PEM: {e}"))?;
        roots.add(root).context("tls_directory_ca")?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Drives orders and renewals for a while; true when the server goes down.
async fn round(state: &mut AcmeState<io::Error>, stop: &CancellationToken) -> bool {
    let over = tokio::time::sleep(ROUND);
    tokio::pin!(over);
    loop {
        tokio::select! {
            () = stop.cancelled() => return true,
            () = &mut over => return false,
            Some(event) = state.next() => tell(&event),
        }
    }
}

fn tell(event: &Result<EventOk, EventError<io::Error, io::Error>>) {
    match event {
        Ok(EventOk::DeployedNewCert) => tracing::info!("got a new certificate"),
        Ok(what) => tracing::debug!(?what, "looks after its certificate"),
        // It is tried again by itself, later and later.
        Err(error) => tracing::warn!(%error, "failed to get a certificate"),
    }
}

/// Shows what the state that is driven now has.
struct Current(RwLock<Arc<ResolvesServerCertAcme>>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = Arc::clone(&self.0.read());
        current.resolve(hello)
    }
}

/// Keeps the account and the certificates, readable by the server alone. A file is small and read
/// once a day, so this waits for the disk where it stands.
struct Folder(PathBuf);

impl Folder {
    fn path(&self, what: &str, names: &[String], directory: &str) -> PathBuf {
        let mut hasher = blake3::Hasher::new();
        for name in names.iter().map(String::as_str).chain([directory]) {
            hasher.update(name.as_bytes()).update(&[0]);
        }
        self.0.join(format!("{what}-{}", &hasher.finalize().to_hex()[..16]))
    }

    fn load(path: &Path) -> io::Result<Option<Vec<u8>>> {
        match fs::read(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    fn store(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let part = path.with_extension("part");
        let mut open = OpenOptions::new();
        let mut file = open.write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(part, path)
    }
}

#[async_trait]
impl CertCache for Folder {
    type EC = io::Error;

    async fn load_cert(&self, domains: &[String], directory: &str) -> io::Result<Option<Vec<u8>>> {
        Self::load(&self.path("certificate", domains, directory))
    }

    async fn store_cert(&self, domains: &[String], directory: &str, pem: &[u8]) -> io::Result<()> {
        Self::store(&self.path("certificate", domains, directory), pem)
    }
}

#[async_trait]
impl AccountCache for Folder {
    type EA = io::Error;

    async fn load_account(
        &self,
        contact: &[String],
        directory: &str,
    ) -> io::Result<Option<Vec<u8>>> {
        Self::load(&self.path("account", contact, directory))
    }

    async fn store_account(
        &self,
        contact: &[String],
        directory: &str,
        key: &[u8],
    ) -> io::Result<()> {
        Self::store(&self.path("account", contact, directory), key)
    }
}
