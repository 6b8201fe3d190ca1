//! Over TLS: only with a certificate that is good, and never from there to where there is none.

use std::sync::Arc;

use parking_lot::Mutex;
use parlor_domain::Limits;
use parlor_egress::{Egress, EgressError, Rules};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::site::{Say, visit};
use super::town::Town;
use super::{OPEN, PAGE};

/// A site with a certificate for `example.org`, in a town where it has other names, too.
struct Safe {
    town: Town,
    certificate: CertificateDer<'static>,
    _tasks: JoinSet<()>,
}

impl Safe {
    async fn open(answer: impl Fn(&str) -> Say + Send + Sync + 'static) -> Self {
        let made = rcgen::generate_simple_self_signed(["example.org".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let town = Town::new();
        for name in ["example.org", "example.org.", "other.org"] {
            town.name(name, &[&[OPEN]]);
        }
        town.house(&format!("{OPEN}:443"), listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let heard = Mutex::new(Vec::new());
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = acceptor.accept(stream).await {
                    visit(stream, &answer, &heard).await;
                }
            }
        });
        Self { town, certificate, _tasks: tasks }
    }

    /// Fetching by somebody who believes the certificate, as far as it goes.
    fn egress(&self) -> Egress {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        Egress::new(self.town.net(), Rules::default(), &Limits::default()).trusting(roots)
    }
}

#[tokio::test]
async fn a_good_certificate_is_for_this_name_and_of_an_authority_that_is_known() {
    let safe = Safe::open(|_| Say::page("safe")).await;
    let egress = safe.egress();
    for url in ["https://example.org/", "https://example.org./"] {
        assert_eq!(egress.get(url, &PAGE).await.unwrap().bytes, b"safe", "{url}");
    }
    let other = egress.get("https://other.org/", &PAGE).await;
    assert_eq!(other, Err(EgressError::Tls));
    let stranger = Egress::new(safe.town.net(), Rules::default(), &Limits::default());
    let got = stranger.get("https://example.org/", &PAGE).await;
    assert_eq!(got, Err(EgressError::Tls));
}

#[tokio::test]
async fn nobody_is_led_out_of_tls() {
    let safe = Safe::open(|_| Say::elsewhere(302, "http://example.org/")).await;
    let got = safe.egress().get("https://example.org/", &PAGE).await;
    assert_eq!(got, Err(EgressError::Downgrade));
    assert_eq!(safe.town.connected(), [format!("{OPEN}:443")]);
}
