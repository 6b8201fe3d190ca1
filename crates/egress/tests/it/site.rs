//! A site on loopback that says to each request what a test has it say.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What a site says.
#[derive(Clone)]
pub(crate) enum Say {
    /// These bytes, and hangs up.
    Bytes(Vec<u8>),
    /// These bytes, and then more of the last part for ever.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes, and then one byte now and then.
    Drip(Vec<u8>),
    /// These bytes, and then nothing.
    Silence(Vec<u8>),
}

impl Say {
    /// A page.
    pub(crate) fn page(text: &str) -> Self {
        Self::typed("text/html; charset=utf-8", text.as_bytes())
    }

    /// Bytes of a type.
    pub(crate) fn typed(content_type: &str, bytes: &[u8]) -> Self {
        let length = bytes.len();
        let head = format!("content-type: {content_type}\r\ncontent-length: {length}\r\n");
        let mut said = head_of("200 OK", &head);
        said.extend_from_slice(bytes);
        Self::Bytes(said)
    }

    /// The way to somewhere else.
    pub(crate) fn elsewhere(status: u16, location: &str) -> Self {
        let head = format!("location: {location}\r\ncontent-length: 0\r\n");
        Self::Bytes(head_of(&format!("{status} Elsewhere"), &head))
    }

    /// A status and nothing else.
    pub(crate) fn status(status: u16) -> Self {
        Self::Bytes(head_of(&format!("{status} So"), "content-length: 0\r\n"))
    }
}

/// The head of an answer.
pub(crate) fn head_of(status: &str, fields: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{fields}\r\n").into_bytes()
}

/// A site, for as long as it is kept.
pub(crate) struct Site {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Site {
    /// Opens a site; `answer` gets the path.
    pub(crate) async fn open(answer: impl Fn(&str) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heard, mut tasks) = (Arc::clone(&asked), JoinSet::new());
        tasks.spawn(async move {
            let mut visits = JoinSet::new();
            let answer = Arc::new(answer);
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, heard) = (Arc::clone(&answer), Arc::clone(&heard));
                visits.spawn(async move { visit(stream, &*answer, &heard).await });
            }
        });
        Self { address, asked, _tasks: tasks }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The heads of the requests that came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

/// One connection: the request is heard, the answer said.
pub(crate) async fn visit<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: &(impl Fn(&str) -> Say + Sync),
    heard: &Mutex<Vec<String>>,
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    heard.lock().push(request);
    // Whoever has enough hangs up, which is no fault of the site.
    let _ = say(&mut stream, answer(&path)).await;
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, say: Say) -> std::io::Result<()> {
    match say {
        Say::Bytes(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
        Say::Endless(bytes, more) => {
            stream.write_all(&bytes).await?;
            loop {
                stream.write_all(&more).await?;
            }
        }
        Say::Drip(bytes) => {
            stream.write_all(&bytes).await?;
            let mut drops = tokio::time::interval(Duration::from_millis(5));
            loop {
                drops.tick().await;
                stream.write_all(b"x").await?;
                stream.flush().await?;
            }
        }
        Say::Silence(bytes) => {
            stream.write_all(&bytes).await?;
            std::future::pending().await
        }
    }
}
