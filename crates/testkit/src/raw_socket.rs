//! A WebSocket by hand: for handshakes and frames that no decent client sends.

use std::io;
use std::net::SocketAddr;

use crate::http::{Answer, Request, Wire};

const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// The handshake of a decent client, before anything is changed about it.
pub fn handshake(token: &str) -> Request {
    bare_handshake().bearer(token)
}

/// The handshake of somebody without a token.
pub fn bare_handshake() -> Request {
    Request::new("GET", "/api/v1/socket")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
}

/// A connection that was upgraded.
pub struct RawSocket(Wire);

/// A frame that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The opcode.
    pub opcode: u8,
    /// The payload.
    pub payload: Vec<u8>,
}

impl RawSocket {
    /// Shakes hands.
    ///
    /// # Errors
    /// The answer, when it is not 101.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn open(server: SocketAddr, handshake: &Request) -> Result<Self, Answer> {
        Self::open_on(Wire::open(server).await, handshake).await
    }

    /// Shakes hands on this connection.
    ///
    /// # Errors
    /// The answer, when it is not 101.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn open_on(mut wire: Wire, handshake: &Request) -> Result<Self, Answer> {
        let answer = wire.exchange(&handshake.bytes()).await;
        let answer = answer.expect("a handshake is answered");
        if answer.status == 101 { Ok(Self(wire)) } else { Err(answer) }
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// When the server has closed the connection.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write(bytes).await
    }

    /// Sends a text.
    ///
    /// # Errors
    /// When the server has closed the connection.
    pub async fn text(&mut self, text: &str) -> io::Result<()> {
        self.write(&frame(0x81, text.as_bytes())).await
    }

    /// The next frame; `None` when the connection ends.
    pub async fn next(&mut self) -> Option<Incoming> {
        crate::soon("a frame", self.read()).await
    }

    async fn read(&mut self) -> Option<Incoming> {
        let head = self.take(2).await?;
        let length = match head[1] & 0x7f {
            126 => u64::from_be_bytes(widened(&self.take(2).await?)),
            127 => u64::from_be_bytes(widened(&self.take(8).await?)),
            short => u64::from(short),
        };
        let payload = self.take(usize::try_from(length).ok()?).await?;
        Some(Incoming { opcode: head[0] & 0x0f, payload })
    }

    async fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        self.0.take(length).await.ok()
    }

    /// Reads until the server says goodbye; 1006 when it ends without.
    pub async fn close_code(&mut self) -> u16 {
        while let Some(frame) = self.next().await {
            if frame.opcode == 8 {
                return match frame.payload[..] {
                    [high, low, ..] => u16::from_be_bytes([high, low]),
                    _ => 1005,
                };
            }
        }
        1006
    }

    /// The connection below.
    pub fn into_wire(self) -> Wire {
        self.0
    }
}

fn widened(bytes: &[u8]) -> [u8; 8] {
    let mut wide = [0; 8];
    wide[8 - bytes.len()..].copy_from_slice(bytes);
    wide
}

/// A masked frame; `first` is its whole first byte.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = head(first, payload.len() as u64);
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A frame's head up to its mask, announcing this many masked bytes.
pub fn head(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(0x80 | length.to_be_bytes()[7]),
        126..=0xffff => {
            bytes.push(0xfe);
            bytes.extend(&length.to_be_bytes()[6..]);
        }
        _ => {
            bytes.push(0xff);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes
}
