//! Whether Redis answers: each of its hosts is asked once. What is said of it never holds its
//! password.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Check;
use crate::config::Config;

const NAME: &str = "redis";

/// How long a host may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where Redis is, as far as asking for its pulse needs it.
struct Where {
    encrypted: bool,
    password: Option<String>,
    hosts: Vec<String>,
}

/// Redis, if it is configured.
pub(super) async fn check(config: &Config) -> Option<Check> {
    let place = read(config.redis_url.as_ref()?.expose());
    let (mut up, mut faults) = (0, Vec::new());
    for host in &place.hosts {
        let asked = tokio::time::timeout(PATIENCE, ask(&place, host)).await;
        match asked.unwrap_or_else(|_| Err("does not answer".to_owned())) {
            Ok(()) => up += 1,
            Err(fault) => faults.push(format!("{host} {fault}")),
        }
    }
    let advice = "messages still come, later: start Redis, and check redis_url";
    Some(match faults.is_empty() {
        true => Check::ok(NAME, format!("{up} hosts answer")),
        // A cluster and sentinels do without one; nodes without any are slow to hear.
        false if up > 0 => Check::warn(NAME, faults.join(", "), advice),
        false => Check::bad(NAME, faults.join(", "), advice),
    })
}

fn read(url: &str) -> Where {
    let (scheme, rest) = url.split_once("://").unwrap_or(("redis", url));
    let (authority, _) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (who, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let port = if scheme.ends_with("sentinel") { 26_379 } else { 6_379 };
    let whole = |host: &str| match host.rsplit(']').next().unwrap_or(host).contains(':') {
        true => host.to_owned(),
        false => format!("{host}:{port}"),
    };
    Where {
        encrypted: scheme.starts_with("rediss"),
        password: who.split_once(':').map(|(_, word)| word.to_owned()),
        hosts: hosts.split(',').map(whole).collect(),
    }
}

/// Asks one host for its pulse; behind encryption, whether there is anybody.
async fn ask(place: &Where, host: &str) -> Result<(), String> {
    let unheard = |error: std::io::Error| format!("does not answer: {error}");
    let mut stream = TcpStream::connect(host).await.map_err(unheard)?;
    if place.encrypted {
        return Ok(());
    }
    stream.write_all(b"PING\r\n").await.map_err(unheard)?;
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).await.map_err(unheard)?;
    match String::from_utf8_lossy(&answer[..read]).trim_end() {
        "+PONG" => Ok(()),
        wants if wants.starts_with("-NOAUTH") && place.password.is_some() => Ok(()),
        wants if wants.starts_with("-NOAUTH") => Err("wants a password".to_owned()),
        _ => Err("is no Redis".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_address_is_read() {
        assert_eq!(read("redis://cache").hosts, ["cache:6379"]);
        assert_eq!(read("redis://:word@[::1]:7/0").hosts, ["[::1]:7"]);
        let sentinels = read("rediss+sentinel://me:word@a,b:1/name");
        assert_eq!(sentinels.hosts, ["a:26379", "b:1"]);
        assert!(sentinels.encrypted && sentinels.password.as_deref() == Some("word"));
    }
}
