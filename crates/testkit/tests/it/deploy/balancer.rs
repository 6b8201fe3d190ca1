//! The configuration for HAProxy, run by HAProxy, in front of a server and of others that only say
//! what the test wants said.

use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use parlor_testkit::http::Request;
use parlor_testkit::socket::{Heard, Socket};
use parlor_testkit::{Person, ServerProcess, TestServer, soon};
use parlor_wire::command::{Codec, Command as Say};
use parlor_wire::frame::Frame;
use parlor_wire::v1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::text_of;

/// HAProxy with the configuration of the repository, for these nodes.
struct Balancer {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Balancer {
    async fn start(nodes: [SocketAddr; 3]) -> Self {
        // It is handed a socket that listens already: nobody can take the port in between.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::empty()).unwrap();
        let mut text = text_of("deploy/haproxy.cfg");
        text = text.replace("bind :8000", &format!("bind fd@{}", listener.as_raw_fd()));
        for (n, node) in nodes.iter().enumerate() {
            text = text.replace(&format!(" node{}:8000", n + 1), &format!(" {node}"));
        }
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("haproxy.cfg");
        std::fs::write(&path, text).unwrap();
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("haproxy is here: `cargo xtask test` installs it");
        Self { child, address: listener.local_addr().unwrap(), _folder: folder }
    }

    /// Asks until an answer has this status: nodes are looked at once a second.
    async fn answers(&self, path: &str, status: u16) {
        let ask = async {
            while Request::new("GET", path).send(self.address).await.status != status {
                tokio::task::yield_now().await;
            }
        };
        soon(&format!("{status} at {path}"), ask).await;
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A node that only says whether it is ready, and keeps what it was asked.
struct Fake {
    address: SocketAddr,
    ready: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    async fn start(tracker: &tokio_util::task::TaskTracker) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            address: listener.local_addr().unwrap(),
            ready: Arc::new(AtomicBool::new(true)),
            asked: Arc::default(),
            heads: Arc::default(),
        };
        let (ready, asked) = (Arc::clone(&fake.ready), Arc::clone(&fake.asked));
        let heads = Arc::clone(&fake.heads);
        tracker.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let read = stream.read(&mut head).await.unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let status = match head.starts_with("GET /ready ") && !ready.load(Ordering::SeqCst)
                {
                    true => "503 Service Unavailable",
                    false => "200 OK",
                };
                if !head.starts_with("GET /ready ") {
                    asked.fetch_add(1, Ordering::SeqCst);
                    heads.lock().push(head);
                }
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        fake
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// An address that nobody listens on.
fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn haproxy_takes_the_configuration() {
    let path = super::root().join("deploy/haproxy.cfg");
    let done = Command::new("haproxy").arg("-c").arg("-f").arg(path).output();
    let done = done.expect("haproxy is here: `cargo xtask test` installs it");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Waits until the balancer has asked a server so often whether it is ready, and was told so.
async fn looked_at(server: SocketAddr, times: u64) {
    let asked = async {
        loop {
            let metrics = Request::new("GET", "/metrics").send(server).await.text();
            let mut lines = metrics.lines().filter(|line| line.contains("\"/ready\""));
            let said_so = |line: &&str| {
                line.starts_with("parlor_http_requests_total{") && line.contains("\"200\"")
            };
            let count = lines.find(said_so).and_then(|line| line.rsplit(' ').next()?.parse().ok());
            if count.is_some_and(|count: u64| count >= times) {
                break;
            }
        }
    };
    soon("the balancer to look at the server", asked).await;
}

#[tokio::test]
async fn people_talk_through_the_balancer_while_two_nodes_are_gone() {
    let settings = TestServer::builder();
    let server = ServerProcess::start_with(env!("CARGO_BIN_EXE_parlor-tested"), &settings);
    let balancer = Balancer::start([nobody(), server.address(), nobody()]).await;
    looked_at(server.address(), 4).await;
    let ana = Person::new(balancer.address, "ana", None).await;
    let room = ana.room("private", "Garden", &[]).await;
    let mut socket = Socket::open(&ana, Codec::Json).await;
    socket.subscribe(&room.main_session_id, None, &mut vec![]).await.unwrap();
    ana.say(&room.main_session_id, "hello").await.unwrap();
    loop {
        if let Heard::Frame(Frame::Event(event)) = socket.next().await {
            assert_eq!(event.session_id, Some(room.main_session_id.clone()));
            break;
        }
    }
    let ping = |r#ref| Say::Ping(v1::Ping { r#ref });
    socket.ask(ping, &mut vec![]).await.expect("the socket goes on");
    socket.close().await;
}

#[tokio::test]
async fn a_node_that_is_not_ready_gets_nobody_new() {
    let tracker = tokio_util::task::TaskTracker::new();
    let (one, two) = (Fake::start(&tracker).await, Fake::start(&tracker).await);
    let balancer = Balancer::start([one.address, two.address, nobody()]).await;
    balancer.answers("/health", 200).await;
    let both = async {
        while one.asked() == 0 || two.asked() == 0 {
            balancer.answers("/x", 200).await;
        }
    };
    soon("both nodes to be asked", both).await;
    one.ready.store(false, Ordering::SeqCst);
    // It has been noticed when the other one alone is asked many times in a row.
    let noticed = async {
        loop {
            let before = one.asked();
            for _ in 0..50 {
                balancer.answers("/x", 200).await;
            }
            if one.asked() == before {
                break;
            }
        }
    };
    soon("the node to be left alone", noticed).await;
}

#[tokio::test]
async fn nobody_says_for_themselves_where_they_come_from() {
    let tracker = tokio_util::task::TaskTracker::new();
    let fake = Fake::start(&tracker).await;
    let balancer = Balancer::start([fake.address, nobody(), nobody()]).await;
    balancer.answers("/health", 200).await;
    let lie = Request::new("GET", "/lie").header("X-Forwarded-For", "192.0.2.1");
    let lie = lie.header("Forwarded", "for=192.0.2.1");
    assert_eq!(lie.send(balancer.address).await.status, 200);
    let heads = fake.heads.lock();
    let head = heads.iter().find(|head| head.starts_with("GET /lie ")).unwrap().to_lowercase();
    assert!(head.contains("x-forwarded-for: 127.0.0.1\r\n"), "{head}");
    assert!(!head.contains("192.0.2.1"), "{head}");
}

#[tokio::test]
async fn who_polls_stays_with_one_node() {
    let tracker = tokio_util::task::TaskTracker::new();
    let (one, two) = (Fake::start(&tracker).await, Fake::start(&tracker).await);
    let balancer = Balancer::start([one.address, two.address, nobody()]).await;
    balancer.answers("/socket.io/?EIO=4&transport=polling", 200).await;
    let before = (one.asked(), two.asked());
    for _ in 0..20 {
        balancer.answers("/socket.io/?EIO=4&transport=polling&sid=x", 200).await;
    }
    let after = (one.asked() - before.0, two.asked() - before.1);
    assert!(after == (20, 0) || after == (0, 20), "polls went to both: {after:?}");
}
