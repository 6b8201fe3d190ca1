//! A TCP proxy that breaks things: for tests of what clients and server do then.
//!
//! It listens on loopback for as long as it lives, whoever is behind it: a connection that comes
//! while nobody is there waits, or is reset where the proxy is to show what is behind it. What
//! strikes, strikes the connections that are open at the time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What can happen to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Both ends see a reset.
    Reset,
    /// Nothing is passed on any more, and both ends believe that the connection is open.
    HalfOpen,
    /// Nothing is passed on for so long, then everything.
    Stall(Duration),
    /// So many bytes from the server are still passed on, wherever in a frame that is; then both
    /// ends see a reset.
    CutAfter(usize),
}

/// Connections that are left half open at one time; the oldest is closed for a new one.
const HALF_OPEN_MAX: usize = 32;

/// Bytes passed on at once.
const PIECE: usize = 4096;

/// What becomes of a connection while nobody listens behind the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absence {
    Waits,
    Shows,
}

/// A proxy. Dropping it closes everything.
pub struct FaultProxy {
    address: SocketAddr,
    target: watch::Sender<Option<SocketAddr>>,
    strikes: watch::Sender<Option<Fault>>,
    _tasks: JoinSet<()>,
}

impl FaultProxy {
    /// Listens on a port of its own; who comes while nobody is behind it waits.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start(target: SocketAddr) -> Self {
        Self::open(target, Absence::Waits).await
    }

    /// Listens on a port of its own; who comes while nobody is behind it is reset. Only while it
    /// has no target at all does it wait: that is a network which swallows everything.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn transparent(target: SocketAddr) -> Self {
        Self::open(target, Absence::Shows).await
    }

    async fn open(target: SocketAddr, absence: Absence) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (target, targets) = watch::channel(Some(target));
        let (strikes, struck) = watch::channel(None);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, targets, struck, absence));
        Self { address, target, strikes, _tasks: tasks }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections go there from now on; to nobody, they wait.
    pub fn retarget(&self, target: Option<SocketAddr>) {
        self.target.send_replace(target);
    }

    /// Strikes every connection that is open now.
    pub fn strike(&self, fault: Fault) {
        self.strikes.send_replace(Some(fault));
    }
}

async fn accept(
    listener: TcpListener,
    targets: watch::Receiver<Option<SocketAddr>>,
    strikes: watch::Receiver<Option<Fault>>,
    absence: Absence,
) {
    let mut open = JoinSet::new();
    let mut dead = std::collections::VecDeque::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let mut strikes = strikes.clone();
                strikes.mark_unchanged();
                open.spawn(carry(client, targets.clone(), strikes, absence));
            }
            Some(ended) = open.join_next() => {
                dead.extend(ended.ok().flatten());
                if dead.len() > HALF_OPEN_MAX {
                    dead.pop_front();
                }
            }
        }
    }
}

/// Both ends of a connection that is left half open.
type HalfOpen = (TcpStream, TcpStream);

/// Carries one connection; returns its ends when it is to be left half open.
async fn carry(
    client: TcpStream,
    mut targets: watch::Receiver<Option<SocketAddr>>,
    mut strikes: watch::Receiver<Option<Fault>>,
    absence: Absence,
) -> Option<HalfOpen> {
    let server = loop {
        let target = *targets.wait_for(Option::is_some).await.ok()?;
        match TcpStream::connect(target?).await {
            Ok(server) => break server,
            Err(_) if absence == Absence::Shows => {
                let _ = client.set_zero_linger();
                return None;
            }
            // Nobody is there any more: wait until somebody is.
            Err(_) => targets.changed().await.ok()?,
        }
    };
    // Small frames are the point; none waits for another.
    client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).ok()?;
    let mut link = Link { client, server, left: usize::MAX };
    match link.run(&mut strikes).await {
        Ok(Verdict::HalfOpen) => Some((link.client, link.server)),
        Ok(Verdict::Reset) => {
            let _ = link.client.set_zero_linger();
            let _ = link.server.set_zero_linger();
            None
        }
        Err(_) => None,
    }
}

enum Verdict {
    Reset,
    HalfOpen,
}

struct Link {
    client: TcpStream,
    server: TcpStream,
    /// Bytes from the server that are still passed on.
    left: usize,
}

impl Link {
    async fn run(&mut self, strikes: &mut watch::Receiver<Option<Fault>>) -> io::Result<Verdict> {
        let (mut up, mut down) = ([0; PIECE], [0; PIECE]);
        loop {
            tokio::select! {
                struck = strikes.changed() => {
                    struck.map_err(|_| io::ErrorKind::Interrupted)?;
                    let fault = *strikes.borrow_and_update();
                    match fault {
                        Some(Fault::Reset) => return Ok(Verdict::Reset),
                        Some(Fault::HalfOpen) => return Ok(Verdict::HalfOpen),
                        Some(Fault::Stall(span)) => tokio::time::sleep(span).await,
                        Some(Fault::CutAfter(bytes)) => self.left = bytes,
                        None => {}
                    }
                }
                read = self.client.read(&mut up) => {
                    let said = passed(read?)?;
                    self.server.write_all(&up[..said]).await?;
                }
                read = self.server.read(&mut down) => {
                    let said = passed(read?)?;
                    let most = said.min(self.left);
                    self.client.write_all(&down[..most]).await?;
                    self.left -= if self.left == usize::MAX { 0 } else { most };
                    if self.left == 0 {
                        return Ok(Verdict::Reset);
                    }
                }
            }
        }
    }
}

/// How many bytes were read; none is the end of the connection.
fn passed(read: usize) -> io::Result<usize> {
    if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
}
