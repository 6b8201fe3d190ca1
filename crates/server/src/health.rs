//! `parlor health`: asks the server that runs here whether it is alive, for whoever has no `curl`:
//! a container's health check. Knows where it listens from the same configuration; starts nothing
//! and touches no data.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use crate::Config;

/// How long each step may take; a health check that hangs says nothing.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `/health`.
///
/// # Errors
/// When nobody listens, or the answer is not that all is well.
pub fn health(config: &Config) -> anyhow::Result<()> {
    let address = near(config.listen);
    let stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("nobody listens on {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let host = host(config).unwrap_or_else(|| address.ip().to_string());
    let answer = match config.tls {
        None => ask(stream, &host),
        Some(_) => ask(encrypted(stream, &host)?, &host),
    };
    let answer = answer.context("no answer")?;
    ensure!(answer.starts_with(b"HTTP/1.1 200 "), "{address} does not answer that it is well");
    Ok(())
}

/// Where a server that listens on every address can be asked.
fn near(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The name that the server goes by: it may answer to no other.
fn host(config: &Config) -> Option<String> {
    let public = config.public_url.as_ref().and_then(|url| url.split_once("://"));
    let public = public.map(|(_, rest)| rest.split(['/', ':']).next().unwrap_or(rest).to_owned());
    config.allowed_hosts.first().cloned().or(public)
}

fn ask(mut stream: impl Read + Write, host: &str) -> std::io::Result<Vec<u8>> {
    write!(stream, "GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = [0; 13];
    stream.read_exact(&mut answer)?;
    Ok(answer.to_vec())
}

fn encrypted(
    stream: TcpStream,
    host: &str,
) -> anyhow::Result<StreamOwned<ClientConnection, TcpStream>> {
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(Arc::clone(&crypto))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(crypto)))
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned())?;
    Ok(StreamOwned::new(ClientConnection::new(Arc::new(client), name)?, stream))
}

/// Takes whoever answers: that somebody does is the question, nothing secret is said, and nobody
/// stands between a machine and itself.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_asked_on_this_machines_own() {
        let asked = |listen: &str| near(listen.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:8000"), "127.0.0.1:8000");
        assert_eq!(asked("[::]:8000"), "[::1]:8000");
        assert_eq!(asked("192.0.2.7:80"), "192.0.2.7:80");
    }

    #[test]
    fn a_server_is_asked_by_a_name_that_it_answers_to() {
        let named = |keys: &[(&str, &str)]| {
            let mut raw = crate::config::Raw::new();
            raw.add("test", keys.iter().map(|(key, value)| ((*key).into(), (*value).into())));
            host(&raw.read().unwrap())
        };
        let url = ("public_url", "https://chat.example.org:8443/");
        assert_eq!(named(&[]), None);
        assert_eq!(named(&[url]).as_deref(), Some("chat.example.org"));
        assert_eq!(named(&[url, ("allowed_hosts", "a,b")]).as_deref(), Some("a"));
    }
}
