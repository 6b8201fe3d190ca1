//! A URL that may be asked for: http or https, at a port that is allowed, without credentials.
//!
//! It is read as browsers read it, so that `2130706433`, `0x7f.1` and `127.1` are the addresses
//! that they mean, and not names.

use http::Uri;
use parlor_domain::Limits;
use rustls::pki_types::ServerName;
use url::{Host, Url};

use crate::{EgressError, Rules};

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Target(Url);

impl Target {
    /// Reads a URL as somebody wrote it.
    pub(crate) fn read(text: &str, rules: &Rules, limits: &Limits) -> Result<Self, EgressError> {
        if text.len() as u64 > limits.egress_url_bytes_max {
            return Err(EgressError::Url);
        }
        Self::check(Url::parse(text).map_err(|_| EgressError::Url)?, rules, limits)
    }

    /// Where an answer sends on to, by the same rules.
    pub(crate) fn onward(
        &self,
        location: &str,
        rules: &Rules,
        limits: &Limits,
    ) -> Result<Self, EgressError> {
        let next = self.0.join(location).map_err(|_| EgressError::Url)?;
        if self.0.scheme() == "https" && next.scheme() == "http" {
            return Err(EgressError::Downgrade);
        }
        Self::check(next, rules, limits)
    }

    fn check(mut url: Url, rules: &Rules, limits: &Limits) -> Result<Self, EgressError> {
        if url.as_str().len() as u64 > limits.egress_url_bytes_max {
            return Err(EgressError::Url);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EgressError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressError::Credentials);
        }
        if !url.port_or_known_default().is_some_and(|port| rules.ports.contains(&port)) {
            return Err(EgressError::Port);
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// The whole of it.
    pub(crate) fn url(&self) -> &str {
        self.0.as_str()
    }

    /// Whose it is.
    pub(crate) fn host(&self) -> Host<&str> {
        self.0.host().expect("http and https have a host, or they do not parse")
    }

    /// Where it is connected to.
    pub(crate) fn port(&self) -> u16 {
        self.0.port_or_known_default().expect("http and https have a port")
    }

    /// The name that the certificate must have; none without TLS.
    pub(crate) fn tls_name(&self) -> Result<Option<ServerName<'static>>, EgressError> {
        if self.0.scheme() != "https" {
            return Ok(None);
        }
        let name = match self.host() {
            Host::Ipv4(address) => ServerName::from(std::net::IpAddr::V4(address)),
            Host::Ipv6(address) => ServerName::from(std::net::IpAddr::V6(address)),
            Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(name).to_owned();
                ServerName::try_from(name).map_err(|_| EgressError::Url)?
            }
        };
        Ok(Some(name))
    }

    /// What stands in the first line of the request.
    pub(crate) fn path(&self) -> Result<Uri, EgressError> {
        self.0[url::Position::BeforePath..].parse().map_err(|_| EgressError::Url)
    }

    /// What stands in `Host`.
    pub(crate) fn authority(&self) -> &str {
        &self.0[url::Position::BeforeHost..url::Position::AfterPort]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Target, EgressError> {
        Target::read(text, &Rules::default(), &Limits::default())
    }

    #[test]
    fn only_the_web_is_asked_for() {
        assert_eq!(read("file:///etc/passwd").unwrap_err(), EgressError::Scheme);
        assert_eq!(read("gopher://example.org/").unwrap_err(), EgressError::Scheme);
        assert_eq!(read("javascript:alert(1)").unwrap_err(), EgressError::Scheme);
        assert_eq!(read("http://a@example.org/").unwrap_err(), EgressError::Credentials);
        assert_eq!(read("http://a:b@example.org/").unwrap_err(), EgressError::Credentials);
        assert_eq!(read("http://example.org:22/").unwrap_err(), EgressError::Port);
        assert_eq!(read("http://example.org:65536/").unwrap_err(), EgressError::Url);
        assert_eq!(read("http://").unwrap_err(), EgressError::Url);
        assert_eq!(read("example.org").unwrap_err(), EgressError::Url);
        assert_eq!(read("http://[::ffff:1.2.3.4%25eth0]/").unwrap_err(), EgressError::Url);
        let long = format!("http://example.org/{}", "a".repeat(2048));
        assert_eq!(read(&long).unwrap_err(), EgressError::Url);
    }

    #[test]
    fn an_address_is_one_however_it_is_written() {
        for text in ["http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://0177.0.0.1/"]
        {
            assert_eq!(read(text).unwrap().host().to_string(), "127.0.0.1", "{text}");
        }
        assert_eq!(read("http://0/").unwrap().host().to_string(), "0.0.0.0");
    }

    #[test]
    fn a_request_says_what_is_asked_for_and_no_more() {
        let target = read("https://Example.org/a%20b?c=d#e").unwrap();
        assert_eq!(target.authority(), "example.org");
        assert_eq!(target.path().unwrap().to_string(), "/a%20b?c=d");
        assert_eq!(target.url(), "https://example.org/a%20b?c=d");
        assert_eq!(target.port(), 443);
        assert_eq!(read("http://[2001:DB8::1]:80/").unwrap().authority(), "[2001:db8::1]");
    }

    #[test]
    fn nobody_is_sent_on_to_what_may_not_be_asked_for() {
        let onward = |from: &str, to: &str| {
            let next = read(from).unwrap().onward(to, &Rules::default(), &Limits::default());
            next.map(|target| target.url().to_owned())
        };
        assert_eq!(onward("http://a.org/b/c", "../d"), Ok("http://a.org/d".to_owned()));
        assert_eq!(onward("http://a.org/", "https://b.org"), Ok("https://b.org/".to_owned()));
        assert_eq!(onward("https://a.org/", "http://a.org/"), Err(EgressError::Downgrade));
        assert_eq!(onward("https://a.org/", "//b.org:8080/"), Err(EgressError::Port));
        assert_eq!(onward("http://a.org/", "file:///etc/passwd"), Err(EgressError::Scheme));
        assert_eq!(onward("http://a.org/", "http://x@b.org/"), Err(EgressError::Credentials));
    }
}
