//! Another implementation's client, over a pipe in memory, against an echo server made of this
//! codec.

use std::ops::ControlFlow;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Version};
use parlor_ws::{Accepted, Decoder, Incoming, Limits, Offer, Shared, accept};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const PIPE_BYTES: usize = 1000;

/// Reads the request's head and answers it. The door's HTTP server does this in earnest.
async fn shake(pipe: &mut DuplexStream) -> Accepted {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(pipe.read_u8().await.expect("a request"));
    }
    let head = String::from_utf8(head).expect("ascii");
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        if let Some((name, value)) = line.split_once(':') {
            let name: HeaderName = name.parse().expect("a name");
            headers.append(name, HeaderValue::from_str(value.trim()).expect("a value"));
        }
    }
    let offer = Offer { protocols: &["parlor.v1.json"], deflate: true };
    let accepted = accept(&Method::GET, Version::HTTP_11, &headers, &offer).expect("accepted");
    let response: Response<()> = accepted.response();
    let mut answer = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
    for (name, value) in response.headers() {
        answer.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    answer.extend(b"\r\n");
    pipe.write_all(&answer).await.expect("the client listens");
    accepted
}

/// What an echo server says to one thing that came.
fn echo(incoming: Incoming<'_>) -> Option<Bytes> {
    match incoming {
        Incoming::Text("ping me") => Some(parlor_ws::ping(b"now")),
        Incoming::Text(text) => Some(Shared::text(text.as_bytes()).bytes().clone()),
        Incoming::Binary(bytes) => Some(Shared::binary(bytes).bytes().clone()),
        Incoming::Ping(payload) => Some(parlor_ws::pong(payload)),
        Incoming::Pong => Some(Shared::text(b"ponged").bytes().clone()),
        Incoming::Close(close) => Some(parlor_ws::close_answer(close)),
    }
}

async fn serve(mut pipe: DuplexStream) {
    let accepted = shake(&mut pipe).await;
    let mut decoder = Decoder::new(Limits::default(), accepted.deflate);
    let mut buffer = [0; 700];
    loop {
        let read = pipe.read(&mut buffer).await.expect("reads");
        let (mut out, mut closed) = (Vec::new(), read == 0);
        let verdict = decoder.feed(&mut buffer[..read], |incoming| {
            closed |= matches!(incoming, Incoming::Close(_));
            out.extend(echo(incoming));
            if closed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Err(violation) = verdict {
            out.push(violation.close_frame());
            closed = true;
        }
        // The client may have gone, having said what it wanted.
        pipe.write_all(&out.concat()).await.ok();
        if closed {
            return;
        }
    }
}

/// Runs a client's half of a conversation against the echo server.
async fn converse(client: impl AsyncFnOnce(WebSocketStream<DuplexStream>)) {
    let (ours, theirs) = duplex(PIPE_BYTES);
    let client = async {
        let mut request = "ws://parlor.test/socket".into_client_request().expect("a request");
        let protocol = HeaderValue::from_static("other, parlor.v1.json");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (socket, response) = client_async(request, theirs).await.expect("shakes hands");
        assert_eq!(response.headers()["sec-websocket-protocol"], "parlor.v1.json");
        client(socket).await;
    };
    tokio::join!(serve(ours), client);
}

#[tokio::test]
async fn messages_of_every_length_come_back() {
    converse(async |mut socket| {
        for len in [0, 1, 125, 126, 127, 699, 700, 701, 65_535, 65_536] {
            let text = Message::text("é".repeat(len / 2));
            let binary = Message::binary(vec![0xfe; len]);
            for message in [text, binary] {
                let (mut sink, mut stream) = (&mut socket).split();
                let (sent, came) = tokio::join!(sink.send(message.clone()), stream.next());
                sent.expect("sent");
                assert_eq!(came.expect("open").expect("a message"), message);
            }
        }
        socket.close(None).await.expect("closes");
    })
    .await;
}

#[tokio::test]
async fn pings_are_answered_both_ways() {
    converse(async |mut socket| {
        socket.send(Message::Ping(Bytes::from_static(b"there?"))).await.expect("sent");
        let came = socket.next().await.expect("open").expect("a pong");
        assert_eq!(came, Message::Pong(Bytes::from_static(b"there?")));
        socket.send(Message::text("ping me")).await.expect("sent");
        let came = socket.next().await.expect("open").expect("a ping");
        assert_eq!(came, Message::Ping(Bytes::from_static(b"now")));
        socket.flush().await.expect("the pong leaves");
        let came = socket.next().await.expect("open").expect("a message");
        assert_eq!(came, Message::text("ponged"));
        socket.close(None).await.expect("closes");
    })
    .await;
}

#[tokio::test]
async fn a_close_is_answered_with_its_own_code() {
    converse(async |mut socket| {
        let frame = CloseFrame { code: CloseCode::Library(4001), reason: "bye".into() };
        socket.close(Some(frame)).await.expect("closes");
        let answer = CloseFrame { code: CloseCode::Library(4001), reason: "".into() };
        let came = socket.next().await.expect("open").expect("a close");
        assert_eq!(came, Message::Close(Some(answer)));
        assert!(socket.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_answered_with_a_close_that_says_so() {
    converse(async |mut socket| {
        // The pipe breaks before the whole message is through: that is the point.
        let sent = socket.send(Message::binary(vec![0; 65_537])).await;
        assert!(matches!(sent, Err(Error::Io(_))), "{sent:?}");
        let came = socket.next().await.expect("open").expect("a close");
        let reason = "message too big".into();
        assert_eq!(came, Message::Close(Some(CloseFrame { code: CloseCode::Size, reason })));
    })
    .await;
}
