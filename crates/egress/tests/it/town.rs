//! A network that a test draws: which names mean what, one answer after the other, and which house
//! on loopback stands at which address. It remembers who asked for what.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use parlor_egress::Net;
use tokio::net::TcpStream;

/// A network.
#[derive(Clone, Default)]
pub(crate) struct Town(Arc<Mutex<Map>>);

#[derive(Default)]
struct Map {
    names: HashMap<String, VecDeque<Vec<IpAddr>>>,
    houses: HashMap<SocketAddr, SocketAddr>,
    resolved: Vec<String>,
    connected: Vec<SocketAddr>,
}

impl Town {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A name means these addresses: each answer once, the last for ever.
    pub(crate) fn name(&self, name: &str, answers: &[&[&str]]) {
        let read = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        self.0.lock().names.insert(name.to_owned(), answers.iter().map(read).collect());
    }

    /// Who connects to an address gets to a site on loopback.
    pub(crate) fn house(&self, address: &str, site: SocketAddr) {
        self.0.lock().houses.insert(address.parse().unwrap(), site);
    }

    pub(crate) fn net(&self) -> Arc<dyn Net> {
        Arc::new(self.clone())
    }

    /// The names that were looked up.
    pub(crate) fn resolved(&self) -> Vec<String> {
        self.0.lock().resolved.clone()
    }

    /// The addresses that were connected to.
    pub(crate) fn connected(&self) -> Vec<String> {
        self.0.lock().connected.iter().map(SocketAddr::to_string).collect()
    }
}

#[async_trait]
impl Net for Town {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut map = self.0.lock();
        map.resolved.push(name.to_owned());
        let answers = map.names.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Ok(answer.unwrap_or_default())
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let site = {
            let mut map = self.0.lock();
            map.connected.push(to);
            map.houses.get(&to).copied()
        };
        TcpStream::connect(site.ok_or(io::ErrorKind::ConnectionRefused)?).await
    }
}
