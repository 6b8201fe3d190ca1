//! Certificates that are had automatically, from a small authority of our own: it gives one to who
//! proves on the port itself that the domain leads there, and to nobody else.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use parlor_testkit::soon;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Paper;
use super::client::Client;

const DOMAIN: &str = "parlor.test";
const TOKEN: &str = "a-token-of-the-authority";

/// What every public key on the curve P-256 begins with, in a request for a certificate, too.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A certificate authority.
struct Authority {
    address: SocketAddr,
    /// Its web server's certificate.
    paper: Paper,
    root: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
    /// Where the domain leads to, when that is known.
    leads_to: watch::Receiver<Option<SocketAddr>>,
    /// The thumbprint of the account, whether the domain was proved, and the certificate.
    known: Mutex<(String, bool, String)>,
    orders: AtomicUsize,
}

/// A foreign key that is certified.
struct Key(Vec<u8>);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl Authority {
    async fn start(leads_to: watch::Receiver<Option<SocketAddr>>) -> (Arc<Self>, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        let authority = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            paper: Paper::new(),
            root,
            issuer: Issuer::new(params, key),
            leads_to,
            known: Mutex::default(),
            orders: AtomicUsize::new(0),
        });
        let mut serving = JoinSet::new();
        serving.spawn(Arc::clone(&authority).serve(listener));
        (authority, serving)
    }

    async fn serve(self: Arc<Self>, listener: TcpListener) {
        let key = std::fs::read_to_string(self.paper.key()).unwrap();
        let key = KeyPair::from_pem(&key).unwrap().serialize_der();
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![CertificateDer::from(self.paper.der.clone())],
                    PrivatePkcs8KeyDer::from(key).into(),
                )
                .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((tcp, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
            let (path, body) = read(&mut stream).await;
            let answer = self.answer(&path, &body).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}/{path}", self.address.port())
    }

    /// What the authority says, by RFC 8555.
    async fn answer(&self, path: &str, body: &str) -> String {
        let part = |name: &str| -> Value {
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            let part = BASE64.decode(body[name].as_str().unwrap_or_default()).unwrap();
            serde_json::from_slice(&part).unwrap_or_default()
        };
        let (mut status, mut location) = ("200 OK", String::new());
        let said = match path {
            "/directory" => json!({
                "newNonce": self.url("nonce"), "newAccount": self.url("account"),
                "newOrder": self.url("order"),
            }),
            "/nonce" => json!({}),
            "/account" => {
                let key = &part("protected")["jwk"];
                let thumb = format!(
                    "{{\"crv\":{},\"kty\":{},\"x\":{},\"y\":{}}}",
                    key["crv"], key["kty"], key["x"], key["y"]
                );
                self.known.lock().unwrap().0 = BASE64.encode(Sha256::digest(thumb));
                assert_eq!(part("payload")["contact"], json!(["mailto:ana@parlor.test"]));
                (status, location) = ("201 Created", self.url("account/1"));
                json!({"status": "valid"})
            }
            "/order" => {
                self.orders.fetch_add(1, Ordering::SeqCst);
                (status, location) = ("201 Created", self.url("order/1"));
                self.order()
            }
            "/order/1" => self.order(),
            "/proof" => self.proof(),
            "/challenge" => {
                let proved = self.proves().await;
                self.known.lock().unwrap().1 = proved;
                json!({"type": "tls-alpn-01", "url": self.url("challenge"), "token": TOKEN})
            }
            "/finalize" if self.known.lock().unwrap().1 => {
                let csr = part("payload")["csr"].as_str().unwrap_or_default().to_owned();
                let certificate = self.certify(&BASE64.decode(csr).unwrap());
                self.known.lock().unwrap().2 = certificate;
                self.order()
            }
            "/certificate" => return respond(status, &location, &self.known.lock().unwrap().2),
            _ => {
                status = "403 Forbidden";
                json!({"type": "urn:ietf:params:acme:error:unauthorized", "detail": path})
            }
        };
        respond(status, &location, &said.to_string())
    }

    fn order(&self) -> Value {
        let (_, proved, certificate) = &*self.known.lock().unwrap();
        let status = match (proved, certificate.is_empty()) {
            (false, _) => "pending",
            (true, true) => "ready",
            (true, false) => "valid",
        };
        json!({
            "status": status, "authorizations": [self.url("proof")],
            "finalize": self.url("finalize"), "certificate": self.url("certificate"),
        })
    }

    fn proof(&self) -> Value {
        let status = if self.known.lock().unwrap().1 { "valid" } else { "pending" };
        json!({
            "status": status, "identifier": {"type": "dns", "value": DOMAIN},
            "challenges": [{"type": "tls-alpn-01", "url": self.url("challenge"), "token": TOKEN}],
        })
    }

    /// Asks the server that the domain leads to, as RFC 8737 has it: the certificate that is shown
    /// to `acme-tls/1` holds the digest of the token and the account's thumbprint.
    async fn proves(&self) -> bool {
        let mut leads_to = self.leads_to.clone();
        let to = *soon("the server's address", leads_to.wait_for(Option::is_some)).await.unwrap();
        let shown = shown(to.unwrap(), "acme-tls/1").await;
        let digest = Sha256::digest(format!("{TOKEN}.{}", self.known.lock().unwrap().0));
        shown.is_some_and(|der| der.windows(32).any(|bytes| *bytes == digest[..]))
    }

    fn certify(&self, csr: &[u8]) -> String {
        let at = csr.windows(P256.len()).position(|bytes| bytes == P256).unwrap() + P256.len();
        let params = CertificateParams::new(vec![DOMAIN.to_owned()]).unwrap();
        let certified = params.signed_by(&Key(csr[at..at + 65].to_vec()), &self.issuer).unwrap();
        format!("{}{}", certified.pem(), self.root.pem())
    }
}

async fn read(stream: &mut TlsStream<TcpStream>) -> (String, String) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                return (path, body.to_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return (String::new(), String::new());
        }
    }
}

fn respond(status: &str, location: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nlocation: {location}\r\nreplay-nonce: once\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The certificate that is shown to who speaks a protocol, whoever has signed it.
async fn shown(to: SocketAddr, protocol: &str) -> Option<Vec<u8>> {
    let any = Arc::new(super::client::Any::default());
    let client = Client::believing(Arc::clone(&any), &[protocol]);
    let _ = client.connect(to, DOMAIN).await;
    any.take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_ordered_proved_shown_and_kept() {
    let (found, leads_to) = watch::channel(None);
    let (authority, serving) = Authority::start(leads_to).await;
    let data = TempDir::new().unwrap();
    let builder = |data: &TempDir| {
        parlor_testkit::TestServer::builder()
            .set("data_dir", data.path().to_str().unwrap())
            .set("tls_domain", DOMAIN)
            .set("tls_contact", "ana@parlor.test")
            .set("tls_directory", &authority.url("directory"))
            .set("tls_directory_ca", authority.paper.cert().to_str().unwrap())
    };
    let server = builder(&data).start().await;
    found.send(Some(server.address())).unwrap();
    let client = Client::new(authority.root.der(), &["h2", "http/1.1"]);
    let has = async {
        while client.connect(server.address(), DOMAIN).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon("a certificate", has).await;
    assert_eq!(authority.orders.load(Ordering::SeqCst), 1);
    let kept = async {
        loop {
            let files: Vec<_> = std::fs::read_dir(data.path().join("acme")).unwrap().collect();
            let done = |file: &std::fs::DirEntry| file.path().extension().is_none();
            if files.iter().flatten().filter(|file| done(file)).count() == 2 {
                return files;
            }
            tokio::task::yield_now().await;
        }
    };
    for file in soon("the account and the certificate on disk", kept).await {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    server.stop().await;
    // Another start needs no authority: all that it needs is in the folder.
    drop(serving);
    let later = TempDir::new().unwrap();
    std::fs::rename(data.path().join("acme"), later.path().join("acme")).unwrap();
    let server = builder(&later).start().await;
    let has = async {
        while client.connect(server.address(), DOMAIN).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon("the certificate that was kept", has).await;
    assert_eq!(authority.orders.load(Ordering::SeqCst), 1);
    server.stop().await;
}
