//! The keys of TLS: a certificate of one's own, or one that is had automatically; never both.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use parlor_app::Hidden;

use super::Raw;

/// Let's Encrypt's directory, and the one that it has for trials.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

/// Keys that say nothing unless certificates are had automatically.
const AUTOMATIC: [&str; 3] = ["tls_contact", "tls_directory", "tls_directory_ca"];

/// Where the certificate comes from.
#[derive(Debug, Clone)]
pub enum Tls {
    /// From the operator.
    Own {
        /// The certificate and the chain behind it.
        cert: Pem,
        /// Its private key.
        key: Pem,
    },
    /// From a certificate authority, by itself.
    Automatic(Acme),
}

/// Something in PEM.
#[derive(Debug, Clone)]
pub enum Pem {
    /// In a file, which may change.
    File(PathBuf),
    /// The text itself.
    Text(Hidden),
}

/// How certificates are had automatically.
#[derive(Debug, Clone)]
pub struct Acme {
    /// The domains, at least one.
    pub domains: Vec<String>,
    /// Whom the authority writes to.
    pub contact: Option<String>,
    /// The URL of the authority's directory.
    pub directory: String,
    /// Root certificates that the directory is checked with instead of the usual ones.
    pub directory_ca: Option<Pem>,
}

impl Tls {
    /// Where people reach a server with this certificate, as far as that follows from it.
    pub(super) fn public_url(&self, port: u16) -> Option<String> {
        let Self::Automatic(acme) = self else { return None };
        // The authority asks at port 443; whatever stands behind it forwards to another one.
        let port = if matches!(port, 0 | 443) { String::new() } else { format!(":{port}") };
        acme.domains.first().map(|domain| format!("https://{domain}{port}"))
    }
}

impl Pem {
    fn new(value: String) -> Self {
        if value.trim_start().starts_with("-----BEGIN ") {
            return Self::Text(Hidden::new(value));
        }
        Self::File(value.into())
    }
}

impl Raw {
    pub(super) fn tls(&mut self) -> Option<Tls> {
        let domains = self.domains();
        let (cert, key) = (self.text("tls_cert"), self.text("tls_key"));
        if domains.is_empty() {
            for name in AUTOMATIC {
                if self.text(name).is_some() {
                    self.faults.push(format!("{name}: says nothing without tls_domain"));
                }
            }
        } else if cert.is_some() || key.is_some() {
            self.faults.push("tls_domain: cannot be had together with tls_cert".to_owned());
        }
        match (cert, key) {
            (Some(cert), Some(key)) => {
                return Some(Tls::Own { cert: Pem::new(cert), key: Pem::new(key) });
            }
            (Some(_), None) => self.faults.push("tls_cert: needs tls_key".to_owned()),
            (None, Some(_)) => self.faults.push("tls_key: needs tls_cert".to_owned()),
            (None, None) => {}
        }
        if domains.is_empty() {
            return None;
        }
        Some(Tls::Automatic(Acme {
            domains,
            contact: self.text("tls_contact"),
            directory: self.directory(),
            directory_ca: self.text("tls_directory_ca").map(Pem::new),
        }))
    }

    fn domains(&mut self) -> Vec<String> {
        let mut domains = self.list("tls_domain");
        domains.iter_mut().for_each(|domain| domain.make_ascii_lowercase());
        for domain in domains.iter().filter(|domain| !is_domain(domain)) {
            self.faults.push(format!("tls_domain: `{domain}` is no name of a domain"));
        }
        domains
    }

    fn directory(&mut self) -> String {
        match self.text("tls_directory").as_deref() {
            None | Some("letsencrypt") => LETS_ENCRYPT.to_owned(),
            Some("letsencrypt-staging") => LETS_ENCRYPT_STAGING.to_owned(),
            Some(url) => {
                if !url.starts_with("https://") {
                    let fault = format!("tls_directory: `{url}` does not begin with https://");
                    self.faults.push(fault);
                }
                url.to_owned()
            }
        }
    }

    pub(super) fn http_listen(&mut self, tls: Option<&Tls>) -> Option<SocketAddr> {
        let address = self.parsed("http_listen", "an address with a port")?;
        if tls.is_none() {
            self.faults.push("http_listen: says nothing without TLS".to_owned());
        }
        Some(address)
    }

    pub(super) fn hsts(&mut self, tls: Option<&Tls>) -> Duration {
        let days: u64 = self.parsed("tls_hsts_days", "a number").unwrap_or(365);
        let days = if tls.is_some() { days.min(3_650) } else { 0 };
        Duration::from_secs(days * 24 * 60 * 60)
    }
}

/// Whether certificates can be had for it by a challenge on TLS itself: a plain name of a host, no
/// address and no wildcard.
fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.len() <= 253 && name.parse::<IpAddr>().is_err() && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Faults};
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, Faults> {
        let mut raw = Raw::new();
        raw.add("flags", pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())));
        raw.read()
    }

    #[test]
    fn a_domain_makes_the_public_url() {
        let config = read(&[("tls_domain", "a.example, b.example"), ("listen", "0.0.0.0:443")]);
        assert_eq!(config.unwrap().public_url.as_deref(), Some("https://a.example"));
        let config = read(&[("tls_domain", "a.example"), ("public_url", "https://c.example/")]);
        assert_eq!(config.unwrap().public_url.as_deref(), Some("https://c.example"));
    }

    #[test]
    fn a_certificate_is_a_file_or_its_text() {
        let pem = "-----BEGIN CERTIFICATE-----";
        let config = read(&[("tls_cert", pem), ("tls_key", "/etc/key.pem")]).unwrap();
        let Some(Tls::Own { cert, key }) = config.tls else { panic!("{:?}", config.tls) };
        assert!(matches!(cert, Pem::Text(text) if text.expose() == pem));
        assert!(matches!(key, Pem::File(path) if path.to_str() == Some("/etc/key.pem")));
    }

    #[test]
    fn keys_of_tls_that_contradict_each_other_are_faults() {
        for (pairs, count) in [
            (&[("tls_cert", "c")][..], 1),
            (&[("tls_key", "k")], 1),
            (&[("tls_cert", "c"), ("tls_key", "k"), ("tls_domain", "a.example")], 1),
            (&[("tls_contact", "a@b"), ("tls_directory", "letsencrypt")], 2),
            (&[("tls_domain", "*.example, 10.0.0.1, https://a")], 3),
            (&[("tls_domain", "a.example"), ("tls_directory", "http://a")], 1),
            (&[("http_listen", "127.0.0.1:80")], 1),
        ] {
            let Faults(faults) = read(pairs).unwrap_err();
            assert_eq!(faults.len(), count, "{faults:#?}");
        }
    }
}
