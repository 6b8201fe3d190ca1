//! A wire that can be cut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Hands everything on to a server until it is cut.
pub(crate) struct Proxy {
    pub(crate) url: String,
    cuts: watch::Sender<u64>,
    open: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn before(url: &str) -> Self {
        let server: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (cuts, cut) = watch::channel(0);
        let (open, is_open) = watch::channel(true);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut wires = JoinSet::new();
            loop {
                let Ok((peer, _)) = listener.accept().await else { return };
                if *is_open.borrow() {
                    wires.spawn(hand_on(peer, server, cut.clone()));
                }
            }
        });
        Self { url, cuts, open, _tasks: tasks }
    }

    /// Cuts every connection, and takes no new one until [`Self::mend`].
    pub(crate) fn cut(&self) {
        self.open.send_replace(false);
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub(crate) fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn hand_on(mut peer: TcpStream, server: SocketAddr, mut cut: watch::Receiver<u64>) {
    cut.mark_unchanged();
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut peer, &mut server) => {}
        _ = cut.changed() => {}
    }
}
