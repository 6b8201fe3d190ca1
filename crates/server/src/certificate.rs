//! The certificate that this server shows: the operator's own, looked at again when its files
//! change, or one that is had automatically (`acme.rs`).

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use parking_lot::RwLock;
use parlor_doors::serve;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::acme;
use crate::config::{Pem, Tls};

/// How often the files are looked at. Nothing is read unless they are others.
const LOOK: Duration = Duration::from_secs(2);

/// How TLS is spoken with the certificate that is configured, now and after it was renewed. What
/// is had automatically is kept in the folder `acme` of `data`.
///
/// # Errors
/// When the certificate cannot be read, or its key is another one's.
pub(crate) fn server_config(
    tls: &Tls,
    data: &Path,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<Arc<ServerConfig>> {
    match tls {
        Tls::Own { cert, key } => {
            let files = Files { cert: cert.clone(), key: key.clone() };
            let before = files.stamps();
            let current = Arc::new(Current(RwLock::new(Arc::new(files.load()?))));
            tasks.spawn(watch(files, before, Arc::clone(&current), stop.clone()));
            speak(current)
        }
        Tls::Automatic(acme) => speak(acme::resolver(acme, &data.join("acme"), tasks, stop)?),
    }
}

/// TLS 1.3 and 1.2 as they are recommended. Who comes back shows a ticket, so that everybody coming
/// back at once does not cost as many signatures.
fn speak(resolver: Arc<dyn ResolvesServerCert>) -> anyhow::Result<Arc<ServerConfig>> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = serve::PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    config.ticketer = ring::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// Bytes in PEM, from wherever they are.
pub(crate) fn read(pem: &Pem) -> anyhow::Result<Vec<u8>> {
    match pem {
        Pem::Text(text) => Ok(text.expose().as_bytes().to_vec()),
        Pem::File(path) => {
            fs::read(path).with_context(|| format!("failed to read {}", path.display()))
        }
    }
}

/// The certificate that is shown now.
struct Current(RwLock<Arc<CertifiedKey>>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

/// A certificate and its key, where the operator has them.
struct Files {
    cert: Pem,
    key: Pem,
}

/// What tells one state of a file from another, whoever wrote it and however: inode, length, time.
type Stamp = Option<(u64, u64, i64, i64)>;

impl Files {
    fn load(&self) -> anyhow::Result<CertifiedKey> {
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(&read(&self.cert).context("tls_cert")?).collect();
        let chain = chain.map_err(|e| anyhow::anyhow!("tls_cert: not PEM: {e}"))?;
        ensure!(!chain.is_empty(), "tls_cert: holds no certificate");
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key).context("tls_key")?)
            .map_err(|e| anyhow::anyhow!("tls_key: holds no private key: {e}"))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .context("tls_key: cannot be used with tls_cert")
    }

    fn stamps(&self) -> [Stamp; 2] {
        [&self.cert, &self.key].map(|pem| match pem {
            Pem::Text(_) => None,
            Pem::File(path) => fs::metadata(path)
                .ok()
                .map(|file| (file.ino(), file.len(), file.mtime(), file.mtime_nsec())),
        })
    }
}

/// Shows the new certificate when the files change. Files that do not belong together are half a
/// renewal, or a mistake: the old certificate stays, and they are looked at again when they change.
async fn watch(
    files: Files,
    mut before: [Stamp; 2],
    current: Arc<Current>,
    stop: CancellationToken,
) {
    if before == [None, None] {
        return;
    }
    while tokio::time::timeout(LOOK, stop.cancelled()).await.is_err() {
        let now = files.stamps();
        if now == before {
            continue;
        }
        before = now;
        match files.load() {
            Ok(key) => {
                *current.0.write() = Arc::new(key);
                tracing::info!("shows the new certificate");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "keeps the old certificate: the new one cannot be used");
            }
        }
    }
}
