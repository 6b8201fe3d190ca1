//! HTTP/1.1 as a raw client speaks it: one kept-alive connection, one request at a time, the
//! answer left in the buffer it was read into. Enough for our own server, and no more.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// A connection.
pub(super) struct Rest {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

impl Rest {
    pub(super) fn connect(to: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&to, ANSWER_WITHIN)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        Ok(Self { stream, host: to.to_string(), buffer: Vec::new() })
    }

    /// The status and body that answer a GET.
    pub(super) fn get(&mut self, path: &str, token: &str) -> anyhow::Result<(u16, &[u8])> {
        self.call("GET", path, token, None)
    }

    /// Posts JSON; anything but success is an error.
    pub(super) fn post(&mut self, path: &str, token: &str, body: &Value) -> anyhow::Result<Value> {
        self.say("POST", path, token, body)
    }

    /// The same with another method.
    pub(super) fn say(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let (status, answer) = self.call(method, path, token, Some(&body.to_string()))?;
        if !(200..300).contains(&status) {
            bail!("{method} {path}: {status} {}", String::from_utf8_lossy(answer));
        }
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(answer).with_context(|| format!("{method} {path}: no JSON"))
    }

    fn call(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&str>,
    ) -> anyhow::Result<(u16, &[u8])> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        if !token.is_empty() {
            request += &format!("Authorization: Bearer {token}\r\n");
        }
        if let Some(body) = body {
            let length = body.len();
            request += "Content-Type: application/json\r\n";
            request += &format!("Content-Length: {length}\r\n\r\n{body}");
        } else {
            request += "\r\n";
        }
        self.stream.write_all(request.as_bytes())?;
        self.answer()
    }

    /// The first cookie of the last answer, as a request shows it.
    pub(super) fn cookie(&self) -> Option<String> {
        let end = memchr::memmem::find(&self.buffer, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&self.buffer[..end]).ok()?;
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "))?;
        cookie.split(';').next().map(str::to_owned)
    }

    fn answer(&mut self) -> anyhow::Result<(u16, &[u8])> {
        self.buffer.clear();
        let head = loop {
            match memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.read_more()?,
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head])?.to_ascii_lowercase();
        let status = text.split(' ').nth(1).context("no status")?.parse()?;
        let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        if let Some(length) = header("content-length: ") {
            let end = head + length.trim().parse::<usize>()?;
            while self.buffer.len() < end {
                self.read_more()?;
            }
            return Ok((status, &self.buffer[head..end]));
        }
        if header("transfer-encoding: chunked").is_some() {
            self.join_chunks(head)?;
            return Ok((status, &self.buffer[head..]));
        }
        Ok((status, &[]))
    }

    /// Moves the chunks together, from `at` on.
    fn join_chunks(&mut self, head: usize) -> anyhow::Result<()> {
        let (mut from, mut to) = (head, head);
        loop {
            let line = loop {
                match memchr::memmem::find(&self.buffer[from..], b"\r\n") {
                    Some(length) => break from + length,
                    None => self.read_more()?,
                }
            };
            let size = std::str::from_utf8(&self.buffer[from..line])?;
            let size = usize::from_str_radix(size, 16).context("no size of a chunk")?;
            while self.buffer.len() < line + 2 + size + 2 {
                self.read_more()?;
            }
            self.buffer.copy_within(line + 2..line + 2 + size, to);
            (from, to) = (line + 2 + size + 2, to + size);
            if size == 0 {
                self.buffer.truncate(to);
                return Ok(());
            }
        }
    }

    fn read_more(&mut self) -> anyhow::Result<()> {
        const STEP: usize = 64 * 1024;
        let filled = self.buffer.len();
        self.buffer.resize(filled + STEP, 0);
        let read = self.stream.read(&mut self.buffer[filled..])?;
        self.buffer.truncate(filled + read);
        if read == 0 {
            bail!("the connection ended before the answer did");
        }
        Ok(())
    }
}
