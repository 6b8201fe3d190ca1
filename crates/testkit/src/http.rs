//! HTTP/1.1 by hand, over one socket: says exactly the bytes that a test wants said, and reads
//! whatever comes back.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::soon;

/// A request to be written.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A request without headers and body; `Host`, `Connection` and `Content-Length` are added
    /// when it is written, unless they are given.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same of another path.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// With the proof of a login.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, kind: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self.header("Content-Type", kind)
    }

    /// With a JSON body, as it stands.
    #[must_use]
    pub fn json(self, text: &str) -> Self {
        self.body("application/json", text.as_bytes())
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path, with its query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let given = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !given("Host") {
            head += "Host: localhost\r\n";
        }
        if !given("Connection") {
            head += "Connection: close\r\n";
        }
        let body = !self.body.is_empty() || matches!(&*self.method, "POST" | "PUT" | "PATCH");
        if body && !given("Content-Length") && !given("Transfer-Encoding") {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it on a connection of its own and reads the answer.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(&self, to: SocketAddr) -> Answer {
        let mut wire = Wire::open(to).await;
        match wire.exchange(&self.bytes()).await {
            Ok(answer) => answer,
            Err(error) => panic!("{} {}: no answer: {error}", self.method, self.path),
        }
    }
}

/// An answer that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without its chunks.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| &**value)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The code of an error; empty when it is none.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// One connection.
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn open(to: SocketAddr) -> Self {
        soon("a connection", Self::connect(to)).await.expect("the server listens")
    }

    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(to: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: TcpStream::connect(to).await?, read: Vec::new() })
    }

    /// Connects with as small a buffer for what comes as there can be: what is not read soon
    /// stays with the server.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn open_narrow(to: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("there are sockets");
        socket.set_recv_buffer_size(2048).expect("a buffer may be small");
        let stream = soon("a connection", socket.connect(to)).await;
        Self { stream: stream.expect("the server listens"), read: Vec::new() }
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// When the server has closed the connection.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Says that nothing more will be written.
    ///
    /// # Errors
    /// When the server has closed the connection.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Reads one answer.
    ///
    /// # Errors
    /// When the connection ends before the answer does.
    pub async fn answer(&mut self) -> io::Result<Answer> {
        soon("an answer", read_answer(&mut self.stream, &mut self.read)).await
    }

    /// Writes while reading, since a server that refuses may not read to the end.
    ///
    /// # Errors
    /// When the connection ends before the answer does.
    pub async fn exchange(&mut self, bytes: &[u8]) -> io::Result<Answer> {
        soon("an answer", self.exchange_long(bytes)).await
    }

    /// The same, of a request that takes its time.
    ///
    /// # Errors
    /// When the connection ends before the answer does.
    pub async fn exchange_long(&mut self, bytes: &[u8]) -> io::Result<Answer> {
        let (mut reader, mut writer) = self.stream.split();
        let read = &mut self.read;
        // To such a request the answer has a head only, whatever it says of a body.
        let only_head = bytes.starts_with(b"HEAD ");
        let answer = async {
            match only_head {
                true => read_head(&mut reader, read).await,
                false => read_answer(&mut reader, read).await,
            }
        };
        let write = async {
            // A server that has answered already need not take the rest.
            let _ = writer.write_all(bytes).await;
            std::future::pending::<()>().await
        };
        let both = async {
            tokio::select! {
                answer = answer => answer,
                () = write => unreachable!("it is pending for ever"),
            }
        };
        both.await
    }

    /// Waits until the server closes the connection, and returns what it said before.
    pub async fn closed(&mut self) -> Vec<u8> {
        let read = &mut self.read;
        let stream = &mut self.stream;
        let all = async {
            // A reset is a way of closing, too.
            let _ = stream.read_to_end(read).await;
        };
        soon("the end of the connection", all).await;
        std::mem::take(read)
    }

    /// Reads exactly this many bytes.
    ///
    /// # Errors
    /// When the connection ends before.
    pub async fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        take(&mut self.stream, &mut self.read, length).await
    }

    /// Reads only the head of an answer.
    ///
    /// # Errors
    /// When the connection ends before.
    pub async fn head(&mut self) -> io::Result<Answer> {
        soon("an answer", read_head(&mut self.stream, &mut self.read)).await
    }

    /// The next chunk of a chunked body whose head was read; `None` at its end.
    ///
    /// # Errors
    /// When the connection ends before.
    pub async fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        next_chunk(&mut self.stream, &mut self.read).await
    }
}

async fn read_head<R>(stream: &mut R, read: &mut Vec<u8>) -> io::Result<Answer>
where
    R: tokio::io::AsyncRead + Unpin,
{
    let end = loop {
        match find(read, b"\r\n\r\n") {
            Some(end) => break end + 4,
            None if fill(stream, read).await? => {}
            None => return Err(cut("inside the head", read)),
        }
    };
    let head: Vec<u8> = read.drain(..end).collect();
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    Ok(Answer {
        status: status.ok_or_else(|| cut("in the first line", head.as_bytes()))?,
        headers: headers.collect(),
        body: Vec::new(),
    })
}

async fn read_answer<R>(stream: &mut R, read: &mut Vec<u8>) -> io::Result<Answer>
where
    R: tokio::io::AsyncRead + Unpin,
{
    let mut answer = read_head(stream, read).await?;
    if matches!(answer.status, 101 | 204 | 304) {
        return Ok(answer);
    }
    answer.body = if answer.header("transfer-encoding") == Some("chunked") {
        read_chunks(stream, read).await?
    } else if let Some(length) = answer.header("content-length") {
        let length = length.parse().map_err(|_| cut("in the length", length.as_bytes()))?;
        take(stream, read, length).await?
    } else {
        while fill(stream, read).await? {}
        std::mem::take(read)
    };
    Ok(answer)
}

async fn read_chunks<R>(stream: &mut R, read: &mut Vec<u8>) -> io::Result<Vec<u8>>
where
    R: tokio::io::AsyncRead + Unpin,
{
    let mut body = Vec::new();
    while let Some(chunk) = next_chunk(stream, read).await? {
        body.extend(chunk);
    }
    Ok(body)
}

/// The next chunk of a chunked body; `None` at its end.
async fn next_chunk<R>(stream: &mut R, read: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>>
where
    R: tokio::io::AsyncRead + Unpin,
{
    let line = loop {
        match find(read, b"\r\n") {
            Some(end) => break read.drain(..end + 2).collect::<Vec<_>>(),
            None if fill(stream, read).await? => {}
            None => return Err(cut("inside a chunk's head", read)),
        }
    };
    let text = String::from_utf8_lossy(&line);
    let length = usize::from_str_radix(text.trim(), 16);
    let length = length.map_err(|_| cut("in a chunk's head", &line))?;
    let chunk = take(stream, read, length).await?;
    take(stream, read, 2).await?;
    Ok((length > 0).then_some(chunk))
}

async fn take<R>(stream: &mut R, read: &mut Vec<u8>, length: usize) -> io::Result<Vec<u8>>
where
    R: tokio::io::AsyncRead + Unpin,
{
    while read.len() < length {
        if !fill(stream, read).await? {
            return Err(cut("inside the body", read));
        }
    }
    Ok(read.drain(..length).collect())
}

/// Reads some bytes; false at the end.
async fn fill<R>(stream: &mut R, read: &mut Vec<u8>) -> io::Result<bool>
where
    R: tokio::io::AsyncRead + Unpin,
{
    Ok(stream.read_buf(read).await? > 0)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn cut(place: &str, read: &[u8]) -> io::Error {
    let read = String::from_utf8_lossy(read).into_owned();
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the answer ends {place}: {read:?}"))
}
