//! A wire that can be cut, and that remembers what went over it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What went over a wire, in both directions, where that is written down.
type Bytes = Option<Arc<Mutex<Vec<u8>>>>;

/// Hands everything on to a server until it is cut.
pub(crate) struct Proxy {
    pub(crate) url: String,
    cuts: watch::Sender<u64>,
    open: watch::Sender<bool>,
    server: Arc<Mutex<SocketAddr>>,
    bytes: Bytes,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn before(url: &str) -> Self {
        Self::open(url, None).await
    }

    /// One that writes down what goes over it.
    pub(crate) async fn recording(url: &str) -> Self {
        Self::open(url, Some(Arc::default())).await
    }

    async fn open(url: &str, bytes: Bytes) -> Self {
        let server = Arc::new(Mutex::new(address(url)));
        let target = Arc::clone(&server);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (cuts, cut) = watch::channel(0);
        let (open, is_open) = watch::channel(true);
        let written = bytes.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut wires = JoinSet::new();
            loop {
                let Ok((peer, _)) = listener.accept().await else { return };
                let server = *target.lock().unwrap();
                if *is_open.borrow() {
                    wires.spawn(hand_on(peer, server, cut.clone(), written.clone()));
                }
            }
        });
        Self { url, cuts, open, server, bytes, _tasks: tasks }
    }

    /// Cuts every connection, and takes no new one until [`Self::mend`].
    pub(crate) fn cut(&self) {
        self.open.send_replace(false);
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Everything that went over it so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let bytes = self.bytes.as_ref().expect("it is one that writes down");
        bytes.lock().unwrap().clone()
    }

    /// The server is somewhere else now.
    pub(crate) fn retarget(&self, url: &str) {
        *self.server.lock().unwrap() = address(url);
    }

    pub(crate) fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn hand_on(
    mut peer: TcpStream,
    server: SocketAddr,
    mut cut: watch::Receiver<u64>,
    bytes: Bytes,
) {
    cut.mark_unchanged();
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let ((from_peer, to_peer), (from_server, to_server)) = (peer.split(), server.split());
    let both = async {
        tokio::join!(copy(from_peer, to_server, &bytes), copy(from_server, to_peer, &bytes))
    };
    tokio::select! {
        _ = both => {}
        _ = cut.changed() => {}
    }
}

async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, bytes: &Bytes) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if let Some(bytes) = bytes {
            bytes.lock().unwrap().extend_from_slice(&piece[..read]);
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

pub(crate) fn address(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}
