//! Where Redis is: read from a URL, never printed with its password.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion};

/// What is wrong with an address. It never holds the address: a password may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAddress(String);

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadAddress {}

/// Where Redis is, and what kind of it.
///
/// `redis://[user:password@]host[:port]` is one server, or one of a cluster: the server says which.
/// Several hosts with commas between them, or `redis+cluster://`, are a cluster.
/// `redis+sentinel://host[:port],…/name` asks sentinels for the primary of that name. With `rediss`
/// in place of `redis` everything is encrypted.
#[derive(Clone)]
pub struct Address(pub(super) Kind);

#[derive(Clone)]
pub(super) enum Kind {
    One(Box<ConnectionInfo>),
    Cluster(Vec<ConnectionInfo>),
    Sentinel { hosts: Vec<ConnectionInfo>, name: String },
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`BadAddress`] when it is none that Redis can be found by.
    pub fn parse(url: &str) -> Result<Self, BadAddress> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("it has no scheme"))?;
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        if !matches!(scheme, "redis" | "rediss") {
            return Err(bad("its scheme is none of redis, rediss, redis+cluster, redis+sentinel"));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (who, hosts) = match authority.rfind('@') {
            Some(at) => authority.split_at(at + 1),
            None => ("", authority),
        };
        // A sentinel's path is the name of what it watches, not the number of a database.
        let of_server = if kind == "sentinel" { "" } else { path };
        let default_port = if kind == "sentinel" { ":26379" } else { "" };
        let infos = hosts.split(',').map(|host| {
            let ends = host.rsplit(']').next().unwrap_or(host);
            let port = if ends.contains(':') { "" } else { default_port };
            info(&format!("{scheme}://{who}{host}{port}{of_server}"))
        });
        let infos = infos.collect::<Result<Vec<_>, _>>()?;
        let kind = match (kind, infos.len()) {
            ("", 1) => Kind::One(Box::new(infos.into_iter().next().expect("there is one"))),
            ("" | "cluster", _) => Kind::Cluster(infos),
            ("sentinel", _) => Kind::Sentinel { hosts: infos, name: watched(path)? },
            _ => return Err(bad("it is neither a cluster nor sentinels")),
        };
        Ok(Self(kind))
    }
}

/// The name of the primary that sentinels watch.
fn watched(path: &str) -> Result<String, BadAddress> {
    let name = path.trim_start_matches('/').trim_end_matches('/');
    let good = !name.is_empty() && !name.contains(['/', '?']);
    good.then(|| name.to_owned()).ok_or_else(|| bad("it does not end in the name of a primary"))
}

/// One server. What the library says of a URL that it cannot read may quote it.
fn info(url: &str) -> Result<ConnectionInfo, BadAddress> {
    let info = url.into_connection_info().map_err(|_| bad("it cannot be read"))?;
    if matches!(info.addr(), ConnectionAddr::Unix(_)) {
        return Err(bad("it names no host"));
    }
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(settings))
}

fn bad(why: &str) -> BadAddress {
    BadAddress(format!("read the address of Redis: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(url: &str) -> (&'static str, Vec<String>) {
        let (kind, infos) = match Address::parse(url).unwrap().0 {
            Kind::One(info) => ("one", vec![*info]),
            Kind::Cluster(infos) => ("cluster", infos),
            Kind::Sentinel { hosts, .. } => ("sentinel", hosts),
        };
        (kind, infos.iter().map(|info| info.addr().to_string()).collect())
    }

    #[test]
    fn one_host_several_and_sentinels_are_told_apart() {
        let list = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(hosts("redis://h"), ("one", list(&["h:6379"])));
        assert_eq!(hosts("rediss://u:p@h:7/2"), ("one", list(&["h:7"])));
        assert_eq!(hosts("redis://a:1,b:2"), ("cluster", list(&["a:1", "b:2"])));
        assert_eq!(hosts("redis+cluster://a"), ("cluster", list(&["a:6379"])));
        let sentinels = ("sentinel", list(&["a:26379", "b:9"]));
        assert_eq!(hosts("redis+sentinel://:p@a,b:9/main"), sentinels);
    }

    #[test]
    fn a_password_is_for_every_host() {
        let Kind::Cluster(infos) = Address::parse("redis://u:s3@a,b").unwrap().0 else { panic!() };
        assert!(infos.iter().all(|info| info.redis_settings().password() == Some("s3")));
    }

    #[test]
    fn a_bad_address_is_refused_without_being_quoted() {
        for url in [
            "h:1",
            "http://u:s3cret@h",
            "redis+ring://u:s3cret@h",
            "redis://u:s3cret@h:x",
            "redis+sentinel://u:s3cret@h",
            "redis+unix:///s3cret",
        ] {
            let error = Address::parse(url).unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
        assert_eq!(format!("{:?}", Address::parse("redis://u:s3cret@h").unwrap()), "***");
    }
}
