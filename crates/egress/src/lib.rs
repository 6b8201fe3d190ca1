//! Everything that Parlor fetches from elsewhere goes through here.
//!
//! Owns what may be asked, where it may lie, and how much may come of it. Whoever puts a link into
//! a message chooses what this machine talks to, and may mean its own network: so an address is
//! looked up once, must be of the open Internet, and is the very one that is connected to; the same
//! is asked again of every place that an answer sends on to. Refuses to know what it fetches for,
//! to keep it, to send anything that tells of people, and to heed a proxy of the environment.

mod address;
mod answer;
mod body;
mod error;
mod net;
mod target;
mod trust;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parlor_domain::{Limits, Network};
use rustls::RootCertStore;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Host;

pub use address::is_public;
pub use error::EgressError;
pub use net::{Net, System};
pub use trust::tls;

use answer::Answer;
use target::Target;

/// What the operator lets be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Networks that may be reached although they are not of the open Internet.
    pub networks: Vec<Network>,
    /// Ports that may be connected to.
    pub ports: Vec<u16>,
}

impl Default for Rules {
    /// The open Internet, where the web is.
    fn default() -> Self {
        Self { networks: vec![], ports: vec![80, 443] }
    }
}

impl Rules {
    fn allow(&self, address: IpAddr) -> bool {
        is_public(address) || self.networks.iter().any(|network| network.holds(address))
    }
}

/// What somebody wants to have.
#[derive(Debug, Clone, Copy)]
pub struct Want {
    /// Types that are of use, without parameters, in lower case.
    pub types: &'static [&'static str],
    /// Bytes that are taken at most, packed or not.
    pub bytes_max: u64,
    /// Whether the beginning of something larger is of use, too.
    pub beginning: bool,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it was in the end.
    pub url: String,
    /// Its `Content-Type`, as it was said.
    pub content_type: String,
    /// Its bytes, unpacked.
    pub bytes: Vec<u8>,
}

/// Fetches.
pub struct Egress {
    net: Arc<dyn Net>,
    rules: Rules,
    limits: Limits,
    /// Made when it is first needed: reading the authorities takes time and memory.
    tls: OnceLock<TlsConnector>,
}

impl Egress {
    /// Fetches over a network, by rules and within limits.
    pub fn new(net: Arc<dyn Net>, rules: Rules, limits: &Limits) -> Self {
        Self { net, rules, limits: *limits, tls: OnceLock::new() }
    }

    /// Believes these authorities instead of the usual ones.
    #[must_use]
    pub fn trusting(mut self, roots: RootCertStore) -> Self {
        self.tls = OnceLock::from(trust::connector(Some(roots)));
        self
    }

    /// Fetches what is at a URL.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn get(&self, url: &str, want: &Want) -> Result<Fetched, EgressError> {
        let patience = Duration::from_millis(self.limits.egress_ms_max);
        let followed = timeout(patience, self.follow(url, want)).await;
        followed.map_err(|_| EgressError::TooSlow)?
    }

    async fn follow(&self, url: &str, want: &Want) -> Result<Fetched, EgressError> {
        let mut target = Target::read(url, &self.rules, &self.limits)?;
        for _ in 0..=self.limits.egress_redirects_max {
            match self.ask(&target, want).await? {
                Answer::Here(fetched) => return Ok(fetched),
                Answer::Elsewhere(location) => {
                    target = target.onward(&location, &self.rules, &self.limits)?;
                }
            }
        }
        Err(EgressError::Redirects)
    }

    async fn ask(&self, target: &Target, want: &Want) -> Result<Answer, EgressError> {
        let stream = self.connect(target).await?;
        let Some(name) = target.tls_name()? else {
            return answer::exchange(stream, target, want, &self.limits).await;
        };
        let tls = self.tls.get_or_init(|| trust::connector(None));
        let stream = tls.connect(name, stream).await.map_err(|_| EgressError::Tls)?;
        answer::exchange(stream, target, want, &self.limits).await
    }

    /// Connects to the first of the target's addresses that answers.
    async fn connect(&self, target: &Target) -> Result<TcpStream, EgressError> {
        let patience = Duration::from_millis(self.limits.egress_connect_ms_max);
        for address in self.addresses(target).await? {
            if let Ok(Ok(stream)) = timeout(patience, self.net.connect(address)).await {
                return Ok(stream);
            }
        }
        Err(EgressError::Unreachable)
    }

    /// Where the target may be connected to. Nobody looks its name up again: a name that means
    /// another address a moment later (DNS rebinding) is still this one.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, EgressError> {
        let found = match target.host() {
            Host::Ipv4(address) => vec![IpAddr::V4(address)],
            Host::Ipv6(address) => vec![IpAddr::V6(address)],
            Host::Domain(name) => {
                self.net.resolve(name).await.map_err(|_| EgressError::Unresolved)?
            }
        };
        if found.is_empty() {
            return Err(EgressError::Unresolved);
        }
        let allowed = found.into_iter().filter(|address| self.rules.allow(*address));
        let allowed: Vec<_> =
            allowed.map(|address| SocketAddr::new(address, target.port())).collect();
        if allowed.is_empty() { Err(EgressError::NotPublic) } else { Ok(allowed) }
    }
}
