//! Who is at the other end, behind whatever proxies stand between.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use parlor_domain::Network;

use crate::Doors;

/// The address that a request comes from. As an extension of a request it is the socket's; as an
/// extractor it looks behind proxies that are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Peer {
    /// The address without the port.
    pub fn address(self) -> IpAddr {
        self.0.ip().to_canonical()
    }

    /// Who is at the other end of a request.
    pub fn of_request(request: &Request, doors: &Doors) -> Self {
        Self::seen(request.extensions(), request.headers(), doors)
    }

    /// Looks behind trusted proxies.
    pub(crate) fn of(parts: &Parts, doors: &Doors) -> Self {
        Self::seen(&parts.extensions, &parts.headers, doors)
    }

    fn seen(extensions: &Extensions, headers: &HeaderMap, doors: &Doors) -> Self {
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let Peer(socket) = *extensions.get().unwrap_or(&Peer(nobody));
        let proxies = &doors.config.trusted_proxies;
        let address = behind(socket.ip(), headers, proxies);
        Peer(SocketAddr::new(address, socket.port()))
    }
}

impl FromRequestParts<Doors> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Infallible> {
        Ok(Self::of(parts, doors))
    }
}

/// Walks `X-Forwarded-For` from the nearest proxy outwards and stops at the first address that no
/// trusted proxy has: what stands further left, anybody can have written.
fn behind(socket: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let trusted = |address: IpAddr| proxies.iter().any(|network| network.holds(address));
    let lines = headers.get_all("x-forwarded-for").iter();
    let hops: Vec<&str> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    let mut address = socket.to_canonical();
    for hop in hops.iter().rev() {
        if !trusted(address) {
            break;
        }
        match hop.parse::<IpAddr>() {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = ["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let from = |socket: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in forwarded {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            behind(ip(socket), &headers, &proxies).to_string()
        };
        assert_eq!(from("9.9.9.9", &["1.1.1.1"]), "9.9.9.9");
        assert_eq!(from("127.0.0.1", &["1.1.1.1"]), "1.1.1.1");
        assert_eq!(from("127.0.0.1", &["6.6.6.6, 1.1.1.1, 10.0.0.2"]), "1.1.1.1");
        assert_eq!(from("127.0.0.1", &["6.6.6.6", "1.1.1.1"]), "1.1.1.1");
        assert_eq!(from("127.0.0.1", &["1.1.1.1, nonsense"]), "127.0.0.1");
        assert_eq!(from("127.0.0.1", &[]), "127.0.0.1");
    }
}
