//! Whose certificates are believed: the authorities that browsers know, and those that the operator
//! has given the machine.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// The machine's authorities, for an intranet has its own, and those that browsers know, for an
/// image made of nothing has none.
fn usual() -> RootCertStore {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    // One that cannot be read is no reason to do without the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// TLS to whoever has a certificate of a usual authority, for those who talk by other means to what
/// the operator has chosen.
pub fn tls() -> ClientConfig {
    config(usual())
}

fn config(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring knows the usual versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// What makes a connection a safe one.
pub(crate) fn connector(roots: Option<RootCertStore>) -> TlsConnector {
    TlsConnector::from(Arc::new(roots.map_or_else(tls, config)))
}
