//! A private HAProxy in front of HTTP servers: no sticky sessions, a health check, and a request
//! that found a server gone before it said anything goes to another one.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::child::Child;
use crate::port::HOST;
use crate::program::{command, required};
use crate::{folder, port, wait};

/// How long it may take to start.
const START: Duration = Duration::from_secs(20);

/// An HAProxy of our own.
pub struct Haproxy {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Haproxy {
    /// Starts one in front of these servers, each of which is up while it takes connections.
    ///
    /// # Errors
    /// When HAProxy is not installed or does not start.
    pub fn start(backends: &[SocketAddr]) -> anyhow::Result<Self> {
        Self::start_with(backends, None)
    }

    /// Starts one in front of these servers, each of which is up while it answers `GET` of this
    /// path with a status of 200.
    ///
    /// # Errors
    /// When HAProxy is not installed or does not start.
    pub fn start_checking(backends: &[SocketAddr], path: &str) -> anyhow::Result<Self> {
        Self::start_with(backends, Some(path))
    }

    fn start_with(backends: &[SocketAddr], check: Option<&str>) -> anyhow::Result<Self> {
        let folder = folder::make()?;
        for _ in 0..port::PORTS_TRIED {
            let port = port::free()?;
            let file = folder.path().join("haproxy.cfg");
            std::fs::write(&file, config(folder.path(), port, backends, check))?;
            folder::give(&file)?;
            let mut haproxy = command(&required("haproxy", "haproxy")?, "TERM");
            haproxy.arg("-db").arg("-f").arg(&file);
            let mut child = Child::start(haproxy, folder.path(), Signal::TERM)?;
            let id = child.id();
            let up = wait::until(START, || match (child.lives(), is_up(folder.path(), id)) {
                (true, true) => Some(true),
                (false, _) => Some(false),
                (true, false) => None,
            });
            match up {
                Some(true) => return Ok(Self { child, port, folder }),
                Some(false) if child.log().contains("cannot bind") => {}
                _ => bail!("HAProxy did not start:\n{}", child.log()),
            }
        }
        bail!("HAProxy found no port");
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (HOST, self.port).into()
    }

    /// How many of the servers it takes for up.
    pub fn servers_up(&self) -> usize {
        let told = ask(self.folder.path(), "show stat").unwrap_or_default();
        told.lines().filter(|line| line.starts_with("nodes,node") && line.contains(",UP")).count()
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        self.child.log()
    }
}

fn config(folder: &Path, port: u16, backends: &[SocketAddr], check: Option<&str>) -> String {
    let control = folder.join("control").display().to_string();
    let mut text = format!(
        "global\n    noreuseport\n    maxconn 8192\n    hard-stop-after 2s\n    \
             stats socket {control} level admin\n\
         defaults\n    mode http\n    option redispatch 1\n    retries 3\n    \
             retry-on conn-failure empty-response 503\n    \
             timeout connect 1s\n    timeout client 1m\n    timeout server 1m\n    \
             timeout tunnel 1h\n    timeout check 2s\n    balance roundrobin\n\
         listen nodes\n    bind {HOST}:{port}\n    \
             acl says path_reg ^/api/v1/sessions/[^/]+/messages$\n    \
             http-request disable-l7-retry unless METH_GET or says\n"
    );
    if let Some(path) = check {
        // Without a word about it HAProxy asks in HTTP/1.0 and for no host.
        let _ = writeln!(text, "    option httpchk");
        let _ =
            writeln!(text, "    http-check send meth GET uri {path} ver HTTP/1.1 hdr Host {HOST}");
        let _ = writeln!(text, "    http-check expect status 200");
    }
    for (n, backend) in (1..).zip(backends) {
        // A server is down after one look that failed, and up after one that did not.
        let _ = writeln!(
            text,
            "    server node{n} {backend} check inter 200ms fall 1 rise 1 \
             observe layer4 error-limit 1 on-error mark-down"
        );
    }
    text
}

/// Whether the proxy of this process answers.
fn is_up(folder: &Path, id: u32) -> bool {
    let told = ask(folder, "show info").unwrap_or_default();
    told.lines().any(|line| line == format!("Pid: {id}"))
}

fn ask(folder: &Path, what: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(folder.join("control"))?;
    stream.set_read_timeout(Some(START))?;
    stream.write_all(format!("{what}\n").as_bytes())?;
    let mut told = String::new();
    stream.read_to_string(&mut told)?;
    Ok(told)
}
