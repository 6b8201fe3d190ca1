//! What the tests of all façades speak with: plain requests, and a plain socket.

use parlor_testkit::TestServer;
use parlor_testkit::http::{Answer, Request};
use parlor_testkit::raw_socket::{Incoming, RawSocket, frame};
use serde_json::Value;

/// A socket of a façade's client.
pub(super) struct Chat(RawSocket);

impl Chat {
    /// Opens a socket at this path, with these headers.
    pub(super) async fn open(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Self {
        match Self::try_open(server, path, headers).await {
            Ok(chat) => chat,
            Err(answer) => panic!("{path}: refused with {}: {}", answer.status, answer.text()),
        }
    }

    /// As [`Chat::open`]; the answer, when it is not 101.
    pub(super) async fn try_open(
        server: &TestServer,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Answer> {
        let mut handshake = Request::new("GET", path)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        for (name, value) in headers {
            handshake = handshake.header(name, value);
        }
        RawSocket::open(server.address(), &handshake).await.map(Self)
    }

    /// Waits until the server listens for this socket: before, it hears nothing of what others say.
    pub(super) async fn listened(mut self) -> Self {
        self.0.write(&frame(0x89, b"")).await.expect("the socket is open");
        match self.0.next().await {
            Some(Incoming { opcode: 10, .. }) => self,
            other => panic!("a pong was expected: {other:?}"),
        }
    }

    /// Sends a text.
    pub(super) async fn say(&mut self, text: &str) {
        self.0.text(text).await.expect("the socket is open");
    }

    /// Sends bytes.
    pub(super) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.0.write(&frame(0x82, bytes)).await.expect("the socket is open");
    }

    /// The next text, as JSON; or the code, when the close comes first.
    pub(super) async fn json_or_close(&mut self) -> Result<Value, u16> {
        loop {
            match self.0.next().await {
                Some(Incoming { opcode: 8, payload }) => {
                    return Err(payload
                        .first_chunk()
                        .map_or(1005, |code| u16::from_be_bytes(*code)));
                }
                Some(Incoming { opcode: 1, payload }) => {
                    return Ok(serde_json::from_slice(&payload).expect("a text is JSON"));
                }
                Some(_) => {}
                None => return Err(1006),
            }
        }
    }

    /// The next text. What keeps the connection alive is passed over.
    pub(super) async fn text(&mut self) -> String {
        loop {
            match self.0.next().await {
                Some(Incoming { opcode: 1, payload }) => {
                    return String::from_utf8(payload).expect("a text is UTF-8");
                }
                Some(Incoming { opcode: 9 | 10, .. }) => {}
                other => panic!("a text was expected: {other:?}"),
            }
        }
    }

    /// The next text, as JSON.
    pub(super) async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    /// Passes over texts until the close; its code and reason.
    pub(super) async fn closed(&mut self) -> (u16, String) {
        self.closed_after(|_| {}).await
    }

    /// As [`Chat::closed`]; looks at every text.
    pub(super) async fn closed_after(&mut self, look: impl Fn(&str)) -> (u16, String) {
        while let Some(frame) = self.0.next().await {
            if frame.opcode == 1 {
                look(&String::from_utf8_lossy(&frame.payload));
            }
            if frame.opcode == 8 {
                let code = match frame.payload[..] {
                    [high, low, ..] => u16::from_be_bytes([high, low]),
                    _ => 1005,
                };
                let reason = frame.payload.get(2..).unwrap_or_default();
                return (code, String::from_utf8_lossy(reason).into_owned());
            }
        }
        (1006, String::new())
    }
}

/// Sends a request.
pub(super) async fn send(server: &TestServer, request: Request) -> Answer {
    request.send(server.address()).await
}
