//! TLS to the database: when its URL asks for it, and then always with a certificate that is
//! checked.
//!
//! libpq's words: `sslmode=require`, `verify-ca` and `verify-full` all mean the strictest of them
//! here, anything else means none, also where the server would offer it. `sslrootcert` is a file of
//! PEM certificates to trust instead of the system's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::StoreError;

/// What a URL asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) tls: bool,
    roots: Option<PathBuf>,
}

impl Asked {
    /// Takes what is about TLS out of a URL, whose rest the driver reads; nothing when its words
    /// are unknown.
    pub(super) fn take(url: &str) -> Option<(String, Self)> {
        let mut asked = Self::default();
        let Some((address, query)) = url.split_once('?') else {
            return Some((url.to_owned(), asked));
        };
        let mut rest = Vec::new();
        for pair in query.split('&') {
            let read = form_urlencoded::parse(pair.as_bytes()).next();
            match read.as_ref().map(|(key, value)| (key.as_ref(), value.as_ref())) {
                Some(("sslmode", "require" | "verify-ca" | "verify-full")) => asked.tls = true,
                Some(("sslmode", "disable" | "allow" | "prefer")) => asked.tls = false,
                Some(("sslmode", _)) => return None,
                Some(("sslrootcert", path)) => asked.roots = Some(path.into()),
                _ => rest.push(pair),
            }
        }
        Some((format!("{address}?{}", rest.join("&")), asked))
    }

    /// What connects; it trusts nobody when no TLS was asked for.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, StoreError> {
        let mut trusted = RootCertStore::empty();
        let certificates = match &self.roots {
            _ if !self.tls => vec![],
            Some(file) => read(file)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        // One that cannot be used is no reason to do without the others.
        let (used, _) = trusted.add_parsable_certificates(certificates);
        if self.tls && used == 0 {
            let text = "there is no certificate to trust for TLS to the database: see sslrootcert";
            return Err(StoreError::Database(text.to_owned()));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| StoreError::Database(format!("TLS: {e}")))?;
        let config = config.with_root_certificates(trusted).with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let failed = |e| StoreError::Database(format!("sslrootcert {}: {e}", file.display()));
    CertificateDer::pem_file_iter(file).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_whether_there_is_tls() {
        let take = |url: &str| Asked::take(url).unwrap();
        let plain = "postgres://ana:pass@db/chat";
        assert_eq!(take(plain), (plain.to_owned(), Asked::default()));
        for mode in ["disable", "allow", "prefer"] {
            assert!(!take(&format!("{plain}?sslmode={mode}")).1.tls, "{mode}");
        }
        let url = format!("{plain}?a=1&sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&b=%20");
        let asked = Asked { tls: true, roots: Some("/etc/ca.pem".into()) };
        assert_eq!(take(&url), (format!("{plain}?a=1&b=%20"), asked));
        assert_eq!(Asked::take(&format!("{plain}?sslmode=Require")), None);
    }
}
