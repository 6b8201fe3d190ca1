//! A client of TLS: rustls, with the roots that a test gives it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use parlor_testkit::http::Request;
use parlor_testkit::soon;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Takes any certificate, and keeps it.
#[derive(Debug, Default)]
pub(super) struct Any(Mutex<Option<Vec<u8>>>);

impl Any {
    /// What was shown.
    pub(super) fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap().take()
    }
}

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.0.lock().unwrap() = Some(shown.to_vec());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Connects, and believes one certificate.
#[derive(Clone)]
pub(super) struct Client(TlsConnector);

impl Client {
    pub(super) fn new(root: &[u8], protocols: &[&str]) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root.to_vec())).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// Believes everything, and remembers what it was shown.
    pub(super) fn believing(any: Arc<Any>, protocols: &[&str]) -> Self {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(any)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// Agrees on TLS with a server, which is asked for under a name.
    pub(super) async fn connect(
        &self,
        to: SocketAddr,
        name: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(to).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        soon("a handshake", self.0.connect(name, tcp)).await
    }

    /// Sends a request and returns the whole answer, head and body.
    pub(super) async fn send(&self, to: SocketAddr, request: &Request) -> String {
        let mut stream = self.connect(to, "localhost").await.unwrap();
        stream.write_all(&request.bytes()).await.unwrap();
        let mut answer = Vec::new();
        // An end without a goodbye would be an error.
        soon("an answer", stream.read_to_end(&mut answer)).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Registers somebody, and returns their token.
    pub(super) async fn token(&self, to: SocketAddr, username: &str) -> String {
        let password = "correct horse battery";
        let register = serde_json::json!({"username": username, "password": password});
        let login = serde_json::json!({"login": username, "password": password});
        let post = |path: &str, body: serde_json::Value| {
            Request::new("POST", &format!("/api/v1/auth/{path}")).json(&body.to_string())
        };
        let answer = self.send(to, &post("register", register)).await;
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        let answer = self.send(to, &post("login", login)).await;
        let (_, json) = answer.split_once("\r\n\r\n").unwrap();
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        json["access_token"].as_str().expect("a token is given").to_owned()
    }
}
